"""What a host does about a visit, and what everybody then learns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.slots import SlotState
from scheduler.domain.visits import CancelReason, DeclineReason, VisitState
from scheduler.persistence.models.access import LinkRow
from scheduler.persistence.models.network import HostClosureRow, HostRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.visits import ProposalRow, VisitRow
from scheduler.services import answers, requests, slots, students
from tests import rows
from tests.rows import NOW
from tests.services.mailbox import all_told, journal, refused

LATER = NOW + timedelta(hours=1)
TEACHER, HOST, SUBSTITUTE = (
    "helene@example.org",
    "gerard@example.org",
    "maud@example.org",
)
HOSTS = (HOST, SUBSTITUTE)
EVERYBODY = (TEACHER, *HOSTS)


def stored(session, visit_id) -> VisitRow:
    return session.get_one(VisitRow, visit_id, populate_existing=True)


def accept(session, visit, *, by, now=LATER):
    answers.accept_visit(session, visit, by=by.actor, now=now)


# ------------------------------------------------------------------ accepting


def test_a_yes_confirms_and_invites_everybody(session, world, outbox):
    visit = rows.ask(session, world)
    students.set_addresses(
        session, visit, ["a@example.net"], by=world.teacher.actor, now=NOW
    )
    outbox.news()

    accept(session, visit, by=world.substitute)

    row = stored(session, visit)
    assert (row.state, row.answered_at, row.answer_due_at) == (
        VisitState.CONFIRMED,
        LATER,
        None,
    )
    told = outbox.news()
    everybody = (*EVERYBODY, "a@example.net")
    assert {each.line for each in told} == all_told(
        "visit_confirmed", "REQUEST", 0, who=everybody, hosts=HOSTS
    )
    assert len({each.uid for each in told}) == 4
    assert {each.payload["visit"]["actor"] for each in told} == {"host"}
    assert journal(session, visit)[-1] == ("confirmed", "requested", "confirmed")


def test_a_yes_counts_once(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    with refused(session, "wrong_state"):
        accept(session, visit, by=world.contact)


def test_a_yes_to_a_move_updates_every_calendar(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.MOVING)
    first = {each.to: each for each in outbox.news() if each.method}

    accept(session, visit, by=world.contact)

    row = stored(session, visit)
    assert (row.state, row.slot_id, row.wanted_slot_id) == (
        VisitState.CONFIRMED,
        world.slots[1],
        None,
    )
    told = outbox.news()
    assert {each.line for each in told} == all_told(
        "visit_changed", "REQUEST", 1, who=EVERYBODY, hosts=HOSTS
    )
    for each in told:
        assert each.uid == first[each.to].uid
        assert each.dtstamp > first[each.to].dtstamp
        assert each.payload["visit"]["starts_at"] == rows.THURSDAY.isoformat()
        assert each.payload["visit"]["previous_starts_at"] == rows.TUESDAY.isoformat()
    assert session.get_one(SlotRow, world.slots[0]).students_taken == 0
    assert journal(session, visit)[-1] == ("moved", "moving", "confirmed")


def test_a_yes_passes_over_the_hosts_own_rules(session, world):
    """Notice, level and closed days are the host's to waive."""
    visit = rows.ask(session, world)
    offer = session.get_one(OfferRow, world.offer)
    offer.min_notice_days, offer.min_grade_rank = 90, 15
    day = rows.TUESDAY.date()
    session.add(HostClosureRow(host_id=world.host, first_on=day, last_on=day))
    session.commit()

    accept(session, visit, by=world.contact)

    assert stored(session, visit).state is VisitState.CONFIRMED


def test_who_asked_before_a_slot_was_closed_may_come(session, world):
    visit = rows.ask(session, world)
    slots.close_slot(session, world.slots[0], by=world.contact.actor, now=NOW)

    accept(session, visit, by=world.contact)

    assert stored(session, visit).state is VisitState.CONFIRMED


def test_a_yes_to_a_move_counts_the_visits_own_seats_once(session, world):
    visit = rows.visit_in(session, world, VisitState.MOVING)
    session.get_one(SlotRow, world.slots[1]).max_groups = 2
    session.commit()
    rows.ask(
        session,
        world,
        slot=world.slots[1],
        school_class=world.other_class,
        by=world.other_teacher,
        students=6,
    )
    row = session.get_one(SlotRow, world.slots[1])
    assert (row.students_taken, row.groups_taken) == (30, 2)

    accept(session, visit, by=world.contact)

    assert stored(session, visit).slot_id == world.slots[1]


