"""The whole loop on one screen: id, rhythm, function.

Every job asks the database what is due. It may run twice and be skipped once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import structlog
from sqlalchemy.orm import Session

from scheduler.domain.localtime import PARIS
from scheduler.jobs.workshop import Workshop
from scheduler.mail.letter import Post
from scheduler.mail.mailboxes import AT_ONCE, Mailbox, Maildir, Unreadable
from scheduler.services import (
    clockwork,
    delivery,
    digests,
    inbox,
    lease,
    publishing,
    runs,
    waiting_list,
)
from scheduler.services.delivery import Compose

# One connection for so many; domains that were left alone get another chance then.
LETTERS_A_ROUND = 500
# Bounded, because a server may forget what was put away.
LOOKS_A_ROUND = 20
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# Somebody sits in front of it and waits.
OFTEN = timedelta(seconds=2)
# Between two and three at night the clock is changed: that hour happens twice or never.
NIGHT = time(3, 30, tzinfo=PARIS)
# In the Maildir what was read is of no use any more; a person may still want to look.
READ_MAIL_KEPT = timedelta(days=30)

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a run may use. ``stopping``: whether to leave the rest to the next one."""

    now: Callable[[], datetime]
    compose: Compose
    post: Post
    answers: Mailbox | None = None
    stopping: Callable[[], bool] = lambda: False
    workshop: Workshop | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """``rhythm``: an interval, or a time of day. ``alone``: for the lease's holder."""

    id: str
    rhythm: timedelta | time
    run: Callable[[Session, Desk], object]
    alone: bool = True


def deliver_outbox(session: Session, desk: Desk) -> int:
    """Send what is due; a stop waits for one letter only."""
    sent = 0
    while part := delivery.deliver_due(
        session,
        desk.compose,
        desk.post,
        now=desk.now,
        limit=LETTERS_A_ROUND,
        stopping=desk.stopping,
    ):
        sent += part
    return sent


def read_answers(session: Session, desk: Desk) -> int:
    """Everything that came back by mail since the last look."""
    if desk.answers is None:
        return 0
    count = 0
    try:
        for _look in range(LOOKS_A_ROUND):
            part = inbox.read_mailbox(
                session, desk.answers, now=desk.now, stopping=desk.stopping
            )
            count += part
            if part < AT_ONCE or desk.stopping():
                break
        lease.hold(session, owner="mailbox", now=desk.now(), name=lease.ANSWERS)
    except Unreadable as wrong:
        log.warning("answers_unreadable", reason=wrong.reason)
    return count


def purge(session: Session, desk: Desk) -> object:
    """What is kept no longer, in the database and in the Maildir of answers."""
    if isinstance(desk.answers, Maildir):
        before = datetime.now(UTC) - READ_MAIL_KEPT  # noqa: TID251 - age of files
        desk.answers.forget_before(before.timestamp())
    return clockwork.purge_personal_data(session, now=desk.now())


def compute_runs(session: Session, desk: Desk) -> int:
    """Begin what waits, one at a time, and find out whose process has died."""
    found = runs.find_interrupted(session, now=desk.now())
    if desk.workshop is None:
        return found
    for run_id in desk.workshop.ended():
        runs.interrupt(session, run_id, now=desk.now())
    waiting = runs.queued(session)
    if waiting and not desk.workshop.is_busy and not desk.stopping():
        desk.workshop.begin(waiting[0])
        found += 1
    return found


def publish_plans(session: Session, desk: Desk) -> int:
    """A batch of the visits of each plan that was chosen, then the letters."""
    return publishing.place_due(session, now=desk.now(), stopping=desk.stopping)


def at_now(step: Callable[..., object]) -> Callable[[Session, Desk], object]:
    """A service that wants nothing but the time."""

    def run(session: Session, desk: Desk) -> object:
        return step(session, now=desk.now())

    return run


def jobs(*, outbox_seconds: int, answers_seconds: int = 60) -> tuple[Job, ...]:
    """Mail is sent by every process, each message claimed; the rest by one of them."""
    return (
        Job(
            id="deliver-outbox",
            rhythm=timedelta(seconds=outbox_seconds),
            run=deliver_outbox,
            alone=False,
        ),
        Job(
            id="read-answers",
            rhythm=timedelta(seconds=answers_seconds),
            run=read_answers,
        ),
        Job(id="remind-hosts", rhythm=MINUTE, run=at_now(clockwork.remind_hosts)),
        Job(id="expire-requests", rhythm=MINUTE, run=at_now(clockwork.expire_requests)),
        Job(
            id="remind-week-before",
            rhythm=MINUTE,
            run=at_now(clockwork.remind_week_before),
        ),
        Job(id="remind-eve", rhythm=MINUTE, run=at_now(clockwork.remind_eve)),
        Job(id="complete-visits", rhythm=MINUTE, run=at_now(clockwork.complete_visits)),
        Job(id="resume-offers", rhythm=MINUTE, run=at_now(clockwork.resume_offers)),
        Job(id="send-digests", rhythm=MINUTE, run=at_now(digests.send_digests)),
        Job(id="compute-runs", rhythm=OFTEN, run=compute_runs),
        Job(id="publish-plans", rhythm=OFTEN, run=publish_plans),
        Job(
            id="offer-freed-places",
            rhythm=HOUR,
            run=at_now(waiting_list.offer_freed),
        ),
        Job(id="purge", rhythm=NIGHT, run=purge),
    )
