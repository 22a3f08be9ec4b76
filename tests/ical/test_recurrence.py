"""Weekly rules: what is understood, and what is refused by name."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from scheduler.ical.recurrence import BadRule, weekly_dates, weekly_rule

WEDNESDAY = date(2027, 1, 6)
MARCH = date(2027, 3, 31)


def days(*numbers: int) -> list[date]:
    return [date(2027, 1, number) for number in numbers]


def test_a_rule_is_written_as_the_standard_has_it():
    assert weekly_rule([3, 1, 1]) == "FREQ=WEEKLY;BYDAY=TU,TH"
    assert weekly_rule([0], until=MARCH) == "FREQ=WEEKLY;BYDAY=MO;UNTIL=20270331"
    assert weekly_rule([6], interval=2) == "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU"


def test_the_days_of_a_rule_from_the_first_to_the_last():
    found = weekly_dates("FREQ=WEEKLY;BYDAY=TU,TH", WEDNESDAY, date(2027, 1, 19))

    assert found == days(7, 12, 14, 19)


def test_every_second_week_counts_from_the_week_of_the_first_day():
    rule = weekly_rule([1, 3], interval=2)

    assert weekly_dates(rule, WEDNESDAY, date(2027, 1, 31)) == days(7, 19, 21)


def test_until_and_count_end_a_rule():
    until = "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20270118T235959Z"

    assert weekly_dates(until, WEDNESDAY, MARCH) == days(11, 18)
    assert weekly_dates("freq=weekly;byday=mo;count=1", WEDNESDAY, MARCH) == days(11)


def test_without_a_weekday_it_is_the_first_days():
    assert weekly_dates("FREQ=WEEKLY;WKST=SU;COUNT=2", WEDNESDAY, MARCH) == days(6, 13)


def test_a_rule_that_never_falls_into_the_window_has_no_days():
    assert weekly_dates("FREQ=WEEKLY;BYDAY=MO", WEDNESDAY, WEDNESDAY) == []


@pytest.mark.parametrize("weekdays", [[], [7], [-1]])
def test_a_rule_needs_weekdays(weekdays):
    with pytest.raises(BadRule) as refused:
        weekly_rule(weekdays)

    assert refused.value.code == "rule_without_weekday"


@pytest.mark.parametrize("interval", [0, 53])
def test_an_interval_is_a_number_of_weeks_in_a_year(interval):
    with pytest.raises(BadRule) as refused:
        weekly_rule([1], interval=interval)

    assert refused.value.code == "rule_interval"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("", "rule_not_understood"),
        ("FREQ", "rule_not_understood"),
        ("FREQ=", "rule_not_understood"),
        ("FREQ=WEEKLY;FREQ=WEEKLY", "rule_not_understood"),
        ("FREQ=WEEKLY;" * 1000, "rule_not_understood"),
        ("FREQ=DAILY", "rule_not_weekly"),
        ("FREQ=SECONDLY;COUNT=99", "rule_not_weekly"),
        ("FREQ=WEEKLY;BYHOUR=1,2,3", "rule_not_weekly"),
        ("FREQ=WEEKLY;BYDAY=1MO", "rule_without_weekday"),
        ("FREQ=WEEKLY;BYDAY=XX", "rule_without_weekday"),
        ("FREQ=WEEKLY;WKST=XX", "rule_not_understood"),
        ("FREQ=WEEKLY;COUNT=0", "rule_not_understood"),
        ("FREQ=WEEKLY;COUNT=-1", "rule_not_understood"),
        ("FREQ=WEEKLY;INTERVAL=99999", "rule_not_understood"),
        ("FREQ=WEEKLY;INTERVAL=\u0663", "rule_not_understood"),
        ("FREQ=WEEKLY;UNTIL=tomorrow", "rule_not_understood"),
        ("FREQ=WEEKLY;UNTIL=20271399", "rule_not_understood"),
    ],
)
def test_other_rules_are_refused_by_name(rule, code):
    with pytest.raises(BadRule) as refused:
        weekly_dates(rule, WEDNESDAY, MARCH)

    assert refused.value.code == code


def test_the_window_is_bounded():
    with pytest.raises(BadRule, match="rule_ends_before_it_starts"):
        weekly_dates("FREQ=WEEKLY", WEDNESDAY, WEDNESDAY - timedelta(days=1))
    with pytest.raises(BadRule, match="rule_window_too_long"):
        weekly_dates("FREQ=WEEKLY", date(1900, 1, 1), date(9999, 12, 31))
    with pytest.raises(BadRule, match="rule_too_many_dates"):
        weekly_dates(weekly_rule(range(7)), WEDNESDAY, date(2029, 1, 1))


@pytest.mark.parametrize("on", [date(1, 1, 1), date(9999, 12, 31)])
def test_days_at_the_ends_of_the_calendar_are_refused(on):
    with pytest.raises(BadRule, match="rule_out_of_range"):
        weekly_dates("FREQ=WEEKLY", on, on)
