"""The tables, one family per module."""

from __future__ import annotations

from scheduler.persistence.models import (
    access,
    calendars,
    campaigns,
    journal,
    network,
    offers,
    outbox,
    people,
    received,
    reference,
    visits,
)

__all__ = [
    "access",
    "calendars",
    "campaigns",
    "journal",
    "network",
    "offers",
    "outbox",
    "people",
    "received",
    "reference",
    "visits",
]