def test_a_yes_breaks_no_promise(session, world):
    visit = rows.ask(session, world)
    session.get_one(HostRow, world.host).cap_per_year = 1
    session.commit()
    accept(session, visit, by=world.contact)
    second = rows.ask(
        session,
        world,
        slot=world.other_slot,
        school_class=world.second_class,
        by=world.colleague,
    )
    # As if the class had been taken elsewhere meanwhile, by hand.
    row = stored(session, second)
    row.class_id = world.school_class
    slot = session.get_one(SlotRow, world.other_slot)
    slot.starts_at = rows.TUESDAY
    slot.ends_at = rows.TUESDAY + rows.TWO_HOURS
    session.commit()

    with refused(session, "class_busy"):
        accept(session, second, by=world.other_contact)


def test_nobody_accepts_what_has_begun(session, world):
    visit = rows.ask(session, world)

    with refused(session, "too_late"):
        accept(session, visit, by=world.contact, now=rows.TUESDAY)


# ------------------------------------------------------------------ declining


def test_a_no_frees_the_seats_and_tells_the_teacher_why(session, world, outbox):
    visit = rows.ask(session, world)
    outbox.news()

    answers.decline_visit(
        session,
        visit,
        reason=DeclineReason.OTHER,
        note="Inventaire ce jour-là.",
        by=world.contact.actor,
        now=LATER,
    )

    row = stored(session, visit)
    assert (row.state, row.reason, row.note) == (
        VisitState.DECLINED,
        "other",
        "Inventaire ce jour-là.",
    )
    assert session.get_one(SlotRow, world.slots[0]).students_taken == 0
    assert set(session.scalars(select(LinkRow.spent_at))) == {LATER}
    told, *others = outbox.news()
    assert told.line == ("visit_declined", TEACHER, None, None)
    assert {each.line for each in others} == {
        ("request_closed_host", who, "CANCEL", 1) for who in HOSTS
    }
    assert told.payload["visit"]["reason"] == "other"
    assert journal(session, visit)[-1] == ("declined", "requested", "declined")


def test_a_no_to_a_move_leaves_the_visit_and_its_reminders(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.MOVING)
    outbox.news()

    answers.decline_visit(
        session,
        visit,
        reason=DeclineReason.DATE,
        note="",
        by=world.contact.actor,
        now=LATER,
    )

    row = stored(session, visit)
    assert (row.state, row.slot_id, row.wanted_slot_id, row.reason) == (
        VisitState.CONFIRMED,
        world.slots[0],
        None,
        None,
    )
    assert row.eve_reminder_at is not None
    assert session.get_one(SlotRow, world.slots[1]).students_taken == 0
    assert outbox.lines() == {("move_declined", TEACHER, None, None)}
    assert journal(session, visit)[-1] == ("move_declined", "moving", "confirmed")


def test_another_reason_needs_a_line(session, world):
    visit = rows.ask(session, world)

    with refused(session, "reason_missing"):
        answers.decline_visit(
            session,
            visit,
            reason=DeclineReason.OTHER,
            note="",
            by=world.contact.actor,
            now=LATER,
        )


# ------------------------------------------------------------------ proposing


def test_proposals_free_the_seats_and_wait_for_the_teacher(session, world, outbox):
    visit = rows.ask(session, world)
    outbox.news()

    answers.propose_slots(
        session,
        visit,
        [world.slots[2], world.slots[1], world.slots[2]],
        note="Plutôt en février ?",
        by=world.contact.actor,
        now=LATER,
    )

    row = stored(session, visit)
    assert (row.state, row.note, row.remind_at) == (
        VisitState.PROPOSED,
        "Plutôt en février ?",
        None,
    )
    assert row.answer_due_at is not None
    assert set(session.scalars(select(ProposalRow.slot_id))) == set(world.slots[1:])
    assert {session.get_one(SlotRow, slot).students_taken for slot in world.slots} == {
        0
    }
    told, *others = outbox.news()
    assert told.line == ("visit_proposed", TEACHER, None, None)
    assert {each.line for each in others} == {
        ("request_closed_host", who, "CANCEL", 1) for who in HOSTS
    }
    offered = [each["id"] for each in told.payload["visit"]["proposals"]]
    assert offered == [world.slots[1], world.slots[2]]


@pytest.mark.parametrize(
    ("which", "code"),
    [
        ([], "not_found"),
        ([999], "not_found"),
        (["other_slot"], "not_found"),
        ([0], "same_slot"),
    ],
)
def test_only_other_slots_of_the_host_are_proposed(session, world, which, code):
    visit = rows.ask(session, world)
    ids = [
        world.other_slot
        if each == "other_slot"
        else world.slots[0]
        if each == 0
        else each
        for each in which
    ]

    with refused(session, code):
        answers.propose_slots(
            session, visit, ids, note="", by=world.contact.actor, now=LATER
        )


