"""What a teacher does: stored state, letters, history; and refusals change nothing."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.localtime import instant
from scheduler.domain.offers import Confirmation, OfferState
from scheduler.domain.parties import Part, Party
from scheduler.domain.refusals import Refused, TooFewAdults
from scheduler.domain.visits import CancelReason, VisitState
from scheduler.persistence.models.access import LinkRow
from scheduler.persistence.models.network import HostRow, SchoolClassRow, SchoolRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import InvitationRow, ProposalRow, VisitRow
from scheduler.services import offers, requests, students
from scheduler.services.requests import Request
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


def set_to(session, row, **facts):
    for name, value in facts.items():
        setattr(row, name, value)
    session.commit()


def taken(session, slot_id):
    row = session.get_one(SlotRow, slot_id, populate_existing=True)
    found = (row.students_taken, row.people_taken, row.groups_taken)
    session.rollback()
    return found


def stored(session, visit_id) -> VisitRow:
    return session.get_one(VisitRow, visit_id, populate_existing=True)


# ------------------------------------------------------------------ asking


def test_a_request_holds_seats_and_tells_host_and_teacher(session, world, outbox):
    visit = rows.ask(session, world, students=24, adults=2, message="Bonjour")

    row = stored(session, visit)
    assert (row.state, row.revision, row.organiser_id) == (
        VisitState.REQUESTED,
        0,
        world.teacher.id,
    )
    assert (row.message, len(row.class_code)) == ("Bonjour", 6)
    # Monday 23 November: day 4, day 7, day 10.
    assert row.remind_at == instant(date(2026, 11, 27), time(18))
    assert row.alert_at == instant(date(2026, 12, 2), time(18))
    assert row.answer_due_at == instant(date(2026, 12, 7), time(18))
    assert (row.week_reminder_at, row.eve_reminder_at) == (None, None)
    assert taken(session, world.slots[0]) == (24, 26, 1)
    assert outbox.lines() == {
        ("visit_requested_host", HOST, "REQUEST", 0),
        ("visit_requested_host", SUBSTITUTE, "REQUEST", 0),
        ("visit_requested_teacher", TEACHER, None, None),
    }
    assert journal(session, visit) == [("requested", "", "requested")]


def test_each_host_contact_gets_a_link_of_its_own_and_nobody_else(
    session, world, outbox
):
    visit = rows.ask(session, world)

    told = outbox.news()
    links = {link.id: link for link in session.scalars(select(LinkRow))}
    by_person = {links[each.payload["link"]["id"]].person_id for each in told[:2]}
    assert by_person == {world.contact.id, world.substitute.id}
    assert {link.visit_id for link in links.values()} == {visit}
    assert {link.expires_at for link in links.values()} == {rows.TUESDAY}
    assert told[2].payload["link"] is None


def test_an_offer_that_confirms_by_itself_invites_at_once(session, world, outbox):
    offer = session.get_one(OfferRow, world.offer)
    set_to(session, offer, confirmation=Confirmation.AUTOMATIC)

    visit = rows.ask(session, world)

    row = stored(session, visit)
    assert row.state is VisitState.CONFIRMED
    assert (row.remind_at, row.alert_at, row.answer_due_at) == (None, None, None)
    assert row.week_reminder_at == instant(date(2027, 1, 5), time(8))
    assert row.eve_reminder_at == instant(date(2027, 1, 11), time(17))
    assert outbox.lines() == {
        ("visit_confirmed", who, "REQUEST", 0) for who in EVERYBODY
    }
    assert journal(session, visit) == [("confirmed", "", "confirmed")]


def test_the_language_of_a_letter_is_its_readers(session, world, outbox):
    set_to(session, session.get_one(PersonRow, world.contact.id), locale="en")

    rows.ask(session, world)

    levels = {each.to: each.payload["visit"]["level_label"] for each in outbox.news()}
    assert levels[HOST] == "1re, vocational"
    assert levels[TEACHER] == "1re professionnelle"


def test_class_codes_differ(session, world):
    first = rows.ask(session, world)
    second = rows.ask(session, world, slot=world.slots[1])

    assert stored(session, first).class_code != stored(session, second).class_code


def test_every_reason_is_told_at_once_and_nothing_is_stored(session, world):
    klass = session.get_one(SchoolClassRow, world.school_class)
    set_to(session, klass, youngest_age=13, level_code="QUATRIEME")
    set_to(session, session.get_one(OfferRow, world.offer), min_age=14)

    with refused(
        session, "level_too_low", "too_young", "too_few_adults", "group_too_big"
    ):
        rows.ask(session, world, students=31, adults=2)


@pytest.mark.parametrize(
    ("code", "table", "facts"),
    [
        ("kind_not_bookable", OfferRow, {"kind_code": "WORKSHOP"}),
        ("offer_not_published", OfferRow, {"state": OfferState.DRAFT}),
        ("notice_too_short", OfferRow, {"min_notice_days": 90}),
        ("return_too_late", SchoolRow, {"back_by": time(11, 30)}),
    ],
)
def test_a_refusal_stores_nothing_and_tells_nobody(session, world, code, table, facts):
    number = {OfferRow: world.offer, SchoolRow: world.school}[table]
    set_to(session, session.get_one(table, number), **facts)

    with refused(session, code):
        rows.ask(session, world)


@pytest.mark.parametrize("period", ["month", "year"])
def test_a_cap_that_is_used_up_refuses_the_next(session, world, period):
    host = session.get_one(HostRow, world.host)
    set_to(session, host, **{f"cap_per_{period}": 1})
    rows.ask(session, world, school_class=world.second_class, slot=world.slots[1])

    with refused(session, "host_cap_reached"):
        rows.ask(session, world, by=world.colleague)


def test_a_full_slot_is_refused_with_what_is_left(session, world):
    slot = rows.store_slot(session, world.offer, rows.NEXT_TUESDAY, max_groups=2)
    rows.ask(session, world, slot=slot, students=24)

    with refused(session, "slot_full"):
        rows.ask(
            session,
            world,
            slot=slot,
            school_class=world.other_class,
            by=world.other_teacher,
            students=7,
        )
    rows.ask(
        session,
        world,
        slot=slot,
        school_class=world.other_class,
        by=world.other_teacher,
        students=6,
    )
    assert taken(session, slot) == (30, 34, 2)


def test_case_16_the_second_teacher_of_a_class_sees_the_first_ones_name(session, world):
    rows.ask(session, world)
    other = rows.store_slot(session, world.other_offer, rows.TUESDAY)

    with pytest.raises(Refused) as refusal:
        rows.ask(session, world, slot=other, by=world.colleague)

    assert [each.code for each in refusal.value.refusals] == ["class_busy"]
    assert refusal.value.refusals[0].facts["organiser"] == "Hélène Marchais"


def test_the_way_between_two_hosts_counts(session, world):
    """Derval until 11:00 and back to Nantes at 12:30; Craon at 13:30 is too far."""
    rows.ask(session, world)
    early = instant(date(2027, 1, 12), time(13, 30))
    late = instant(date(2027, 1, 12), time(15, 0))
    too_soon = rows.store_slot(session, world.other_offer, early)
    in_time = rows.store_slot(session, world.other_offer, late)

    with refused(session, "class_busy"):
        rows.ask(session, world, slot=too_soon, by=world.colleague)
    rows.ask(session, world, slot=in_time, by=world.colleague)


def test_a_class_that_wants_to_move_there_is_busy_there(session, world):
    rows.visit_in(session, world, VisitState.MOVING)
    same_time = rows.store_slot(session, world.other_offer, rows.THURSDAY)

    with refused(session, "class_busy"):
        rows.ask(session, world, slot=same_time, by=world.colleague)
    with refused(session, "organiser_busy"):
        rows.ask(session, world, slot=same_time, school_class=world.second_class)


@pytest.mark.parametrize("who", ["other_teacher", "contact"])
def test_only_people_of_the_school_ask_for_its_class(session, world, who):
    with refused(session, "not_found"):
        rows.ask(session, world, by=getattr(world, who))


def test_a_coordinator_may_ask_for_any_class(session, world):
    visit = rows.ask(session, world, by=world.coordinator)

    assert stored(session, visit).organiser_id == world.coordinator.id


def test_what_does_not_exist_is_not_found(session, world):
    with refused(session, "not_found"):
        rows.ask(session, world, slot=999)
    with refused(session, "not_found"):
        rows.ask(session, world, school_class=999)


def test_a_class_of_last_year_does_not_ask(session, world):
    klass = session.get_one(SchoolClassRow, world.school_class)
    set_to(session, klass, active=False)

    with refused(session, "not_found"):
        rows.ask(session, world)


# ------------------------------------------------------------------ caps


def test_a_late_cancellation_still_uses_the_cap_and_an_early_one_does_not(
    session, world
):
    set_to(session, session.get_one(HostRow, world.host), cap_per_month=1)
    early = rows.visit_in(session, world, VisitState.CANCELLED_BY_SCHOOL)
    again = rows.ask(session, world, slot=world.slots[1])
    requests.withdraw_visit(session, again, by=world.teacher.actor, now=NOW)
    late = rows.visit_in(session, world, VisitState.CONFIRMED)
    requests.cancel_by_school(
        session,
        late,
        reason=CancelReason.COST,
        note="",
        by=world.teacher.actor,
        now=rows.TUESDAY - timedelta(days=2),
    )

    assert stored(session, early).late is False
    assert stored(session, late).late is True
    session.rollback()
    with refused(session, "host_cap_reached"):
        rows.ask(session, world, slot=world.slots[1])


def test_a_late_cancellation_by_the_host_uses_no_cap(session, world):
    set_to(session, session.get_one(HostRow, world.host), cap_per_month=1)
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    row = stored(session, visit)
    set_to(session, row, state=VisitState.CANCELLED_BY_HOST, late=True)

    rows.ask(session, world, slot=world.slots[1])


def test_a_visit_that_moves_within_a_month_is_one_of_that_month(session, world):
    set_to(session, session.get_one(HostRow, world.host), cap_per_month=2)
    rows.visit_in(session, world, VisitState.MOVING)
    third = rows.store_slot(session, world.offer, instant(date(2027, 1, 26), time(9)))

    rows.ask(session, world, slot=third, school_class=world.second_class)


# ------------------------------------------------------------------ numbers


def test_numbers_of_a_request_change_without_a_calendar(session, world, outbox):
    visit = rows.ask(session, world)
    outbox.news()

    requests.change_numbers(
        session,
        visit,
        Party(students=12, adults=2, girls=5, boys=7, part=Part.HALF),
        arrangements="1 fauteuil roulant",
        by=world.teacher.actor,
        now=LATER,
    )

    row = stored(session, visit)
    assert (row.students, row.part, row.arrangements, row.revision) == (
        12,
        Part.HALF,
        "1 fauteuil roulant",
        1,
    )
    assert taken(session, world.slots[0]) == (12, 14, 1)
    told = outbox.news()
    assert {each.line for each in told} == {
        ("visit_changed", TEACHER, None, None),
        ("visit_changed", HOST, "REQUEST", 1),
        ("visit_changed", SUBSTITUTE, "REQUEST", 1),
    }
    assert {each["field"] for each in told[0].payload["visit"]["changes"]} == {
        "students",
        "girls",
        "boys",
        "part",
        "arrangements",
    }
    assert journal(session, visit)[-1] == (
        "numbers_changed",
        "requested",
        "requested",
    )


def test_numbers_of_a_confirmed_visit_update_the_adults_calendars(
    session, world, outbox
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    students.set_addresses(
        session, visit, ["a@example.net"], by=world.teacher.actor, now=NOW
    )
    outbox.news()

    requests.change_numbers(
        session,
        visit,
        Party(students=20, adults=2),
        arrangements="",
        by=world.teacher.actor,
        now=LATER,
    )

    assert outbox.lines() == all_told(
        "visit_changed", "REQUEST", 1, who=EVERYBODY, hosts=HOSTS
    )


def test_the_same_numbers_are_no_change(session, world, outbox):
    visit = rows.ask(session, world)
    outbox.news()

    requests.change_numbers(
        session,
        visit,
        Party(students=24, adults=2),
        arrangements="",
        by=world.teacher.actor,
        now=LATER,
    )

    assert stored(session, visit).revision == 0
    assert outbox.news() == []


@pytest.mark.parametrize(
    ("party", "code"),
    [
        (Party(students=31, adults=3), "group_too_big"),
        (Party(students=24, adults=1), "too_few_adults"),
        (Party(students=0, adults=1), "no_students"),
    ],
)
def test_wrong_numbers_change_nothing(session, world, party, code):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    with refused(session, code):
        requests.change_numbers(
            session, visit, party, arrangements="", by=world.teacher.actor, now=LATER
        )


# ------------------------------------------------------------------ withdrawing


@pytest.mark.parametrize("state", [VisitState.REQUESTED, VisitState.PROPOSED])
def test_a_withdrawn_request_frees_its_seats_and_its_links(
    session, world, outbox, state
):
    visit = rows.visit_in(session, world, state)
    outbox.news()

    requests.withdraw_visit(session, visit, by=world.teacher.actor, now=LATER)

    row = stored(session, visit)
    assert (row.state, row.answer_due_at) == (VisitState.WITHDRAWN, None)
    assert taken(session, world.slots[0]) == (0, 0, 0)
    held = state is VisitState.REQUESTED
    assert outbox.lines() == {
        ("visit_withdrawn", who, "CANCEL" if held else None, 1 if held else None)
        for who in HOSTS
    }
    assert set(session.scalars(select(LinkRow.spent_at))) == {LATER}
    assert journal(session, visit)[-1] == ("withdrawn", state.value, "withdrawn")


def test_a_wish_to_move_that_is_taken_back_leaves_the_visit(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.MOVING)
    outbox.news()

    requests.withdraw_visit(session, visit, by=world.teacher.actor, now=LATER)

    row = stored(session, visit)
    assert (row.state, row.slot_id, row.wanted_slot_id) == (
        VisitState.CONFIRMED,
        world.slots[0],
        None,
    )
    assert row.week_reminder_at is not None
    assert taken(session, world.slots[0]) == (24, 26, 1)
    assert taken(session, world.slots[1]) == (0, 0, 0)
    assert outbox.lines() == {
        ("move_withdrawn", who, None, None) for who in (HOST, SUBSTITUTE)
    }


def test_a_confirmed_visit_is_cancelled_not_withdrawn(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    with refused(session, "wrong_state"):
        requests.withdraw_visit(session, visit, by=world.teacher.actor, now=LATER)


# ------------------------------------------------------------------ choosing


def test_a_chosen_slot_is_confirmed_at_once(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)
    outbox.news()

    requests.choose_slot(
        session, visit, world.slots[2], by=world.teacher.actor, now=LATER
    )

    row = stored(session, visit)
    assert (row.state, row.slot_id) == (VisitState.CONFIRMED, world.slots[2])
    assert session.scalars(select(ProposalRow)).all() == []
    assert taken(session, world.slots[0]) == (0, 0, 0)
    assert taken(session, world.slots[2]) == (24, 26, 1)
    assert outbox.lines() == {
        ("visit_confirmed", TEACHER, "REQUEST", 0),
        # Asked, taken back when the host proposed, and asked again.
        ("visit_confirmed", HOST, "REQUEST", 2),
        ("visit_confirmed", SUBSTITUTE, "REQUEST", 2),
    }
    assert journal(session, visit)[-1] == ("confirmed", "proposed", "confirmed")


def test_only_a_slot_that_was_proposed_can_be_chosen(session, world):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)

    with refused(session, "slot_not_open"):
        requests.choose_slot(
            session, visit, world.slots[0], by=world.teacher.actor, now=LATER
        )


def test_who_chooses_after_a_colleague_is_told_so(session, world):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)
    requests.choose_slot(
        session, visit, world.slots[1], by=world.colleague.actor, now=LATER
    )

    with refused(session, "wrong_state"):
        requests.choose_slot(
            session, visit, world.slots[2], by=world.teacher.actor, now=LATER
        )


def test_a_pause_takes_no_proposal_back(session, world):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)
    offers.pause_offer(
        session, world.offer, until=None, by=world.contact.actor, now=LATER
    )

    requests.choose_slot(
        session, visit, world.slots[1], by=world.teacher.actor, now=LATER
    )

    assert stored(session, visit).state is VisitState.CONFIRMED


def test_a_proposal_that_others_took_is_full(session, world):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)
    rows.ask(
        session,
        world,
        slot=world.slots[1],
        school_class=world.other_class,
        by=world.other_teacher,
    )

    with refused(session, "slot_full"):
        requests.choose_slot(
            session, visit, world.slots[1], by=world.teacher.actor, now=LATER
        )


def test_the_host_needs_no_notice_for_what_it_proposed(session, world):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)
    two_days_before = rows.THURSDAY - timedelta(days=2)

    requests.choose_slot(
        session, visit, world.slots[1], by=world.teacher.actor, now=two_days_before
    )

    assert stored(session, visit).state is VisitState.CONFIRMED


# ------------------------------------------------------------------ moving


def test_a_request_that_nobody_answered_goes_to_the_other_slot(session, world, outbox):
    visit = rows.ask(session, world)
    outbox.news()

    requests.move_visit(
        session, visit, world.slots[1], by=world.teacher.actor, now=LATER
    )

    row = stored(session, visit)
    assert (row.state, row.slot_id) == (VisitState.REQUESTED, world.slots[1])
    assert taken(session, world.slots[0]) == (0, 0, 0)
    assert taken(session, world.slots[1]) == (24, 26, 1)
    assert outbox.lines() == {
        ("visit_requested_host", HOST, "REQUEST", 1),
        ("visit_requested_host", SUBSTITUTE, "REQUEST", 1),
        ("visit_requested_teacher", TEACHER, None, None),
    }
    assert journal(session, visit)[-1] == (
        "request_switched",
        "requested",
        "requested",
    )


def test_a_confirmed_visit_asks_and_holds_seats_on_both_slots(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    reminder = stored(session, visit).week_reminder_at
    session.rollback()
    outbox.news()

    requests.move_visit(
        session, visit, world.slots[1], by=world.teacher.actor, now=LATER
    )

    row = stored(session, visit)
    assert (row.state, row.slot_id, row.wanted_slot_id) == (
        VisitState.MOVING,
        world.slots[0],
        world.slots[1],
    )
    assert row.answer_due_at is not None
    assert row.week_reminder_at == reminder
    assert taken(session, world.slots[0]) == (24, 26, 1)
    assert taken(session, world.slots[1]) == (24, 26, 1)
    told = outbox.news()
    assert {each.line for each in told} == {
        ("move_requested_host", who, None, None) for who in (HOST, SUBSTITUTE)
    }
    assert all(each.payload["link"] for each in told)


def test_where_the_offer_confirms_by_itself_the_visit_moves_at_once(
    session, world, outbox
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    offer = session.get_one(OfferRow, world.offer)
    set_to(session, offer, confirmation=Confirmation.AUTOMATIC)
    outbox.news()

    requests.move_visit(
        session, visit, world.slots[1], by=world.teacher.actor, now=LATER
    )

    row = stored(session, visit)
    assert (row.state, row.slot_id) == (VisitState.CONFIRMED, world.slots[1])
    assert row.eve_reminder_at == instant(date(2027, 1, 20), time(17))
    told = outbox.news()
    assert {each.line for each in told} == all_told(
        "visit_changed", "REQUEST", 1, who=EVERYBODY, hosts=HOSTS
    )
    facts = told[0].payload["visit"]
    assert facts["starts_at"] == rows.THURSDAY.isoformat()
    assert facts["previous_starts_at"] == rows.TUESDAY.isoformat()
    assert [each["field"] for each in facts["changes"]] == ["starts_at", "ends_at"]


def test_a_visit_stays_with_its_host(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    with refused(session, "other_host"):
        requests.move_visit(
            session, visit, world.other_slot, by=world.teacher.actor, now=LATER
        )
    with refused(session, "same_slot"):
        requests.move_visit(
            session, visit, world.slots[0], by=world.teacher.actor, now=LATER
        )
    with refused(session, "not_found"):
        requests.move_visit(session, visit, 999, by=world.teacher.actor, now=LATER)


def test_a_visit_moves_once_at_a_time(session, world):
    visit = rows.visit_in(session, world, VisitState.MOVING)

    with refused(session, "wrong_state"):
        requests.move_visit(
            session, visit, world.slots[2], by=world.teacher.actor, now=LATER
        )


def test_no_visit_moves_to_a_full_slot(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    rows.ask(
        session,
        world,
        slot=world.slots[1],
        school_class=world.other_class,
        by=world.other_teacher,
    )

    with refused(session, "slot_full"):
        requests.move_visit(
            session, visit, world.slots[1], by=world.teacher.actor, now=LATER
        )


# ------------------------------------------------------------------ cancelling


@pytest.mark.parametrize("state", [VisitState.CONFIRMED, VisitState.MOVING])
def test_a_cancelled_visit_takes_every_invitation_back(session, world, outbox, state):
    visit = rows.visit_in(session, world, state)
    students.set_addresses(
        session, visit, ["a@example.net"], by=world.teacher.actor, now=NOW
    )
    invited = {each.to: each for each in outbox.news() if each.method}

    requests.cancel_by_school(
        session,
        visit,
        reason=CancelReason.OTHER,
        note="Le car est en panne.",
        by=world.teacher.actor,
        now=NOW,
    )

    row = stored(session, visit)
    assert (row.state, row.reason, row.note, row.late) == (
        VisitState.CANCELLED_BY_SCHOOL,
        "other",
        "Le car est en panne.",
        False,
    )
    assert (row.week_reminder_at, row.eve_reminder_at) == (None, None)
    assert taken(session, world.slots[0]) == (0, 0, 0)
    assert taken(session, world.slots[1]) == (0, 0, 0)
    told = outbox.news()
    everybody = (*EVERYBODY, "a@example.net")
    assert {each.line for each in told} == all_told(
        "visit_cancelled", "CANCEL", 1, who=everybody, hosts=HOSTS
    )
    for each in told:
        assert each.uid == invited[each.to].uid
        assert each.dtstamp > invited[each.to].dtstamp
    assert set(session.scalars(select(InvitationRow.state))) == {"cancelled"}
    assert journal(session, visit)[-1][0] == "cancelled"


def test_another_reason_needs_a_line(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    with refused(session, "reason_missing"):
        requests.cancel_by_school(
            session,
            visit,
            reason=CancelReason.OTHER,
            note=" ",
            by=world.teacher.actor,
            now=LATER,
        )


# ------------------------------------------------------------------ rights


def test_nobody_of_another_school_changes_a_visit(session, world):
    confirmed = rows.visit_in(session, world, VisitState.CONFIRMED)
    who = {"by": world.other_teacher.actor, "now": LATER}

    for step in (
        lambda: requests.change_numbers(
            session, confirmed, Party(students=9, adults=2), arrangements="", **who
        ),
        lambda: requests.withdraw_visit(session, confirmed, **who),
        lambda: requests.choose_slot(session, confirmed, world.slots[1], **who),
        lambda: requests.move_visit(session, confirmed, world.slots[1], **who),
        lambda: requests.cancel_by_school(
            session, confirmed, reason=CancelReason.COST, note="", **who
        ),
    ):
        with refused(session, "not_found"):
            step()


def test_a_visit_that_does_not_exist_is_not_found(session, world):
    with refused(session, "not_found"):
        requests.withdraw_visit(session, 999, by=world.teacher.actor, now=LATER)


def test_the_loop_asks_for_nothing(session, world):
    request = Request(
        slot_id=world.slots[0],
        class_id=world.school_class,
        party=Party(students=1, adults=1),
    )

    with refused(session, "not_found"):
        requests.request_visit(session, request, by=rows.Actor(name="loop"), now=LATER)


def test_the_refusals_of_a_request_keep_their_facts(session, world):
    with pytest.raises(Refused) as refusal:
        rows.ask(session, world, students=24, adults=1)

    (only,) = refusal.value.refusals
    assert isinstance(only, TooFewAdults)
    assert only.facts == {"needed": 2, "adults": 1, "subgroups": 2}
