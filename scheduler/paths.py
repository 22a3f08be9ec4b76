"""Where the top-level folders are, in a checkout and when installed."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def _root() -> Path:
    """The first place that holds the migrations: the wheel's copy or the checkout."""
    for place in (PACKAGE / "_bundled", PACKAGE.parent):
        if (place / "migrations" / "env.py").is_file():
            return place
    raise FileNotFoundError("migrations/env.py")


ROOT = _root()
TEMPLATES = ROOT / "templates"
MIGRATIONS = ROOT / "migrations"
CONFIG = ROOT / "config.py"
STATIC = PACKAGE / "static"
TRANSLATIONS = PACKAGE / "translations"
REFERENCE = PACKAGE / "reference"
