"""The coordinator pages."""

from __future__ import annotations

from scheduler.web.coordinator import bp

__all__ = ["bp"]


@bp.get("/")
def home() -> str:
    """To be written."""
    return ""
