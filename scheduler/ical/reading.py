"""A calendar part as a person would look at it, whoever wrote it.

For showing only: nothing is decided by what is read here, and what cannot be read is
left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from icalendar import Calendar, Component

from scheduler.wording import clean_line, clean_text

LARGEST = 400_000
MOST_EVENTS = 50
TEXT_LIMIT = 4000
SHOWN = (
    "SUMMARY",
    "DTSTART",
    "DTEND",
    "LOCATION",
    "STATUS",
    "SEQUENCE",
    "ORGANIZER",
    "ATTENDEE",
    "DESCRIPTION",
    "URL",
    "UID",
    "DTSTAMP",
)


@dataclass(frozen=True, kw_only=True)
class ReadEvent:
    """``properties``: name and value; a time is an aware datetime, all else text."""

    properties: tuple[tuple[str, str | datetime], ...]


@dataclass(frozen=True, kw_only=True)
class ReadCalendar:
    method: str
    events: tuple[ReadEvent, ...]


def read_calendar(octets: bytes) -> ReadCalendar | None:
    """Its METHOD and events; ``None`` if this is no calendar."""
    if len(octets) > LARGEST:
        return None
    try:
        found = Calendar.from_ical(octets)
        events = list(found.walk("VEVENT"))[:MOST_EVENTS]
        return ReadCalendar(
            method=clean_line(str(found.get("METHOD", "")), 20),
            events=tuple(_event(each) for each in events),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _event(component: Component) -> ReadEvent:
    found: list[tuple[str, str | datetime]] = []
    for name in SHOWN:
        values = component.get(name)
        given = values if isinstance(values, list) else [values]
        found += [(name, _said(value)) for value in given if value is not None]
    return ReadEvent(properties=tuple(found))


def _said(value: object) -> str | datetime:
    at = getattr(value, "dt", None)
    if isinstance(at, datetime) and at.tzinfo is not None:
        return at
    if isinstance(at, date):
        return at.isoformat()
    return clean_text(str(value), TEXT_LIMIT)
