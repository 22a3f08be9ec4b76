"""Delivery with more than one thing going wrong: domains, limits, nights, the past."""

from __future__ import annotations

import dataclasses
import threading
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.domain import sending
from scheduler.domain.announcements import Audience, Method
from scheduler.domain.localtime import instant
from scheduler.domain.visits import VisitState
from scheduler.mail.letter import Deferred, Message, Undeliverable, Unreachable
from scheduler.persistence.engine import make_session
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.sealed import seal_of
from scheduler.services import delivery, outbox
from scheduler.services.transaction import transaction
from tests import rows
from tests.rows import NOW, TUESDAY
from tests.services.letters import Bag, as_it_is, messages, states, store_note

SENT, WAITING, DEAD = MessageState.SENT, MessageState.WAITING, MessageState.DEAD
SUPERSEDED = MessageState.SUPERSEDED
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = instant(date(2026, 11, 23), time(22, 0))
MORNING = instant(date(2026, 11, 24), time(7, 0))
BUSY = "451 4.3.2 try again later"


def store(session: Session, *addresses: str, now: datetime = NOW) -> None:
    for address in addresses:
        store_note(session, address, now=now)


def many(domain: str, number: int) -> list[str]:
    return [f"eleve{each:03}@{domain}" for each in range(number)]


# ------------------------------------------------------------------ a domain is down


class Network(Bag):
    """``down``: domains whose server answers none; ``tries`` counts per domain."""

    def __init__(self, *down: str, answer: str = BUSY) -> None:
        super().__init__()
        self.down, self.answer = set(down), answer
        self.tries: dict[str, int] = {}

    def send(self, message: Message) -> None:
        domain = message.recipient_address.partition("@")[2]
        self.tries[domain] = self.tries.get(domain, 0) + 1
        if domain in self.down:
            raise Deferred("recipient_refused", answer=self.answer)
        super().send(message)


def test_a_domain_that_is_down_does_not_delay_the_others(session: Session):
    store(session, *many("down.example", 50), *many("up.example", 20))
    network = Network("down.example")

    sent = network.deliver(session, now=NOW)

    assert sent == 20
    assert network.tries == {
        "down.example": sending.DOMAIN_PATIENCE,
        "up.example": 20,
    }
    waiting = [row for row in messages(session) if row.state is WAITING]
    assert len(waiting) == 50
    assert {row.error for row in waiting} == {f"recipient_refused: {BUSY}"}
    untried = [row for row in waiting if row.attempts == 0]
    tried = [row for row in waiting if row.attempts]
    assert len(tried) == sending.DOMAIN_PATIENCE
    assert max(row.due_at for row in tried) < min(row.due_at for row in untried)


def test_it_is_tried_less_and_less_often_and_served_when_it_is_back(session: Session):
    store(session, *many("down.example", 60))
    network = Network("down.example")
    at, tries = NOW, []
    while at < NOW + 6 * HOUR:
        before = network.tries.get("down.example", 0)
        network.deliver(session, now=at)
        if network.tries.get("down.example", 0) > before:
            tries.append(at)
        at += 30 * SECOND

    first_hour = [each for each in tries if each < NOW + HOUR]
    last_hour = [each for each in tries if each >= NOW + 5 * HOUR]
    assert network.tries["down.example"] < 60
    assert len(last_hour) < len(first_hour)

    network.down.clear()
    for _ in range(20):
        at += HOUR
        network.deliver(session, now=at)

    assert set(states(session)) == {SENT}
    assert sorted(network.addresses) == many("down.example", 60)


def test_what_is_recorded_meanwhile_waits_with_the_rest(session: Session):
    store(session, *many("down.example", 5))
    network = Network("down.example")
    network.deliver(session, now=NOW)
    store(session, "new@down.example", now=NOW)
    tried = network.tries["down.example"]

    network.deliver(session, now=NOW + SECOND)

    assert network.tries["down.example"] == tried + 1


def test_greylisting_wants_each_letter_to_be_tried(session: Session):
    store(session, *many("grey.example", 40))
    network = Network("grey.example", answer="450 4.2.0 Greylisted, see postgrey")

    network.deliver(session, now=NOW)
    network.down.clear()
    network.deliver(session, now=NOW + 2 * MINUTE)

    assert set(states(session)) == {SENT}


def test_one_letter_taken_shows_that_the_domain_is_up(session: Session):
    store(session, *many("up.example", 30))
    every_third = {
        address: [Deferred("recipient_refused", answer=BUSY)]
        for address in many("up.example", 30)[::3]
    }
    bag = Bag(failures=every_third)

    assert bag.deliver(session, now=NOW) == 20


def test_a_sender_that_is_refused_says_nothing_of_a_domain(session: Session):
    store(session, *many("up.example", 8))
    bag = Bag(
        failures={
            address: [Deferred("sender_refused", answer="550 who are you?")]
            for address in many("up.example", 7)
        }
    )

    assert bag.deliver(session, now=NOW) == 1


# ------------------------------------------------------------------ no server


