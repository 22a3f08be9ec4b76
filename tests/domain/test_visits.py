"""The life of a visit: the table of steps, and what each step changes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, strategies as st

from scheduler.domain import visits
from scheduler.domain.localtime import local, local_day
from scheduler.domain.refusals import ReasonMissing, SameSlot, WrongState
from scheduler.domain.visits import (
    AFTER,
    ENDED,
    HOLDS_SEATS,
    INVITED,
    USES_CAP,
    WAITS_FOR_HOST,
    CancelReason,
    DeclineReason,
    Step,
    VisitState,
)
from tests.builders import NOW, POLICY, a_party, a_visit, at, zone_b

CALENDAR = zone_b()
NOT_IN_THE_TABLE = sorted(set(product(VisitState, Step)) - set(AFTER))

DO = {
    Step.ACCEPT: visits.accept,
    Step.DECLINE: lambda v: visits.decline(v, reason=DeclineReason.DATE, note=""),
    Step.PROPOSE: lambda v: visits.propose(v, note="Le jeudi ?"),
    Step.CHOOSE: lambda v: visits.choose(v, slot_id=9),
    Step.EXPIRE: visits.expire,
    Step.WITHDRAW: visits.withdraw,
    Step.CHANGE_NUMBERS: lambda v: visits.change_numbers(v, party=a_party(students=9)),
    Step.SWITCH: lambda v: visits.switch(v, slot_id=9),
    Step.ASK_MOVE: lambda v: visits.ask_move(v, slot_id=9),
    Step.MOVE_AT_ONCE: lambda v: visits.move_at_once(v, slot_id=9),
    Step.SLOT_CHANGED: visits.slot_changed,
    Step.CANCEL_BY_SCHOOL: lambda v: visits.cancel_by_school(
        v, reason=CancelReason.COST, note="", late=False
    ),
    Step.CANCEL_BY_HOST: lambda v: visits.cancel_by_host(
        v, reason=CancelReason.COST, note="", late=False
    ),
    Step.COMPLETE: visits.complete,
    Step.ASK_AGAIN: visits.ask_again,
    Step.OFFER_AGAIN: lambda v: visits.offer_again(v, note=""),
}


# ------------------------------------------------------------------ the table


@pytest.mark.parametrize(("state", "step"), sorted(AFTER))
def test_every_step_in_the_table_leads_where_it_says(state, step):
    assert DO[step](a_visit(state)).state is AFTER[state, step]
    assert visits.may(a_visit(state), step)


@pytest.mark.parametrize(("state", "step"), NOT_IN_THE_TABLE)
def test_every_step_not_in_the_table_is_refused(state, step):
    with pytest.raises(WrongState) as refusal:
        DO[step](a_visit(state))

    assert refusal.value.facts == {"state": state.value, "step": step.value}
    assert not visits.may(a_visit(state), step)


def test_only_a_cancellation_can_be_taken_back_and_by_who_cancelled():
    assert {(state, step) for state, step in AFTER if state in ENDED} == {
        (VisitState.CANCELLED_BY_SCHOOL, Step.ASK_AGAIN),
        (VisitState.CANCELLED_BY_HOST, Step.OFFER_AGAIN),
    }


def test_a_visit_taken_up_again_forgets_why_it_was_called_off():
    cancelled = a_visit(
        VisitState.CANCELLED_BY_SCHOOL, reason="cost", note="Trop cher", late=True
    )

    asked = visits.ask_again(cancelled)

    assert (asked.reason, asked.note, asked.late) == (None, "", False)


def test_every_state_but_the_first_is_reached_by_a_step():
    assert set(AFTER.values()) == set(VisitState)


def test_the_named_sets_of_states():
    assert {"requested", "confirmed", "moving"} == HOLDS_SEATS
    assert {"confirmed", "moving"} == INVITED
    assert {"requested", "moving"} == WAITS_FOR_HOST
    assert {"requested", "confirmed", "moving", "done"} == USES_CAP
    assert {
        "declined",
        "expired",
        "withdrawn",
        "cancelled_by_school",
        "cancelled_by_host",
        "done",
    } == ENDED


@pytest.mark.parametrize(("state", "step"), sorted(AFTER))
def test_every_change_that_somebody_must_learn_of_raises_the_revision(state, step):
    before = a_visit(state, revision=4)

    after = DO[step](before)

    assert after.revision == (4 if step is Step.COMPLETE else 5)


@pytest.mark.parametrize(("state", "step"), sorted(AFTER))
def test_only_a_moving_visit_wants_another_slot(state, step):
    after = DO[step](a_visit(state))

    assert (after.wanted_slot_id is not None) == (after.state is VisitState.MOVING)


# ------------------------------------------------------------------ steps


def test_an_accepted_request_stays_on_its_slot():
    assert visits.accept(a_visit()).slot_id == 1


def test_an_accepted_move_is_on_the_wanted_slot():
    moved = visits.accept(a_visit(VisitState.MOVING))

    assert (moved.slot_id, moved.wanted_slot_id) == (2, None)


@pytest.mark.parametrize(
    "step",
    [DO[Step.DECLINE], visits.expire, visits.withdraw],
    ids=["declined", "expired", "withdrawn"],
)
def test_a_move_that_comes_to_nothing_leaves_the_visit_where_it_was(step):
    stays = step(a_visit(VisitState.MOVING))

    assert (stays.state, stays.slot_id, stays.wanted_slot_id) == ("confirmed", 1, None)
    assert stays.reason is None


def test_a_chosen_slot_is_the_visits_own():
    chosen = visits.choose(a_visit(VisitState.PROPOSED, note="Le jeudi ?"), slot_id=9)

    assert (chosen.slot_id, chosen.note) == (9, "")


@pytest.mark.parametrize(
    ("step", "state"),
    [
        (visits.switch, VisitState.REQUESTED),
        (visits.ask_move, VisitState.CONFIRMED),
        (visits.move_at_once, VisitState.CONFIRMED),
    ],
)
def test_a_visit_does_not_move_to_the_slot_it_is_on(step, state):
    with pytest.raises(SameSlot):
        step(a_visit(state), slot_id=1)


def test_a_move_that_is_asked_keeps_the_old_slot_until_the_answer():
    moving = visits.ask_move(a_visit(VisitState.CONFIRMED), slot_id=9)

    assert (moving.slot_id, moving.wanted_slot_id) == (1, 9)


def test_numbers_change_and_nothing_else():
    before = a_visit(VisitState.CONFIRMED)

    after = visits.change_numbers(before, party=a_party(students=20))

    assert after.party == a_party(students=20)
    assert (after.state, after.slot_id) == (before.state, before.slot_id)


def test_a_decline_keeps_reason_and_line():
    declined = visits.decline(
        a_visit(), reason=DeclineReason.OTHER, note="Inventaire ce jour-là."
    )

    assert (declined.reason, declined.note) == ("other", "Inventaire ce jour-là.")


@pytest.mark.parametrize("cancel", [visits.cancel_by_school, visits.cancel_by_host])
def test_a_cancellation_keeps_reason_line_and_whether_it_was_late(cancel):
    cancelled = cancel(
        a_visit(VisitState.MOVING),
        reason=CancelReason.WEATHER,
        note="Vents forts.",
        late=True,
    )

    assert (cancelled.reason, cancelled.note) == ("weather", "Vents forts.")
    assert cancelled.late is True


@pytest.mark.parametrize("note", ["", "   ", "\n"])
def test_another_reason_needs_a_line(note):
    confirmed = a_visit(VisitState.CONFIRMED)

    with pytest.raises(ReasonMissing):
        visits.decline(a_visit(), reason=DeclineReason.OTHER, note=note)
    with pytest.raises(ReasonMissing):
        visits.cancel_by_school(
            confirmed, reason=CancelReason.OTHER, note=note, late=False
        )
    with pytest.raises(ReasonMissing):
        visits.cancel_by_host(
            confirmed, reason=CancelReason.OTHER, note=note, late=False
        )


def test_a_cancelled_slot_declines_the_request_on_it():
    assert DO[Step.CANCEL_BY_HOST](a_visit()).state is VisitState.DECLINED


# ------------------------------------------------------------------ late or not


@pytest.mark.parametrize(
    ("now", "late"),
    [
        # Tuesday 12 January 2027 counts back 11, 8, 7, 6, 5, 4 January, 18 December.
        (at(date(2026, 12, 18), "23:59"), False),
        (at(date(2026, 12, 19), "00:00"), True),
        (at(date(2027, 1, 11)), True),
    ],
)
def test_late_is_after_the_seventh_open_day_before(now, late):
    starts_at = at(date(2027, 1, 12))

    found = visits.is_late(starts_at, now=now, calendar=CALENDAR, policy=POLICY)

    assert found is late


# ------------------------------------------------------------------ answers


def answer_times(asked_at: datetime, starts_at: datetime) -> visits.AnswerTimes:
    return visits.answer_times(
        asked_at=asked_at, starts_at=starts_at, calendar=CALENDAR, policy=POLICY
    )


def test_a_host_is_reminded_on_day_4_reported_on_day_7_and_given_up_on_day_10():
    times = answer_times(NOW, at(date(2027, 1, 12)))

    # Monday 23 November: Friday 27, Wednesday 2, Monday 7 December, at 18:00.
    assert times.remind_at == at(date(2026, 11, 27), "18:00")
    assert times.alert_at == at(date(2026, 12, 2), "18:00")
    assert times.due_at == at(date(2026, 12, 7), "18:00")


def test_days_of_holiday_do_not_count_for_an_answer():
    times = answer_times(at(date(2026, 12, 16)), at(date(2027, 2, 2)))

    # Wednesday 16 December: 17 and 18, then from Monday 4 January on.
    assert times.remind_at == at(date(2027, 1, 5), "18:00")
    assert times.alert_at == at(date(2027, 1, 8), "18:00")
    assert times.due_at == at(date(2027, 1, 13), "18:00")


def test_an_answer_is_due_two_open_days_before_the_visit_at_the_latest():
    times = answer_times(at(date(2027, 1, 4)), at(date(2027, 1, 12)))

    assert times.remind_at == at(date(2027, 1, 8), "18:00")
    assert times.alert_at == at(date(2027, 1, 8), "18:00")
    assert times.due_at == at(date(2027, 1, 8), "18:00")


def test_a_request_at_short_notice_leaves_two_hours_to_answer():
    asked_at = at(date(2027, 1, 11), "10:00")

    times = answer_times(asked_at, at(date(2027, 1, 12)))

    assert times.due_at == asked_at + timedelta(hours=2)


def test_an_answer_is_never_due_after_the_visit_has_begun():
    asked_at = at(date(2027, 1, 12), "08:15")

    times = answer_times(asked_at, at(date(2027, 1, 12), "09:00"))

    assert times.due_at == at(date(2027, 1, 12), "09:00")


DAYS = st.integers(0, 600).map(lambda days: date(2026, 9, 1) + timedelta(days=days))
CLOCKS = st.sampled_from(["00:00", "07:59", "12:00", "18:00", "23:59"])


@given(asked_on=DAYS, asked_at=CLOCKS, ahead=st.integers(0, 200), starts=CLOCKS)
def test_answer_times_are_in_order_and_before_the_visit(
    asked_on, asked_at, ahead, starts
):
    asked = at(asked_on, asked_at)
    begins = at(asked_on + timedelta(days=ahead), starts)
    if begins <= asked:
        begins = asked + timedelta(hours=1)

    times = answer_times(asked, begins)

    assert asked < times.remind_at <= times.alert_at <= times.due_at <= begins
    for moment in (times.remind_at, times.alert_at, times.due_at):
        in_a_hurry = moment <= asked + timedelta(hours=2)
        assert in_a_hurry or CALENDAR.is_open(local_day(moment))


# ------------------------------------------------------------------ reminders


def reminders(day: date) -> tuple[datetime, datetime]:
    return visits.reminder_times(at(day, "14:00"), calendar=CALENDAR, policy=POLICY)


def test_reminders_come_a_week_before_in_the_morning_and_on_the_eve_at_five():
    assert reminders(date(2027, 1, 14)) == (
        at(date(2027, 1, 7), "08:00"),
        at(date(2027, 1, 13), "17:00"),
    )


def test_reminders_of_a_monday_come_before_the_weekend():
    assert reminders(date(2027, 1, 18)) == (
        at(date(2027, 1, 11), "08:00"),
        at(date(2027, 1, 15), "17:00"),
    )


def test_reminders_in_holidays_come_before_them():
    assert reminders(date(2027, 3, 9)) == (
        at(date(2027, 2, 19), "08:00"),
        at(date(2027, 3, 8), "17:00"),
    )


@given(day=DAYS)
def test_no_reminder_is_due_at_night_or_on_a_closed_day(day):
    for moment in reminders(day):
        assert CALENDAR.is_open(local_day(moment))
        assert local(moment).hour in {8, 17}
