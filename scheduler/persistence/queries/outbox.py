"""Messages: superseded, due, claimed. The same statements on both databases."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from scheduler.domain.announcements import Audience, Method
from scheduler.domain.sending import WAITED_FOR
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.outbox import LeaseRow, MessageRow, MessageState
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)

# A number of ours among PostgreSQL's advisory locks: "mail" in ASCII.
RATE_LOCK = 0x6D61696C
# Another message beside the one that is asked for; made once, for it is slow to make.
_OTHER = aliased(MessageRow)
_NEWER = (
    select(_OTHER.id)
    .where(
        _OTHER.invitation_id == MessageRow.invitation_id,
        _OTHER.id > MessageRow.id,
    )
    .exists()
)
_OLDER_UNDER_WAY = (
    select(_OTHER.id)
    .where(
        _OTHER.invitation_id == MessageRow.invitation_id,
        _OTHER.id < MessageRow.id,
        _OTHER.state == MessageState.SENDING,
    )
    .exists()
)


def invitation_for(
    session: Session, visit_id: int, *, audience: str, address_digest: str
) -> InvitationRow | None:
    """The invitation of that address, whatever its state."""
    return session.scalars(
        select(InvitationRow).where(
            InvitationRow.visit_id == visit_id,
            InvitationRow.audience == audience,
            InvitationRow.address_digest == address_digest,
        )
    ).one_or_none()


def first_message_id(session: Session, visit_id: int, *, person_id: int) -> str:
    """Of the first mail that the person was written about the visit; or nothing."""
    found = session.scalar(
        select(MessageRow.message_id)
        .where(MessageRow.visit_id == visit_id, MessageRow.person_id == person_id)
        .order_by(MessageRow.id)
        .limit(1)
    )
    return found or ""


def first_message_id_to(session: Session, visit_id: int, *, address_digest: str) -> str:
    """The same for an address without a person, which was invited first of all."""
    found = session.scalar(
        select(InvitationRow.first_message_id)
        .where(
            InvitationRow.visit_id == visit_id,
            InvitationRow.address_digest == address_digest,
        )
        .order_by(InvitationRow.id)
        .limit(1)
    )
    return found or ""


def supersede(session: Session, invitation_id: int) -> None:
    """Drop what is unsent for a calendar: a newer revision replaces it."""
    session.execute(
        update(MessageRow)
        .where(
            MessageRow.invitation_id == invitation_id,
            MessageRow.state == MessageState.WAITING,
        )
        .values(state=MessageState.SUPERSEDED)
    )


def with_newer(session: Session, message_ids: Collection[int]) -> set[int]:
    """Those of them for whose calendar a later message exists."""
    if not message_ids:
        return set()
    found = session.scalars(
        select(MessageRow.id).where(MessageRow.id.in_(message_ids), _NEWER)
    )
    return set(found)


def has_due(session: Session, *, now: datetime) -> bool:
    """Whether there is anything to do."""
    return any(
        session.scalar(
            select(MessageRow.id)
            .where(which, _BY_ITSELF)
            .order_by(MessageRow.due_at, MessageRow.id)
            .limit(1)
        )
        is not None
        for which in (_waits(now), _has_lapsed(now))
    )


class Due(NamedTuple):
    """A message as it is to be sent; columns only, for there are many of them.

    ``replaced``: a newer revision for the same calendar exists.
    """

    id: int
    kind: str
    audience: Audience | None
    locale: str
    recipient_name: str
    address: str
    payload: dict[str, Any]
    uid: str | None
    method: Method | None
    sequence: int
    dtstamp: datetime
    message_id: str
    thread_id: str
    attempts: int
    created_at: datetime
    domain_digest: str
    first_tried_at: datetime | None
    replaced: bool


def due(
    session: Session, *, now: datetime, limit: int, besides: Collection[str] = ()
) -> Sequence[Due]:
    """What is due, the oldest first, locked; what another sender looks at is left out.

    What somebody waits for before a screen comes before everything: a sign-in link that
    queues behind a campaign has run out when it arrives.

    Messages of a dead sender are due when their lease is over. Nothing overtakes: while
    an older message for the same calendar is under way the newer one waits.
    ``besides``: domains that are left alone.

    Each kind is asked for by itself, so that an index gives it in its order and a long
    queue is not sorted for a few messages (tests/persistence/test_due.py).
    """
    found: list[Due] = []
    for which in (
        and_(_WAITED_FOR, MessageRow.due_at <= now, _since_when() <= now),
        and_(~_WAITED_FOR, _has_lapsed(now), _BY_ITSELF),
        and_(~_WAITED_FOR, _waits(now), _BY_ITSELF),
    ):
        left = limit - len(found)
        if left > 0:
            wanted = _in_order(which, besides).limit(left)
            found += [Due._make(row) for row in session.execute(wanted)]
    return found


def _in_order(
    which: ColumnElement[bool], besides: Collection[str]
) -> Select[tuple[Any, ...]]:
    wanted = (
        select(*_COLUMNS, _NEWER.label("replaced"))
        .where(which, ~_OLDER_UNDER_WAY)
        .order_by(MessageRow.due_at, MessageRow.id)
        .with_for_update(skip_locked=True, of=MessageRow)
    )
    if besides:
        wanted = wanted.where(MessageRow.domain_digest.not_in(besides))
    return wanted


_COLUMNS = [getattr(MessageRow, name) for name in Due._fields if name != "replaced"]


# In the words of the index ix_message_waited_for, or it is not used.
_WAITED_FOR = and_(
    or_(
        *(MessageRow.kind == literal(kind, literal_execute=True) for kind in WAITED_FOR)
    ),
    MessageRow.state
    != literal(MessageState.SENT, MessageRow.state.type, literal_execute=True),
)
# What goes into a digest is never due by itself.
_BY_ITSELF = MessageRow.for_digest.is_(False)


def _since_when() -> ColumnElement[datetime | None]:
    """Since when a message is due. No "or": it would be looked up in another index."""
    return case(
        (MessageRow.state == MessageState.WAITING, MessageRow.due_at),
        (MessageRow.state == MessageState.SENDING, MessageRow.lease_until),
    )


def _waits(now: datetime) -> ColumnElement[bool]:
    return and_(MessageRow.state == MessageState.WAITING, MessageRow.due_at <= now)


def _has_lapsed(now: datetime) -> ColumnElement[bool]:
    """Its sender died."""
    return and_(MessageRow.state == MessageState.SENDING, MessageRow.lease_until <= now)


def take(
    session: Session,
    message_ids: Collection[int],
    *,
    now: datetime,
    lease_until: datetime,
) -> None:
    """Claim what ``due`` has locked."""
    if not message_ids:
        return
    session.execute(
        update(MessageRow)
        .where(MessageRow.id.in_(message_ids))
        .values(
            state=MessageState.SENDING,
            lease_until=lease_until,
            attempts=MessageRow.attempts + 1,
            first_tried_at=func.coalesce(MessageRow.first_tried_at, now),
        )
        .execution_options(synchronize_session=False)
    )


def set_aside_one(
    session: Session, message_id: int, *, state: MessageState, **values: object
) -> None:
    """What ``due`` has locked does not go out now; nobody holds it any more."""
    session.execute(
        update(MessageRow)
        .where(MessageRow.id == message_id)
        .values(state=state, lease_until=None, **values)
        .execution_options(synchronize_session=False)
    )


def give_back(
    session: Session, message_ids: Collection[int], *, lease_until: datetime
) -> None:
    """What was claimed and not tried waits again, as if it never had been claimed."""
    session.execute(
        update(MessageRow)
        .where(
            MessageRow.id.in_(list(message_ids)),
            MessageRow.state == MessageState.SENDING,
            MessageRow.lease_until == lease_until,
        )
        .values(
            state=MessageState.WAITING,
            lease_until=None,
            attempts=MessageRow.attempts - 1,
            first_tried_at=case(
                (MessageRow.attempts <= 1, None), else_=MessageRow.first_tried_at
            ),
        )
        .execution_options(synchronize_session=False)
    )


def renew(
    session: Session,
    message_ids: Collection[int],
    *,
    lease_until: datetime,
    until: datetime,
) -> set[int]:
    """Keep what is claimed; those of them that are still mine."""
    kept = session.scalars(
        update(MessageRow)
        .where(
            MessageRow.id.in_(list(message_ids)),
            MessageRow.state == MessageState.SENDING,
            MessageRow.lease_until == lease_until,
        )
        .values(lease_until=until)
        .returning(MessageRow.id)
        .execution_options(synchronize_session=False)
    )
    return set(kept)


def mark_sent(session: Session, message_ids: Collection[int], *, now: datetime) -> None:
    """The server took them, whoever holds them by now."""
    session.execute(
        update(MessageRow)
        .where(MessageRow.id.in_(message_ids), MessageRow.state == MessageState.SENDING)
        .values(state=MessageState.SENT, sent_at=now, lease_until=None, error="")
        .execution_options(synchronize_session=False)
    )


def claimed(
    session: Session, message_id: int, *, lease_until: datetime
) -> MessageRow | None:
    """The message, locked, if it is still mine."""
    row = message_to_change(session, message_id)
    if row is None or row.state is not MessageState.SENDING:
        return None
    return row if row.lease_until == lease_until else None


def put_off(session: Session, *, now: datetime, until: datetime, error: str) -> int:
    """Let all that is due wait; how many."""
    return _wait_until(
        session,
        MessageRow.due_at <= now,
        MessageRow.for_digest.is_(False),
        until=until,
        error=error,
    )


def put_domain_off(
    session: Session, domain: str, *, until: datetime, error: str
) -> int:
    """Let the untried messages to one domain wait; those tried have their own time."""
    return _wait_until(
        session,
        MessageRow.domain_digest == domain,
        MessageRow.attempts == 0,
        MessageRow.due_at < until,
        until=until,
        error=error,
    )


def _wait_until(
    session: Session, *which: ColumnElement[bool], until: datetime, error: str
) -> int:
    done = session.execute(
        update(MessageRow)
        .where(MessageRow.state == MessageState.WAITING, *which)
        .values(due_at=until, error=error)
        .returning(MessageRow.id)
        .execution_options(synchronize_session=False)
    )
    return len(done.all())


def most_attempts(session: Session, domain: str) -> int:
    """How often a message to that domain that still waits was tried."""
    most = session.scalar(
        select(func.max(MessageRow.attempts)).where(
            MessageRow.state == MessageState.WAITING,
            MessageRow.domain_digest == domain,
        )
    )
    return most or 0


def lock_the_rate(session: Session) -> None:
    """One at a time counts and claims, until the end of the transaction.

    On SQLite the immediate transaction already is the lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(RATE_LOCK)))


