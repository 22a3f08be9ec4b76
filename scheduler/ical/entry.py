"""What a calendar entry says, and how its lines are written.

Every text is cleaned here, whoever typed it and whatever was cleaned before: control
characters and direction overrides pass through icalendar, and a CR in an address or a
link makes it raise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from icalendar import Calendar, Event, vCalAddress, vGeo, vText, vUri

from scheduler.ical.zone import PARIS_ZONE
from scheduler.wording import clean_line, clean_text, local

PRODUCT = "-//Company visits//Scheduler 1//FR"

SUMMARY_LIMIT = 200
PLACE_LIMIT = 400
DESCRIPTION_LIMIT = 5000
NAME_LIMIT = 60

_EVENT, _END = b"\r\nBEGIN:VEVENT\r\n", b"\r\nEND:VCALENDAR\r\n"

_LINK = re.compile(r"https?://[!-~]+")
_ADDRESS = re.compile(r"[!-~]+@[!-~]+")
# RFC 6068 §2: what an address may keep when it becomes a mailto link.
_KEPT_IN_MAILTO = "@!$'*+-._~"


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What happens, when and where; the same for everybody who may see it."""

    uid: str
    sequence: int
    dtstamp: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    location: str = ""
    description: str = ""
    url: str | None = None
    geo: tuple[float, float] | None = None
    language: str = "fr"
    created: datetime | None = None
    last_modified: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Entry(Occasion):
    """One person's invitation. No other person's name or address ever is in it.

    ``answer``: the PARTSTAT that is known, "" while nobody has answered. ``shared``: it
    goes to a mailing list, so no ATTENDEE is named.
    """

    organizer_address: str
    organizer_name: str
    attendee_address: str
    attendee_name: str = ""
    rsvp: bool = True
    status: str = "CONFIRMED"
    answer: str = ""
    shared: bool = False


def calendar() -> Calendar:
    """An empty calendar; ``octets`` adds the zone that all our entries use."""
    empty = Calendar()
    empty.add("prodid", PRODUCT)
    empty.add("version", "2.0")
    empty.add("calscale", "GREGORIAN")
    return empty


def event(occasion: Occasion, *, status: str) -> Event:
    """The properties that every kind of entry has.

    No VALARM, no CLASS, no CATEGORIES, no X- property: calendars use their owner's
    own reminders, and icalendar writes X- values without escaping them.
    """
    if occasion.ends_at <= occasion.starts_at:
        raise ValueError("ends_before_it_starts")
    written = Event()
    written.add("uid", clean_line(occasion.uid))
    written.add("dtstamp", _utc(occasion.dtstamp))
    written.add("sequence", occasion.sequence)
    written.add("dtstart", _whole(local(occasion.starts_at)))
    written.add("dtend", _whole(local(occasion.ends_at)))
    written.add("status", status)
    _add_words(written, occasion)
    _add_place(written, occasion)
    for name in ("created", "last_modified"):
        at = getattr(occasion, name)
        if at is not None:
            written.add(name.replace("_", "-"), _utc(at))
    return written


def octets(written: Calendar) -> bytes:
    """UTF-8, CRLF, lines of at most 75 octets.

    The zone is put before the first entry as it is: read and written each time, it
    would take as long as the entry. No text that is folded and escaped has a line like
    a delimiter's.
    """
    whole = bytes(written.to_ical())
    at = whole.find(_EVENT)
    if at < 0:
        at = whole.rindex(_END)
    return whole[: at + 2] + PARIS_ZONE + whole[at + 2 :]


def person(address: str, name: str, **parameters: str) -> vCalAddress:
    """A calendar address. ``CN`` has no quotes or line breaks: Outlook shows ``^n``."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError("bad_address")
    written = vCalAddress(f"mailto:{quote(address, safe=_KEPT_IN_MAILTO)}")
    common_name = clean_line(name, NAME_LIMIT).replace('"', "'")
    if common_name:
        written.params["CN"] = vText(common_name)
    for parameter, value in parameters.items():
        written.params[parameter] = vText(value)
    return written


def link(url: str | None) -> vUri | None:
    """Only what a browser can open. Anything else is left out, not repaired."""
    return vUri(url) if url is not None and _LINK.fullmatch(url) else None


def _add_words(written: Event, occasion: Occasion) -> None:
    language = {"LANGUAGE": occasion.language}
    summary = clean_line(occasion.summary, SUMMARY_LIMIT)
    written.add("summary", summary, parameters=language)
    description = clean_text(occasion.description, DESCRIPTION_LIMIT)
    if description:
        written.add("description", description, parameters=language)
    page = link(occasion.url)
    if page is not None:
        written.add("url", page)


def _add_place(written: Event, occasion: Occasion) -> None:
    location = clean_line(occasion.location, PLACE_LIMIT)
    if location:
        written.add("location", location)
    if occasion.geo is not None:
        latitude, longitude = occasion.geo
        written.add("geo", vGeo((round(latitude, 6), round(longitude, 6))))


def _utc(at: datetime) -> datetime:
    return _whole(local(at).astimezone(UTC))


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)
