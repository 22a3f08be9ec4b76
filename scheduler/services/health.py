"""Whether the service does its work: database, loop, mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from scheduler.persistence.queries import delivery_pages, public_pages
from scheduler.services import lease

SILENT_FOR = timedelta(minutes=5)
LATE = timedelta(minutes=15)

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Health:
    """``loop_age``: since the loop's last beat; ``None`` if it never ran.

    ``answers_age``: since the mailbox of answers was last read, wherever that is done.
    ``oldest_due``: how long the message waits that waits longest though it may go out.
    ``sent_age``: since the last message went out.
    """

    database: bool
    loop_age: timedelta | None = None
    answers_age: timedelta | None = None
    waiting: int = 0
    dead: int = 0
    oldest_due: timedelta | None = None
    sent_age: timedelta | None = None

    @property
    def loop_alive(self) -> bool:
        return self.loop_age is not None and self.loop_age <= SILENT_FOR

    @property
    def answers_read(self) -> bool:
        """The mailbox of answers could be read not long ago."""
        return self.answers_age is not None and self.answers_age <= LATE

    @property
    def mail_moves(self) -> bool:
        """Nothing is overdue, or the queue is long and goes down."""
        if self.oldest_due is None or self.oldest_due <= LATE:
            return True
        return self.sent_age is not None and self.sent_age <= SILENT_FOR

    @property
    def stalled(self) -> bool:
        """Mail and reminders stand still."""
        return not self.loop_alive or not self.mail_moves

    @property
    def good(self) -> bool:
        """Dead messages are a matter for people, not for a restart."""
        return self.database and not self.stalled


def health(session: Session, *, now: datetime) -> Health:
    """Never raises: that the database does not answer is an answer."""
    try:
        waiting = delivery_pages.under_way_number(session)
        dead = delivery_pages.failed_number(session)
        beats = public_pages.beats(session)
        due = delivery_pages.oldest_due(session, now=now)
        sent = delivery_pages.last_sent(session)
    except SQLAlchemyError:
        session.rollback()
        log.exception("database_unreachable")
        return Health(database=False)
    return Health(
        database=True,
        loop_age=_since(beats.get(lease.LOOP), now),
        answers_age=_since(beats.get(lease.ANSWERS), now),
        waiting=waiting,
        dead=dead,
        oldest_due=_since(due, now),
        sent_age=_since(sent, now),
    )


def _since(at: datetime | None, now: datetime) -> timedelta | None:
    return None if at is None else max(now - at, timedelta(0))
