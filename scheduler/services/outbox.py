"""Mail: recorded inside a transaction, delivered by any number of senders.

Delivery is at least once. A message is claimed with a lease; when its sender dies the
lease runs out and the next sender takes it, with the same Message-ID, UID, SEQUENCE
and DTSTAMP, so that a second copy changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience, Method
from scheduler.domain.refusals import NotFound, WrongState
from scheduler.mail.letter import Deferred, Letter, Message, NotSent, Post, Unreachable
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.visits import InvitationRow
from scheduler.persistence.queries import outbox as queries
from scheduler.persistence.sealed import BrokenSeal, seal_of
from scheduler.services import bounces
from scheduler.services.house import house_of
from scheduler.services.transaction import transaction

Compose = Callable[[Message], Letter]

LEASE = timedelta(minutes=2)
DELAYS = tuple(timedelta(minutes=m) for m in (1, 5, 20, 60, 180, 360, 720, 1440))
ERROR_LIMIT = 300
BOUNCED = "bounced"

log = structlog.get_logger()


def record(
    session: Session,
    *,
    kind: str,
    locale: str,
    name: str,
    address: str,
    payload: dict[str, Any],
    now: datetime,
    audience: Audience | None = None,
    visit_id: int | None = None,
    invitation: InvitationRow | None = None,
    method: Method | None = None,
) -> MessageRow:
    """One message for one recipient, inside the caller's transaction."""
    message_id = f"<{uuid4()}@{house_of(session).mail_domain}>"
    thread_id = ""
    if invitation is not None:
        thread_id = invitation.first_message_id
        invitation.first_message_id = thread_id or message_id
    row = MessageRow(
        visit_id=visit_id,
        invitation_id=invitation.id if invitation else None,
        kind=kind,
        audience=audience,
        locale=locale,
        recipient_name=name,
        address=seal_of(session).close(address),
        payload=payload,
        uid=invitation.uid if invitation else None,
        method=method,
        sequence=invitation.sequence if invitation else 0,
        dtstamp=invitation.dtstamp if invitation else now,
        message_id=message_id,
        thread_id=thread_id,
        due_at=now,
        created_at=now,
    )
    session.add(row)
    return row


def deliver_due(
    session: Session,
    compose: Compose,
    post: Post,
    *,
    now: Callable[[], datetime],
    limit: int = 200,
) -> int:
    """Send what is due over one connection; how many were accepted.

    One row, one transaction: a bad letter holds up no other.
    """
    due = queries.due_ids(session, now=now(), limit=limit)
    session.rollback()
    if not due:
        return 0
    sent = 0
    try:
        with post.connect() as courier:
            for message_id in due:
                sent += _deliver(session, compose, courier.send, message_id, now=now)
    except Unreachable as failure:
        _put_off(session, due, failure, now=now())
    return sent


def _deliver(
    session: Session,
    compose: Compose,
    send: Callable[[Letter], None],
    message_id: int,
    *,
    now: Callable[[], datetime],
) -> bool:
    at = now()
    with transaction(session):
        row = queries.claim(session, message_id, now=at, lease_until=at + LEASE)
        if row is not None and queries.has_newer(session, row):
            # Its sender died, and by now a newer revision exists: that one is sent.
            row.state, row.lease_until = MessageState.SUPERSEDED, None
            row = None
        message = _opened(session, row) if row else None
    if message is None:
        return False
    try:
        send(compose(message))
    except Unreachable:
        _failed(session, message_id, "unreachable", now=now(), final=False)
        raise
    except NotSent as failure:
        final = not isinstance(failure, Deferred)
        _failed(session, message_id, str(failure), now=now(), final=final)
        return False
    except Exception as failure:
        log.exception("message_failed", message=message_id)
        _failed(session, message_id, type(failure).__name__, now=now(), final=False)
        return False
    with transaction(session):
        done = queries.message_to_change(session, message_id)
        if done is not None and done.state is MessageState.SENDING:
            done.state = MessageState.SENT
            done.sent_at = now()
            done.lease_until = None
            done.error = ""
    return True


