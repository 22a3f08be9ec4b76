"""Mail goes out, by any number of senders at the same time.

Delivery is at least once. Messages are claimed a few at a time, with a lease; when
their sender dies the lease runs out and the next sender takes them, with the same
Message-ID, UID, SEQUENCE and DTSTAMP, so that a second copy changes nothing. What the
server took is noted for ``GROUP`` messages or half a second together: a crash repeats
no more than that. Groups begin small and grow as long as the server is fast.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from scheduler.domain import sending
from scheduler.mail.letter import (
    Courier,
    Deferred,
    Letter,
    Message,
    NotSent,
    Post,
    Unreachable,
)
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.queries import outbox as queries
from scheduler.persistence.queries.outbox import Due
from scheduler.persistence.sealed import BrokenSeal, seal_of
from scheduler.services import bounces
from scheduler.services.house import house_of
from scheduler.services.topics import says_nothing, topic_of, without_past
from scheduler.services.transaction import transaction

Compose = Callable[[Message], Letter]

LEASE = timedelta(minutes=2)
# A letter may take so long: time-outs of the connection and of the dialogue.
SLOW_LETTER = timedelta(seconds=60)
FIRST_GROUP, GROUP = 10, 50
NOTE_AFTER = timedelta(seconds=0.5)
NO_SERVER_PAUSE = timedelta(minutes=1)
MINUTE = timedelta(minutes=1)
ERROR_LIMIT = 300
PAST = "past"
GIVEN_UP = "gave_up"
UNREADABLE = "sealed_address"
# A refused sender says something of our settings, not of the recipient's domain.
OUR_FAULTS = frozenset({"sender_refused"})
GREYLISTED = re.compile(r"gr[ae]y.?list", re.IGNORECASE)

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A message of mine, as the database had it; ``attempts`` counts the coming one."""

    message: Message
    attempts: int
    domain: str

    @property
    def id(self) -> int:
        return self.message.id


