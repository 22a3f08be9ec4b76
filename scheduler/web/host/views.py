"""All pages of the host room, bound to its blueprint."""

from __future__ import annotations

from scheduler.web.host import bp, contacts, home, limits, offers, slots, visits

__all__ = ["bp", "contacts", "home", "limits", "offers", "slots", "visits"]
