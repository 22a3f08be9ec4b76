"""P1 and P2 while many processes fight for the last seats, on both databases."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.domain.actors import Role
from scheduler.domain.localtime import half_day, instant, local_day
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.network import HostRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import visits
from tests import rows
from tests.concurrency import race
from tests.concurrency.jobs import Ask

PROCESSES = 8
SLOTS, CLASSES, TEACHERS = 20, 25, 12
CLEAN = {
    "slot_full",
    "class_busy",
    "organiser_busy",
    "host_cap_reached",
}


@pytest.fixture
def crowd(session: Session, world: rows.World) -> list[Ask]:
    """Twenty-five classes of twelve teachers, and each wants every one of 20 slots."""
    die = random.Random(20)
    for host_id, cap in ((world.host, 6), (world.other_host, None)):
        session.get_one(HostRow, host_id).cap_per_month = cap
    session.commit()
    slots = [
        rows.store_slot(
            session,
            (world.offer, world.other_offer)[number % 2],
            # Two slots share each half-day, so that classes and teachers collide too.
            instant(date(2027, 3, 9), time(9 if number % 4 < 2 else 14))
            + timedelta(days=number // 4),
            max_students=30,
            max_people=34,
            max_groups=3,
        )
        for number in range(SLOTS)
    ]
    teachers = [
        rows.store_person(
            session,
            f"Professeur {number}",
            role=Role.TEACHER,
            organisation=world.school,
        )
        for number in range(TEACHERS)
    ]
    classes = [
        rows.store_class(session, world.school, f"Classe {number}")
        for number in range(CLASSES)
    ]
    asks = [
        Ask(
            slot=slot,
            school_class=klass,
            by=teachers[number % TEACHERS].actor,
            now=rows.NOW,
            students=die.randint(5, 16),
        )
        for slot in slots
        for number, klass in enumerate(classes)
    ]
    die.shuffle(asks)
    return asks


@pytest.mark.long
def test_500_attempts_of_8_processes_on_20_slots(
    database_url: str, session: Session, world: rows.World, crowd: list[Ask]
):
    assert len(crowd) == 500

    outcomes = race.with_processes(database_url, crowd, processes=PROCESSES)
    session.rollback()

    # Nothing lost: every attempt has an answer, every yes is a row with its letters.
    counted = Counter(code for code, _ in outcomes)
    assert [said for code, said in outcomes if code == race.ERROR] == []
    assert sum(counted.values()) == 500
    assert set(counted) - {race.DONE} <= CLEAN
    accepted = {visit for code, visit in outcomes if code == race.DONE}
    stored = session.scalars(select(VisitRow).options(*visits.visit_whole())).all()
    assert {visit.id for visit in stored} == accepted
    assert {visit.state for visit in stored} == {VisitState.REQUESTED}
    letters = Counter(session.scalars(select(MessageRow.visit_id)))
    contacts = {world.host: 2, world.other_host: 1}
    assert letters == {visit.id: 1 + contacts[_host(visit).id] for visit in stored}

    # Nothing overbooked, counted from the visits themselves.
    for slot in session.scalars(select(SlotRow)):
        mine = [visit for visit in stored if visit.slot_id == slot.id]
        counts = (
            sum(visit.students for visit in mine),
            sum(visit.party.people for visit in mine),
            len(mine),
        )
        assert (slot.students_taken, slot.people_taken, slot.groups_taken) == counts
        assert counts[0] <= slot.max_students
        assert slot.max_people is None or counts[1] <= slot.max_people
        assert counts[2] <= slot.max_groups

    # Nobody in two places, no cap exceeded.
    places = Counter(
        (
            visit.class_id,
            local_day(visit.slot.starts_at),
            half_day(visit.slot.starts_at),
        )
        for visit in stored
    )
    assert set(places.values()) == {1}
    teachers = Counter((visit.organiser_id, visit.slot.starts_at) for visit in stored)
    assert set(teachers.values()) == {1}
    assert sum(_host(visit).cap_per_month == 6 for visit in stored) == 6


def _host(visit: VisitRow) -> HostRow:
    return visit.slot.offer.host


# ------------------------------------------------------------------ two at once


def test_of_two_who_want_the_last_seat_one_gets_it(
    engine: Engine, session: Session, world: rows.World
):
    days = [rows.TUESDAY + timedelta(days=7 * number) for number in range(8, 13)]
    slots = [rows.store_slot(session, world.offer, day) for day in days]
    session.rollback()

    for slot in slots:
        mine = Ask(
            slot=slot,
            school_class=world.school_class,
            by=world.teacher.actor,
            now=rows.NOW,
        )
        theirs = Ask(
            slot=slot,
            school_class=world.other_class,
            by=world.other_teacher.actor,
            now=rows.NOW,
        )

        codes = [code for code, _ in race.with_threads(engine, mine, theirs)]

        assert sorted(codes) == [race.DONE, "slot_full"]


def test_of_two_teachers_who_ask_for_one_class_at_two_hosts_one_is_told_of_the_other(
    engine: Engine, session: Session, world: rows.World
):
    slot = rows.store_slot(session, world.other_offer, rows.TUESDAY)
    asks = [
        Ask(slot=where, school_class=world.school_class, by=who.actor, now=rows.NOW)
        for where, who in ((world.slots[0], world.teacher), (slot, world.colleague))
    ]

    codes = [code for code, _ in race.with_threads(engine, *asks)]

    assert sorted(codes) == ["class_busy", race.DONE]


def test_of_two_classes_of_one_teacher_at_one_time_one_goes(
    engine: Engine, session: Session, world: rows.World
):
    slot = rows.store_slot(session, world.other_offer, rows.TUESDAY)
    asks = [
        Ask(slot=where, school_class=klass, by=world.teacher.actor, now=rows.NOW)
        for where, klass in (
            (world.slots[0], world.school_class),
            (slot, world.second_class),
        )
    ]

    codes = [code for code, _ in race.with_threads(engine, *asks)]

    assert sorted(codes) == [race.DONE, "organiser_busy"]


@pytest.mark.parametrize("period", ["day", "month", "year"])
def test_of_two_slots_of_one_host_a_cap_of_one_leaves_one(
    engine: Engine, session: Session, world: rows.World, period: str
):
    setattr(session.get_one(HostRow, world.host), f"cap_per_{period}", 1)
    session.commit()
    afternoon = rows.store_slot(session, world.offer, rows.TUESDAY + timedelta(hours=5))
    asks = [
        Ask(slot=slot, school_class=klass, by=who.actor, now=rows.NOW)
        for slot, klass, who in (
            (world.slots[0], world.school_class, world.teacher),
            (afternoon, world.other_class, world.other_teacher),
        )
    ]

    codes = [code for code, _ in race.with_threads(engine, *asks)]

    assert sorted(codes) == [race.DONE, "host_cap_reached"]
