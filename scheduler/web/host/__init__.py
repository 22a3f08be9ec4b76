"""The host room."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint

from scheduler import wording
from scheduler.domain.actors import Actor, Role
from scheduler.web.guards import guard
from scheduler.web.host.words import date_tile
from scheduler.web.signed_in import locale

bp = Blueprint("host", __name__, url_prefix="/host")
answer_bp = Blueprint("host_answer", __name__, url_prefix="/h")


def speaks_for_a_host(actor: Actor) -> bool:
    """Contacts of a company."""
    return bool(actor.organisations(Role.HOST_CONTACT))


@bp.app_template_filter("date_tile")
def _tile(value: date | datetime) -> tuple[str, str, str, str]:
    return date_tile(value, locale())


@bp.app_template_filter("day_and_month")
def _day_and_month(value: date | datetime) -> str:
    return wording.day_and_month(value, locale())


guard(bp, speaks_for_a_host)
