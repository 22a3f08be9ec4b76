"""Mail out of the outbox: at least once, newest last, never lost, never held up."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.domain import sending
from scheduler.domain.refusals import NotFound, WrongState
from scheduler.domain.visits import VisitState
from scheduler.mail.letter import Deferred, Undeliverable, Unreachable
from scheduler.persistence.engine import make_session
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.queries import outbox as queries
from scheduler.persistence.sealed import seal_of
from scheduler.services import delivery, outbox
from scheduler.services.transaction import transaction
from tests import rows
from tests.rows import NOW
from tests.services.letters import (
    Bag,
    as_it_is,
    invite,
    messages,
    revise,
    states,
    store_note,
)

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
SENT, WAITING, DEAD = MessageState.SENT, MessageState.WAITING, MessageState.DEAD
SENDING, SUPERSEDED = MessageState.SENDING, MessageState.SUPERSEDED


def claim(session: Session, number: int) -> None:
    """As a sender does that then dies."""
    queries.take(session, [number], now=NOW, lease_until=NOW + delivery.LEASE)


@pytest.fixture
def visit(session: Session, world: rows.World) -> int:
    """A confirmed visit whose own mail is out already."""
    made = rows.visit_in(session, world, VisitState.CONFIRMED)
    Bag().deliver(session, now=NOW)
    return made


# ------------------------------------------------------------------ what is sent


def test_due_messages_go_out_once_the_oldest_first(session: Session):
    bag = Bag()
    for name in ("a", "b", "c"):
        store_note(session, f"{name}@example.org", now=NOW)

    sent = bag.deliver(session, now=NOW)
    again = bag.deliver(session, now=NOW)

    assert (sent, again) == (3, 0)
    assert bag.addresses == ["a@example.org", "b@example.org", "c@example.org"]
    assert states(session) == [SENT, SENT, SENT]


def test_a_message_that_is_not_due_stays(session: Session):
    store_note(session, "a@example.org", now=NOW + MINUTE)

    assert Bag().deliver(session, now=NOW) == 0


def test_nothing_due_asks_no_server(session: Session):
    assert Bag(closed=True).deliver(session, now=NOW) == 0


def test_a_round_takes_no_more_than_its_limit(session: Session):
    for number in range(5):
        store_note(session, f"{number}@example.org", now=NOW)

    assert Bag().deliver(session, now=NOW, limit=2) == 2


def test_the_address_lies_sealed(session: Session):
    number = store_note(session, "secret@example.org", now=NOW)

    row = session.get_one(MessageRow, number)

    assert "secret" not in row.address
    assert seal_of(session).open(row.address) == "secret@example.org"


# ------------------------------------------------------------------ newer revisions


def test_a_newer_revision_replaces_an_unsent_one(session: Session, visit: int):
    invitation = invite(session, visit, "s@example.org", now=NOW)
    revise(session, invitation, now=NOW)
    session.commit()
    bag = Bag()

    bag.deliver(session, now=NOW)

    assert [message.sequence for message in bag.sent] == [1]
    assert states(session)[-2:] == [SUPERSEDED, SENT]


def test_a_newer_revision_waits_while_an_older_one_is_under_way(
    session: Session, visit: int
):
    """When the older one's sender has died, the newer one goes alone."""
    invitation = invite(session, visit, "s@example.org", now=NOW)
    session.commit()
    older = messages(session)[-1].id
    with transaction(session):
        claim(session, older)
    with transaction(session):
        revise(session, invitation, now=NOW)
    bag = Bag()

    early = bag.deliver(session, now=NOW + MINUTE)
    later = bag.deliver(session, now=NOW + delivery.LEASE)

    assert early == 0
    assert later == 1
    assert [message.sequence for message in bag.sent] == [1]
    assert states(session)[-2:] == [SUPERSEDED, SENT]


def test_a_failed_revision_with_a_newer_one_is_not_tried_again(
    session: Session, visit: int, engine: Engine
):
    """The change happens while the older letter is on its way."""
    invitation = invite(session, visit, "s@example.org", now=NOW)
    session.commit()

    def change_meanwhile(_message: object) -> None:
        bag.on_send = None
        with make_session(engine, seal_of(session)) as other:
            other.info.update(session.info)
            with transaction(other):
                revise(other, invitation, now=NOW)

    bag = Bag(on_send=change_meanwhile, failures={"s@example.org": [Deferred("later")]})

    bag.deliver(session, now=NOW)
    bag.deliver(session, now=NOW)

    assert [message.sequence for message in bag.sent] == [1]
    assert states(session)[-2:] == [SUPERSEDED, SENT]


# ------------------------------------------------------------------ what goes wrong


def test_a_failure_holds_up_no_other_letter(session: Session):
    for name in ("a", "b", "c"):
        store_note(session, f"{name}@example.org", now=NOW)
    bag = Bag(failures={"b@example.org": [Deferred("greylisted")]})

    sent = bag.deliver(session, now=NOW)

    assert sent == 2
    assert bag.addresses == ["a@example.org", "c@example.org"]
    assert states(session) == [SENT, WAITING, SENT]
    assert messages(session)[1].error == "greylisted"


def test_tries_come_at_growing_distances_for_two_days(session: Session):
    store_note(session, "a@example.org", now=NOW)
    bag = Bag(failures={"a@example.org": [Deferred("greylisted")] * 20})
    waits, at = [], NOW

    while states(session) == [WAITING]:
        bag.deliver(session, now=at)
        row = messages(session)[0]
        if row.state is WAITING:
            waits.append(row.due_at - at)
            at = row.due_at

    planned = sending.DELAYS[: len(waits)]
    assert len(waits) >= len(sending.DELAYS)
    assert all(
        wait <= 1.2 * plan + SECOND for wait, plan in zip(waits, planned, strict=False)
    )
    assert all(
        wait >= 0.8 * plan - SECOND
        for wait, plan in zip(waits[:7], planned, strict=False)
    )
    assert sum(waits, timedelta()) == sending.LIFETIME
    assert (row.state, bag.sent) == (DEAD, [])
    assert row.error == "gave_up: greylisted"


