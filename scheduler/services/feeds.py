"""Calendars to subscribe to, and the file of one visit.

Every fetch asks anew who may read: a person who lost the role, or is blocked, finds
nothing behind an address that was good yesterday.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, need
from scheduler.domain.announcements import Audience
from scheduler.domain.feeds import FeedKind, may_follow
from scheduler.ical.entry import Occasion
from scheduler.ical.feed import CANCELLED_SHOWN, SHOWN_BEFORE, FeedEntry, feed
from scheduler.ical.invitation import public
from scheduler.persistence.models.access import FeedRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)
from scheduler.persistence.queries import access, feeds as queries, reference
from scheduler.persistence.queries.feeds import (
    CALLED_OFF,
    CONTACTS_CHANGED,
    OFFER_CHANGED,
)
from scheduler.services.feed_facts import feed_facts
from scheduler.services.feed_tokens import (
    is_of_adult,
    opened_class,
    opened_feed,
    token_of_class,
)
from scheduler.services.student_facts import student_facts, uid_for_all

__all__ = ["Feed", "Occasions", "calendar_behind", "token_of_class", "visit_file"]

LOCALE = "fr"
SECONDS_A_DAY = 24 * 60 * 60
# A school's or the campus's calendar may hold visits to which its reader is invited
# in either part; one's own holds those of one part.
INVITED_AS = {FeedKind.TEACHER: Audience.TEACHER, FeedKind.SCHOOL: Audience.TEACHER}
INVITED_AS[FeedKind.HOST] = Audience.HOST
STUDENTS_ARE_TOLD = frozenset({OFFER_CHANGED})
ADULTS_ARE_TOLD = STUDENTS_ARE_TOLD | CONTACTS_CHANGED


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

    def calendar_name(self, kind: str, organisation: str, *, locale: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Feed:
    """``changed_at``: the last change that was written down, ``None`` if it is empty.

    Not every change is: a telephone, a label, a new release of ours.
    """

    octets: bytes
    changed_at: datetime | None

    @property
    def fingerprint(self) -> str:
        """Of what it says, to the letter."""
        return hashlib.sha256(self.octets).hexdigest()[:32]

    @property
    def dated(self) -> datetime | None:
        """A date for who can ask by date only: another one whenever it says another.

        It lies up to a day before the last change that was written down; how far is
        read from the content. So a change that nobody wrote down moves it too.
        """
        if self.changed_at is None:
            return None
        back = int(self.fingerprint, 16) % SECONDS_A_DAY
        return self.changed_at.replace(microsecond=0) - timedelta(seconds=back)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What tells one revision of an entry from the next."""

    uid: str
    sequence: int
    changed_at: datetime


def calendar_behind(
    session: Session, secret: str, *, occasions: Occasions, now: datetime
) -> Feed:
    """The calendar behind the token; raises ``NotFound`` for any other."""
    read = _adult_feed if is_of_adult(secret) else _class_feed
    return read(session, secret, occasions=occasions, now=now)


def _class_feed(
    session: Session, secret: str, *, occasions: Occasions, now: datetime
) -> Feed:
    found = opened_class(session, secret)
    since = now - SHOWN_BEFORE
    rows = queries.visits_of_class(session, found.class_id, since=since)
    identities = _identities(session, rows)
    ppe = reference.ppe(session)
    entries = [
        _entry(
            row,
            occasions,
            student_facts(row, ppe=ppe, locale=LOCALE),
            identities[row.id],
            audience=Audience.STUDENT.value,
            locale=LOCALE,
        )
        for row in rows
    ]
    return _written(
        f"{found.label}, {found.school_name}", entries, rows, identities, now=now
    )


def _adult_feed(
    session: Session, secret: str, *, occasions: Occasions, now: datetime
) -> Feed:
    found = opened_feed(session, secret)
    person = _reader(session, found)
    rows = queries.visits_followed(
        session,
        found.kind,
        person_id=person.id,
        organisation_id=found.organisation_id,
        since=now - SHOWN_BEFORE,
    )
    identities = _identities(session, rows, moved_by=ADULTS_ARE_TOLD)
    identities |= _invited(session, found, rows, shared=identities)
    hosts = _hosts(rows)
    contacts = queries.first_contacts(session, hosts)
    ppe = reference.ppe(session)
    entries = [
        _entry(
            row,
            occasions,
            feed_facts(
                row,
                found.kind,
                contact=contacts.get(row.slot.offer.host_id),
                ppe=ppe,
                locale=person.locale,
            ),
            identities[row.id],
            audience=found.kind.value,
            locale=person.locale,
        )
        for row in rows
    ]
    names = queries.organisation_names(session, [found.organisation_id])
    name = occasions.calendar_name(
        found.kind.value, names[found.organisation_id], locale=person.locale
    )
    return _written(name, entries, rows, identities, now=now)