def deliver_due(
    session: Session,
    compose: Compose,
    post: Post,
    *,
    now: Callable[[], datetime],
    limit: int = 200,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Send what is due over one connection; how many were accepted."""
    idle = not queries.has_due(session, now=now())
    session.rollback()
    if idle:
        return 0
    work = Round(session, compose, now=now, limit=limit, stopping=stopping)
    group = work.next_group()
    if not group:
        return 0
    try:
        with post.connect() as courier:
            while group:
                work.carry(group, courier)
                group = work.next_group()
    except Unreachable as failure:
        work.wait_for_server(failure)
    return work.sent


class Round:
    """What one sender holds, and which domains it leaves alone for now."""

    def __init__(
        self,
        session: Session,
        compose: Compose,
        *,
        now: Callable[[], datetime],
        limit: int,
        stopping: Callable[[], bool],
    ) -> None:
        self.sent = 0
        self._session = session
        self._house = house_of(session)
        self._compose = compose
        self._now = now
        self._left = limit
        self._group = FIRST_GROUP
        self._stopping = stopping
        self._lease = now()
        self._held: dict[int, Claimed] = {}
        self._accepted: list[int] = []
        self._accepted_at = self._lease
        self._strikes: Counter[str] = Counter()
        self._resting: set[str] = set()

    # -------------------------------------------------------------- taking

    def next_group(self) -> Sequence[Claimed]:
        """Note what was accepted and take the next few, in one transaction."""
        seen, taken = 1, list[Claimed]()
        while seen and not taken and self._left > 0 and not self._stopping():
            at = self._now()
            with transaction(self._session):
                self._note(at)
                seen, taken = self._take(at)
            self._accepted = []
        if self._accepted:
            self._note_now()
        self._left -= len(taken)
        self._held = {each.id: each for each in taken}
        return taken

    def _take(self, at: datetime) -> tuple[int, list[Claimed]]:
        """How many were due, and those of them that go out now."""
        few = min(self._group, self._left, self._allowance(at))
        if few <= 0:
            return 0, []
        rows = queries.due(self._session, now=at, limit=few, besides=self._resting)
        fit = []
        for each in rows:
            row = each._replace(payload=without_past(each.payload, now=at))
            if self._goes_out(row, at):
                message = opened(self._session, row)
                if message is not None:
                    fit.append(_claimed(row, message))
        self._lease = at + LEASE
        ids = [each.id for each in fit]
        queries.take(self._session, ids, now=at, lease_until=self._lease)
        return len(rows), fit

    def _allowance(self, at: datetime) -> int:
        """How many more may go out in this minute, by all senders together."""
        per_minute = self._house.mail_per_minute
        if not per_minute:
            return GROUP
        queries.lock_the_rate(self._session)
        return per_minute - queries.sent_since(self._session, at - MINUTE, now=at)

    def _goes_out(self, row: Due, at: datetime) -> bool:
        """Now; else it waits for the morning, or there is no point in it any more."""
        if row.replaced:
            # Its sender died, and by now a newer revision exists: that one is sent.
            self._leave(row, state=MessageState.SUPERSEDED)
            return False
        topic = topic_of(
            row.kind, row.payload, audience=row.audience, method=row.method
        )
        if sending.is_past(topic, now=at) or says_nothing(row.kind, row.payload):
            self._leave(row, state=MessageState.SUPERSEDED, error=PAST)
            return False
        policy = self._house.policy
        due = sending.not_before(
            topic, now=at, quiet_from=policy.quiet_from, quiet_until=policy.quiet_until
        )
        if due <= at:
            return True
        if row.first_tried_at and due > row.first_tried_at + sending.LIFETIME:
            return True
        self._leave(row, state=MessageState.WAITING, due_at=due)
        return False

    def _leave(self, row: Due, *, state: MessageState, **values: object) -> None:
        queries.set_aside_one(self._session, row.id, state=state, **values)

    # -------------------------------------------------------------- sending

    def carry(self, group: Sequence[Claimed], courier: Courier) -> None:
        """Hand in the letters of a group; what is left when we stop goes back."""
        started = self._now()
        for each in group:
            if self._stopping():
                break
            if self._is_mine(each):
                self._send(each, courier)
        fast = self._now() - started < NOTE_AFTER / 2
        self._group = min(2 * self._group, GROUP) if fast else FIRST_GROUP
        if self._held:
            with transaction(self._session):
                self._give_back(self._held)
        self._held = {}

    def _is_mine(self, each: Claimed) -> bool:
        """Keep the lease while the server is slow, and know when it was lost."""
        at = self._now()
        if self._held and at + SLOW_LETTER > self._lease:
            until = at + LEASE
            with transaction(self._session):
                mine = queries.renew(
                    self._session, self._held, lease_until=self._lease, until=until
                )
            self._held = {id_: self._held[id_] for id_ in self._held if id_ in mine}
            self._lease = until
        return each.id in self._held

    def _send(self, each: Claimed, courier: Courier) -> None:
        try:
            courier.send(self._compose(each.message))
        except Unreachable:
            raise
        except NotSent as failure:
            self._failed(each, failure)
        except Exception as failure:
            log.exception("message_failed", message=each.id)
            # The kind of error, never its words: they may quote what somebody typed.
            self._failed(each, Deferred(type(failure).__name__), ours=True)
        else:
            self._took(each)

    def _took(self, each: Claimed) -> None:
        del self._held[each.id]
        self._strikes.pop(each.domain, None)
        self.sent += 1
        at = self._now()
        if not self._accepted:
            self._accepted_at = at
        self._accepted.append(each.id)
        if at - self._accepted_at >= NOTE_AFTER:
            self._note_now()

    def _note(self, at: datetime) -> None:
        """Write down what the server took; the caller commits."""
        if self._accepted:
            queries.mark_sent(self._session, self._accepted, now=at)

    def _note_now(self) -> None:
        with transaction(self._session):
            self._note(self._now())
        self._accepted = []

    # -------------------------------------------------------------- failing

    def _failed(self, each: Claimed, failure: NotSent, *, ours: bool = False) -> None:
        del self._held[each.id]
        at = self._now()
        with transaction(self._session):
            self._note(at)
            row = queries.claimed(self._session, each.id, lease_until=self._lease)
            if row is not None:
                self._put_off(row, failure, at)
                if not ours and self._strikes_out(each, failure):
                    self._rest(each, failure, at)
        self._accepted = []

    def _put_off(self, row: MessageRow, failure: NotSent, at: datetime) -> None:
        row.error = str(failure)[:ERROR_LIMIT]
        row.lease_until = None
        if queries.with_newer(self._session, [row.id]):
            row.state = MessageState.SUPERSEDED
            return
        due = None
        if isinstance(failure, Deferred):
            due = sending.next_try(
                row.attempts,
                first_tried_at=row.first_tried_at or at,
                now=at,
                luck=random.random(),  # noqa: S311 - no secret
            )
            if due is None:
                row.error = f"{GIVEN_UP}: {failure}"[:ERROR_LIMIT]
        if due is None:
            row.state = MessageState.DEAD
        else:
            row.state, row.due_at = MessageState.WAITING, due

    def _strikes_out(self, each: Claimed, failure: NotSent) -> bool:
        """Whether this domain had its chances. Greylisting asks each letter to wait."""
        ours = failure.reason in OUR_FAULTS or not isinstance(failure, Deferred)
        if ours or not each.domain or GREYLISTED.search(failure.answer):
            return False
        self._strikes[each.domain] += each.attempts
        return self._strikes[each.domain] >= sending.DOMAIN_PATIENCE

    def _rest(self, each: Claimed, failure: NotSent, at: datetime) -> None:
        """Leave the rest of a domain alone, so that the others need not wait for it."""
        self._resting.add(each.domain)
        same = [id_ for id_, other in self._held.items() if other.domain == each.domain]
        self._give_back(same)
        for id_ in same:
            del self._held[id_]
        self._session.flush()
        most = queries.most_attempts(self._session, each.domain)
        number = queries.put_domain_off(
            self._session,
            each.domain,
            until=at + sending.domain_pause(max(most, each.attempts)),
            error=str(failure)[:ERROR_LIMIT],
        )
        log.warning("mail_domain_put_off", example=each.id, waiting=number)

    def _give_back(self, message_ids: Collection[int]) -> None:
        queries.give_back(self._session, message_ids, lease_until=self._lease)

    def wait_for_server(self, failure: Unreachable) -> None:
        """No server to talk to: everything waits, and every message says why.

        It is no try of theirs: an outage of our own server ends no message.
        """
        at = self._now()
        with transaction(self._session):
            self._note(at)
            self._give_back(self._held)
            number = queries.put_off(
                self._session,
                now=at,
                until=at + NO_SERVER_PAUSE,
                error=str(failure)[:ERROR_LIMIT],
            )
        log.warning("mail_server_unreachable", waiting=number)


def _claimed(row: Due, message: Message) -> Claimed:
    return Claimed(
        message=message,
        attempts=row.attempts + 1,
        domain=row.domain_digest,
    )


def opened(session: Session, row: Due) -> Message | None:
    """The message to send; one that nobody can address any more ends here."""
    try:
        address = seal_of(session).open(row.address)
    except BrokenSeal:
        queries.set_aside_one(
            session, row.id, state=MessageState.DEAD, error=UNREADABLE
        )
        return None
    with_calendar = row.method is not None
    return Message(
        id=row.id,
        kind=row.kind,
        locale=row.locale,
        recipient_name=row.recipient_name,
        recipient_address=address,
        payload=row.payload,
        message_id=row.message_id,
        created_at=row.created_at,
        uid=row.uid if with_calendar else None,
        method=row.method.value if row.method else None,
        sequence=row.sequence if with_calendar else None,
        dtstamp=row.dtstamp if with_calendar else None,
        references=(row.thread_id,) if row.thread_id else (),
        envelope_from=bounces.return_address(house_of(session), row.id, row.message_id),
    )