def sent_since(session: Session, since: datetime, *, now: datetime) -> int:
    """How many went out since then, those counted that are under way now."""
    number = session.scalar(
        select(func.count())
        .select_from(MessageRow)
        .where(
            or_(
                MessageRow.sent_at > since,
                and_(
                    MessageRow.state == MessageState.SENDING,
                    MessageRow.lease_until > now,
                ),
            )
        )
    )
    return number or 0


def message_to_change(session: Session, message_id: int) -> MessageRow | None:
    """The message, locked."""
    return session.scalars(
        select(MessageRow).where(MessageRow.id == message_id).with_for_update()
    ).one_or_none()


def message_by_message_id(session: Session, message_id: str) -> MessageRow | None:
    """The message with that Message-ID, brackets included."""
    return session.scalars(
        select(MessageRow).where(MessageRow.message_id == message_id)
    ).one_or_none()


def unsent_to(session: Session, person_id: int) -> Sequence[MessageRow]:
    """What waits for a person or did not arrive, and was not purged."""
    return session.scalars(
        select(MessageRow)
        .where(
            MessageRow.person_id == person_id,
            MessageRow.state.in_({MessageState.WAITING, MessageState.DEAD}),
            MessageRow.address != "",
        )
        .order_by(MessageRow.id)
    ).all()


