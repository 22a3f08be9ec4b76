"""The coordinator room."""

from __future__ import annotations

from flask import Blueprint

from scheduler.domain.actors import Actor
from scheduler.web.guards import guard

bp = Blueprint("coordinator", __name__, url_prefix="/coordinator")


def coordinates(actor: Actor) -> bool:
    """Coordinators of the campus."""
    return actor.is_coordinator


guard(bp, coordinates)
