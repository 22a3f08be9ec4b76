"""Slots: one by one, by a weekly rule, changed with every visit on them, cancelled."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.localtime import instant
from scheduler.domain.parties import Party
from scheduler.domain.refusals import Refusal, Refused
from scheduler.domain.slots import SlotState
from scheduler.domain.visits import CancelReason, VisitState
from scheduler.domain.weekly import WeeklyRule
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.visits import ProposalRow, VisitRow
from scheduler.services import answers, offers, requests, slots, students
from scheduler.services.slots import SeatsWanted, SlotTimes
from tests import rows
from tests.rows import NOW
from tests.services.mailbox import refused

LATER = NOW + timedelta(hours=1)
TEACHER, HOST, SUBSTITUTE = (
    "helene@example.org",
    "gerard@example.org",
    "maud@example.org",
)
MONDAY = date(2027, 1, 18)
SAME_SEATS = SeatsWanted()


def hours(day, starts="14:00", ends="16:00", **more) -> SlotTimes:
    return SlotTimes(
        day=day,
        starts=time.fromisoformat(starts),
        ends=time.fromisoformat(ends),
        **more,
    )


def add(session, world, times, *, by=None, **wanted) -> int:
    return slots.add_slot(
        session,
        world.offer,
        times,
        wanted=SeatsWanted(**wanted),
        by=(by or world.contact).actor,
        now=NOW,
    )


def change(session, world, slot, times, *, by=None, now=LATER, **wanted) -> None:
    slots.change_slot(
        session,
        slot,
        times,
        wanted=SeatsWanted(**wanted),
        by=(by or world.contact).actor,
        now=now,
    )


def stored(session, slot_id) -> SlotRow:
    return session.get_one(SlotRow, slot_id, populate_existing=True)


# ------------------------------------------------------------------ one by one


def test_a_slot_takes_the_offers_seats_and_local_hours(session, world):
    slot = add(session, world, hours(MONDAY, place="Quai 2"))

    row = stored(session, slot)
    assert row.starts_at == instant(MONDAY, time(14))
    assert row.ends_at == instant(MONDAY, time(16))
    assert (row.place, row.state) == ("Quai 2", SlotState.OPEN)
    assert (row.max_students, row.max_people, row.max_groups) == (30, None, 1)
    noted = session.scalars(select(JournalRow.what)).all()
    assert list(noted) == ["slot_added"]


def test_a_slot_may_have_seats_of_its_own(session, world):
    slot = add(session, world, hours(MONDAY), students=12, people=15, groups=2)

    row = stored(session, slot)
    assert (row.max_students, row.max_people, row.max_groups) == (12, 15, 2)


@pytest.mark.parametrize(
    ("times", "code"),
    [
        (hours(MONDAY, "16:00", "14:00"), "bad_times"),
        (hours(MONDAY, "14:00", "14:10"), "bad_times"),
        (hours(date(2026, 11, 20)), "too_late"),
        (hours(date(2031, 1, 1)), "bad_times"),
        (hours(date(2027, 3, 28), "02:30", "04:00"), "no_such_time"),
        (hours(date(2027, 1, 12), "10:00", "12:00"), "slots_overlap"),
    ],
)
def test_hours_that_no_slot_can_have_are_refused(session, world, times, code):
    with refused(session, code):
        add(session, world, times)


@pytest.mark.parametrize("unit", ["students", "people", "groups"])
def test_a_slot_has_room_for_somebody(session, world, unit):
    with refused(session, "limit_too_low"):
        add(session, world, hours(MONDAY), **{unit: 0})
    with refused(session, "limit_too_low"):
        change(session, world, world.slots[0], hours(MONDAY), **{unit: 0})


def test_no_slot_on_a_day_that_the_host_has_closed(session, world):
    offers.add_closed_days(
        session,
        world.host,
        first_on=MONDAY,
        last_on=MONDAY,
        reason="Inventaire",
        by=world.contact.actor,
        now=NOW,
    )

    with refused(session, "host_closed"):
        add(session, world, hours(MONDAY))


def test_a_slot_may_begin_when_another_ends(session, world):
    add(session, world, hours(date(2027, 1, 12), "11:00", "12:00"))


@pytest.mark.parametrize("who", ["other_contact", "teacher"])
def test_nobody_else_opens_slots(session, world, who):
    with refused(session, "not_found"):
        add(session, world, hours(MONDAY), by=getattr(world, who))


# ------------------------------------------------------------------ a weekly rule


def rule(**given) -> WeeklyRule:
    facts = {
        "rrule": "FREQ=WEEKLY;BYDAY=TU",
        "first_on": date(2027, 2, 9),
        "last_on": date(2027, 3, 31),
        "starts": time(9),
        "ends": time(11),
        **given,
    }
    return WeeklyRule(**facts)


def test_a_weekly_rule_leaves_out_holidays_and_closed_days(session, world):
    offers.add_closed_days(
        session,
        world.host,
        first_on=date(2027, 3, 16),
        last_on=date(2027, 3, 16),
        reason="Inventaire",
        by=world.contact.actor,
        now=NOW,
    )

    plan = slots.add_weekly_slots(
        session,
        world.offer,
        rule(),
        wanted=SAME_SEATS,
        by=world.contact.actor,
        now=NOW,
    )

    assert plan.days == (
        date(2027, 2, 9),
        date(2027, 2, 16),
        date(2027, 3, 9),
        date(2027, 3, 23),
        date(2027, 3, 30),
    )
    assert [(each.day, each.code, each.name) for each in plan.left_out] == [
        (date(2027, 2, 23), "school_closed", "Vacances d’hiver 2027"),
        (date(2027, 3, 2), "school_closed", "Vacances d’hiver 2027"),
        (date(2027, 3, 16), "host_closed", "Inventaire"),
    ]
    made = session.scalars(
        select(SlotRow.starts_at)
        .where(SlotRow.starts_at >= instant(date(2027, 2, 9), time()))
        .order_by(SlotRow.starts_at)
    ).all()
    # Nine o'clock in Paris before and after the change of the clocks.
    assert list(made) == [instant(day, time(9)) for day in plan.days]


def test_a_weekly_rule_leaves_out_what_is_past_and_taken(session, world):
    plan = slots.plan_for(
        session,
        world.offer,
        rule(first_on=date(2026, 11, 17), last_on=date(2027, 1, 12)),
        by=world.contact.actor,
        now=NOW,
    )

    left_out = {each.day: each.code for each in plan.left_out}
    assert left_out[date(2026, 11, 17)] == "too_late"
    assert left_out[date(2027, 1, 12)] == "slots_overlap"


def test_a_weekly_rule_leaves_out_hours_that_do_not_exist(session, world):
    plan = slots.plan_for(
        session,
        world.offer,
        rule(
            rrule="FREQ=WEEKLY;BYDAY=SU",
            first_on=date(2027, 3, 21),
            last_on=date(2027, 4, 4),
            starts=time(2, 30),
            ends=time(4),
        ),
        by=world.contact.actor,
        now=NOW,
    )

    assert [(each.day, each.code) for each in plan.left_out] == [
        (date(2027, 3, 28), "no_such_time")
    ]


def test_a_plan_stores_nothing_and_is_the_hosts_own(session, world):
    with refused(session, "not_found"):
        slots.plan_for(
            session, world.offer, rule(), by=world.other_contact.actor, now=NOW
        )
    with refused(session, "not_found"):
        slots.plan_for(session, 999, rule(), by=world.contact.actor, now=NOW)


def test_a_weekly_rule_with_hours_no_visit_has_makes_no_slot_at_all(session, world):
    with refused(session, "bad_times"):
        slots.add_weekly_slots(
            session,
            world.offer,
            rule(ends=time(8)),
            wanted=SAME_SEATS,
            by=world.contact.actor,
            now=NOW,
        )


# ------------------------------------------------------------------ changing


def two_visits(session, world) -> tuple[int, int, int]:
    """A slot for two groups: one confirmed, one asked."""
    slot = rows.store_slot(
        session, world.offer, rows.NEXT_TUESDAY, max_students=60, max_groups=2
    )
    confirmed = rows.ask(session, world, slot=slot)
    rows.answers.accept_visit(session, confirmed, by=world.contact.actor, now=NOW)
    asked = rows.ask(
        session,
        world,
        slot=slot,
        school_class=world.other_class,
        by=world.other_teacher,
    )
    return slot, confirmed, asked


def test_every_visit_follows_its_slot(session, world, outbox):
    slot, confirmed, asked = two_visits(session, world)
    students.set_addresses(
        session, confirmed, ["a@example.net"], by=world.teacher.actor, now=NOW
    )
    outbox.news()

    change(session, world, slot, hours(date(2027, 1, 26), "09:00", "11:00"))

    assert outbox.lines() == {
        ("visit_changed", TEACHER, "REQUEST", 1),
        ("visit_changed", HOST, "REQUEST", 2),
        ("visit_changed", SUBSTITUTE, "REQUEST", 2),
        ("visit_changed", "a@example.net", "REQUEST", 1),
        ("visit_changed", "karim@example.org", None, None),
    } | {("visit_changed", who, "REQUEST", 1) for who in (HOST, SUBSTITUTE)}
    row = session.get_one(VisitRow, confirmed)
    assert row.eve_reminder_at == instant(date(2027, 1, 25), time(17))
    assert {
        session.get_one(VisitRow, visit).revision for visit in (confirmed, asked)
    } == {1, 2}


def test_another_place_is_news_too(session, world, outbox):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    outbox.news()

    change(
        session,
        world,
        world.slots[0],
        hours(date(2027, 1, 12), "09:00", "11:00", place="5 rue Neuve, Derval"),
    )

    told = outbox.news()
    assert {each.method for each in told} == {"REQUEST"}
    assert told[0].payload["visit"]["place"] == "5 rue Neuve, Derval"
    assert [each["field"] for each in told[0].payload["visit"]["changes"]] == ["place"]


def test_other_seats_are_nobodys_news(session, world, outbox):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    outbox.news()

    change(
        session,
        world,
        world.slots[0],
        hours(date(2027, 1, 12), "09:00", "11:00"),
        students=26,
        groups=2,
    )

    assert outbox.news() == []
    row = stored(session, world.slots[0])
    assert (row.max_students, row.max_groups) == (26, 2)


def test_a_slot_keeps_the_seats_that_are_held(session, world):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    same = hours(date(2027, 1, 12), "09:00", "11:00")

    with refused(session, "slot_in_use"):
        change(session, world, world.slots[0], same, students=23)
    with refused(session, "slot_in_use"):
        change(session, world, world.slots[0], same, people=25)


def test_a_class_that_cannot_come_then_holds_the_slot(session, world):
    rows.visit_in(session, world, VisitState.CONFIRMED)

    with refused(session, "school_closed"):
        change(session, world, world.slots[0], hours(date(2027, 2, 23)))


def test_a_wednesday_afternoon_is_no_time_for_a_college_that_comes(session, world):
    rows.visit_in(
        session,
        world,
        VisitState.CONFIRMED,
        school_class=world.other_class,
        by=world.other_teacher,
    )

    with refused(session, "wednesday_afternoon"):
        change(session, world, world.slots[0], hours(date(2027, 1, 13)))


def test_the_reminders_of_a_visit_that_wants_to_move_follow_its_slot(session, world):
    visit = rows.visit_in(session, world, VisitState.MOVING)

    change(session, world, world.slots[0], hours(date(2027, 1, 14)))

    row = session.get_one(VisitRow, visit)
    assert row.state is VisitState.MOVING
    assert row.eve_reminder_at == instant(date(2027, 1, 13), time(17))


def test_a_wish_for_another_slot_ends_when_that_slot_moves(session, world, outbox):
    """The teacher asked for Thursday; nobody may say yes to Friday in her name."""
    visit = rows.visit_in(session, world, VisitState.MOVING)
    outbox.news()

    change(session, world, world.slots[1], hours(date(2027, 1, 8)), now=rows.NOW)

    row = session.get_one(VisitRow, visit)
    assert (row.state, row.slot_id, row.wanted_slot_id) == (
        VisitState.CONFIRMED,
        world.slots[0],
        None,
    )
    assert stored(session, world.slots[1]).students_taken == 0
    assert outbox.lines() == {("move_declined", TEACHER, None, None)}


def test_a_slot_that_is_only_wanted_asks_the_host_again(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.MOVING)
    outbox.news()

    elsewhere = hours(rows.THURSDAY.date(), place="5 rue Neuve")
    change(session, world, world.slots[1], elsewhere)

    assert outbox.lines() == {
        ("move_requested_host", who, None, None) for who in (HOST, SUBSTITUTE)
    }
    row = session.get_one(VisitRow, visit)
    assert row.state is VisitState.MOVING
    assert row.eve_reminder_at == instant(date(2027, 1, 11), time(17))


def test_what_lies_back_or_is_cancelled_does_not_change(session, world):
    same = hours(date(2027, 1, 14))

    with refused(session, "wrong_state"):
        change(session, world, world.slots[0], same, now=rows.TUESDAY)
    slots.cancel_slot(
        session,
        world.slots[1],
        reason=CancelReason.TIME,
        note="",
        by=world.contact.actor,
        now=NOW,
    )
    with refused(session, "wrong_state"):
        change(session, world, world.slots[1], same)


def test_slots_of_an_offer_do_not_overlap(session, world):
    with refused(session, "slots_overlap"):
        change(
            session,
            world,
            world.slots[0],
            hours(date(2027, 1, 21), "15:00", "17:00"),
        )


@pytest.mark.parametrize("who", ["other_contact", "teacher"])
def test_nobody_else_touches_a_slot(session, world, who):
    by = getattr(world, who)

    with refused(session, "not_found"):
        change(session, world, world.slots[0], hours(MONDAY), by=by)
    with refused(session, "not_found"):
        slots.close_slot(session, world.slots[0], by=by.actor, now=NOW)
    with refused(session, "not_found"):
        slots.cancel_slot(
            session,
            world.slots[0],
            reason=CancelReason.TIME,
            note="",
            by=by.actor,
            now=NOW,
        )
    with refused(session, "not_found"):
        slots.close_slot(session, 999, by=world.contact.actor, now=NOW)


# ------------------------------------------------------------------ closing


def test_a_closed_slot_takes_nobody_and_keeps_who_is_on_it(session, world, outbox):
    slot, confirmed, _ = two_visits(session, world)
    outbox.news()

    slots.close_slot(session, slot, by=world.contact.actor, now=LATER)

    assert stored(session, slot).state is SlotState.CLOSED
    assert session.get_one(VisitRow, confirmed).state is VisitState.CONFIRMED
    assert outbox.news() == []
    with refused(session, "wrong_state"):
        slots.close_slot(session, slot, by=world.contact.actor, now=LATER)

    slots.reopen_slot(session, slot, by=world.contact.actor, now=LATER)

    assert stored(session, slot).state is SlotState.OPEN
    with refused(session, "wrong_state"):
        slots.reopen_slot(session, slot, by=world.contact.actor, now=LATER)


def test_a_visit_on_a_closed_slot_may_change_its_numbers(session, world):
    slot, confirmed, _ = two_visits(session, world)
    slots.close_slot(session, slot, by=world.contact.actor, now=LATER)

    requests.change_numbers(
        session,
        confirmed,
        Party(students=20, adults=2),
        arrangements="",
        by=world.teacher.actor,
        now=LATER,
    )

    assert stored(session, slot).students_taken == 44


# ------------------------------------------------------------------ cancelling


def cancel(session, world, slot, **given) -> int:
    facts = {"reason": CancelReason.ACCIDENT, "note": "", "now": LATER, **given}
    return slots.cancel_slot(session, slot, by=world.contact.actor, **facts)


def test_a_cancelled_slot_calls_off_every_visit_on_it(session, world, outbox):
    slot, confirmed, asked = two_visits(session, world)
    outbox.news()

    called_off = cancel(session, world, slot)

    assert called_off == 2
    row = stored(session, slot)
    assert (row.state, row.students_taken, row.groups_taken) == (
        SlotState.CANCELLED,
        0,
        0,
    )
    assert session.get_one(VisitRow, confirmed).state is VisitState.CANCELLED_BY_HOST
    assert session.get_one(VisitRow, asked).state is VisitState.DECLINED
    assert outbox.lines() == {
        ("visit_cancelled", TEACHER, "CANCEL", 1),
        ("visit_cancelled", HOST, "CANCEL", 2),
        ("visit_cancelled", SUBSTITUTE, "CANCEL", 2),
        ("visit_declined", "karim@example.org", None, None),
        ("request_closed_host", HOST, "CANCEL", 1),
        ("request_closed_host", SUBSTITUTE, "CANCEL", 1),
    }


def test_a_visit_that_wanted_a_cancelled_slot_stays_where_it_is(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.MOVING)
    outbox.news()

    called_off = cancel(session, world, world.slots[1])

    assert called_off == 0
    row = session.get_one(VisitRow, visit)
    assert (row.state, row.wanted_slot_id) == (VisitState.CONFIRMED, None)
    assert outbox.lines() == {("move_declined", TEACHER, None, None)}


def test_a_cancelled_slot_is_proposed_to_nobody(session, world):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)

    called_off = cancel(session, world, world.slots[1])
    called_off += cancel(session, world, world.slots[0])

    assert called_off == 0
    assert session.get_one(VisitRow, visit).state is VisitState.PROPOSED
    assert list(session.scalars(select(ProposalRow.slot_id))) == [world.slots[2]]


def test_a_slot_is_cancelled_once_and_before_it_begins(session, world):
    cancel(session, world, world.slots[0])

    with refused(session, "wrong_state"):
        cancel(session, world, world.slots[0])
    with refused(session, "wrong_state"):
        cancel(session, world, world.slots[1], now=rows.THURSDAY)


def test_one_visit_that_cannot_be_called_off_keeps_the_slot(session, world):
    two = two_visits(session, world)

    with refused(session, "reason_missing"):
        cancel(session, world, two[0], reason=CancelReason.OTHER)


def test_a_refusal_names_the_slot_that_is_in_the_way(session, world):
    with pytest.raises(Refusal) as refusal:
        add(session, world, hours(date(2027, 1, 12), "10:00", "12:00"))

    assert refusal.value.facts == {"starts_at": rows.TUESDAY.isoformat()}


def test_a_visit_that_could_choose_nothing_else_ends_with_the_slot(
    session, world, outbox
):
    visit = rows.ask(session, world)
    answers.propose_slots(
        session,
        visit,
        [world.slots[1]],
        note="",
        by=world.contact.actor,
        now=NOW,
    )
    outbox.news()

    called_off = cancel(session, world, world.slots[1])

    assert called_off == 0
    row = session.get_one(VisitRow, visit)
    assert (row.state, row.reason, row.answer_due_at) == (
        VisitState.DECLINED,
        CancelReason.ACCIDENT.value,
        None,
    )
    assert outbox.lines() == {("visit_declined", TEACHER, None, None)}


def test_students_hear_nothing_of_a_request_that_changes(session, world, outbox):
    visit = rows.ask(session, world)
    students.set_addresses(
        session, visit, ["a@example.net"], by=world.teacher.actor, now=NOW
    )
    outbox.news()

    rows.change_time(session, world)

    assert {told.to for told in outbox.news()} == {TEACHER, HOST, SUBSTITUTE}


def test_a_host_does_not_learn_where_else_a_class_goes(session, world):
    moved = rows.visit_in(session, world, VisitState.CONFIRMED)
    rows.ask(session, world, slot=world.other_slot)
    assert session.get_one(VisitRow, moved).state is VisitState.CONFIRMED

    with pytest.raises(Refused) as refusal:
        change(
            session,
            world,
            world.slots[0],
            hours(date(2027, 1, 19), "09:00", "11:00"),
        )

    (busy,) = refusal.value.refusals
    assert busy.code == "class_busy"
    assert "organiser" not in busy.facts
    assert busy.facts["host"] == ""