def test_an_outage_of_our_own_server_is_no_try_of_any_letter(session: Session):
    store(session, "a@example.org", "b@example.org")
    bag = Bag(closed=True)

    for minute in range(0, 5 * 24 * 60, 60):
        bag.deliver(session, now=NOW + minute * MINUTE)

    assert [
        (row.state, row.attempts, row.first_tried_at) for row in messages(session)
    ] == [
        (WAITING, 0, None),
        (WAITING, 0, None),
    ]


def test_a_letter_on_which_the_server_went_away_keeps_its_tries(session: Session):
    store(session, "a@example.org")
    bag = Bag(failures={"a@example.org": [Deferred("x"), Unreachable("no_connection")]})
    bag.deliver(session, now=NOW)
    first = messages(session)[0].first_tried_at

    bag.deliver(session, now=NOW + 2 * MINUTE)

    row = messages(session)[0]
    assert (row.attempts, row.first_tried_at) == (1, first)
    assert row.lease_until is None


# ------------------------------------------------------------------ groups and leases


def test_what_was_taken_is_noted_every_few_letters(session: Session, engine: Engine):
    store(session, *many("example.org", 3 * delivery.GROUP))
    noted = []

    def look(message: Message) -> None:
        with make_session(engine, seal_of(session)) as other:
            noted.append(states(other).count(SENT))

    Bag(on_send=look).deliver(session, now=NOW)

    behind = [sent - seen for sent, seen in enumerate(noted)]
    assert max(behind) < delivery.GROUP
    assert set(states(session)) == {SENT}


def test_with_a_slow_server_each_half_second_is_noted(session: Session, engine: Engine):
    store(session, *many("example.org", delivery.FIRST_GROUP))
    at, noted = [NOW], []

    def slow(message: Message) -> None:
        with make_session(engine, seal_of(session)) as other:
            noted.append(states(other).count(SENT))
        at[0] += SECOND / 4

    delivery.deliver_due(
        session, as_it_is, Bag(on_send=slow), now=lambda: at[0], limit=99
    )

    assert max(sent - seen for sent, seen in enumerate(noted)) <= 3


def test_a_very_slow_server_does_not_make_two_senders_send_the_same(
    session: Session, engine: Engine
):
    """Each letter takes 50 seconds, a lease two minutes: the sender renews it."""
    store(session, *many("example.org", delivery.FIRST_GROUP))
    at = [NOW]
    second = Bag()

    def slow(message: Message) -> None:
        at[0] += 50 * SECOND
        with make_session(engine, seal_of(session)) as other:
            other.info.update(session.info)
            second.deliver(other, now=at[0])

    bag = Bag(on_send=slow)
    delivery.deliver_due(session, as_it_is, bag, now=lambda: at[0], limit=99)

    assert second.sent == []
    assert sorted(bag.addresses) == many("example.org", delivery.FIRST_GROUP)


def test_who_lost_the_lease_leaves_the_letters_to_the_other(
    session: Session, engine: Engine
):
    """The machine slept for an hour in the middle of a group."""
    store(session, *many("example.org", 4))
    at = [NOW]
    second = Bag()

    def sleep(message: Message) -> None:
        bag.on_send = None
        at[0] += HOUR
        with make_session(engine, seal_of(session)) as other:
            other.info.update(session.info)
            second.deliver(other, now=at[0])

    bag = Bag(on_send=sleep)
    delivery.deliver_due(session, as_it_is, bag, now=lambda: at[0], limit=99)

    assert len(second.sent) == 4
    assert bag.addresses == ["eleve000@example.org"]
    assert set(states(session)) == {SENT}


def test_a_stop_gives_back_what_was_not_sent(session: Session):
    store(session, *many("example.org", 5))
    bag = Bag()

    sent = delivery.deliver_due(
        session,
        as_it_is,
        bag,
        now=lambda: NOW,
        stopping=lambda: len(bag.sent) == 2,
    )

    assert sent == 2
    assert states(session) == [SENT, SENT, WAITING, WAITING, WAITING]
    assert Bag().deliver(session, now=NOW) == 3
    assert {row.attempts for row in messages(session)} == {1}


# ------------------------------------------------------------------ as many a minute


@pytest.fixture
def limited(session: Session) -> Session:
    house = session.info["house"]
    session.info["house"] = dataclasses.replace(house, mail_per_minute=25)
    return session


def test_no_more_go_out_in_a_minute_than_allowed(limited: Session):
    store(limited, *many("example.org", 60))
    bag = Bag()

    counts = [
        bag.deliver(limited, now=NOW + seconds * SECOND)
        for seconds in range(0, 181, 10)
    ]

    assert counts[0] == 25
    assert sum(counts) == 60
    assert all(sum(counts[i : i + 6]) <= 25 for i in range(len(counts)))
    assert len(bag.sent) == 60


