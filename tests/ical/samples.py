"""An invitation with every property, and a feed entry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from scheduler.ical.entry import Entry
from scheduler.ical.feed import FeedEntry

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TUESDAY = datetime(2027, 1, 12, 8, tzinfo=UTC)
TWO_HOURS = timedelta(hours=2)
UID = "5d0f6e0a-8f0e-4d58-9a55-1f2a2b6c3d4e@visites.example.org"


def an_occasion(**changes: Any) -> dict[str, Any]:
    starts_at = changes.get("starts_at", TUESDAY)
    return {
        "uid": UID,
        "sequence": 0,
        "dtstamp": NOW,
        "starts_at": starts_at,
        "ends_at": starts_at + TWO_HOURS,
        "summary": "Visite : Atelier Clairmortaise, Clisson",
        "location": "3 rue du Moulin, 44190 Clisson",
        "description": "Accueil ; bâtiment A\nà 9 h",
        "url": "https://visites.example.org/visits/41",
        "geo": (47.09, -1.28),
        "language": "fr",
        "created": NOW - TWO_HOURS,
        "last_modified": NOW,
    } | changes


def an_entry(**changes: Any) -> Entry:
    people = {
        "organizer_address": "visites@example.org",
        "organizer_name": "Visites d’entreprises",
        "attendee_address": "c.robert@example.org",
        "attendee_name": "Camille Robert",
    }
    return Entry(**(an_occasion() | people | changes))


def a_feed_entry(**changes: Any) -> FeedEntry:
    return FeedEntry(**an_occasion(**changes))
