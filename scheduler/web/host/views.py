"""All pages of the host room, bound to its blueprint."""

from __future__ import annotations

from scheduler.web.host import (
    bp,
    campaigns,
    contacts,
    home,
    limits,
    offers,
    slots,
    visits,
)

__all__ = [
    "bp",
    "campaigns",
    "contacts",
    "home",
    "limits",
    "offers",
    "slots",
    "visits",
]
