"""Many people on the same visits at once: nobody waits for ever."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, time, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor
from scheduler.domain.localtime import instant
from scheduler.domain.visits import USES_CAP, VisitState
from scheduler.persistence.models.access import LinkRow, SessionRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.services import (
    accounts,
    clockwork,
    contacts,
    delivery,
    links,
    people,
    requests,
)
from scheduler.services.house import house_of
from tests import rows
from tests.concurrency import race
from tests.concurrency.jobs import (
    Accept,
    Ask,
    Cancel,
    ChangeNumbers,
    ChangeSlot,
    Move,
)

PROCESSES = 4
FIRST = date(2027, 3, 9)


@pytest.mark.long
def test_changes_of_slots_and_visits_cross_without_a_deadlock(
    database_url: str, session: Session, world: rows.World
):
    """One host, three classes; everything is changed at the same time."""
    session.get_one(OfferRow, world.offer).min_notice_days = 0
    session.commit()
    die = random.Random(7)
    days = [FIRST + timedelta(days=number) for number in (0, 1, 2, 6, 7, 8)]
    slots = [
        rows.store_slot(
            session, world.offer, instant(day, time(9)), max_students=60, max_groups=3
        )
        for day in days
    ]
    classes = {
        world.school_class: world.teacher,
        world.second_class: world.colleague,
        world.other_class: world.other_teacher,
    }
    asked = [
        Ask(slot=slot, school_class=klass, by=who.actor, now=rows.NOW)(session)
        for slot in slots[:4]
        for klass, who in classes.items()
    ]
    session.rollback()
    host, campus = world.contact.actor, world.coordinator.actor
    jobs: list[race.Job] = []
    for _ in range(14):
        visit = die.choice(asked)
        number = die.randrange(len(slots))
        hour = die.choice([8, 9, 10])
        jobs += [
            Accept(visit=visit, by=host, now=rows.NOW),
            Move(visit=visit, slot=die.choice(slots), by=campus, now=rows.NOW),
            ChangeNumbers(
                visit=die.choice(asked),
                students=die.randint(5, 20),
                by=campus,
                now=rows.NOW,
            ),
            ChangeSlot(
                slot=slots[number],
                day=days[number],
                starts=time(hour),
                ends=time(hour + 2),
                by=host,
                now=rows.NOW,
            ),
            Cancel(visit=die.choice(asked), by=campus, now=rows.NOW),
        ]
    die.shuffle(jobs)

    outcomes = race.with_processes(database_url, jobs, processes=PROCESSES)
    session.rollback()

    assert [said for code, said in outcomes if code == race.ERROR] == []
    counted = Counter(code for code, _ in outcomes)
    assert counted[race.DONE] > len(jobs) // 4, counted
    stored = session.scalars(select(VisitRow)).all()
    for slot in session.scalars(select(SlotRow)):
        held = sum(
            visit.students
            for visit in stored
            if visit.state in USES_CAP
            and slot.id in {visit.slot_id, visit.wanted_slot_id}
        )
        assert slot.students_taken == held <= slot.max_students
    for invitation in session.scalars(select(InvitationRow)).all():
        sequences = session.scalars(
            select(MessageRow.sequence)
            .where(MessageRow.invitation_id == invitation.id)
            .order_by(MessageRow.id)
        ).all()
        assert list(sequences) == list(range(len(sequences)))


def test_two_teachers_who_change_each_others_visits_do_not_wait_for_each_other(
    engine: Engine, session: Session, world: rows.World
):
    """Each locks one organiser and is named in the history of the other's visit."""
    session.get_one(OfferRow, world.offer).min_notice_days = 0
    session.commit()
    other = rows.store_slot(session, world.other_offer, rows.THURSDAY)
    mine = rows.ask(session, world)
    theirs = rows.ask(
        session, world, slot=other, school_class=world.second_class, by=world.colleague
    )
    session.rollback()

    for number in range(12):
        outcomes = race.with_threads(
            engine,
            *(
                ChangeNumbers(
                    visit=visit, students=6 + number, by=who.actor, now=rows.NOW
                )
                for visit, who in ((mine, world.colleague), (theirs, world.teacher))
            ),
        )

        assert outcomes == [(race.DONE, None), (race.DONE, None)]


def two_visits_at_two_hosts(session: Session, world: rows.World) -> tuple[int, int]:
    """The first is the colleague's; both classes are of one school."""
    other = rows.store_slot(session, world.other_offer, rows.THURSDAY)
    first = rows.ask(session, world, by=world.colleague)
    second = rows.ask(session, world, slot=other, school_class=world.second_class)
    session.rollback()
    return first, second


def test_visits_handed_over_crosswise_do_not_wait_for_each_other(
    engine: Engine, session: Session, world: rows.World
):
    visits = two_visits_at_two_hosts(session, world)
    teachers = [world.teacher.id, world.colleague.id]

    for number in range(8):
        there = teachers if number % 2 == 0 else teachers[::-1]

        def hand_over(mine: Session, visit: int, to: int) -> None:
            requests.hand_over(
                mine, visit, to, by=world.coordinator.actor, now=rows.NOW
            )

        outcomes = race.with_threads(
            engine,
            *(
                partial(hand_over, visit=visit, to=to)
                for visit, to in zip(visits, there, strict=True)
            ),
        )

        assert outcomes == [(race.DONE, None)] * 2


