"""A calendar that somebody sent back: octets in, claims out.

Only what an answer can say is read (RFC 5546 §3.2.3): who, which event, which version,
yes or no, and a few words. The times in it are read from a COUNTER alone, for a person
to look at. What occurs once by RFC 5545 and is there twice is refused, not chosen.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from icalendar import Calendar
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from scheduler.domain.inbound import AttendeeLine, CalendarAnswer, UnreadableAnswer
from scheduler.ical.contentlines import (
    Component,
    NotReadable,
    Property,
    read_components,
    unescaped,
)
from scheduler.wording import PARIS, clean_text

COMMENT_LIMIT = 500
UID_LIMIT = 255
MOST_ATTENDEES = 100
# RFC 5545 §3.3.8
LARGEST_SEQUENCE = 2**31 - 1

WANTED = frozenset(
    {
        "ATTENDEE",
        "COMMENT",
        "DTEND",
        "DTSTAMP",
        "DTSTART",
        "DURATION",
        "METHOD",
        "ORGANIZER",
        "RECURRENCE-ID",
        "SEQUENCE",
        "UID",
    }
)
# Kinds of entries; a calendar that answers holds one entry (RFC 5546 §3.2.3).
KINDS = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"})

_UTC = re.compile(r"([0-9]{8}T[0-9]{6})Z")
_LOCAL = re.compile(r"[0-9]{8}T[0-9]{6}")
_INTEGER = re.compile(r"\+?([0-9]{1,10})")
_DURATION = re.compile(
    r"\+?P(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:\d+S)?)?"
)
_ZONE_NAME = re.compile(r"[A-Za-z]+(?:[/_+-][A-Za-z0-9_+-]+)*")
# What Exchange and Google write where an address is hidden.
_NO_ADDRESS = "invalid:nomail"


def read_answer(
    octets: bytes, *, method_parameter: str = ""
) -> CalendarAnswer | UnreadableAnswer:
    """Its one event, whatever it says; a code if there is nothing to act upon."""
    uid = ""
    try:
        calendar = read_components(octets, wanted=WANTED)
        method = _method(calendar, method_parameter)
        event = _event(calendar)
        uid = _uid(event)
        starts_at, ends_at = _times(event, octets, method=method)
        return CalendarAnswer(
            method=method,
            uid=uid,
            dtstamp=_dtstamp(event),
            sequence=_sequence(event),
            organizer=_organizer(event),
            attendees=_attendees(event),
            comment=_comment(*(line.text() for line in event.all("COMMENT"))),
            is_recurrence=bool(event.all("RECURRENCE-ID")),
            starts_at=starts_at,
            ends_at=ends_at,
        )
    except NotReadable as wrong:
        return UnreadableAnswer(code=wrong.code, uid=uid)


def _method(calendar: Component, parameter: str) -> str:
    """RFC 6047 §2.4: the parameter of the part and METHOD say the same."""
    written = calendar.single("METHOD")
    inside = written.value.strip().upper() if written is not None else ""
    outside = parameter.strip().upper()
    if inside and outside and inside != outside:
        raise NotReadable("method_mismatch")
    return inside or outside


def _event(calendar: Component) -> Component:
    entries = [one for one in calendar.components if one.name in KINDS]
    if len(entries) > 1:
        raise NotReadable("several_events")
    if not entries or entries[0].name != "VEVENT":
        raise NotReadable("no_event")
    return entries[0]


def _uid(event: Component) -> str:
    written = event.single("UID")
    uid = unescaped(written.value).strip() if written is not None else ""
    if not uid:
        raise NotReadable("no_uid")
    if len(uid) > UID_LIMIT or not uid.isprintable():
        raise NotReadable("bad_uid")
    return uid


def _dtstamp(event: Component) -> datetime:
    """RFC 5545 §3.8.7.2: once, and in UTC."""
    written = event.single("DTSTAMP")
    stamp = _utc(written.value.strip()) if written is not None else None
    if stamp is None:
        raise NotReadable("bad_dtstamp")
    return stamp


def _sequence(event: Component) -> int:
    written = event.single("SEQUENCE")
    if written is None:
        return 0
    number = _INTEGER.fullmatch(written.value.strip())
    if number is None or int(number[1]) > LARGEST_SEQUENCE:
        raise NotReadable("bad_sequence")
    return int(number[1])


def _organizer(event: Component) -> str:
    written = event.single("ORGANIZER")
    if written is None or written.value.strip().lower() == _NO_ADDRESS:
        return ""
    # An organizer that cannot be read is not ours, and must not pass for absent.
    return _address(written) or written.value.strip()[:UID_LIMIT]


def _attendees(event: Component) -> tuple[AttendeeLine, ...]:
    lines = event.all("ATTENDEE")
    if len(lines) > MOST_ATTENDEES:
        raise NotReadable("too_many_attendees")
    return tuple(
        AttendeeLine(
            address=_address(line),
            partstat=line.parameter("PARTSTAT").strip().upper(),
            # Google's way to say something; not escaped as a TEXT by everybody.
            comment=_comment(unescaped(line.parameter("X-RESPONSE-COMMENT"))),
            sent_by=_mailto(line.parameter("SENT-BY")),
            delegated_from=_mailtos(line, "DELEGATED-FROM"),
            delegated_to=_mailtos(line, "DELEGATED-TO"),
        )
        for line in lines
    )


def _comment(*texts: str) -> str:
    return clean_text("\n".join(texts), COMMENT_LIMIT) if any(texts) else ""


def _address(line: Property) -> str:
    """The mail address; Apple may write a principal's URL and ``EMAIL=`` beside it."""
    return _mailto(line.value) or _mailto(line.parameter("EMAIL"))


