"""What a daily mail is made of: whose turn it is, their news, how answers stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from scheduler.domain.actors import Role
from scheduler.domain.announcements import Audience
from scheduler.domain.visits import INVITED
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)
from scheduler.persistence.queries.visits import visit_whole


def readers_due(session: Session, *, morning: datetime, now: datetime) -> Sequence[int]:
    """Whom to write to: news wait for them, or students have answered since."""
    news = select(MessageRow.person_id).where(
        MessageRow.for_digest.is_(True),
        MessageRow.state == MessageState.WAITING,
        MessageRow.due_at <= now,
    )
    answers = (
        _answered(morning=morning)
        .where(
            PersonRow.summaries.is_(True),
            SlotRow.starts_at > now,
        )
        .with_only_columns(PersonRow.id)
    )
    return session.scalars(
        select(PersonRow.id)
        .where(
            PersonRow.blocked.is_(False),
            or_(PersonRow.id.in_(news), PersonRow.id.in_(answers)),
        )
        .order_by(PersonRow.id)
    ).all()


def _answered(*, morning: datetime) -> Select[int]:
    """Visits and their host's contacts who have not been told of an answer yet."""
    return (
        select(VisitRow.id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(MembershipRow, MembershipRow.organisation_id == OfferRow.host_id)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .join(InvitationRow, InvitationRow.visit_id == VisitRow.id)
        .where(
            MembershipRow.role == Role.HOST_CONTACT,
            VisitRow.state.in_(INVITED),
            InvitationRow.audience == Audience.STUDENT,
            InvitationRow.state == InvitationState.INVITED,
            InvitationRow.answered_at <= morning,
            or_(
                PersonRow.digested_at.is_(None),
                InvitationRow.answered_at > PersonRow.digested_at,
            ),
        )
        .distinct()
    )


def news_for(
    session: Session, person_id: int, *, now: datetime
) -> Sequence[MessageRow]:
    """The messages that go into the person's daily mail now, locked."""
    return session.scalars(
        select(MessageRow)
        .where(
            MessageRow.person_id == person_id,
            MessageRow.for_digest.is_(True),
            MessageRow.state == MessageState.WAITING,
            MessageRow.due_at <= now,
        )
        .order_by(MessageRow.id)
        .with_for_update()
    ).all()


def last_tried(session: Session, person_id: int) -> MessageRow | None:
    """The latest of the person's mails that arrived or failed for good."""
    return session.scalars(
        select(MessageRow)
        .where(
            MessageRow.person_id == person_id,
            MessageRow.state.in_({MessageState.SENT, MessageState.DEAD}),
            MessageRow.address != "",
        )
        .order_by(MessageRow.id.desc())
        .limit(1)
    ).one_or_none()


def visits_answered(
    session: Session, person_id: int, *, morning: datetime, now: datetime
) -> Sequence[VisitRow]:
    """The host's visits ahead in which students answered since the last daily mail."""
    answered = _answered(morning=morning).where(
        PersonRow.id == person_id, SlotRow.starts_at > now
    )
    return session.scalars(
        select(VisitRow)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(VisitRow.id.in_(answered))
        .options(*visit_whole())
        .order_by(SlotRow.starts_at, VisitRow.id)
    ).all()
