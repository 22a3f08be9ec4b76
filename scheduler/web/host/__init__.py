"""The host room."""

from __future__ import annotations

from flask import Blueprint

from scheduler.domain.actors import Actor, Role
from scheduler.web.guards import guard

bp = Blueprint("host", __name__, url_prefix="/host")
answer_bp = Blueprint("host_answer", __name__, url_prefix="/h")


def speaks_for_a_host(actor: Actor) -> bool:
    """Contacts of a company."""
    return bool(actor.organisations(Role.HOST_CONTACT))


guard(bp, speaks_for_a_host)
