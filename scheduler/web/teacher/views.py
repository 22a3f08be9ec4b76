"""The teacher pages, all on one blueprint."""

from __future__ import annotations

from scheduler.web.teacher import (
    asking,
    bp,
    campaigns,
    classes,
    home,
    offer,
    offers,
    results,
    steps,
    visits,
)

__all__ = [
    "asking",
    "bp",
    "campaigns",
    "classes",
    "home",
    "offer",
    "offers",
    "results",
    "steps",
    "visits",
]
