"""The teacher room."""

from __future__ import annotations

from flask import Blueprint

from scheduler.domain.actors import SCHOOL_ROLES, Actor
from scheduler.web.guards import guard

bp = Blueprint("teacher", __name__, url_prefix="/teacher")


def works_at_a_school(actor: Actor) -> bool:
    """Teachers, school offices, heads of school."""
    return bool(actor.organisations(*SCHOOL_ROLES))


guard(bp, works_at_a_school)
