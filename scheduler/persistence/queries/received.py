"""Received mail: known already, whose it is, what waits for a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, insert, or_, select
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.answers import Answer, Effect
from scheduler.persistence.models.network import SchoolClassRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)

ACTS = frozenset({Effect.ACCEPT, Effect.TENTATIVE, Effect.DECLINE, Effect.BOUNCE})


@dataclass(frozen=True)
class Seen:
    """A message that was kept earlier."""

    digest: str
    message_id: str
    acted: bool
    visit_id: int | None
    invitation_id: int | None
    sequence: int | None


@dataclass(kw_only=True)
class Kept:
    """A message and its verdict, to be stored as a row."""

    octets_digest: str
    message_id: str
    received_at: datetime
    size: int
    effect: Effect
    code: str
    visit_id: int | None = None
    invitation_id: int | None = None
    bounced_id: int | None = None
    sequence: int | None
    dtstamp: datetime | None
    sender: str = ""
    subject: str = ""
    comment: str = ""
    excerpt: str = ""
    proposed_starts_at: datetime | None = None
    proposed_ends_at: datetime | None = None
    for_person: bool


@dataclass(frozen=True)
class Keys:
    """What is locked to change a visit: host, class and organiser."""

    visit_id: int
    host_id: int
    class_id: int
    organiser_id: int


def seen(
    session: Session, digests: Collection[str], message_ids: Collection[str]
) -> list[Seen]:
    """Messages with these octets, or with these Message-IDs if they changed something.

    An empty Message-ID says nothing.
    """
    named = [each for each in message_ids if each]
    rows = session.execute(
        select(
            ReceivedRow.octets_digest,
            ReceivedRow.message_id,
            ReceivedRow.effect,
            ReceivedRow.visit_id,
            ReceivedRow.invitation_id,
            ReceivedRow.sequence,
        ).where(
            or_(
                ReceivedRow.octets_digest.in_(digests),
                and_(ReceivedRow.message_id.in_(named), ReceivedRow.effect.in_(ACTS)),
            )
        )
    )
    return [
        Seen(row[0], row[1], row[2] in ACTS, row[3], row[4], row[5]) for row in rows
    ]


def store(session: Session, kept: Collection[Kept]) -> None:
    """In one statement for all: as objects they would be asked for their new ids."""
    if kept:
        session.connection().execute(insert(ReceivedRow), [vars(each) for each in kept])


def keys_of_uids(session: Session, uids: Collection[str]) -> list[Keys]:
    """The visits of invitations, to lock them before the invitations are read."""
    rows = session.execute(
        _keys()
        .join(InvitationRow, InvitationRow.visit_id == VisitRow.id)
        .where(InvitationRow.uid.in_(uids))
    )
    return [Keys(row[0], row[1], row[2], row[3]) for row in rows]


def invitations_by_uid(
    session: Session, uids: Collection[str]
) -> dict[str, tuple[InvitationRow, VisitRow, datetime]]:
    """Invitations, each with its visit and the visit's end, read again."""
    rows = session.execute(
        select(InvitationRow, VisitRow, SlotRow.ends_at)
        .join(VisitRow, VisitRow.id == InvitationRow.visit_id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(InvitationRow.uid.in_(uids))
        .execution_options(populate_existing=True)
    )
    return {row[0].uid: (row[0], row[1], row[2]) for row in rows}


def visits_in_brief(
    session: Session, visit_ids: Collection[int]
) -> list[tuple[VisitRow, int]]:
    """Visits, each with the smallest group that the host takes, read again."""
    rows = session.execute(
        select(VisitRow, OfferRow.min_students)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(VisitRow.id.in_(visit_ids))
        .order_by(VisitRow.id)
        .execution_options(populate_existing=True)
    )
    return [(row[0], row[1]) for row in rows]


def keys_around(session: Session, visit_id: int) -> Keys | None:
    """What is locked to change the visit."""
    row = session.execute(_keys().where(VisitRow.id == visit_id)).one_or_none()
    return None if row is None else Keys(row[0], row[1], row[2], row[3])


def _keys() -> Select[int, int, int, int]:
    return (
        select(VisitRow.id, OfferRow.host_id, VisitRow.class_id, VisitRow.organiser_id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
    )


def answers_of_students(
    session: Session, visit_ids: Collection[int]
) -> dict[int, dict[Answer | None, int]]:
    """How often each answer was given by those who were invited one by one."""
    rows = session.execute(
        select(InvitationRow.visit_id, InvitationRow.answer, func.count())
        .where(
            InvitationRow.visit_id.in_(visit_ids),
            InvitationRow.audience == Audience.STUDENT,
            InvitationRow.state == InvitationState.INVITED,
            InvitationRow.shared.is_(False),
        )
        .group_by(InvitationRow.visit_id, InvitationRow.answer)
    )
    counts: dict[int, dict[Answer | None, int]] = {each: {} for each in visit_ids}
    for visit_id, answer, count in rows:
        counts[visit_id][answer] = count
    return counts


def answered_invitations(
    session: Session, visit_id: int
) -> Sequence[tuple[InvitationRow, str]]:
    """Invitations that stand, each with the name of an adult or nothing."""
    rows = session.execute(
        select(InvitationRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == InvitationRow.person_id)
        .where(
            InvitationRow.visit_id == visit_id,
            InvitationRow.state == InvitationState.INVITED,
            InvitationRow.shared.is_(False),
        )
        .order_by(InvitationRow.answered_at.desc(), InvitationRow.id)
    )
    return [(row[0], row[1] or "") for row in rows]


def proposals_of(session: Session, visit_id: int) -> Sequence[ReceivedRow]:
    """Other times that were asked for by calendar and that nobody has settled."""
    return session.scalars(
        _other_times(visit_id)
        .where(
            ReceivedRow.settled_at.is_(None),
            InvitationRow.audience != Audience.STUDENT,
        )
        .order_by(ReceivedRow.id.desc())
    ).all()


def with_other_times(
    session: Session, visit_ids: Collection[int], *, by: Audience, now: datetime
) -> frozenset[int]:
    """Those of the visits for which that side waits for a yes to another time."""
    return frozenset(
        session.scalars(
            select(ReceivedRow.visit_id)
            .join(InvitationRow, InvitationRow.id == ReceivedRow.invitation_id)
            .where(
                ReceivedRow.visit_id.in_(visit_ids),
                ReceivedRow.code == "counter",
                ReceivedRow.settled_at.is_(None),
                ReceivedRow.proposed_starts_at > now,
                InvitationRow.audience == by,
            )
        )
    )


def wishes_of_students(session: Session, visit_id: int) -> dict[int, ReceivedRow]:
    """The latest other time that each student asked for, by invitation."""
    rows = session.scalars(
        _other_times(visit_id)
        .where(InvitationRow.audience == Audience.STUDENT)
        .order_by(ReceivedRow.id)
    )
    return {row.invitation_id: row for row in rows if row.invitation_id is not None}


def _other_times(visit_id: int) -> Select[ReceivedRow]:
    return (
        select(ReceivedRow)
        .join(InvitationRow, InvitationRow.id == ReceivedRow.invitation_id)
        .where(
            ReceivedRow.visit_id == visit_id,
            ReceivedRow.code == "counter",
            ReceivedRow.proposed_starts_at.is_not(None),
        )
    )


def received_to_settle(session: Session, received_id: int) -> ReceivedRow | None:
    """A received message, locked."""
    return session.scalars(
        select(ReceivedRow)
        .where(ReceivedRow.id == received_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def verdict_counts(session: Session) -> list[tuple[Effect, str, int]]:
    """How many messages there are of each verdict, the commonest first."""
    rows = session.execute(
        select(ReceivedRow.effect, ReceivedRow.code, func.count())
        .group_by(ReceivedRow.effect, ReceivedRow.code)
        .order_by(func.count().desc(), ReceivedRow.effect, ReceivedRow.code)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def waiting_for_a_person(session: Session, *, limit: int) -> Sequence[ReceivedRow]:
    """What the campus should look at, the newest first.

    Another time for a visit is decided on the page of the visit.
    """
    return session.scalars(
        select(ReceivedRow)
        .where(
            ReceivedRow.for_person,
            ReceivedRow.settled_at.is_(None),
            or_(ReceivedRow.code != "counter", ReceivedRow.visit_id.is_(None)),
        )
        .order_by(ReceivedRow.received_at.desc(), ReceivedRow.id.desc())
        .limit(limit)
    ).all()


def class_label_of(session: Session, visit_id: int) -> str:
    """The class of a visit, to name it in a list."""
    return (
        session.scalar(
            select(SchoolClassRow.label)
            .join(VisitRow, VisitRow.class_id == SchoolClassRow.id)
            .where(VisitRow.id == visit_id)
        )
        or ""
    )
