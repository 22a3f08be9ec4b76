"""Queries of visits and slots: what is counted, what is held, what is due."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from scheduler.domain.visits import VisitState
from scheduler.persistence.models.network import OrganisationRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import access, held, offers, reference, visits
from tests import rows

YEAR = {
    "start": rows.NOW - timedelta(days=100),
    "end": rows.NOW + timedelta(days=200),
    "besides": None,
}


@pytest.mark.parametrize(
    ("state", "first", "second"),
    [
        (VisitState.REQUESTED, (24, 26, 1), (0, 0, 0)),
        (VisitState.CONFIRMED, (24, 26, 1), (0, 0, 0)),
        (VisitState.MOVING, (24, 26, 1), (24, 26, 1)),
        (VisitState.PROPOSED, (0, 0, 0), (0, 0, 0)),
        (VisitState.DECLINED, (0, 0, 0), (0, 0, 0)),
        (VisitState.CANCELLED_BY_HOST, (0, 0, 0), (0, 0, 0)),
        (VisitState.DONE, (24, 26, 1), (0, 0, 0)),
    ],
)
def test_seats_are_taken_by_what_holds_them(session, world, state, first, second):
    rows.visit_in(session, world, state)

    assert visits.taken_on(session, world.slots[0]) == first
    assert visits.taken_on(session, world.slots[1]) == second


def test_a_moving_visit_uses_the_cap_with_both_slots(session, world):
    visit = rows.visit_in(session, world, VisitState.MOVING)

    used = visits.times_held_by_host(session, [world.host], **YEAR)

    assert used == [
        (world.host, visit, rows.TUESDAY),
        (world.host, visit, rows.THURSDAY),
    ]
    mine = {**YEAR, "besides": visit}
    assert visits.times_held_by_host(session, [world.host], **mine) == []
    assert visits.times_held_by_host(session, [world.other_host], **YEAR) == []


def test_a_class_and_a_teacher_hold_what_they_have_and_what_they_want(session, world):
    visit = rows.visit_in(session, world, VisitState.MOVING)

    mine = held.slots_held(
        session, class_id=world.school_class, organiser_id=None, besides=None
    )
    hers = held.slots_held(
        session,
        class_id=world.other_class,
        organiser_id=world.teacher.id,
        besides=None,
    )
    others = held.slots_held(
        session,
        class_id=world.school_class,
        organiser_id=world.teacher.id,
        besides=visit,
    )

    assert [each.starts_at for each in mine] == [rows.TUESDAY, rows.THURSDAY]
    assert mine == hers
    assert others == []
    assert (mine[0].organiser_name, mine[0].host_name) == (
        world.teacher.name,
        "Férembois Usinage",
    )


def test_a_way_begins_where_the_school_is_else_in_its_commune(session, world):
    rows.ask(session, world)
    school = session.get_one(OrganisationRow, world.school)

    school.lat = 47.5
    session.commit()
    (halfway,) = held.slots_held(
        session, class_id=world.school_class, organiser_id=None, besides=None
    )
    school.lon = -1.5
    session.commit()
    (own,) = held.slots_held(
        session, class_id=world.school_class, organiser_id=None, besides=None
    )

    assert (halfway.school_lat, halfway.school_lon) == (47.2172, -1.5534)
    assert (own.school_lat, own.school_lon) == (47.5, -1.5)


def test_on_a_slot_is_who_holds_it_wants_it_or_has_left_it_for_proposals(
    session, world
):
    visit = rows.visit_in(session, world, VisitState.MOVING)
    key = (world.school_class, world.teacher.id)

    for slot in world.slots[:2]:
        assert [each.id for each in visits.on_slot(session, slot)] == [visit]
        assert visits.keys_on_slot(session, slot) == [key]
    assert visits.on_slot(session, world.slots[2]) == []


def test_a_visit_that_does_not_exist_is_none(session, world):
    assert visits.visit_to_change(session, 999) is None
    assert visits.visit_to_show(session, 999) is None
    assert visits.visit_by_code(session, "ABC123") is None
    assert visits.slot_to_take(session, 999) is None
    assert visits.class_to_ask_for(session, 999) is None
    assert visits.host_of_slot(session, 999) is None


def test_a_visit_is_found_by_its_class_code(session, world):
    visit = rows.ask(session, world)
    code = session.get_one(VisitRow, visit).class_code

    found = visits.visit_by_code(session, code)

    assert found is not None
    assert found.id == visit
    assert visits.class_code_taken(session, code)


def test_proposals_come_the_earliest_first(session, world):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)

    found = visits.proposals_for(session, visit)

    assert [each.slot_id for each in found] == list(world.slots[1:])


def test_contacts_come_in_their_order_without_the_blocked(session, world):
    both = [each.person.name for each in access.contacts_of(session, world.host)]
    session.get_one(PersonRow, world.contact.id).blocked = True
    session.commit()
    left = access.contacts_of(session, world.host)

    assert both == ["Gérard Lebreton", "Maud Lebreton"]
    assert [each.person.name for each in left] == ["Maud Lebreton"]


def test_times_of_cancelled_slots_are_free(session, world):
    session.get_one(rows.SlotRow, world.slots[0]).state = rows.SlotState.CANCELLED
    session.commit()

    free = offers.slot_times(session, world.offer, besides=world.slots[1])

    assert [starts for starts, _ in free] == [rows.FRIDAY]


def test_the_calendar_of_the_zone_knows_public_holidays(session, world):
    calendar = offers.zone_calendar(session)

    assert calendar is not None
    known = calendar.as_domain()
    assert known.closure_on(date(2026, 11, 11)).name == "Armistice de 1918"
    assert known.closure_on(date(2027, 2, 23)).kind == "holiday"
    assert known.known_until == date(2028, 8, 31)


def test_lists_come_in_their_order(session, world):
    fields = reference.fields(session)

    assert [each.position for each in fields] == sorted(
        each.position for each in fields
    )
    assert reference.commune(session, "44051").name == "Derval"
    assert {
        each.field_code for each in reference.paths_for(session, ["MACHINING"])
    } == {"MACHINING"}
