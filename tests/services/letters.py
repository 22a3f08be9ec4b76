"""A post that keeps what it is given and fails when told to, and mail for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience, Method
from scheduler.mail.letter import Message, Unreachable
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.visits import InvitationRow, InvitationState
from scheduler.persistence.queries import outbox as queries
from scheduler.persistence.sealed import seal_of
from scheduler.services import delivery, outbox
from tests.mail.samples import a_visit


def as_it_is(message: Message) -> Message:
    """Nothing is rendered: the fake post takes the message itself."""
    return message


@dataclass
class Bag:
    """``failures``: recipient → what happens instead of sending, once each."""

    sent: list[Message] = field(default_factory=list)
    failures: dict[str, list[Exception]] = field(default_factory=dict)
    closed: bool = False
    on_send: Callable[[Message], None] | None = None

    @contextmanager
    def connect(self) -> Iterator[Bag]:
        if self.closed:
            raise Unreachable("no_connection")
        yield self

    def send(self, message: Message) -> None:
        if self.on_send is not None:
            self.on_send(message)
        waiting = self.failures.get(message.recipient_address)
        if waiting:
            raise waiting.pop(0)
        self.sent.append(message)

    @property
    def addresses(self) -> list[str]:
        return [message.recipient_address for message in self.sent]

    def deliver(self, session: Session, *, now: datetime, limit: int = 200) -> int:
        return delivery.deliver_due(
            session, as_it_is, self, now=lambda: now, limit=limit
        )


def store_note(session: Session, address: str, *, now: datetime) -> int:
    """A message without a calendar."""
    row = outbox.record(
        session,
        kind="visit_declined",
        locale="fr",
        name="",
        address=address,
        payload={},
        now=now,
        audience=Audience.TEACHER,
    )
    session.commit()
    return row.id


def invite(session: Session, visit: int, address: str, *, now: datetime) -> int:
    """A calendar entry of a visit for one address, with its first message recorded."""
    seal = seal_of(session)
    row = InvitationRow(
        visit_id=visit,
        audience=Audience.STUDENT,
        address=seal.close(address),
        address_digest=seal.digest(address),
        uid=f"{uuid4()}@visits.example",
        dtstamp=now,
        state=InvitationState.INVITED,
        created_at=now,
    )
    session.add(row)
    session.flush()
    _record(session, row, "visit_confirmed", now=now)
    return row.id


def revise(session: Session, invitation: int, *, now: datetime) -> None:
    """The visit changed: another SEQUENCE, what is unsent of the older one is void."""
    row = session.get_one(InvitationRow, invitation)
    row.sequence += 1
    row.dtstamp = max(now, row.dtstamp + timedelta(seconds=1))
    queries.supersede(session, row.id)
    _record(session, row, "visit_changed", now=now)


def _record(session: Session, row: InvitationRow, kind: str, *, now: datetime) -> None:
    outbox.record(
        session,
        kind=kind,
        locale="fr",
        name="",
        address=seal_of(session).open(row.address),
        payload={
            "visit": a_visit(id=row.visit_id, state="confirmed"),
            "audience": "student",
            "link": None,
        },
        now=now,
        audience=Audience.STUDENT,
        visit_id=row.visit_id,
        invitation=row,
        method=Method.REQUEST,
    )


def states(session: Session) -> list[MessageState]:
    """Of all messages, in the order of their recording."""
    return [row.state for row in messages(session)]


def messages(session: Session) -> list[MessageRow]:
    session.rollback()
    rows = session.scalars(
        select(MessageRow)
        .order_by(MessageRow.id)
        .execution_options(populate_existing=True)
    )
    return list(rows)
