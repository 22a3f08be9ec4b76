"""What is destroyed, and how much of it there was (DOMAIN 3.8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.visits import ENDED, VisitState
from scheduler.persistence.models.access import LinkRow, SessionRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.visits import (
    AddresseeRow,
    InvitationRow,
    VisitRow,
)


def _count(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0


def student_addresses(session: Session, *, before: datetime) -> dict[str, int]:
    """Addresses of visits that lie back long enough, or ended with all mail out."""
    unsent = (
        select(MessageRow.id)
        .where(
            MessageRow.visit_id == VisitRow.id,
            MessageRow.state.in_([MessageState.WAITING, MessageState.SENDING]),
        )
        .exists()
    )
    over = (
        select(VisitRow.id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(
            or_(
                SlotRow.ends_at <= before,
                and_(VisitRow.state.in_(ENDED - {VisitState.DONE}), ~unsent),
            )
        )
    )
    students = Audience.STUDENT
    return {
        "addressees": _count(
            session.execute(delete(AddresseeRow).where(AddresseeRow.visit_id.in_(over)))
        ),
        "invitations": _count(
            session.execute(
                update(InvitationRow)
                .where(
                    InvitationRow.visit_id.in_(over),
                    InvitationRow.audience == students,
                    InvitationRow.address != "",
                )
                .values(address="")
            )
        ),
        "messages": _count(
            session.execute(
                update(MessageRow)
                .where(
                    MessageRow.visit_id.in_(over),
                    MessageRow.audience == students,
                    MessageRow.address != "",
                    MessageRow.state.not_in(
                        [MessageState.WAITING, MessageState.SENDING]
                    ),
                )
                .values(address="")
            )
        ),
    }


def spent_links(session: Session, *, before: datetime) -> int:
    """Links that ended long ago."""
    return _count(session.execute(delete(LinkRow).where(LinkRow.expires_at < before)))


def dead_sessions(session: Session, *, before: datetime) -> int:
    """Sessions that are over."""
    return _count(
        session.execute(delete(SessionRow).where(SessionRow.expires_at < before))
    )
