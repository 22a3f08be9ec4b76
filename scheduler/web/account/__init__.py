"""What belongs to a person, whatever their roles: calendars, mails."""

from __future__ import annotations

from flask import Blueprint

from scheduler.web.guards import guard

bp = Blueprint("account", __name__, url_prefix="/account")

guard(bp, lambda _actor: True)
