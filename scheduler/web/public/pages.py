"""What comes from elsewhere, with its licence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from scheduler import paths

MANIFEST = paths.STATIC / "vendor" / "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """Something that lies in our static folder. ``licence_file`` is next to it."""

    name: str
    version: str
    licence: str
    licence_file: str


NAMES = {
    "htmx": ("htmx", "0BSD"),
    "inter": ("Inter", "SIL OFL 1.1"),
    "lucide-static": ("Lucide", "ISC"),
}


@cache
def shipped() -> tuple[Shipped, ...]:
    """What the manifest of vendored files lists, by folder."""
    files = json.loads(MANIFEST.read_text(encoding="utf-8"))["files"]
    folders = sorted({name.partition("/")[0] for name in files})
    found = []
    for folder in folders:
        key, _, version = folder.rpartition("-")
        name, licence = NAMES.get(key, (key, ""))
        found.append(
            Shipped(
                name=name,
                version=version,
                licence=licence,
                licence_file=f"vendor/{folder}/LICENSE",
            )
        )
    return tuple(found)
