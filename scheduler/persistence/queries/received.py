"""Received mail: known already, whose it is, what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
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


def by_digest(session: Session, digest: str) -> ReceivedRow | None:
    """The message with exactly these octets."""
    return session.scalars(
        select(ReceivedRow).where(ReceivedRow.octets_digest == digest)
    ).one_or_none()


def acted_upon(session: Session, message_id: str) -> bool:
    """Whether a message of that Message-ID has changed something already."""
    if not message_id:
        return False
    found = select(ReceivedRow.id).where(
        ReceivedRow.message_id == message_id, ReceivedRow.effect.in_(ACTS)
    )
    return session.scalar(found.limit(1)) is not None


def visit_of_uid(session: Session, uid: str) -> int | None:
    """The visit of an invitation, to lock it before the invitation is read."""
    return session.scalar(
        select(InvitationRow.visit_id).where(InvitationRow.uid == uid)
    )


def invitation_by_uid(session: Session, uid: str) -> InvitationRow | None:
    """The invitation, read again."""
    return session.scalars(
        select(InvitationRow)
        .where(InvitationRow.uid == uid)
        .execution_options(populate_existing=True)
    ).one_or_none()


def visit_in_brief(
    session: Session, visit_id: int
) -> tuple[VisitRow, SlotRow, OfferRow] | None:
    """A visit with its slot and offer, read again."""
    row = session.execute(
        select(VisitRow, SlotRow, OfferRow)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(VisitRow.id == visit_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def keys_around(session: Session, visit_id: int) -> tuple[int, int, int] | None:
    """Host, class and organiser of a visit: what is locked to change it."""
    row = session.execute(
        select(OfferRow.host_id, VisitRow.class_id, VisitRow.organiser_id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(VisitRow.id == visit_id)
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def answers_of_students(session: Session, visit_id: int) -> dict[Answer | None, int]:
    """How often each answer was given by those who were invited one by one."""
    rows = session.execute(
        select(InvitationRow.answer, func.count())
        .where(
            InvitationRow.visit_id == visit_id,
            InvitationRow.audience == Audience.STUDENT,
            InvitationRow.state == InvitationState.INVITED,
            InvitationRow.shared.is_(False),
        )
        .group_by(InvitationRow.answer)
    )
    return {row[0]: row[1] for row in rows}


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
        select(ReceivedRow)
        .join(InvitationRow, InvitationRow.id == ReceivedRow.invitation_id)
        .where(
            ReceivedRow.visit_id == visit_id,
            ReceivedRow.code == "counter",
            ReceivedRow.proposed_starts_at.is_not(None),
            ReceivedRow.settled_at.is_(None),
            InvitationRow.audience != Audience.STUDENT,
        )
        .order_by(ReceivedRow.id.desc())
    ).all()


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
