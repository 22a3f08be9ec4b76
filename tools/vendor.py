"""Copy the few front-end files that are shipped, and note their hashes.

The copies are committed: an installation needs neither npm nor a network. This is
run by hand after package.json or icons.txt changed:

    python tools/vendor.py

npm works in a temporary copy, so no node_modules appears in the project, and with
``--ignore-scripts``, so no package runs code of its own here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "scheduler" / "static" / "vendor"
MANIFEST = VENDOR / "manifest.json"
GLYPHS = ROOT / "templates" / "_parts" / "_glyphs.html"

FILES = {
    "htmx.org": ("dist/htmx.min.js", "LICENSE"),
    # One file: latin with the optical size axis. It has every letter of French;
    # rarer letters come from the system's font.
    "@fontsource-variable/inter": ("files/inter-latin-opsz-normal.woff2", "LICENSE"),
    "lucide-static": ("LICENSE",),
}

ICONS = (ROOT / "tools" / "icons.txt").read_text(encoding="utf-8").split()

GLYPHS_HEAD = """\
{# The drawing inside each icon. Written by tools/vendor.py from Lucide (ISC licence,
   see scheduler/static/vendor); change tools/icons.txt, not this file. -#}
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        packages = installed(Path(folder))
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir(parents=True)
        for package, files in FILES.items():
            copy_files(packages / package, files)
        copy_icons(packages / "lucide-static")
    write_glyphs()
    write_manifest()


def installed(folder: Path) -> Path:
    """The packages of the lock, each checked by npm against its sha512."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / name, folder / name)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        check=True,
    )
    return folder / "node_modules"


def shelf(package: Path) -> Path:
    """Where a package's files are kept: its short name and its version."""
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    short = str(about["name"]).rsplit("/", 1)[-1].removesuffix(".org")
    return VENDOR / f"{short}-{about['version']}"


def copy_files(package: Path, files: tuple[str, ...]) -> None:
    target = shelf(package)
    target.mkdir(exist_ok=True)
    for file in files:
        shutil.copyfile(package / file, target / Path(file).name)


def copy_icons(package: Path) -> None:
    target = shelf(package)
    for icon in ICONS:
        shutil.copyfile(package / "icons" / f"{icon}.svg", target / f"{icon}.svg")


def drawing(svg: str) -> str:
    """What is inside the ``<svg>`` element, on one line."""
    inside = re.sub(r"^.*?<svg[^>]*>|</svg>.*$", "", svg, flags=re.DOTALL)
    return re.sub(r"\s+", " ", inside).replace("> <", "><").strip()


def glyphs() -> str:
    """The template that gives the icon macro its drawings."""
    lines = [
        f"  {json.dumps(file.stem)}: '{drawing(file.read_text(encoding='utf-8'))}',"
        for file in sorted(VENDOR.glob("lucide-static-*/*.svg"))
    ]
    return GLYPHS_HEAD + "{% set glyphs = {\n" + "\n".join(lines) + "\n} -%}\n"


def write_glyphs() -> None:
    GLYPHS.write_text(glyphs(), encoding="utf-8")


def sha384(file: Path) -> str:
    digest = hashlib.sha384(file.read_bytes()).digest()
    return "sha384-" + base64.b64encode(digest).decode("ascii")


def write_manifest() -> None:
    hashes = {
        file.relative_to(VENDOR).as_posix(): sha384(file)
        for file in sorted(VENDOR.rglob("*"))
        if file.is_file() and file != MANIFEST
    }
    text = json.dumps({"files": hashes}, indent=2, sort_keys=True) + "\n"
    MANIFEST.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
