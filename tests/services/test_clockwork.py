"""What time does to visits; each function once, twice in a row, and too late."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.localtime import instant
from scheduler.domain.offers import Caps
from scheduler.domain.refusals import Refused
from scheduler.domain.visits import CancelReason, VisitState
from scheduler.persistence.models.access import LinkRow, SessionRow, TryRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.services import accounts, answers, clockwork, offers, requests, students
from tests import rows
from tests.rows import NOW
from tests.services.mailbox import everything, journal

DAY_4 = instant(date(2026, 11, 27), time(18))
DAY_10 = instant(date(2026, 12, 7), time(18))
WEEK_BEFORE = instant(date(2027, 1, 5), time(8))
EVE = instant(date(2027, 1, 11), time(17))
OVER = rows.TUESDAY + rows.TWO_HOURS
SECOND = timedelta(seconds=1)
TEACHER, HOST, SUBSTITUTE = (
    "helene@example.org",
    "gerard@example.org",
    "maud@example.org",
)


def stored(session, visit_id) -> VisitRow:
    return session.get_one(VisitRow, visit_id, populate_existing=True)


def twice(work, session, *, now) -> tuple[int, int]:
    """How many the first run did, and the second."""
    first = work(session, now=now)
    after_first = everything(session)
    second = work(session, now=now)
    assert everything(session) == after_first
    return first, second


# ------------------------------------------------------------------ answers


def test_a_host_is_reminded_once_on_day_four(session, world, outbox):
    rows.ask(session, world)
    outbox.news()

    assert twice(clockwork.remind_hosts, session, now=DAY_4 - SECOND) == (0, 0)
    assert twice(clockwork.remind_hosts, session, now=DAY_4) == (1, 0)

    told = outbox.news()
    assert {each.line for each in told} == {
        ("request_reminder_host", who, None, None) for who in (HOST, SUBSTITUTE)
    }
    assert all(each.payload["link"] for each in told)


def test_a_request_expires_on_day_ten_and_gives_its_seats_back(session, world, outbox):
    visit = rows.ask(session, world)
    outbox.news()

    assert twice(clockwork.expire_requests, session, now=DAY_10 - SECOND) == (0, 0)
    assert twice(clockwork.expire_requests, session, now=DAY_10) == (1, 0)

    assert stored(session, visit).state is VisitState.EXPIRED
    assert session.get_one(SlotRow, world.slots[0]).students_taken == 0
    assert set(session.scalars(select(LinkRow.spent_at))) == {DAY_10}
    assert outbox.lines() == {
        ("visit_expired", TEACHER, None, None),
        ("visit_expired", HOST, "CANCEL", 1),
        ("visit_expired", SUBSTITUTE, "CANCEL", 1),
    }
    assert journal(session, visit)[-1] == ("expired", "requested", "expired")


def test_nobody_is_asked_to_hurry_for_what_expires_now(session, world, outbox):
    rows.ask(session, world)
    outbox.news()

    assert twice(clockwork.remind_hosts, session, now=DAY_10) == (0, 0)

    assert outbox.news() == []


def test_proposals_that_nobody_chose_expire(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)
    outbox.news()

    assert twice(clockwork.expire_requests, session, now=DAY_10) == (1, 0)

    assert stored(session, visit).state is VisitState.EXPIRED


def test_a_choice_may_wait_past_the_day_that_was_first_asked_for(session, world):
    """Ten open days to choose, not the hours before a date the host cannot have."""
    eve = rows.TUESDAY - timedelta(days=1)
    visit = rows.visit_in(session, world, VisitState.REQUESTED)
    answers.propose_slots(
        session,
        visit,
        [rows.store_slot(session, world.offer, rows.TUESDAY + timedelta(days=56))],
        note="",
        by=world.contact.actor,
        now=eve,
    )

    due = stored(session, visit).answer_due_at
    assert due is not None
    assert due > eve + timedelta(days=12)
    assert clockwork.expire_requests(session, now=rows.TUESDAY) == 0


def test_a_move_that_nobody_answered_leaves_the_visit(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.MOVING)
    outbox.news()

    assert twice(clockwork.expire_requests, session, now=DAY_10) == (1, 0)

    row = stored(session, visit)
    assert (row.state, row.wanted_slot_id) == (VisitState.CONFIRMED, None)
    assert row.week_reminder_at == WEEK_BEFORE
    assert session.get_one(SlotRow, world.slots[1]).students_taken == 0
    assert outbox.lines() == {("move_declined", TEACHER, None, None)}


def test_what_was_answered_neither_reminds_nor_expires(session, world, outbox):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    outbox.news()

    assert clockwork.remind_hosts(session, now=DAY_10) == 0
    assert clockwork.expire_requests(session, now=DAY_10) == 0
    assert outbox.news() == []


# ------------------------------------------------------------------ reminders


def test_a_week_before_the_adults_are_reminded_once(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    students.set_addresses(
        session, visit, ["a@example.net"], by=world.teacher.actor, now=NOW
    )
    outbox.news()

    assert twice(clockwork.remind_week_before, session, now=WEEK_BEFORE - SECOND) == (
        0,
        0,
    )
    assert twice(clockwork.remind_week_before, session, now=WEEK_BEFORE) == (1, 0)

    assert outbox.lines() == {
        ("reminder_7", who, None, None) for who in (TEACHER, HOST, SUBSTITUTE)
    }


def test_on_the_eve_everybody_is_reminded_once(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    students.set_addresses(
        session, visit, ["a@example.net"], by=world.teacher.actor, now=NOW
    )
    outbox.news()

    assert twice(clockwork.remind_eve, session, now=EVE) == (1, 0)

    assert outbox.lines() == {
        ("reminder_1", who, None, None)
        for who in (TEACHER, HOST, SUBSTITUTE, "a@example.net")
    }
    # After the eve nobody needs the reminder of the week before.
    assert clockwork.remind_week_before(session, now=EVE) == 0


@pytest.mark.parametrize("remind", [clockwork.remind_week_before, clockwork.remind_eve])
def test_a_loop_that_slept_reminds_nobody_of_yesterday(session, world, outbox, remind):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    outbox.news()

    assert twice(remind, session, now=rows.TUESDAY) == (0, 0)

    assert outbox.news() == []


def test_a_visit_that_was_called_off_reminds_nobody(session, world, outbox):
    rows.visit_in(session, world, VisitState.CANCELLED_BY_SCHOOL)
    outbox.news()

    assert clockwork.remind_eve(session, now=EVE) == 0
    assert outbox.news() == []


def test_reminders_that_lie_back_are_not_planned(session, world):
    visit = rows.ask(session, world)
    answers = rows.answers
    answers.accept_visit(
        session, visit, by=world.contact.actor, now=WEEK_BEFORE + SECOND
    )

    row = stored(session, visit)
    assert (row.week_reminder_at, row.eve_reminder_at) == (None, EVE)


# ------------------------------------------------------------------ the end


def test_a_visit_is_done_when_its_slot_has_ended(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    outbox.news()

    assert twice(clockwork.complete_visits, session, now=OVER - SECOND) == (0, 0)
    assert twice(clockwork.complete_visits, session, now=OVER) == (1, 0)

    assert stored(session, visit).state is VisitState.DONE
    assert outbox.news() == []
    assert set(session.scalars(select(InvitationRow.state))) == {"invited"}
    assert journal(session, visit)[-1] == ("done", "confirmed", "done")


def test_a_slot_that_lies_back_stays_as_full_as_it_was(session, world):
    rows.visit_in(session, world, VisitState.MOVING)

    clockwork.complete_visits(session, now=OVER)

    assert session.get_one(SlotRow, world.slots[0]).students_taken == 24
    assert session.get_one(SlotRow, world.slots[1]).students_taken == 0


def test_a_visit_that_took_place_still_uses_the_cap(session, world):
    rows.visit_in(session, world, VisitState.DONE)
    session.rollback()
    offers.set_caps(
        session,
        world.host,
        Caps(per_month=1),
        by=world.contact.actor,
        now=OVER,
    )

    with pytest.raises(Refused) as refusal:
        rows.ask(session, world, slot=world.slots[1], now=NOW)

    assert [each.code for each in refusal.value.refusals] == ["host_cap_reached"]


def test_one_broken_visit_holds_up_no_other(session, world, monkeypatch):
    broken = rows.ask(session, world)
    other = rows.ask(
        session,
        world,
        slot=world.other_slot,
        school_class=world.second_class,
        by=world.colleague,
    )
    expire = clockwork.rules.expire

    def breaks(visit):
        if visit.id == broken:
            raise RuntimeError("broken")
        return expire(visit)

    monkeypatch.setattr(clockwork.rules, "expire", breaks)

    assert clockwork.expire_requests(session, now=DAY_10) == 1
    assert stored(session, broken).state is VisitState.REQUESTED
    assert stored(session, other).state is VisitState.EXPIRED


# ------------------------------------------------------------------ pauses, purge


def test_a_pause_ends_on_its_day(session, world):
    offers.pause_offer(
        session,
        world.offer,
        until=date(2027, 2, 1),
        by=world.contact.actor,
        now=NOW,
    )

    before = instant(date(2027, 1, 31), time(23, 59))
    assert twice(clockwork.resume_offers, session, now=before) == (0, 0)
    assert twice(
        clockwork.resume_offers, session, now=before + timedelta(minutes=1)
    ) == (
        1,
        0,
    )

    row = session.get_one(OfferRow, world.offer)
    assert (row.state, row.paused_until) == ("published", None)


def test_a_pause_without_an_end_goes_on(session, world):
    offers.pause_offer(
        session, world.offer, until=None, by=world.contact.actor, now=NOW
    )

    assert clockwork.resume_offers(session, now=OVER) == 0


def test_links_sessions_and_tries_that_are_over_are_dropped(session, world):
    accounts.ask_for_link(session, TEACHER, machine="here", next_path="", now=NOW)
    accounts.open_session(session, world.teacher.id, browser="", now=NOW)

    soon = clockwork.purge_personal_data(session, now=NOW + timedelta(hours=1))
    late = clockwork.purge_personal_data(session, now=NOW + timedelta(days=200))

    assert (soon["links"], soon["sessions"]) == (0, 0)
    assert (late["links"], late["sessions"]) == (1, 1)
    for table in (LinkRow, SessionRow, TryRow):
        assert session.scalars(select(table)).all() == []


def test_a_visit_that_ended_meanwhile_is_left_alone(session, world):
    visit = rows.ask(session, world)
    requests.withdraw_visit(session, visit, by=world.teacher.actor, now=NOW)

    assert clockwork.expire_requests(session, now=DAY_10) == 0
    assert stored(session, visit).state is VisitState.WITHDRAWN


def test_a_cancelled_visit_is_never_done(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    requests.cancel_by_school(
        session,
        visit,
        reason=CancelReason.COST,
        note="",
        by=world.teacher.actor,
        now=EVE,
    )

    assert clockwork.complete_visits(session, now=OVER) == 0