def test_a_slot_that_does_not_fit_is_not_proposed(session, world):
    visit = rows.ask(session, world)
    session.get_one(SlotRow, world.slots[1]).state = SlotState.CLOSED
    session.commit()

    with refused(session, "slot_not_open"):
        answers.propose_slots(
            session,
            visit,
            list(world.slots[1:]),
            note="",
            by=world.contact.actor,
            now=LATER,
        )


# ------------------------------------------------------------------ cancelling


def test_a_host_that_calls_off_takes_every_invitation_back(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    outbox.news()

    answers.cancel_by_host(
        session,
        visit,
        reason=CancelReason.WEATHER,
        note="Vents forts.",
        by=world.contact.actor,
        now=rows.TUESDAY - timedelta(days=1),
    )

    row = stored(session, visit)
    assert (row.state, row.reason, row.late) == (
        VisitState.CANCELLED_BY_HOST,
        "weather",
        True,
    )
    assert outbox.lines() == all_told(
        "visit_cancelled", "CANCEL", 1, who=EVERYBODY, hosts=HOSTS
    )
    assert journal(session, visit)[-1] == (
        "cancelled",
        "confirmed",
        "cancelled_by_host",
    )


def test_a_move_that_was_asked_ends_with_the_visit(session, world):
    visit = rows.visit_in(session, world, VisitState.MOVING)

    answers.cancel_by_host(
        session,
        visit,
        reason=CancelReason.STAFF_ABSENT,
        note="",
        by=world.contact.actor,
        now=LATER,
    )

    assert {session.get_one(SlotRow, slot).students_taken for slot in world.slots} == {
        0
    }


# ------------------------------------------------------------------ rights


@pytest.mark.parametrize("who", ["teacher", "other_contact"])
def test_nobody_else_answers_for_a_host(session, world, who):
    visit = rows.ask(session, world)
    by = getattr(world, who).actor

    for step in (
        lambda: answers.accept_visit(session, visit, by=by, now=LATER),
        lambda: answers.decline_visit(
            session, visit, reason=DeclineReason.DATE, note="", by=by, now=LATER
        ),
        lambda: answers.propose_slots(
            session, visit, [world.slots[1]], note="", by=by, now=LATER
        ),
        lambda: answers.cancel_by_host(
            session, visit, reason=CancelReason.COST, note="", by=by, now=LATER
        ),
    ):
        with refused(session, "not_found"):
            step()


def test_the_holder_of_a_link_answers_one_visit_only(session, world):
    first = rows.ask(session, world)
    second = rows.ask(session, world, slot=world.slots[1])
    holder = replace(world.contact.actor, visit_id=first)

    with refused(session, "not_found"):
        answers.accept_visit(session, second, by=holder, now=LATER)
    answers.accept_visit(session, first, by=holder, now=LATER)

    assert stored(session, first).state is VisitState.CONFIRMED


def test_what_does_not_exist_is_not_found(session, world):
    with refused(session, "not_found"):
        accept(session, 999, by=world.contact)


# ------------------------------------------------------------------ a whole life


def test_sequence_only_rises_through_a_whole_life(session, world, outbox):
    visit = rows.ask(session, world)
    teacher, host = world.teacher.actor, world.contact.actor
    moments = iter(NOW + timedelta(seconds=number // 3) for number in range(30))
    accept(session, visit, by=world.contact, now=next(moments))
    students.set_addresses(
        session, visit, ["a@example.net"], by=teacher, now=next(moments)
    )
    for slot in (world.slots[1], world.slots[2], world.slots[0]):
        requests.move_visit(session, visit, slot, by=teacher, now=next(moments))
        answers.accept_visit(session, visit, by=host, now=next(moments))
    answers.cancel_by_host(
        session,
        visit,
        reason=CancelReason.SECURITY,
        note="",
        by=host,
        now=next(moments),
    )

    by_reader: dict[str, list] = {}
    for each in outbox.news():
        if each.method:
            by_reader.setdefault(each.to, []).append(each)

    assert set(by_reader) == {*EVERYBODY, "a@example.net"}
    for who, told in by_reader.items():
        revisions = 6 if who in HOSTS else 5
        assert len({each.uid for each in told}) == 1
        assert [each.sequence for each in told] == list(range(revisions))
        stamps = [each.dtstamp for each in told]
        assert stamps == sorted(set(stamps))
        assert [each.method for each in told[:-1]] == ["REQUEST"] * (revisions - 1)
        assert told[-1].method == "CANCEL"