class Ahead(NamedTuple):
    """A visit that stands in a person's calendar, and what is locked with it."""

    visit_id: int
    audience: Audience
    host_id: int
    class_id: int
    organiser_id: int


def invited_ahead(session: Session, person_id: int, *, now: datetime) -> list[Ahead]:
    """The visits ahead that stand in a person's calendar, and as what."""
    rows = session.execute(
        select(
            InvitationRow.visit_id,
            InvitationRow.audience,
            OfferRow.host_id,
            VisitRow.class_id,
            VisitRow.organiser_id,
        )
        .join(VisitRow, VisitRow.id == InvitationRow.visit_id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(
            InvitationRow.person_id == person_id,
            InvitationRow.state == InvitationState.INVITED,
            SlotRow.ends_at > now,
        )
        .order_by(InvitationRow.visit_id)
    )
    return [Ahead._make(row) for row in rows]


def has_arrived(session: Session, invitation_id: int) -> bool:
    """Whether a server took any message for that calendar, and none came back."""
    found = session.scalar(
        select(MessageRow.id)
        .where(
            MessageRow.invitation_id == invitation_id,
            MessageRow.state.in_({MessageState.SENT, MessageState.SENDING}),
        )
        .limit(1)
    )
    return found is not None


def set_aside(session: Session, invitation_id: int) -> None:
    """What did not arrive there, and what was to go there, is no matter any more.

    A cancellation that was just recorded goes out all the same.
    """
    session.flush()
    session.execute(
        update(MessageRow)
        .where(
            MessageRow.invitation_id == invitation_id,
            MessageRow.state.in_({MessageState.DEAD, MessageState.WAITING}),
            MessageRow.method != Method.CANCEL,
        )
        .values(state=MessageState.SUPERSEDED)
    )


def messages_of(session: Session, visit_id: int) -> Sequence[MessageRow]:
    """Every message about a visit, the oldest first."""
    return session.scalars(
        select(MessageRow)
        .where(MessageRow.visit_id == visit_id)
        .order_by(MessageRow.id)
    ).all()


def state_counts(session: Session) -> dict[MessageState, int]:
    """How many messages are in each state."""
    rows = session.execute(
        select(MessageRow.state, func.count()).group_by(MessageRow.state)
    )
    return {row[0]: row[1] for row in rows}


def lease(session: Session, name: str) -> LeaseRow | None:
    """The lease as it stands."""
    return session.get(LeaseRow, name, populate_existing=True)


def take_lease(
    session: Session, name: str, *, owner: str, now: datetime, until: datetime
) -> bool:
    """Take or keep the lease if it is free, over, or mine."""
    taken = session.execute(
        update(LeaseRow)
        .where(
            LeaseRow.name == name,
            or_(LeaseRow.owner == owner, LeaseRow.until <= now),
        )
        .values(owner=owner, until=until, beat_at=now)
        .returning(LeaseRow.name)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return taken is not None