def _mailtos(line: Property, name: str) -> tuple[str, ...]:
    return tuple(_mailto(one) for one in line.parameters.get(name, ()))


def _mailto(written: str) -> str:
    """Lower case, percent-decoded; nothing if it is no mail address (RFC 6068)."""
    address = written.strip()
    if address[:7].lower() == "mailto:":
        address = unquote(address[7:].partition("?")[0])
    address = address.strip().strip("<>").lower()
    name, at, domain = address.rpartition("@")
    readable = address.isprintable() and not set(" :") & set(address)
    return address if readable and name and at and domain and "/" not in domain else ""


def _times(
    event: Component, octets: bytes, *, method: str
) -> tuple[datetime | None, datetime | None]:
    """From when to when a COUNTER would have it; nothing else may say so."""
    if method != "COUNTER":
        return None, None
    start, end = event.single("DTSTART"), event.single("DTEND")
    length = event.single("DURATION")
    try:
        starts_at = _instant(start, octets) if start is not None else None
        if end is not None:
            return starts_at, _instant(end, octets)
        if starts_at is None or length is None:
            return starts_at, None
        return starts_at, _after(starts_at, length.value.strip())
    except OverflowError:
        return None, None


def _after(starts_at: datetime, length: str) -> datetime | None:
    found = _DURATION.fullmatch(length)
    if found is None:
        return None
    weeks, days, hours, minutes = (int(number or 0) for number in found.groups())
    return starts_at + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


def _instant(line: Property, octets: bytes) -> datetime | None:
    """A time in UTC. Whole days and unknown zones are nothing that we could propose."""
    written = line.value.strip()
    at = _utc(written)
    if at is not None or _LOCAL.fullmatch(written) is None:
        return at
    naive = _wall(written)
    zone = line.parameter("TZID").strip()
    if naive is None or not zone:
        # A floating time: the clock on the wall, and all the walls are here.
        return naive and naive.replace(tzinfo=PARIS).astimezone(UTC)
    known = _zone(zone)
    if known is not None:
        return naive.replace(tzinfo=known).astimezone(UTC)
    return _by_its_own_zone(line.name, octets)


def _zone(name: str) -> ZoneInfo | None:
    """The zone by its common name or by the one that Windows has for it."""
    name = WINDOWS_TO_OLSON.get(name, name)
    if not _ZONE_NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _by_its_own_zone(name: str, octets: bytes) -> datetime | None:
    """The time by the VTIMEZONE in the calendar: "Customized Time Zone" of Outlook.

    The one place where icalendar reads what came by mail: a bounded calendar, of which
    one time is taken, and a person looks at it.
    """
    try:
        (event,) = Calendar.from_ical(octets).walk("VEVENT")
        found = event.decoded(name)
        if isinstance(found, datetime) and found.tzinfo is not None:
            return found.astimezone(UTC)
    except Exception:  # noqa: BLE001 - any way to fail means: no time that can be read
        return None
    return None


def _utc(written: str) -> datetime | None:
    found = _UTC.fullmatch(written)
    naive = _wall(found[1]) if found is not None else None
    return naive and naive.replace(tzinfo=UTC)


def _wall(written: str) -> datetime | None:
    """As on a clock. Digits that are no time, the 30th of February, are nothing."""
    numbers = (written[:4], *(written[at : at + 2] for at in (4, 6, 9, 11, 13)))
    try:
        year, month, day, hour, minute, second = map(int, numbers)
        return datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001
    except ValueError:
        return None
