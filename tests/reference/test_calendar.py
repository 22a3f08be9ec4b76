"""The school calendar against the official table of zone B, line by line."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations

import pytest

from tests.reference.tables import Row, codes, days, rows

# First day without school, morning of the return. 2026-27 is agreed by three
# publications, 2027-28 by one.
OFFICIAL = [
    ("2026-10-17", "2026-11-02"),
    ("2026-12-19", "2027-01-04"),
    ("2027-02-20", "2027-03-08"),
    ("2027-04-17", "2027-05-03"),
    ("2027-05-06", "2027-05-10"),
    ("2027-07-03", "2027-09-01"),
    ("2027-10-23", "2027-11-08"),
    ("2027-12-18", "2028-01-03"),
    ("2028-02-05", "2028-02-21"),
    ("2028-04-08", "2028-04-24"),
    ("2028-05-25", "2028-05-29"),
]
HOLIDAYS_ON_SCHOOL_DAYS = {
    "2026-27": ["2026-11-11", "2027-03-29", "2027-05-17"],
    "2027-28": ["2027-11-11", "2028-05-01", "2028-05-08", "2028-06-05"],
}


@pytest.fixture(scope="module")
def zone_b() -> list[Row]:
    return [r for r in rows("school_calendar.csv") if r["calendar"] == "ZONE_B"]


@pytest.fixture(scope="module")
def public_holidays() -> set[date]:
    lines = [r for r in rows("school_calendar.csv") if r["calendar"] == "FRANCE"]
    return set().union(*map(days, lines))


def test_zone_b_is_the_official_table(zone_b: list[Row]) -> None:
    table = [
        (row["starts_on"], date.fromisoformat(row["ends_on"]).toordinal() + 1)
        for row in zone_b
    ]

    for first, back in OFFICIAL:
        assert (first, date.fromisoformat(back).toordinal()) in table


def test_a_mid_week_end_of_year_is_still_a_day_of_class(zone_b: list[Row]) -> None:
    closed = set().union(*map(days, zone_b))

    assert date(2028, 7, 4) not in closed
    assert date(2028, 7, 5) in closed


def test_school_starts_on_the_first_of_september(zone_b: list[Row]) -> None:
    closed = set().union(*map(days, zone_b))

    for start in (date(2026, 9, 1), date(2027, 9, 1)):
        assert start not in closed
        assert date(start.year, 8, 31) in closed


def test_holidays_and_bridges_do_not_overlap(zone_b: list[Row]) -> None:
    for one, other in combinations(zone_b, 2):
        assert days(one).isdisjoint(days(other)), (one["name_en"], other["name_en"])


def test_lines_are_in_order_and_end_after_they_start() -> None:
    for row in rows("school_calendar.csv"):
        assert row["starts_on"] <= row["ends_on"]
    for calendar in codes("calendars.csv"):
        starts = [
            row["starts_on"]
            for row in rows("school_calendar.csv")
            if row["calendar"] == calendar
        ]
        assert starts == sorted(starts)


@pytest.mark.parametrize(("year", "expected"), HOLIDAYS_ON_SCHOOL_DAYS.items())
def test_public_holidays_that_cost_a_school_day(
    year: str, expected: list[str], zone_b: list[Row], public_holidays: set[date]
) -> None:
    first = int(year[:4])
    closed = set().union(*map(days, zone_b))

    lost = sorted(
        day.isoformat()
        for day in public_holidays - closed
        if date(first, 9, 1) <= day < date(first + 1, 9, 1) and day.weekday() < 5
    )

    assert lost == expected


def test_2026_27_has_about_174_school_days(
    zone_b: list[Row], public_holidays: set[date]
) -> None:
    closed = set().union(*map(days, zone_b)) | public_holidays
    first = date(2026, 9, 1)
    year = (first + timedelta(days=n) for n in range(365))

    school = [day for day in year if day.weekday() < 5 and day not in closed]

    assert 172 <= len(school) <= 176


def test_eleven_public_holidays_a_year(public_holidays: set[date]) -> None:
    for year in (2026, 2027, 2028):
        assert len([d for d in public_holidays if d.year == year]) == 11


def test_lines_name_known_calendars_and_kinds() -> None:
    lines = rows("school_calendar.csv")

    assert {row["calendar"] for row in lines} <= codes("calendars.csv")
    assert {row["kind"] for row in lines} == {"holiday", "bridge", "public_holiday"}


def test_no_line_lies_outside_what_is_known() -> None:
    known = {row["code"]: row for row in rows("calendars.csv")}

    for row in rows("school_calendar.csv"):
        calendar = known[row["calendar"]]
        assert calendar["known_from"] <= row["starts_on"]
        assert row["ends_on"] <= calendar["known_until"]


def test_nothing_is_known_of_a_school_with_its_own_calendar() -> None:
    own = next(row for row in rows("calendars.csv") if row["code"] == "OWN")

    assert (own["known_from"], own["known_until"]) == ("", "")


def test_every_line_says_where_it_comes_from_and_since_when() -> None:
    for row in rows("school_calendar.csv"):
        assert row["source"]
        assert date.fromisoformat(row["entered_on"])
