"""Messages that did not go out, as an operator sees them: no address, no text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from scheduler.persistence.models.outbox import MessageRow, MessageState


class Stuck(NamedTuple):
    """A message that is dead, or that waits after a failure."""

    id: int
    kind: str
    state: MessageState
    attempts: int
    due_at: datetime
    error: str


def stuck(session: Session, *, limit: int) -> Sequence[Stuck]:
    """The newest ones first."""
    rows = session.execute(
        select(
            MessageRow.id,
            MessageRow.kind,
            MessageRow.state,
            MessageRow.attempts,
            MessageRow.due_at,
            MessageRow.error,
        )
        .where(
            or_(
                MessageRow.state == MessageState.DEAD,
                (MessageRow.state == MessageState.WAITING) & (MessageRow.error != ""),
            )
        )
        .order_by(MessageRow.id.desc())
        .limit(limit)
    )
    return [Stuck(*row) for row in rows]
