"""Mail: recorded inside a transaction; services/delivery.py sends it.

And what happens to it afterwards: it is sent again by hand, or it comes back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience, Method
from scheduler.domain.manners import next_morning, waits_for_digest
from scheduler.domain.refusals import LetterPurged, NotFound, WrongState
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.people import MailRhythm, PersonRow
from scheduler.persistence.models.visits import InvitationRow
from scheduler.persistence.queries import outbox as queries
from scheduler.persistence.sealed import seal_of
from scheduler.services import bounces
from scheduler.services.house import house_of
from scheduler.services.transaction import transaction

BOUNCED = "bounced"


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
    person_id: int | None = None,
) -> MessageRow:
    """One message for one recipient, inside the caller's transaction."""
    message_id = f"<{uuid4()}@{house_of(session).mail_domain}>"
    thread_id = _thread(session, visit_id, invitation, person_id, address)
    if invitation is not None:
        invitation.first_message_id = thread_id or message_id
    for_digest = _for_digest(session, person_id, kind, method)
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
        due_at=next_morning(now) if for_digest else now,
        created_at=now,
        person_id=person_id,
        domain_digest=domain_digest(session, address),
        for_digest=for_digest,
    )
    session.add(row)
    return row


def _thread(
    session: Session,
    visit_id: int | None,
    invitation: InvitationRow | None,
    person_id: int | None,
    address: str,
) -> str:
    """The Message-ID of the first mail that this reader got about the visit.

    Everything later refers to it, so that mail programs show one conversation: the
    request, the answer, the changes, the reminder, the end.
    """
    if invitation is not None and invitation.first_message_id:
        return invitation.first_message_id
    if visit_id is None or (invitation is not None and person_id is None):
        return ""
    if person_id is not None:
        return queries.first_message_id(session, visit_id, person_id=person_id)
    digest = seal_of(session).digest(address)
    return queries.first_message_id_to(session, visit_id, address_digest=digest)


def _for_digest(
    session: Session, person_id: int | None, kind: str, method: Method | None
) -> bool:
    person = session.get(PersonRow, person_id) if person_id is not None else None
    daily = person is not None and person.mail_rhythm is MailRhythm.DAILY
    return waits_for_digest(kind, daily=daily, with_calendar=method is not None)


def domain_digest(session: Session, address: str) -> str:
    """Tells messages to one mail domain without naming it."""
    return seal_of(session).digest("domain:" + address.rpartition("@")[2])


def retry(session: Session, message_id: int, *, now: datetime) -> None:
    """Send a dead or waiting message again, at once. Raises ``LetterPurged``."""
    with transaction(session):
        row = queries.message_to_change(session, message_id)
        if row is None:
            raise NotFound
        unsent = row.state in {MessageState.DEAD, MessageState.WAITING}
        if not unsent or queries.with_newer(session, [row.id]):
            raise WrongState(state=row.state.value, step="retry")
        if is_purged(row):
            raise LetterPurged
        start_again(row, now=now)


def is_purged(row: MessageRow) -> bool:
    """Whether its address or its words were destroyed in their time."""
    return not row.address or (row.visit_id is not None and not row.payload)


def start_again(row: MessageRow, *, now: datetime) -> None:
    """As if it had never been tried."""
    row.state = MessageState.WAITING
    row.attempts = 0
    row.first_tried_at = None
    row.due_at = now
    row.error = ""
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
