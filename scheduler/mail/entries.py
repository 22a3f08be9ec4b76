"""What a visit says in a calendar, and the calendar part of a message.

The words come from templates/mail/entry, so that a mailed invitation, a feed and the
"add to my calendar" file of a page all say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scheduler.ical.entry import Entry, Occasion
from scheduler.ical.invitation import cancel, publish, request
from scheduler.mail.address import ascii_address
from scheduler.mail.facts import VisitFacts
from scheduler.mail.letter import Message
from scheduler.mail.press import Press

WRITERS = {"REQUEST": request, "CANCEL": cancel, "PUBLISH": publish}


def occasion(
    visit: VisitFacts,
    press: Press,
    *,
    audience: str,
    page: str | None,
    uid: str,
    sequence: int,
    dtstamp: datetime,
    answer_link: str | None = None,
) -> Occasion:
    """The visit as one kind of reader finds it in a calendar.

    ``answer_link``: the reader's own page to answer on; never in an entry that several
    people read.
    """
    facts = {
        "visit": visit,
        "audience": audience,
        "page": page,
        "answer_link": answer_link,
    }
    return Occasion(
        uid=uid,
        sequence=sequence,
        dtstamp=dtstamp,
        last_modified=dtstamp,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        summary=press.line("mail/entry/summary.txt", **facts),
        description=press.text("mail/entry/description.txt", **facts),
        location=visit.place,
        url=page,
        geo=visit.geo,
        language=press.locale,
    )


def invitation(
    message: Message,
    told: Occasion,
    *,
    organizer_address: str,
    organizer_name: str,
) -> bytes:
    """The message's calendar part. Its one ATTENDEE is the reader."""
    write = WRITERS[message.method or "REQUEST"]
    recorded: Mapping[str, Any] = message.payload.get("entry") or {}
    return write(
        Entry(
            **vars(told),
            organizer_address=ascii_address(organizer_address),
            organizer_name=organizer_name,
            attendee_address=ascii_address(message.recipient_address),
            attendee_name=message.recipient_name,
            status=str(recorded.get("status") or "CONFIRMED"),
            answer=str(recorded.get("answer") or ""),
            rsvp=bool(recorded.get("rsvp", True)),
            shared=bool(recorded.get("shared", False)),
        )
    )
