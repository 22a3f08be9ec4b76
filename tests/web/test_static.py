"""What is shipped to browsers: vendored files, the stylesheet and its colours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "scheduler" / "static"
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
VENDOR = STATIC / "vendor"
CSS = (STATIC / "app.css").read_text(encoding="utf-8")

TEXT, SHAPE = 4.5, 3.0  # WCAG 2.2: 1.4.3 for words, 1.4.11 for what words stand in

GROUNDS = ("paper", "surface", "sunk")
PAIRS = [
    *((colour, ground, TEXT) for colour in ("ink", "ink-soft") for ground in GROUNDS),
    *(
        (colour, ground, TEXT)
        for colour in ("accent", "accent-strong", "copper", "bad", "good", "wait")
        for ground in GROUNDS
    ),
    *(
        (tone, f"{tone}-soft", TEXT)
        for tone in ("accent", "copper", "good", "wait", "bad", "info")
    ),
    *(
        (ink, f"{tone}-soft", TEXT)
        for ink in ("ink", "ink-soft")
        for tone in ("accent", "copper", "good", "wait", "bad", "info")
    ),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    *(("edge", ground, SHAPE) for ground in GROUNDS),
    *(("focus", ground, SHAPE) for ground in (*GROUNDS, "accent-soft", "bad-soft")),
    *(
        (colour, ground, SHAPE)
        for colour in ("accent", "copper")
        for ground in ("land", "land-out", "sea")
    ),
]


def tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})\b", css))


def themes() -> dict[str, dict[str, str]]:
    start = css_layer("tokens")
    light, dark = start.split("@media (prefers-color-scheme: dark)")
    return {"light": tokens(light), "dark": tokens(light) | tokens(dark)}


def css_layer(name: str) -> str:
    return CSS.split(f"@layer {name} {{", 1)[1].split("\n}\n", 1)[0]


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def sha384(file: Path) -> str:
    digest = hashlib.sha384(file.read_bytes()).digest()
    return "sha384-" + base64.b64encode(digest).decode("ascii")


def test_contrast_of_black_on_white_is_twenty_one():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_colours_of_the_tokens_can_be_read(
    theme: str, front: str, back: str, least: float
):
    colours = themes()[theme]

    assert contrast(colours[front], colours[back]) >= least


def test_dark_theme_names_every_colour_again():
    both = themes()

    light = tokens(css_layer("tokens").split("@media", 1)[0])
    dark = tokens(css_layer("tokens").split("@media", 1)[1])

    assert set(dark) == set(light)
    assert set(both["dark"]) == set(both["light"])


def test_vendored_files_are_those_of_the_manifest():
    manifest = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))

    found = {
        file.relative_to(VENDOR).as_posix(): sha384(file)
        for file in VENDOR.rglob("*")
        if file.is_file() and file.name != "manifest.json"
    }

    assert found == manifest["files"]


def test_every_vendored_folder_has_its_licence():
    folders = {folder for folder in VENDOR.iterdir() if folder.is_dir()}

    assert folders == {licence.parent for licence in VENDOR.glob("*/LICENSE")}


def test_drawings_of_the_icon_macro_are_the_vendored_ones():
    written = (TEMPLATES / "_parts" / "_glyphs.html").read_text(encoding="utf-8")
    drawings = dict(re.findall(r'^  "([a-z0-9-]+)": \'(.*)\',$', written, re.MULTILINE))

    files = {
        file.stem: re.sub(r"\s+", "", file.read_text(encoding="utf-8"))
        for file in VENDOR.glob("lucide-static-*/*.svg")
    }

    assert set(drawings) == set(files)
    for name, drawing in drawings.items():
        assert re.sub(r"\s+", "", drawing) in files[name]


def test_icons_are_vendored_if_used_and_used_if_vendored():
    vendored = {file.stem for file in VENDOR.glob("lucide-static-*/*.svg")}
    written = "".join(
        file.read_text(encoding="utf-8")
        for file in (*TEMPLATES.rglob("*.html"), *STATIC.parent.rglob("*.py"))
        if file.name != "_glyphs.html"
    )

    called = set(re.findall(r"\b(?:icon|draw)(?:\(|=)\"([a-z0-9-]+)\"", written))

    assert called - vendored == set()
    assert {name for name in vendored if f'"{name}"' not in written} == set()


def test_stylesheet_asks_no_other_host_and_finds_its_files():
    addresses = re.findall(r"url\(\s*[\"']?([^\"')]+)", CSS)

    assert addresses
    for address in addresses:
        assert not re.match(r"[a-z]+:|//", address)
        assert (STATIC / address).is_file()
    assert "@import" not in CSS


def test_stylesheet_uses_colours_only_through_tokens():
    rules = CSS.replace(css_layer("tokens"), "").replace(css_layer("print"), "")

    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*;)", rules) == []


def test_stylesheet_uses_only_tokens_that_exist():
    named = set(re.findall(r"--([a-z0-9-]+):", CSS))
    used = set(re.findall(r"var\(--([a-z0-9-]+)", CSS))

    assert used <= named


def test_first_visit_is_light():
    """A school's line is slow: one font, one stylesheet, no picture from elsewhere."""
    font = sum(file.stat().st_size for file in VENDOR.rglob("*.woff2"))

    assert font <= 110_000
    assert len(CSS.encode()) <= 64_000


@pytest.mark.parametrize(
    "template",
    # A mail has no stylesheet: there, styles stand in the elements.
    sorted(set(TEMPLATES.rglob("*.html")) - set(TEMPLATES.glob("mail/**/*"))),
    ids=lambda file: file.relative_to(TEMPLATES).as_posix(),
)
def test_templates_hold_nothing_the_content_policy_forbids(template: Path):
    text = template.read_text(encoding="utf-8")

    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"<(?!a\b)[^>]*\s(src|href)=[\"'](https?:)?//", text)
