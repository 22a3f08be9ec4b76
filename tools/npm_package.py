"""Where an open-data npm package lies once it has been fetched.

Only the build tools use it. npm is a courier here: nothing of what it writes
(lock file, addresses of the registry it asked) enters the project.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path


def fetched(name: str, version: str, *, workdir: Path) -> Path:
    """The folder of the package, fetched into ``workdir`` unless already there."""
    folder = workdir / "node_modules" / name
    if not _is(folder, version):
        workdir.mkdir(parents=True, exist_ok=True)
        flags = ("--ignore-scripts", "--no-save", "--no-package-lock", "--silent")
        subprocess.run(
            ["npm", "install", *flags, "--prefix", str(workdir), f"{name}@{version}"],
            check=True,
        )
    if not _is(folder, version):
        raise SystemExit(f"{name} {version} did not arrive in {workdir}")
    return folder


def _is(folder: Path, version: str) -> bool:
    manifest = folder / "package.json"
    if not manifest.exists():
        return False
    found: str = json.loads(manifest.read_text("utf-8"))["version"]
    return found == version
