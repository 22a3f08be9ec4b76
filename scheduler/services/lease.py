"""Who runs the loop: one row says it, until a moment that its holder moves on.

A holder that dies stops moving it, and whoever asks next after that moment has it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.persistence.models.outbox import LeaseRow
from scheduler.persistence.queries import outbox as queries
from scheduler.services.transaction import transaction

LOOP = "loop"
# Held by nobody in particular: its beat tells when the mailbox was last read.
ANSWERS = "answers"
LIFE = timedelta(seconds=90)


def hold(session: Session, *, owner: str, now: datetime, name: str = LOOP) -> bool:
    """Take the lease if it is free or over, keep it if it is mine."""
    until = now + LIFE
    with transaction(session):
        if queries.lease(session, name) is not None:
            return queries.take_lease(session, name, owner=owner, now=now, until=until)
    try:
        with transaction(session):
            session.add(LeaseRow(name=name, owner=owner, until=until, beat_at=now))
    except IntegrityError:
        # Somebody was first at the very first start.
        return False
    return True


def let_go(session: Session, *, owner: str, now: datetime, name: str = LOOP) -> None:
    """End my lease, so that the next one need not wait for it to run out."""
    with transaction(session):
        row = queries.lease(session, name)
        if row is not None and row.owner == owner:
            row.until = now


def last_beat(session: Session, *, name: str = LOOP) -> datetime | None:
    """When a holder last said that it was alive."""
    row = queries.lease(session, name)
    return None if row is None else row.beat_at
