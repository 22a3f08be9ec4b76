"""The room of whoever was invited: one question, three buttons, no account."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("answer", __name__, url_prefix="/r")
