"""What people chose to be mailed, and what waits because of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import AddresseeRow


def addressee(
    session: Session, visit_id: int, *, address_digest: str
) -> AddresseeRow | None:
    """The address that the teacher gave for the visit."""
    return session.scalars(
        select(AddresseeRow).where(
            AddresseeRow.visit_id == visit_id,
            AddresseeRow.address_digest == address_digest,
        )
    ).one_or_none()


def person_to_change(session: Session, person_id: int) -> PersonRow | None:
    """The person, locked against another change of the same choices."""
    return session.scalars(
        select(PersonRow)
        .where(PersonRow.id == person_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()


def let_go(session: Session, person_id: int, *, now: datetime) -> None:
    """What waited for the person's daily mail goes out by itself."""
    session.execute(
        update(MessageRow)
        .where(
            MessageRow.person_id == person_id,
            MessageRow.for_digest.is_(True),
            MessageRow.state == MessageState.WAITING,
        )
        .values(for_digest=False, due_at=now)
        .execution_options(synchronize_session=False)
    )
