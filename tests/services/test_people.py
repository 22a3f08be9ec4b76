"""A person's address is corrected: every calendar of theirs follows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.actors import Actor, Membership, Role
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.people import PersonRow
from scheduler.services import people
from tests import rows
from tests.rows import NOW
from tests.services.mailbox import Calendars, refused

LATER = NOW + timedelta(hours=1)
CAMPUS = Actor(person_id=None, memberships=frozenset({Membership(Role.COORDINATOR, 1)}))
OLD, NEW = "gerard@example.org", "g.morin@example.org"


@pytest.fixture
def calendars(session, world, outbox):
    return Calendars()


def correct(session, person_id, address):
    people.correct_address(session, person_id, address, by=CAMPUS, now=LATER)


def test_an_agreed_visit_moves_from_the_old_calendar_to_the_new_one(
    session, world, calendars
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    calendars.deliver(session, now=NOW)
    assert [each["id"] for each in calendars.of(OLD)] == [visit]

    correct(session, world.contact.id, NEW)
    calendars.deliver(session, now=LATER)

    assert calendars.of(OLD) == []
    assert [each["id"] for each in calendars.of(NEW)] == [visit]


def test_a_request_that_waits_moves_too(session, world, calendars):
    visit = rows.visit_in(session, world, VisitState.REQUESTED)
    calendars.deliver(session, now=NOW)

    correct(session, world.contact.id, NEW)
    calendars.deliver(session, now=LATER)

    assert calendars.of(OLD) == []
    assert [each["id"] for each in calendars.of(NEW)] == [visit]


def test_a_teacher_keeps_the_visit(session, world, calendars):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    calendars.deliver(session, now=NOW)
    new = "lea.martin@example.org"

    correct(session, world.teacher.id, new)
    calendars.deliver(session, now=LATER)

    assert calendars.of(world.teacher.email) == []
    assert [each["id"] for each in calendars.of(new)] == [visit]


def test_nothing_is_taken_back_from_where_nothing_arrived(session, world, calendars):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    correct(session, world.contact.id, NEW)
    calendars.deliver(session, now=LATER)

    assert all(each.recipient_address != OLD for each in calendars.letters)
    assert [each["id"] for each in calendars.of(NEW)] == [visit]
    assert (
        session.scalars(
            select(PersonRow.email).where(PersonRow.id == world.contact.id)
        ).one()
        == NEW
    )


@pytest.mark.parametrize(
    ("address", "code"),
    [(OLD, "same_address"), ("maud@example.org", "address_taken")],
)
def test_no_address_of_somebody_else(session, world, address, code):
    with refused(session, code):
        correct(session, world.contact.id, address)


def test_only_the_coordinator_corrects(session, world):
    with refused(session, "not_found"):
        people.correct_address(
            session, world.contact.id, NEW, by=world.teacher.actor, now=NOW
        )
