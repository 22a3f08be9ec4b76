"""Which days of a weekly rule become slots, and why others do not."""

from __future__ import annotations

from datetime import date, time, timedelta

from scheduler.domain.localtime import instant
from scheduler.domain.schooldays import Closure, SchoolCalendar
from scheduler.domain.weekly import (
    MOST_SLOTS_AT_ONCE,
    LeftOut,
    WeeklyPlan,
    WeeklyRule,
    weekly_plan,
)

FIRST = date(2027, 1, 12)
WEEK = timedelta(days=7)
NOW = instant(date(2027, 1, 1), time(9))


def a_plan(*dates: date, starts: time = time(9), **given) -> WeeklyPlan:
    rule = WeeklyRule(
        rrule="FREQ=WEEKLY", first_on=FIRST, last_on=FIRST, starts=starts, ends=time(11)
    )
    known = {"calendar": SchoolCalendar(), "closed": (), "taken": (), "now": NOW}
    return weekly_plan(rule, dates, **(known | given))


def test_every_date_is_a_day_where_nothing_stands_in_the_way():
    assert a_plan(FIRST, FIRST + WEEK) == WeeklyPlan((FIRST, FIRST + WEEK), ())


def test_a_day_that_is_left_out_says_why():
    holiday, closed, busy = (FIRST + each * WEEK for each in range(1, 4))
    calendar = SchoolCalendar(
        closures=(Closure(holiday, holiday, "holiday", "Hiver"),),
        known_until=date(2027, 8, 31),
    )

    plan = a_plan(
        FIRST - 2 * WEEK,
        holiday,
        closed,
        busy,
        calendar=calendar,
        closed=(Closure(closed, closed, "host", "Inventaire"),),
        taken=((instant(busy, time(10)), instant(busy, time(12))),),
    )

    assert plan.days == ()
    assert plan.left_out == (
        LeftOut(FIRST - 2 * WEEK, "too_late"),
        LeftOut(holiday, "school_closed", "Hiver"),
        LeftOut(closed, "host_closed", "Inventaire"),
        LeftOut(busy, "slots_overlap"),
    )


def test_an_hour_that_does_not_exist_is_left_out():
    """The clocks go forward on the last Sunday of March."""
    sunday = date(2027, 3, 28)

    plan = a_plan(sunday, starts=time(2, 30))

    assert plan.left_out == (LeftOut(sunday, "no_such_time"),)


def test_no_more_than_so_many_at_once():
    dates = [FIRST + number * WEEK for number in range(MOST_SLOTS_AT_ONCE + 2)]

    plan = a_plan(*dates)

    assert plan.days == tuple(dates[:MOST_SLOTS_AT_ONCE])
    assert plan.left_out == tuple(LeftOut(each, "too_many") for each in dates[-2:])
