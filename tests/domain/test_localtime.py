"""Local days and times on both clock changes, and half-days (rule 6, promise P7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, strategies as st

from scheduler.domain.localtime import (
    HalfDay,
    day_bounds,
    half_day,
    instant,
    is_wednesday_afternoon,
    local,
    local_day,
    month_bounds,
    school_year,
    school_year_bounds,
)
from scheduler.domain.refusals import NoSuchTime
from tests.builders import at

SPRING = date(2027, 3, 28)
AUTUMN = date(2026, 10, 25)


@pytest.mark.parametrize(
    ("day", "clock", "utc"),
    [
        (date(2027, 1, 12), time(9, 0), datetime(2027, 1, 12, 8, 0, tzinfo=UTC)),
        (date(2027, 6, 1), time(9, 0), datetime(2027, 6, 1, 7, 0, tzinfo=UTC)),
        (SPRING, time(1, 59), datetime(2027, 3, 28, 0, 59, tzinfo=UTC)),
        (SPRING, time(3, 0), datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        # Of two equal times in autumn the first.
        (AUTUMN, time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (AUTUMN, time(3, 0), datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
    ],
)
def test_a_wall_clock_time_is_one_instant(day, clock, utc):
    assert instant(day, clock) == utc


@pytest.mark.parametrize("clock", [time(2, 0), time(2, 30), time(2, 59)])
def test_the_hour_skipped_in_march_does_not_exist(clock):
    with pytest.raises(NoSuchTime) as refusal:
        instant(SPRING, clock)

    assert refusal.value.facts == {
        "day": "2027-03-28",
        "time": clock.isoformat("minutes"),
    }


def test_the_day_is_that_of_paris_not_of_utc():
    assert local_day(datetime(2027, 1, 11, 23, 30, tzinfo=UTC)) == date(2027, 1, 12)
    assert local(datetime(2027, 6, 30, 22, 0, tzinfo=UTC)).hour == 0


@pytest.mark.parametrize(
    ("clock", "half"),
    [
        ("08:30", HalfDay.MORNING),
        ("12:44", HalfDay.MORNING),
        ("12:45", HalfDay.AFTERNOON),
        ("13:30", HalfDay.AFTERNOON),
    ],
)
@pytest.mark.parametrize("day", [date(2027, 1, 12), date(2027, 6, 1)])
def test_morning_and_afternoon_are_those_of_the_wall_clock(day, clock, half):
    assert half_day(at(day, clock)) is half


@pytest.mark.parametrize(
    ("day", "clock", "off"),
    [
        (date(2027, 1, 13), "14:00", True),
        (date(2027, 1, 13), "09:00", False),
        (date(2027, 1, 14), "14:00", False),
    ],
)
def test_wednesday_afternoon(day, clock, off):
    assert is_wednesday_afternoon(at(day, clock)) is off


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2026, 8, 31), 2025),
        (date(2026, 9, 1), 2026),
        (date(2027, 8, 31), 2026),
    ],
)
def test_a_school_year_begins_on_the_first_of_september(day, year):
    assert school_year(day) == year


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2027, 1, 12), 24), (SPRING, 23), (AUTUMN, 25)]
)
def test_a_local_day_has_23_24_or_25_hours(day, hours):
    start, end = day_bounds(day)

    assert end - start == timedelta(hours=hours)


def test_a_month_ends_where_the_next_begins():
    assert month_bounds(date(2026, 12, 31)) == (
        at(date(2026, 12, 1), "00:00"),
        at(date(2027, 1, 1), "00:00"),
    )


def test_a_school_year_ends_where_the_next_begins():
    assert school_year_bounds(date(2027, 1, 12)) == (
        at(date(2026, 9, 1), "00:00"),
        at(date(2027, 9, 1), "00:00"),
    )


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)).map(  # noqa: DTZ001 - given its zone below
        lambda naive: naive.replace(tzinfo=UTC)
    )
)
def test_every_instant_lies_in_its_own_day_month_and_year(moment):
    day = local_day(moment)

    for start, end in (day_bounds(day), month_bounds(day), school_year_bounds(day)):
        assert start <= moment < end
