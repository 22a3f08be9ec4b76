"""Messages: superseded, due, claimed. The same statements on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from scheduler.persistence.models.outbox import LeaseRow, MessageRow, MessageState
from scheduler.persistence.models.visits import InvitationRow


def invitation_for(
    session: Session, visit_id: int, *, audience: str, address_digest: str
) -> InvitationRow | None:
    """The invitation of that address, whatever its state."""
    return session.scalars(
        select(InvitationRow).where(
            InvitationRow.visit_id == visit_id,
            InvitationRow.audience == audience,
            InvitationRow.address_digest == address_digest,
        )
    ).one_or_none()


def supersede(session: Session, invitation_id: int) -> None:
    """Drop what is unsent for a calendar: a newer revision replaces it."""
    session.execute(
        update(MessageRow)
        .where(
            MessageRow.invitation_id == invitation_id,
            MessageRow.state == MessageState.WAITING,
        )
        .values(state=MessageState.SUPERSEDED)
    )


def has_newer(session: Session, row: MessageRow) -> bool:
    """Whether a later message for the same calendar exists."""
    if row.invitation_id is None:
        return False
    newer = select(MessageRow.id).where(
        MessageRow.invitation_id == row.invitation_id, MessageRow.id > row.id
    )
    return session.scalar(newer.limit(1)) is not None


def due_ids(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """Messages to send now, the oldest first, those of a dead sender included."""
    return session.scalars(
        select(MessageRow.id)
        .where(
            or_(
                and_(
                    MessageRow.state == MessageState.WAITING, MessageRow.due_at <= now
                ),
                and_(
                    MessageRow.state == MessageState.SENDING,
                    MessageRow.lease_until <= now,
                ),
            )
        )
        .order_by(MessageRow.due_at, MessageRow.id)
        .limit(limit)
    ).all()


def claim(
    session: Session, message_id: int, *, now: datetime, lease_until: datetime
) -> MessageRow | None:
    """Take one message, or ``None`` if another sender has it.

    Nothing overtakes: while an older message for the same calendar is under way the
    newer one waits.
    """
    older = aliased(MessageRow)
    under_way = (
        select(older.id)
        .where(
            older.invitation_id == MessageRow.invitation_id,
            older.id < MessageRow.id,
            older.state == MessageState.SENDING,
        )
        .exists()
    )
    taken = session.execute(
        update(MessageRow)
        .where(
            MessageRow.id == message_id,
            or_(
                and_(
                    MessageRow.state == MessageState.WAITING, MessageRow.due_at <= now
                ),
                and_(
                    MessageRow.state == MessageState.SENDING,
                    MessageRow.lease_until <= now,
                ),
            ),
            ~under_way,
        )
        .values(
            state=MessageState.SENDING,
            lease_until=lease_until,
            attempts=MessageRow.attempts + 1,
        )
        .returning(MessageRow.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if taken is None:
        return None
    return session.scalars(
        select(MessageRow)
        .where(MessageRow.id == message_id)
        .execution_options(populate_existing=True)
    ).one()


def message_to_change(session: Session, message_id: int) -> MessageRow | None:
    """The message, locked."""
    return session.scalars(
        select(MessageRow).where(MessageRow.id == message_id).with_for_update()
    ).one_or_none()


def message_by_message_id(session: Session, message_id: str) -> MessageRow | None:
    """The message with that Message-ID, brackets included."""
    return session.scalars(
        select(MessageRow).where(MessageRow.message_id == message_id)
    ).one_or_none()


def messages_of(session: Session, visit_id: int) -> Sequence[MessageRow]:
    """Every message about a visit, the oldest first."""
    return session.scalars(
        select(MessageRow)
        .where(MessageRow.visit_id == visit_id)
        .order_by(MessageRow.id)
    ).all()


def state_counts(session: Session) -> dict[MessageState, int]:
    """How many messages are in each state."""
    rows = session.execute(
        select(MessageRow.state, func.count()).group_by(MessageRow.state)
    )
    return {row[0]: row[1] for row in rows}


def lease(session: Session, name: str) -> LeaseRow | None:
    """The lease as it stands."""
    return session.get(LeaseRow, name, populate_existing=True)


def take_lease(
    session: Session, name: str, *, owner: str, now: datetime, until: datetime
) -> bool:
    """Take or keep the lease if it is free, over, or mine."""
    taken = session.execute(
        update(LeaseRow)
        .where(
            LeaseRow.name == name,
            or_(LeaseRow.owner == owner, LeaseRow.until <= now),
        )
        .values(owner=owner, until=until, beat_at=now)
        .returning(LeaseRow.name)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return taken is not None