def _opened(session: Session, row: MessageRow) -> Message | None:
    """The message to send; one that nobody can address any more ends here."""
    try:
        return _message(session, row)
    except BrokenSeal:
        row.state = MessageState.DEAD
        row.error = "sealed_address"
        row.lease_until = None
        return None


def _message(session: Session, row: MessageRow) -> Message:
    with_calendar = row.method is not None
    return Message(
        id=row.id,
        kind=row.kind,
        locale=row.locale,
        recipient_name=row.recipient_name,
        recipient_address=seal_of(session).open(row.address),
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


def _failed(
    session: Session, message_id: int, error: str, *, now: datetime, final: bool
) -> None:
    with transaction(session):
        row = queries.message_to_change(session, message_id)
        if row is None or row.state is not MessageState.SENDING:
            return
        row.error = error[:ERROR_LIMIT]
        row.lease_until = None
        if queries.has_newer(session, row):
            row.state = MessageState.SUPERSEDED
        elif final or row.attempts > len(DELAYS):
            row.state = MessageState.DEAD
        else:
            row.state = MessageState.WAITING
            row.due_at = now + _delay(row.attempts)


def _put_off(
    session: Session, message_ids: Any, failure: Unreachable, *, now: datetime
) -> None:
    """No server to talk to: everything waits, and every message says why."""
    log.warning("mail_server_unreachable", waiting=len(message_ids))
    with transaction(session):
        for message_id in message_ids:
            row = queries.message_to_change(session, message_id)
            if row is not None and row.state is MessageState.WAITING:
                row.error = str(failure)[:ERROR_LIMIT]
                row.due_at = max(row.due_at, now + DELAYS[0])


def _delay(attempts: int) -> timedelta:
    """Growing, with jitter so that a crowd does not come back at once."""
    base = DELAYS[min(attempts, len(DELAYS)) - 1]
    return base * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


def retry(session: Session, message_id: int, *, now: datetime) -> None:
    """Send a dead or waiting message again, at once."""
    with transaction(session):
        row = queries.message_to_change(session, message_id)
        if row is None:
            raise NotFound
        unsent = row.state in {MessageState.DEAD, MessageState.WAITING}
        purged = not row.address
        if purged or not unsent or queries.has_newer(session, row):
            raise WrongState(state=row.state.value, step="retry")
        row.state = MessageState.WAITING
        row.attempts = 0
        row.due_at = now
        row.bounced_at = None
        row.bounce_status = ""


def message_by_bounce_token(session: Session, token: str) -> MessageRow | None:
    """The message whose envelope sender holds the token; a whole address will do."""
    claimed = bounces.claimed_in(token)
    row = session.get(MessageRow, claimed.message_id) if claimed else None
    if row is None or claimed is None:
        return None
    right = bounces.is_right(claimed, row.message_id, key=house_of(session).link_key)
    return row if right else None


def message_by_message_id(session: Session, message_id: str) -> MessageRow | None:
    """The message with that Message-ID; brackets and blanks around it do not matter."""
    bare = message_id.strip().strip("<>").strip()
    return queries.message_by_message_id(session, f"<{bare}>")


def note_bounce(
    session: Session,
    message_row_id: int,
    *,
    status: str,
    permanent: bool,
    now: datetime,
) -> None:
    """A delivery report about a message, inside the caller's transaction.

    A permanent failure ends it; a delay is only noted. The first failure counts, for
    some servers report the same one again and again.
    """
    row = queries.message_to_change(session, message_row_id)
    if row is None or row.bounced_at is not None:
        return
    row.bounce_status = bounces.checked_status(status)
    if not permanent:
        return
    row.bounced_at = now
    if row.state is not MessageState.SUPERSEDED:
        row.state = MessageState.DEAD
        row.error = BOUNCED
        row.lease_until = None
