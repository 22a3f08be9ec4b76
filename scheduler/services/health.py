"""Whether the service does its work: database, loop, mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from scheduler.persistence.models.outbox import MessageState
from scheduler.persistence.queries import outbox, public_pages

SILENT_FOR = timedelta(minutes=5)

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Health:
    """``loop_age``: since the loop's last beat; ``None`` if it never ran."""

    database: bool
    loop_age: timedelta | None = None
    waiting: int = 0
    dead: int = 0

    @property
    def loop_alive(self) -> bool:
        return self.loop_age is not None and self.loop_age <= SILENT_FOR

    @property
    def good(self) -> bool:
        """Dead messages are a matter for people, not for a restart."""
        return self.database and self.loop_alive


def health(session: Session, *, now: datetime) -> Health:
    """Never raises: that the database does not answer is an answer."""
    try:
        counts = outbox.state_counts(session)
        beat = public_pages.last_beat(session)
    except SQLAlchemyError:
        session.rollback()
        log.exception("database_unreachable")
        return Health(database=False)
    sending = counts.get(MessageState.SENDING, 0)
    return Health(
        database=True,
        loop_age=None if beat is None else max(now - beat, timedelta(0)),
        waiting=counts.get(MessageState.WAITING, 0) + sending,
        dead=counts.get(MessageState.DEAD, 0),
    )
