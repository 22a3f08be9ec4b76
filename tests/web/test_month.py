"""The sheet of a month or a week: its days, what is on them, where it leads."""

from __future__ import annotations

from datetime import date

import pytest

from scheduler.web.month import (
    Content,
    Event,
    asked_day,
    month_sheet,
    month_shown,
    week_sheet,
)

TODAY = date(2027, 1, 12)
ELSEWHERE = date(2027, 3, 3)


def content(*events):
    return Content(
        events=events,
        closed=lambda day: "New Year" if day == date(2027, 1, 1) else None,
        url=lambda day: day.isoformat(),
        today=TODAY,
        locale="en",
    )


def event(on):
    return Event(on=on, time="9:00", title="A class", url="/", tone="visit")


def test_a_month_is_shown_in_whole_weeks():
    weeks = month_sheet(TODAY, content()).weeks

    assert [len(week) for week in weeks] == [7] * 5
    assert weeks[0][0].iso == "2026-12-28"
    assert weeks[-1][-1].iso == "2027-01-31"
    assert sum(day.in_month for week in weeks for day in week) == 31


def test_the_days_shown_are_known_before_they_are_filled():
    assert month_shown(TODAY) == (date(2026, 12, 28), date(2027, 2, 1))
    assert month_shown(date(2027, 2, 9)) == (date(2027, 2, 1), date(2027, 3, 1))


def test_a_day_holds_its_events_and_says_why_it_is_closed():
    visit = event(TODAY)

    days = {
        day.iso: day
        for week in month_sheet(TODAY, content(visit)).weeks
        for day in week
    }

    assert days["2027-01-12"].events == [visit]
    assert days["2027-01-12"].is_today
    assert days["2027-01-13"].events == []
    assert days["2027-01-01"].closed == "New Year"


def test_a_month_leads_to_its_neighbours():
    sheet = month_sheet(TODAY, content())

    assert sheet.previous == ("December 2026", "2026-12-01")
    assert sheet.next == ("February 2027", "2027-02-01")


def test_a_week_leads_to_its_neighbours():
    sheet = week_sheet(TODAY, content())

    assert [[day.iso for day in week][::6] for week in sheet.weeks] == [
        ["2027-01-11", "2027-01-17"]
    ]
    assert (sheet.previous[1], sheet.next[1]) == ("2027-01-04", "2027-01-18")


@pytest.mark.parametrize("draw", [month_sheet, week_sheet])
def test_the_way_back_to_today_is_shown_elsewhere_only(draw):
    assert draw(TODAY, content()).today_url is None
    assert draw(ELSEWHERE, content()).today_url == "2027-01-12"


@pytest.mark.parametrize(
    "typed", ["", "soon", "2027-02-30", "1999-01-01", "2100-01-01"]
)
def test_an_address_without_a_day_of_our_time_gets_the_default(typed):
    assert asked_day(typed, default=TODAY) == TODAY
