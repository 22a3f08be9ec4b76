"""How calendars answer an invitation: mails as Gmail, Outlook and Apple send them.

The demo has no such client at hand, so it writes what they write, from the invitation
that was caught: the headers, the structure and the properties of each, quirks included.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.utils import format_datetime
from enum import StrEnum
from uuid import uuid4

from scheduler.ical.reading import read_calendar
from scheduler.wording import local

FOLD_AT = 70
A_WEEK = timedelta(days=7)
MAILTO = "mailto:"


class Client(StrEnum):
    """Whose shape the answer has."""

    GMAIL = "gmail"
    OUTLOOK = "outlook"
    APPLE = "apple"


class Reply(StrEnum):
    """The buttons. ``OTHER_TIME``: the same hours one week later."""

    ACCEPT = "accept"
    TENTATIVE = "tentative"
    DECLINE = "decline"
    OTHER_TIME = "other_time"


PARTSTAT = {
    Reply.ACCEPT: "ACCEPTED",
    Reply.TENTATIVE: "TENTATIVE",
    Reply.DECLINE: "DECLINED",
    Reply.OTHER_TIME: "TENTATIVE",
}
SAID = {
    Reply.ACCEPT: "Accepté",
    Reply.TENTATIVE: "Provisoire",
    Reply.DECLINE: "Refusé",
    Reply.OTHER_TIME: "Autre horaire proposé",
}


@dataclass(frozen=True, kw_only=True)
class Invited:
    """What an answer repeats of the invitation."""

    uid: str
    sequence: int
    summary: str
    starts_at: datetime
    ends_at: datetime
    organizer: str
    attendee: str


def invited_by(calendar: bytes | None) -> Invited | None:
    """The one event of a REQUEST, or nothing that could be answered."""
    found = read_calendar(calendar) if calendar else None
    if found is None or found.method != "REQUEST" or len(found.events) != 1:
        return None
    said = dict(found.events[0].properties)
    starts_at, ends_at = said.get("DTSTART"), said.get("DTEND")
    if not isinstance(starts_at, datetime) or not isinstance(ends_at, datetime):
        return None
    if not said.get("ORGANIZER") or not said.get("ATTENDEE"):
        return None
    return Invited(
        uid=str(said.get("UID", "")),
        sequence=int(str(said.get("SEQUENCE", "0"))),
        summary=str(said.get("SUMMARY", "")),
        starts_at=starts_at,
        ends_at=ends_at,
        organizer=_bare(str(said["ORGANIZER"])),
        attendee=_bare(str(said["ATTENDEE"])),
    )


def written(
    invited: Invited, reply: Reply, client: Client, *, comment: str = "", now: datetime
) -> bytes:
    """The whole mail, as octets."""
    if reply is Reply.OTHER_TIME and client is Client.GMAIL:
        client = Client.OUTLOOK
    return SHAPES[client](invited, reply, comment, now)


def _gmail(invited: Invited, reply: Reply, comment: str, now: datetime) -> bytes:
    """Its answers say that a program sent them; they count all the same."""
    note = f";X-RESPONSE-COMMENT={_quoted(comment)}" if comment else ""
    attendee = (
        f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={PARTSTAT[reply]};"
        f"CN={invited.attendee};X-NUM-GUESTS=0{note}:mailto:{invited.attendee}"
    )
    calendar = _calendar(
        "-//Google Inc//Google Calendar 70.9054//EN",
        "REPLY",
        [
            f"DTSTART:{_utc(invited.starts_at)}",
            f"DTEND:{_utc(invited.ends_at)}",
            f"DTSTAMP:{_utc(now)}",
            f"ORGANIZER;CN={invited.organizer}:mailto:{invited.organizer}",
            f"UID:{invited.uid}",
            attendee,
            f"CREATED:{_utc(now)}",
            "DESCRIPTION:",
            f"LAST-MODIFIED:{_utc(now)}",
            f"SEQUENCE:{invited.sequence}",
            "STATUS:CONFIRMED",
            f"SUMMARY:{_escaped(invited.summary)}",
            "TRANSP:OPAQUE",
        ],
    )
    words = f"{invited.attendee} : {SAID[reply]}"
    outer, inner = _boundary(), _boundary()
    headers = [
        *_headers(invited, f"{SAID[reply]} : {invited.summary}", now, "google.com"),
        "Sender: Google Calendar <calendar-notification@google.com>",
        f"Reply-To: {invited.attendee}",
        "Auto-Submitted: auto-generated",
        f'Content-Type: multipart/mixed; boundary="{outer}"',
    ]
    return _mail(
        headers,
        f"--{outer}",
        f'Content-Type: multipart/alternative; boundary="{inner}"',
        "",
        *_part(inner, 'text/plain; charset="UTF-8"; format=flowed; delsp=yes', words),
        *_part(inner, 'text/html; charset="UTF-8"', f"<p>{words}</p>"),
        *_part(inner, 'text/calendar; charset="UTF-8"; method=REPLY', calendar),
        f"--{inner}--",
        *_part(outer, 'application/ics; name="invite.ics"', calendar),
        f"--{outer}--",
    )


def _outlook(invited: Invited, reply: Reply, comment: str, now: datetime) -> bytes:
    """No ORGANIZER in a REPLY, a time zone of its own, empty texts."""
    is_counter = reply is Reply.OTHER_TIME
    later = A_WEEK if is_counter else timedelta(0)
    starts_at, ends_at = invited.starts_at + later, invited.ends_at + later
    organizer = (
        [f'ORGANIZER;CN="{invited.organizer}":mailto:{invited.organizer}']
        if is_counter
        else []
    )
    words = [f"COMMENT;LANGUAGE=fr-FR:{_escaped(comment)}\\n"] if comment else []
    calendar = _calendar(
        "Microsoft Exchange Server 2010",
        "COUNTER" if is_counter else "REPLY",
        [
            *organizer,
            f"ATTENDEE;PARTSTAT={PARTSTAT[reply]};CN={invited.attendee}:mailto:"
            + invited.attendee,
            *words,
            f"UID:{invited.uid}",
            f"SUMMARY;LANGUAGE=fr-FR:{SAID[reply]} : {_escaped(invited.summary)}",
            f"DTSTART;TZID=Romance Standard Time:{_paris(starts_at)}",
            f"DTEND;TZID=Romance Standard Time:{_paris(ends_at)}",
            "CLASS:PUBLIC",
            "PRIORITY:5",
            f"DTSTAMP:{_utc(now)}",
            "TRANSP:OPAQUE",
            "STATUS:CONFIRMED",
            f"SEQUENCE:{invited.sequence}",
            "X-MICROSOFT-CDO-APPT-SEQUENCE:0",
            "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
            "X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY",
            "X-MICROSOFT-CDO-ALLDAYEVENT:FALSE",
        ],
        zone=ROMANCE,
    )
    method = "COUNTER" if is_counter else "REPLY"
    edge = _boundary()
    headers = [
        *_headers(invited, f"{SAID[reply]} : {invited.summary}", now, "outlook.com"),
        "X-MS-Has-Attach: ",
        f'Content-Type: multipart/alternative; boundary="{edge}"',
    ]
    return _mail(
        headers,
        *_part(edge, 'text/plain; charset="iso-8859-1"', ""),
        *_part(edge, 'text/html; charset="iso-8859-1"', "<html><body></body></html>"),
        *_part(edge, f'text/calendar; charset="utf-8"; method={method}', calendar),
        f"--{edge}--",
    )


def _apple(invited: Invited, reply: Reply, comment: str, now: datetime) -> bytes:
    """The calendar as an attachment, with an ``EMAIL`` beside the address."""
    is_counter = reply is Reply.OTHER_TIME
    method = "COUNTER" if is_counter else "REPLY"
    later = A_WEEK if is_counter else timedelta(0)
    words = [f"COMMENT:{_escaped(comment)}"] if comment else []
    attendee = (
        f"ATTENDEE;CUTYPE=INDIVIDUAL;EMAIL={invited.attendee};"
        f"PARTSTAT={PARTSTAT[reply]};ROLE=REQ-PARTICIPANT:mailto:{invited.attendee}"
    )
    calendar = _calendar(
        "-//Apple Inc.//macOS 15.1//EN",
        method,
        [
            f"UID:{invited.uid}",
            f"DTSTART:{_utc(invited.starts_at + later)}",
            f"DTEND:{_utc(invited.ends_at + later)}",
            f"DTSTAMP:{_utc(now)}",
            f"SEQUENCE:{invited.sequence}",
            f"SUMMARY:{_escaped(invited.summary)}",
            f"ORGANIZER:mailto:{invited.organizer}",
            attendee,
            *words,
        ],
    )
    edge = _boundary()
    headers = [
        *_headers(invited, f"{SAID[reply]} : {invited.summary}", now, "me.com"),
        "X-Mailer: iPhone Mail (22B83)",
        f'Content-Type: multipart/mixed; boundary="{edge}"',
    ]
    name = f"iCal-{now:%Y%m%d-%H%M%S}.ics"
    return _mail(
        headers,
        *_part(edge, "text/plain; charset=utf-8", f"{SAID[reply]}."),
        *_part(
            edge,
            f"text/calendar; method={method}; charset=utf-8; name={name}",
            calendar,
            f"Content-Disposition: attachment; filename={name}",
        ),
        f"--{edge}--",
    )


SHAPES: dict[Client, Callable[[Invited, Reply, str, datetime], bytes]] = {
    Client.GMAIL: _gmail,
    Client.OUTLOOK: _outlook,
    Client.APPLE: _apple,
}

ROMANCE = (
    "BEGIN:VTIMEZONE",
    "TZID:Romance Standard Time",
    "BEGIN:STANDARD",
    "DTSTART:16010101T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:16010101T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
)


def _calendar(
    product: str, method: str, event: list[str], *, zone: tuple[str, ...] = ()
) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        f"METHOD:{method}",
        f"PRODID:{product}",
        "VERSION:2.0",
        *zone,
        "BEGIN:VEVENT",
        *event,
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _folded(line: str) -> list[str]:
    """RFC 5545 §3.1, by characters: short enough also where each takes two octets."""
    pieces = [line[at : at + FOLD_AT] for at in range(0, len(line), FOLD_AT)]
    return [pieces[0], *(f" {piece}" for piece in pieces[1:])]


def _headers(invited: Invited, subject: str, now: datetime, domain: str) -> list[str]:
    encoded = base64.b64encode(subject.encode()).decode()
    sender = Address(addr_spec=invited.attendee)
    return [
        f"From: {sender}",
        f"To: {invited.organizer}",
        f"Subject: =?UTF-8?B?{encoded}?=",
        f"Date: {format_datetime(now)}",
        f"Message-ID: <{uuid4()}@{domain}>",
        "MIME-Version: 1.0",
    ]


def _part(edge: str, content_type: str, text: str, *more: str) -> list[str]:
    encoded = base64.b64encode(text.encode()).decode()
    return [
        f"--{edge}",
        f"Content-Type: {content_type}",
        "Content-Transfer-Encoding: base64",
        *more,
        "",
        *textwrap.wrap(encoded, 76),
        "",
    ]


def _mail(headers: list[str], *lines: str) -> bytes:
    return "\r\n".join([*headers, "", *lines, ""]).encode()


def _boundary() -> str:
    return uuid4().hex


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _paris(at: datetime) -> str:
    return f"{local(at):%Y%m%dT%H%M%S}"


def _bare(address: str) -> str:
    return address[len(MAILTO) :] if address.lower().startswith(MAILTO) else address


def _escaped(text: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return text


def _quoted(text: str) -> str:
    inside = text.replace('"', "'").replace("\n", " ")
    return f'"{inside}"'
