"""What became of mail, for the people who can do something about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from scheduler.domain.announcements import Audience
from scheduler.persistence.models.network import OrganisationRow, SchoolClassRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import VisitRow

_LATER = aliased(MessageRow)
# What a newer message for the same calendar replaces needs nobody's help.
_NOT_REPLACED = ~(
    select(_LATER.id)
    .where(_LATER.invitation_id == MessageRow.invitation_id, _LATER.id > MessageRow.id)
    .exists()
)
UNDER_WAY = (MessageState.WAITING, MessageState.SENDING)
# It did not arrive, nothing newer went out instead, and it can still be sent.
FAILED = and_(
    MessageRow.state == MessageState.DEAD, MessageRow.address != "", _NOT_REPLACED
)


class Counts(NamedTuple):
    """The mail about a visit, without what was replaced before it arrived."""

    all: int
    taken: int
    under_way: int
    failed: int


def counts_of(session: Session, visit_id: int) -> Counts:
    """How much of the mail about a visit arrived at a server."""
    rows = session.execute(
        select(MessageRow.state, func.count())
        .where(
            MessageRow.visit_id == visit_id,
            MessageRow.state != MessageState.SUPERSEDED,
            or_(MessageRow.state != MessageState.DEAD, _NOT_REPLACED),
        )
        .group_by(MessageRow.state)
    )
    found = {row[0]: row[1] for row in rows}
    return Counts(
        all=sum(found.values()),
        taken=found.get(MessageState.SENT, 0),
        under_way=sum(found.get(state, 0) for state in UNDER_WAY),
        failed=found.get(MessageState.DEAD, 0),
    )


def failed_of(session: Session, visit_id: int) -> Sequence[MessageRow]:
    """What did not arrive and is not replaced, with its sealed address."""
    return session.scalars(
        select(MessageRow)
        .where(
            MessageRow.visit_id == visit_id,
            MessageRow.state == MessageState.DEAD,
            _NOT_REPLACED,
        )
        .order_by(MessageRow.id)
    ).all()


class Stuck(NamedTuple):
    """A message that somebody should look at. No address of a student."""

    id: int
    kind: str
    audience: Audience | None
    state: MessageState
    recipient: str
    error: str
    bounce_status: str
    attempts: int
    due_at: datetime
    created_at: datetime
    visit_id: int | None
    host: str | None
    class_label: str | None
    starts_at: datetime | None
    person_id: int | None
    email: str | None


def stuck(session: Session, *, late: datetime, limit: int) -> list[Stuck]:
    """Dead, refused for now, or due since before ``late``; the newest first."""
    rows = session.execute(
        select(
            MessageRow.id,
            MessageRow.kind,
            MessageRow.audience,
            MessageRow.state,
            MessageRow.recipient_name,
            MessageRow.error,
            MessageRow.bounce_status,
            MessageRow.attempts,
            MessageRow.due_at,
            MessageRow.created_at,
            MessageRow.visit_id,
            OrganisationRow.name,
            SchoolClassRow.label,
            SlotRow.starts_at,
            MessageRow.person_id,
            PersonRow.email,
        )
        .outerjoin(VisitRow, VisitRow.id == MessageRow.visit_id)
        .outerjoin(SlotRow, SlotRow.id == VisitRow.slot_id)
        .outerjoin(OfferRow, OfferRow.id == SlotRow.offer_id)
        .outerjoin(OrganisationRow, OrganisationRow.id == OfferRow.host_id)
        .outerjoin(SchoolClassRow, SchoolClassRow.id == VisitRow.class_id)
        .outerjoin(PersonRow, PersonRow.id == MessageRow.person_id)
        .where(_is_stuck(late), _NOT_REPLACED)
        .order_by(MessageRow.id.desc())
        .limit(limit)
    )
    return [Stuck._make(row) for row in rows]


def _is_stuck(late: datetime) -> ColumnElement[bool]:
    return or_(
        FAILED,
        and_(
            MessageRow.state == MessageState.WAITING,
            MessageRow.for_digest.is_(False),
            or_(MessageRow.error != "", MessageRow.due_at <= late),
        ),
    )


def stuck_number(session: Session, *, late: datetime) -> int:
    """How many there are."""
    number = session.scalar(
        select(func.count())
        .select_from(MessageRow)
        .where(_is_stuck(late), _NOT_REPLACED)
    )
    return number or 0


def under_way_number(session: Session) -> int:
    """How many messages are to be sent; what is kept for a daily mail is not."""
    return (
        session.scalar(
            select(func.count())
            .select_from(MessageRow)
            .where(MessageRow.state.in_(UNDER_WAY), MessageRow.for_digest.is_(False))
        )
        or 0
    )


def failed_number(session: Session) -> int:
    """How many messages did not arrive and wait for somebody."""
    return (
        session.scalar(select(func.count()).select_from(MessageRow).where(FAILED)) or 0
    )


def failed_about_visit() -> ScalarSelect[int]:
    """The same for the visit of the query around it."""
    return (
        select(func.count(MessageRow.id))
        .where(MessageRow.visit_id == VisitRow.id, FAILED)
        .correlate(VisitRow)
        .scalar_subquery()
    )


def oldest_due(session: Session, *, now: datetime) -> datetime | None:
    """Since when the message waits that waits longest though it may go out."""
    return session.scalar(
        select(func.min(MessageRow.due_at)).where(
            MessageRow.state.in_(UNDER_WAY),
            MessageRow.due_at <= now,
            MessageRow.for_digest.is_(False),
        )
    )


def last_sent(session: Session) -> datetime | None:
    """When the last message went out."""
    return session.scalar(select(func.max(MessageRow.sent_at)))


class Addressed(NamedTuple):
    """A person and the address as it is."""

    id: int
    name: str
    email: str


def addressed(session: Session, person_id: int) -> Addressed | None:
    """The person whose address is to be corrected."""
    row = session.execute(
        select(PersonRow.id, PersonRow.name, PersonRow.email).where(
            PersonRow.id == person_id
        )
    ).one_or_none()
    return Addressed._make(row) if row else None
