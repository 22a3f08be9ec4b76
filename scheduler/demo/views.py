"""Pages that exist only in the demo: the mailbox, "sign in as"."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("demo", __name__, url_prefix="/demo")


@bp.get("/mailbox")
def mailbox() -> str:
    """To be written."""
    return ""


@bp.get("/people")
def people() -> str:
    """To be written."""
    return ""
