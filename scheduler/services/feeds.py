"""A class's calendar to subscribe to, and the file of one visit.

The address of a feed is its password. It is derived, not stored: a keyed digest of the
class and its generation, so that ``classes.rotate_feed`` makes the old one worthless.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.refusals import NotFound
from scheduler.ical.entry import Occasion
from scheduler.ical.feed import CANCELLED_SHOWN, SHOWN_BEFORE, FeedEntry, feed
from scheduler.ical.invitation import public
from scheduler.persistence.models.reference import PpeRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import feeds as queries, reference
from scheduler.persistence.queries.feeds import CALLED_OFF, FeedOfClass
from scheduler.services.house import house_of
from scheduler.services.student_facts import student_facts, uid_for_all

SECRET_BYTES = 18
LONGEST_TOKEN = 60
LOCALE = "fr"


class Occasions(Protocol):
    """``mail.compose.Compose``: the words of our calendars."""

    def occasion(
        self,
        recorded: Mapping[str, Any],
        *,
        audience: str,
        locale: str,
        uid: str,
        sequence: int,
        dtstamp: datetime,
    ) -> Occasion: ...


@dataclass(frozen=True, kw_only=True)
class Feed:
    """``changed_at``: the last change of what it shows, ``None`` if it is empty."""

    octets: bytes
    changed_at: datetime | None


def token(class_id: int, generation: int, *, key: bytes) -> str:
    """The secret part of the address; 144 bits cannot be guessed."""
    text = f"feed:{class_id}:{generation}".encode()
    mac = hmac.new(key, text, hashlib.sha256).digest()[:SECRET_BYTES]
    return f"{class_id}-{base64.urlsafe_b64encode(mac).decode()}"


def token_of_class(session: Session, class_id: int) -> str:
    """The token that opens the class's calendar now."""
    found = queries.feed_of_class(session, class_id)
    if found is None:
        raise NotFound
    key = house_of(session).link_key
    return token(found.class_id, found.generation, key=key)


def class_feed(
    session: Session, secret: str, *, occasions: Occasions, now: datetime
) -> Feed:
    """The calendar behind the token; raises ``NotFound`` for any other."""
    found = _opened(session, secret)
    since = now - SHOWN_BEFORE
    rows = queries.visits_to_show(session, found.class_id, since=since)
    ppe = reference.ppe(session)
    entries = [
        FeedEntry(
            **asdict(_occasion(session, row, occasions=occasions, ppe=ppe)),
            cancelled=row.state in CALLED_OFF,
        )
        for row in rows
    ]
    name = f"{found.label}, {found.school_name}"
    return Feed(octets=feed(name, entries, now), changed_at=_changed_at(rows, now=now))


def visit_file(session: Session, visit: VisitRow, *, occasions: Occasions) -> bytes:
    """One visit for whoever has the class's code, to keep as an entry of their own."""
    ppe = reference.ppe(session)
    return public(_occasion(session, visit, occasions=occasions, ppe=ppe))


def _opened(session: Session, secret: str) -> FeedOfClass:
    number = secret.partition("-")[0]
    if len(secret) > LONGEST_TOKEN or not (number.isascii() and number.isdigit()):
        raise NotFound
    found = queries.feed_of_class(session, int(number[:18]))
    if found is None:
        raise NotFound
    key = house_of(session).link_key
    expected = token(found.class_id, found.generation, key=key)
    if not hmac.compare_digest(expected.encode(), secret.encode()):
        raise NotFound
    return found


def _occasion(
    session: Session,
    row: VisitRow,
    *,
    occasions: Occasions,
    ppe: Mapping[str, PpeRow],
) -> Occasion:
    return occasions.occasion(
        student_facts(row, ppe=ppe, locale=LOCALE),
        audience=Audience.STUDENT.value,
        locale=LOCALE,
        uid=uid_for_all(session, row.id),
        sequence=row.revision,
        dtstamp=row.updated_at,
    )


def _changed_at(rows: list[VisitRow] | Any, *, now: datetime) -> datetime | None:
    """A cancelled visit changes the calendar once more: on the day it leaves it."""
    moments = [row.updated_at for row in rows]
    moments += [
        row.updated_at + CANCELLED_SHOWN for row in rows if row.state in CALLED_OFF
    ]
    return max((at for at in moments if at <= now), default=None)