def test_a_letter_that_can_never_go_out_is_dead_at_once(session: Session):
    store_note(session, "a@example.org", now=NOW)
    bag = Bag(failures={"a@example.org": [Undeliverable("recipient_refused")]})

    bag.deliver(session, now=NOW)

    row = messages(session)[0]
    assert (row.state, row.attempts) == (DEAD, 1)
    assert row.error == "recipient_refused"


def test_a_bug_in_a_letter_is_a_failure_of_that_letter(session: Session):
    store_note(session, "a@example.org", now=NOW)
    store_note(session, "b@example.org", now=NOW)
    bag = Bag(failures={"a@example.org": [ZeroDivisionError("template")]})

    bag.deliver(session, now=NOW)

    assert states(session) == [WAITING, SENT]
    # The kind of error, never its words: they may quote what somebody typed.
    assert messages(session)[0].error == "ZeroDivisionError"


def test_without_a_server_everything_waits_and_says_why(session: Session):
    for name in ("a", "b"):
        store_note(session, f"{name}@example.org", now=NOW)
    bag = Bag(closed=True)

    assert bag.deliver(session, now=NOW) == 0
    assert states(session) == [WAITING, WAITING]
    assert {row.error for row in messages(session)} == {"no_connection"}

    bag.closed = False

    assert bag.deliver(session, now=NOW) == 0
    assert bag.deliver(session, now=NOW + 2 * MINUTE) == 2
    assert {row.error for row in messages(session)} == {""}


def test_a_server_that_goes_away_ends_the_round(session: Session):
    for name in ("a", "b", "c"):
        store_note(session, f"{name}@example.org", now=NOW)
    bag = Bag(failures={"b@example.org": [Unreachable("no_connection")]})

    sent = bag.deliver(session, now=NOW)

    assert bag.addresses == ["a@example.org"]
    assert sent == 1
    assert states(session) == [SENT, WAITING, WAITING]
    assert Bag().deliver(session, now=NOW + 2 * MINUTE) == 2


# ------------------------------------------------------------------ several senders


def test_a_dead_senders_letter_goes_again_with_the_same_identity(
    session: Session, visit: int
):
    invite(session, visit, "s@example.org", now=NOW)
    session.commit()
    before = messages(session)[-1]
    identity = (before.message_id, before.uid, before.sequence, before.dtstamp)
    with transaction(session):
        claim(session, before.id)
    bag = Bag()

    early = bag.deliver(session, now=NOW + MINUTE)
    later = bag.deliver(session, now=NOW + delivery.LEASE)

    (letter,) = bag.sent
    assert (early, later) == (0, 1)
    assert identity == (
        letter.message_id,
        letter.uid,
        letter.sequence,
        letter.dtstamp,
    )


def test_a_claimed_message_is_nobody_elses(session: Session, engine: Engine):
    number = store_note(session, "a@example.org", now=NOW)
    with transaction(session):
        claim(session, number)
    with make_session(engine, seal_of(session)) as other:
        other.info.update(session.info)

        assert Bag().deliver(other, now=NOW) == 0


def test_two_senders_share_the_work_and_send_nothing_twice(
    session: Session, engine: Engine
):
    for number in range(60):
        store_note(session, f"{number}@example.org", now=NOW)
    bags = [Bag(), Bag()]
    seal, info = seal_of(session), dict(session.info)
    session.rollback()

    def work(bag: Bag) -> None:
        with make_session(engine, seal) as own:
            own.info.update(info)
            delivery.deliver_due(own, as_it_is, bag, now=lambda: NOW)

    threads = [threading.Thread(target=work, args=(bag,)) for bag in bags]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    addresses = [*bags[0].addresses, *bags[1].addresses]
    assert len(addresses) == 60
    assert len(set(addresses)) == 60
    assert set(states(session)) == {SENT}


# ------------------------------------------------------------------ by hand


def test_a_dead_message_is_sent_again_by_hand(session: Session):
    number = store_note(session, "a@example.org", now=NOW)
    bag = Bag(failures={"a@example.org": [Undeliverable("recipient_refused")]})
    bag.deliver(session, now=NOW)

    outbox.retry(session, number, now=NOW + MINUTE)
    bag.deliver(session, now=NOW + MINUTE)

    assert bag.addresses == ["a@example.org"]


def test_what_is_sent_is_not_sent_again_by_hand(session: Session):
    number = store_note(session, "a@example.org", now=NOW)
    Bag().deliver(session, now=NOW)

    with pytest.raises(WrongState):
        outbox.retry(session, number, now=NOW)

    assert states(session) == [SENT]


def test_what_a_newer_revision_replaced_is_not_sent_again_by_hand(
    session: Session, visit: int
):
    invitation = invite(session, visit, "s@example.org", now=NOW)
    session.commit()
    older = messages(session)[-1].id
    bag = Bag(failures={"s@example.org": [Undeliverable("recipient_refused")]})
    bag.deliver(session, now=NOW)
    with transaction(session):
        revise(session, invitation, now=NOW)

    with pytest.raises(WrongState):
        outbox.retry(session, older, now=NOW)


def test_there_must_be_a_message_to_send_again(session: Session):
    with pytest.raises(NotFound):
        outbox.retry(session, 1, now=NOW)
