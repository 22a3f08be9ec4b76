"""The public pages."""

from __future__ import annotations

from scheduler.web.public import bp

__all__ = ["bp"]


@bp.get("/")
def home() -> str:
    """To be written."""
    return ""


@bp.post("/language")
def set_language() -> str:
    """To be written."""
    return ""


@bp.get("/accessibility")
def accessibility() -> str:
    """To be written."""
    return ""


@bp.get("/credits")
def credits() -> str:
    """To be written."""
    return ""


@bp.get("/privacy")
def privacy() -> str:
    """To be written."""
    return ""