def visit_file(session: Session, visit: VisitRow, *, occasions: Occasions) -> bytes:
    """One visit for whoever has the class's code, to keep as an entry of their own."""
    identity = _identities(session, [visit])[visit.id]
    facts = student_facts(visit, ppe=reference.ppe(session), locale=LOCALE)
    return public(
        occasions.occasion(
            facts,
            audience=Audience.STUDENT.value,
            locale=LOCALE,
            uid=identity.uid,
            sequence=identity.sequence,
            dtstamp=identity.changed_at,
        )
    )


def _reader(session: Session, found: FeedRow) -> PersonRow:
    """Whose calendar it is, if that person still may read it."""
    person = access.person_with_roles(session, found.person_id)
    actor = Actor()
    if person is not None and not person.blocked:
        actor = Actor(
            person_id=person.id,
            memberships=frozenset(each.as_domain() for each in person.memberships),
        )
    need(may_follow(actor, found.kind, found.organisation_id))
    return session.get_one(PersonRow, found.person_id)


def _entry(
    row: VisitRow,
    occasions: Occasions,
    facts: Mapping[str, Any],
    identity: Identity,
    *,
    audience: str,
    locale: str,
) -> FeedEntry:
    told = occasions.occasion(
        facts,
        audience=audience,
        locale=locale,
        uid=identity.uid,
        sequence=identity.sequence,
        dtstamp=identity.changed_at,
    )
    cancelled_at = row.updated_at if row.state in CALLED_OFF else None
    said = {each.name: getattr(told, each.name) for each in fields(told)}
    return FeedEntry(**said, cancelled_at=cancelled_at)


def _hosts(rows: Iterable[VisitRow]) -> set[int]:
    return {row.slot.offer.host_id for row in rows}


def _identities(
    session: Session,
    rows: Sequence[VisitRow],
    *,
    moved_by: frozenset[str] = STUDENTS_ARE_TOLD,
) -> dict[int, Identity]:
    """Where no single reader is known: a UID for all, moved by every change.

    ``moved_by``: what else happens at the host that the entry tells of (the offer's
    words). Google keeps an old entry whose SEQUENCE and LAST-MODIFIED stand still.
    """
    if not rows:
        return {}
    since = min(row.requested_at for row in rows)
    changes = queries.host_changes(session, _hosts(rows), moved_by, since=since)
    found = {}
    for row in rows:
        said = [
            at
            for at in changes.get(row.slot.offer.host_id, ())
            if at >= row.requested_at
        ]
        found[row.id] = Identity(
            uid=uid_for_all(session, row.id),
            sequence=row.revision + len(said),
            changed_at=max([row.updated_at, *said]),
        )
    return found


def _invited(
    session: Session,
    found: FeedRow,
    rows: Sequence[VisitRow],
    *,
    shared: Mapping[int, Identity],
) -> dict[int, Identity]:
    """Where the reader holds an invitation: its UID and SEQUENCE, as mailed.

    One that was taken back while the visit goes on (the contact changed) is over: the
    calendar dropped it, and must not be told that it stands.
    """
    told = {each.id: each for each in rows}
    wanted = INVITED_AS.get(found.kind)
    mine: dict[int, Identity] = {}
    for row in queries.invitations_to(session, found.person_id):
        visit = told.get(row.visit_id)
        if visit is None or wanted not in {None, row.audience}:
            continue
        if _stands(row, visit):
            changed_at = max(row.dtstamp, shared[visit.id].changed_at)
            mine[visit.id] = Identity(
                uid=row.uid, sequence=row.sequence, changed_at=changed_at
            )
    return mine


def _stands(row: InvitationRow, visit: VisitRow) -> bool:
    return row.state is InvitationState.INVITED or visit.state in CALLED_OFF


def _written(
    name: str,
    entries: Sequence[FeedEntry],
    rows: Sequence[VisitRow],
    identities: Mapping[int, Identity],
    *,
    now: datetime,
) -> Feed:
    """A cancelled visit changes the calendar once more: on the day it leaves it."""
    # DTSTAMP may run some seconds ahead of the clock.
    moments = [min(identities[row.id].changed_at, now) for row in rows]
    leaves = [
        row.updated_at + CANCELLED_SHOWN for row in rows if row.state in CALLED_OFF
    ]
    changed_at = max([*moments, *(at for at in leaves if at <= now)], default=None)
    return Feed(octets=feed(name, entries, now), changed_at=changed_at)
