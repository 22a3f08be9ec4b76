"""What every page may say about the site: its name, its assets, who looks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, url_for
from flask_login import current_user

from scheduler import paths
from scheduler.web.signed_in import locale


@dataclass(frozen=True, kw_only=True)
class Site:
    name: str
    campus_name: str
    support_email: str
    demo: bool


def init_app(app: Flask, site: Site) -> None:
    """Give templates ``site``, ``viewer``, ``locale`` and ``asset``."""

    @app.context_processor
    def add() -> dict[str, Any]:
        viewer = current_user if current_user.is_authenticated else None
        return {"site": site, "viewer": viewer, "locale": locale(), "asset": asset}


def reads_answers() -> bool:
    """Whether this service has a mailbox of answers to read at all."""
    return current_app.extensions["answers"] is not None


def asset(name: str) -> str:
    """The address of a static file, with its content in it so that it may be kept."""
    return url_for("static", filename=name, v=_version(paths.STATIC / name))


@lru_cache(maxsize=256)
def _version(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]