def test_the_limit_holds_for_all_senders_together(limited: Session, engine: Engine):
    store(limited, *many("example.org", 80))
    seal, info = seal_of(limited), dict(limited.info)
    limited.rollback()
    bags = [Bag(), Bag(), Bag()]

    def work(bag: Bag) -> None:
        with make_session(engine, seal) as own:
            own.info.update(info)
            delivery.deliver_due(own, as_it_is, bag, now=lambda: NOW)

    threads = [threading.Thread(target=work, args=(bag,)) for bag in bags]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(len(bag.sent) for bag in bags) == 25


def test_a_sign_in_link_waits_behind_nothing(limited: Session):
    """Whoever asked for it sits before the screen, and it is good for minutes only."""
    store(limited, *many("example.org", 60))
    row = outbox.record(
        limited,
        kind="sign_in",
        locale="fr",
        name="",
        address="prof@example.org",
        payload={},
        now=NOW + SECOND,
    )
    limited.commit()
    asked = row.id
    bag = Bag()

    bag.deliver(limited, now=NOW + SECOND)

    assert bag.sent[0].id == asked


# ------------------------------------------------------------------ nights, the past


def record(
    session: Session,
    *,
    kind: str = "visit_confirmed",
    method: Method | None = None,
    **visit: object,
) -> int:
    facts = {
        "id": 1,
        "state": "confirmed",
        "actor": "host",
        "starts_at": TUESDAY.isoformat(),
        "ends_at": (TUESDAY + 2 * HOUR).isoformat(),
    }
    with transaction(session):
        row = outbox.record(
            session,
            kind=kind,
            locale="fr",
            name="",
            address="a@example.org",
            payload={"visit": {**facts, **visit}, "audience": "teacher", "link": None},
            now=NOW,
            audience=Audience.TEACHER,
            method=method,
        )
    return row.id


def test_in_the_night_it_waits_for_the_morning_and_loses_no_try(session: Session):
    record(session)
    bag = Bag()

    bag.deliver(session, now=NIGHT)

    row = messages(session)[0]
    assert (row.state, row.due_at, row.attempts) == (WAITING, MORNING, 0)
    assert bag.deliver(session, now=MORNING) == 1


def test_a_retry_that_falls_in_the_night_waits_too(session: Session):
    record(session)
    bag = Bag(failures={"a@example.org": [Deferred("later")]})
    bag.deliver(session, now=NIGHT - 2 * HOUR - 20 * SECOND)

    bag.deliver(session, now=NIGHT)

    row = messages(session)[0]
    assert (row.state, row.due_at, row.attempts) == (WAITING, MORNING, 1)


def test_a_message_about_a_visit_that_is_over_is_not_sent(session: Session):
    record(session, method=Method.REQUEST)
    record(session, kind="visit_requested_host", state="requested")
    bag = Bag()

    assert bag.deliver(session, now=TUESDAY + HOUR) == 1
    record(session, method=Method.REQUEST)
    assert bag.deliver(session, now=TUESDAY + 2 * HOUR) == 0

    assert [(row.state, row.error) for row in messages(session)] == [
        (SENT, ""),
        (SUPERSEDED, "past"),
        (SUPERSEDED, "past"),
    ]


def test_a_reminder_that_waited_while_the_visit_began_is_not_sent(session: Session):
    record(session, kind="reminder_1")
    record(session, kind="too_few_come")
    record(session, kind="visit_declined", state="declined")
    bag = Bag()

    assert bag.deliver(session, now=TUESDAY) == 0

    assert [(row.state, row.error) for row in messages(session)] == [
        (SUPERSEDED, "past")
    ] * 3


def test_a_night_full_of_mail_does_not_keep_a_sign_in_link(session: Session):
    for _ in range(3 * delivery.FIRST_GROUP):
        record(session)
    with transaction(session):
        outbox.record(
            session,
            kind="sign_in",
            locale="fr",
            name="",
            address="b@example.org",
            payload={"link": {"purpose": "sign_in", "id": 1}},
            now=NOW,
        )
    bag = Bag()

    bag.deliver(session, now=NIGHT)

    assert bag.addresses == ["b@example.org"]


def test_what_goes_into_a_digest_is_not_sent_by_itself(session: Session):
    number = record(session)
    session.get_one(MessageRow, number).for_digest = True
    session.commit()

    assert Bag().deliver(session, now=NOW) == 0
    assert states(session) == [WAITING]


def test_every_message_of_the_services_knows_its_domain_and_person(
    session: Session, world: rows.World
):
    rows.visit_in(session, world, VisitState.CONFIRMED)

    domains = {row.domain_digest for row in messages(session)}
    assert domains == {outbox.domain_digest(session, "x@EXAMPLE.org")}
    assert {row.person_id for row in messages(session)} == {
        world.teacher.id,
        world.contact.id,
        world.substitute.id,
    }


def test_undeliverable_ends_at_once_and_rests_no_domain(session: Session):
    store(session, *many("example.org", 8))
    refused = Undeliverable("recipient_refused", answer="550 5.1.1 unknown")
    bag = Bag(failures={address: [refused] for address in many("example.org", 7)})

    assert bag.deliver(session, now=NOW) == 1
    assert states(session).count(DEAD) == 7
