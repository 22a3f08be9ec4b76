"""Days when a school is open, and the deadlines counted with them (rules 5 and 14)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from scheduler.domain.refusals import CalendarUnknown, SchoolClosed
from scheduler.domain.schooldays import (
    Closure,
    Deadline,
    SchoolCalendar,
    covering,
    deadline,
)
from tests.builders import zone_b

CALENDAR = zone_b()
LONG_AGO = date(2026, 9, 1)
DAYS = st.integers(0, 600).map(lambda days: date(2026, 10, 1) + timedelta(days=days))


def due(visit_on: date, *, days: int, created_on: date = LONG_AGO) -> Deadline:
    return deadline(visit_on, days=days, created_on=created_on, calendar=CALENDAR)


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 10, 16), True),  # the Friday before the autumn holiday
        (date(2026, 10, 17), False),
        (date(2026, 11, 1), False),
        (date(2026, 11, 2), True),
        (date(2026, 11, 11), False),  # a public holiday in the middle of a week
        (date(2027, 1, 9), False),  # a Saturday
        (date(2027, 1, 10), False),
        (date(2027, 5, 7), False),  # the bridge after Ascension Day
    ],
)
def test_a_school_is_open_on_weekdays_outside_closures(day, is_open):
    assert CALENDAR.is_open(day) is is_open


def test_a_closed_day_is_refused_with_its_name():
    refusal = CALENDAR.refusal_on(date(2026, 10, 20))

    assert isinstance(refusal, SchoolClosed)
    assert refusal.facts == {
        "on": "2026-10-20",
        "kind": "holiday",
        "name": "Vacances de la Toussaint 2026",
    }


def test_a_day_that_nobody_has_entered_yet_is_refused_as_unknown():
    refusal = CALENDAR.refusal_on(date(2028, 9, 4))

    assert isinstance(refusal, CalendarUnknown)
    assert refusal.facts == {"on": "2028-09-04", "known_until": "2028-08-31"}


def test_the_last_known_day_is_known():
    calendar = SchoolCalendar(known_until=date(2027, 1, 12))

    assert calendar.refusal_on(date(2027, 1, 12)) is None


def test_a_calendar_without_an_end_is_known_for_ever():
    assert SchoolCalendar().refusal_on(date(2100, 1, 4)) is None


def test_case_14_a_deadline_in_holidays_is_moved_before_them():
    """Due 5 open days before 5 November: 4, 3, 2 November, 16, 15 October."""
    assert due(date(2026, 11, 5), days=5) == Deadline(date(2026, 10, 15))


def test_fourteen_days_are_calendar_days_and_thirteen_are_open_days():
    visit_on = date(2026, 12, 10)

    assert due(visit_on, days=14) == Deadline(date(2026, 11, 26))
    assert due(visit_on, days=13) == Deadline(date(2026, 11, 23))


def test_calendar_days_that_end_in_a_holiday_are_moved_earlier():
    assert due(date(2026, 11, 5), days=14) == Deadline(date(2026, 10, 16))


def test_a_deadline_before_the_visit_was_asked_for_means_at_once():
    created_on = date(2027, 1, 11)

    found = due(date(2027, 1, 13), days=5, created_on=created_on)

    assert found == Deadline(created_on, at_once=True)


def test_a_deadline_on_the_day_of_the_request_is_no_hurry():
    assert due(date(2027, 1, 18), days=5, created_on=date(2027, 1, 11)) == Deadline(
        date(2027, 1, 11)
    )


@given(day=DAYS, days=st.integers(1, 60))
def test_a_deadline_is_an_open_day_before_the_visit(day, days):
    found = due(day, days=days)

    assert found.on < day
    assert found.at_once or CALENDAR.is_open(found.on)


@given(day=DAYS, days=st.integers(1, 30))
def test_open_days_after_and_before_undo_each_other(day, days):
    later = CALENDAR.open_days_after(day, days)

    back = CALENDAR.open_days_before(later, days)

    assert back == CALENDAR.last_open(day)


def test_a_period_covers_both_its_ends():
    away = Closure(date(2027, 1, 11), date(2027, 1, 15), "absence", "PFMP")

    assert covering([away], date(2027, 1, 11)) is away
    assert covering([away], date(2027, 1, 15)) is away
    assert covering([away], date(2027, 1, 10)) is None
    assert covering([away], date(2027, 1, 16)) is None
