"""The auth pages."""

from __future__ import annotations

from scheduler.web.auth import bp

__all__ = ["bp"]


@bp.get("/sign-in")
def sign_in() -> str:
    """To be written."""
    return ""


@bp.post("/sign-out")
def sign_out() -> str:
    """To be written."""
    return ""


@bp.get("/sessions")
def sessions() -> str:
    """To be written."""
    return ""
