"""A calendar that somebody sent back: octets in, claims out."""

from __future__ import annotations

from datetime import UTC, datetime

from icalendar import Calendar

from scheduler.domain.inbound import AttendeeLine, CalendarAnswer, UnreadableAnswer


def read_answer(
    octets: bytes, *, method_parameter: str = ""
) -> CalendarAnswer | UnreadableAnswer:
    """Its one event, whatever it says; a code if there is nothing to act upon."""
    try:
        calendar = Calendar.from_ical(octets)
        (event,) = calendar.walk("VEVENT")
        attendees = event.get("ATTENDEE", [])
        lines = attendees if isinstance(attendees, list) else [attendees]
        stamp = event.decoded("DTSTAMP")
        if not isinstance(stamp, datetime) or stamp.tzinfo is None:
            return UnreadableAnswer(code="bad_dtstamp")
        return CalendarAnswer(
            method=str(calendar.get("METHOD", "")).upper() or method_parameter.upper(),
            uid=str(event.get("UID", "")),
            dtstamp=stamp.astimezone(UTC),
            sequence=int(event.get("SEQUENCE", 0)),
            organizer=_address(str(event.get("ORGANIZER", ""))),
            attendees=tuple(
                AttendeeLine(
                    address=_address(str(line)),
                    partstat=str(line.params.get("PARTSTAT", "")).upper(),
                )
                for line in lines
            ),
            comment=str(event.get("COMMENT", "")),
            is_recurrence="RECURRENCE-ID" in event,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return UnreadableAnswer(code="unreadable_calendar")


def _address(written: str) -> str:
    return written.strip().lower().removeprefix("mailto:")