def test_an_address_is_corrected_while_visits_of_the_person_change(
    engine: Engine, session: Session, world: rows.World
):
    visits = two_visits_at_two_hosts(session, world)
    campus = world.coordinator.actor

    for number in range(8):

        def correct(mine: Session, who: int, address: str) -> None:
            people.correct_address(mine, who, address, by=campus, now=rows.NOW)

        outcomes = race.with_threads(
            engine,
            partial(correct, who=world.teacher.id, address=f"t{number}@example.org"),
            partial(correct, who=world.contact.id, address=f"c{number}@example.org"),
            *(
                ChangeNumbers(visit=visit, students=6 + number, by=campus, now=rows.NOW)
                for visit in visits
            ),
        )

        assert outcomes == [(race.DONE, None)] * 4


def test_of_two_people_who_are_given_one_address_one_gets_it(
    engine: Engine, session: Session, world: rows.World
):
    session.rollback()

    for number in range(6):
        address = f"new{number}@example.org"

        def correct(mine: Session, who: int, address: str = address) -> None:
            people.correct_address(
                mine, who, address, by=world.coordinator.actor, now=rows.NOW
            )

        outcomes = race.with_threads(
            engine,
            partial(correct, who=world.contact.id),
            partial(correct, who=world.other_teacher.id),
        )

        assert sorted(code for code, _ in outcomes) == ["address_taken", race.DONE]


def test_of_two_companies_who_add_one_new_person_both_get_an_answer(
    engine: Engine, session: Session, world: rows.World
):
    session.rollback()

    for number in range(4):
        address = f"new{number}@example.org"

        def add(mine: Session, host: int, by: Actor, address: str = address) -> None:
            contacts.add_contact(
                mine, host, name="Zoé", email=address, by=by, now=rows.NOW
            )

        outcomes = race.with_threads(
            engine,
            partial(add, host=world.host, by=world.contact.actor),
            partial(add, host=world.other_host, by=world.other_contact.actor),
        )

        assert {code for code, _ in outcomes} <= {race.DONE, "address_taken"}


def test_of_two_hosts_who_accept_at_once_one_confirms(
    engine: Engine, session: Session, world: rows.World
):
    visit = rows.ask(session, world)
    session.rollback()

    codes = [
        code
        for code, _ in race.with_threads(
            engine,
            *(
                Accept(visit=visit, by=who.actor, now=rows.NOW)
                for who in (world.contact, world.substitute)
            ),
        )
    ]

    assert sorted(codes) == [race.DONE, "wrong_state"]
    session.rollback()
    assert session.get_one(VisitRow, visit).state is VisitState.CONFIRMED
    invited = session.execute(
        select(InvitationRow.audience, InvitationRow.sequence)
    ).all()
    # The hosts hold the request since it was made; it is one revision on.
    assert sorted(tuple(each) for each in invited) == [
        ("host", 1),
        ("host", 1),
        ("teacher", 0),
    ]


def test_of_two_deliverers_one_sends_each_letter(
    engine: Engine, session: Session, world: rows.World
):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    session.rollback()
    sent: list[int] = []

    class Post:
        def connect(self):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def send(self, letter):
            sent.append(letter.id)

    def deliver(mine: Session) -> int:
        return delivery.deliver_due(
            mine, lambda message: message, Post(), now=lambda: rows.NOW
        )

    outcomes = race.with_threads(engine, deliver, deliver, deliver)

    superseded = set(
        session.scalars(
            select(MessageRow.id).where(MessageRow.state == MessageState.SUPERSEDED)
        )
    )
    waiting = sorted(set(session.scalars(select(MessageRow.id))) - superseded)
    assert sorted(sent) == waiting
    assert sum(number for _, number in outcomes) == len(waiting)
    states = set(session.scalars(select(MessageRow.state)))
    assert states == {MessageState.SENT, MessageState.SUPERSEDED}


def test_of_two_loops_one_reminds_and_one_expires(
    engine: Engine, session: Session, world: rows.World
):
    rows.ask(session, world)
    session.rollback()
    late = rows.NOW + timedelta(days=20)

    def expire(mine: Session) -> int:
        return clockwork.expire_requests(mine, now=late)

    outcomes = race.with_threads(engine, expire, expire)

    assert sorted(outcomes) == [(race.DONE, 0), (race.DONE, 1)]


def test_a_sign_in_link_opens_one_session(
    engine: Engine, session: Session, world: rows.World
):
    accounts.ask_for_link(
        session, world.teacher.email, machine="here", next_path="", now=rows.NOW
    )
    link = session.scalars(select(LinkRow.id)).one()
    secret = links.token(link, key=house_of(session).link_key)
    session.rollback()

    def enter(mine: Session) -> None:
        accounts.sign_in(mine, secret, browser="", now=rows.NOW)

    codes = [code for code, _ in race.with_threads(engine, enter, enter)]

    assert sorted(codes) == [race.DONE, "link_spent"]
    assert len(session.scalars(select(SessionRow.id)).all()) == 1


def test_first_tries_at_once_are_all_counted(engine: Engine, session: Session):
    def count(mine: Session) -> None:
        accounts.throttle(mine, "code:here", most=3, now=rows.NOW)

    codes = [code for code, _ in race.with_threads(engine, *[count] * 5)]

    assert Counter(codes) == {race.DONE: 3, "too_many_tries": 2}
