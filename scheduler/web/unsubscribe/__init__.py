"""The link in reminders and daily mails that ends them, without signing in."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("unsubscribe", __name__, url_prefix="/u")
