"""The teacher pages."""

from __future__ import annotations

from scheduler.web.teacher import bp

__all__ = ["bp"]


@bp.get("/")
def home() -> str:
    """To be written."""
    return ""


@bp.get("/offers")
def offers() -> str:
    """To be written."""
    return ""


@bp.get("/visits")
def visits() -> str:
    """To be written."""
    return ""


@bp.get("/classes")
def classes() -> str:
    """To be written."""
    return ""
