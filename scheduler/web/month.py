"""A month or a week as a sheet of whole weeks, Monday to Sunday.

Nothing here asks a database or a clock: a room gives what goes into a day, and
``templates/_parts/calendar.html`` draws the sheet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler import wording

ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(days=7)
DAYS_A_WEEK = 7
EARLIEST_YEAR, LATEST_YEAR = 2020, 2099


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something on a day; ``tone`` colours what the words already say."""

    on: date
    time: str
    title: str
    url: str
    tone: str
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Day:
    """``closed``: why nothing can be on that day, in words."""

    number: int
    label: str
    iso: str
    in_month: bool
    is_today: bool
    closed: str | None
    events: Sequence[Event]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """``previous`` and ``next``: the name of another sheet and its address."""

    title: str
    previous: tuple[str, str]
    next: tuple[str, str]
    today_url: str | None
    weekdays: Sequence[tuple[str, str]]
    weeks: Sequence[Sequence[Day]]


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a room gives: its events, its closed days, the address of another sheet."""

    events: Iterable[Event]
    closed: Callable[[date], str | None]
    url: Callable[[date], str]
    today: date
    locale: str


def month_sheet(day: date, content: Content) -> Sheet:
    """The month of that day, in whole weeks."""
    first, following = first_of(day), next_month(day)
    before = previous_month(day)
    locale = content.locale
    return Sheet(
        title=wording.month(first, locale),
        previous=(wording.month(before, locale), content.url(before)),
        next=(wording.month(following, locale), content.url(following)),
        today_url=_today_url(content, first, following),
        weekdays=wording.weekdays(locale),
        weeks=_weeks(first, following, content, month=first.month),
    )


def week_sheet(day: date, content: Content) -> Sheet:
    """The week of that day."""
    first = monday_of(day)
    before, following = first - ONE_WEEK, first + ONE_WEEK
    locale = content.locale
    return Sheet(
        title=_span_of_week(first, locale),
        previous=(_span_of_week(before, locale), content.url(before)),
        next=(_span_of_week(following, locale), content.url(following)),
        today_url=_today_url(content, first, following),
        weekdays=wording.weekdays(locale),
        weeks=_weeks(first, following, content, month=None),
    )


def month_shown(day: date) -> tuple[date, date]:
    """First day on the month's sheet, and the first one after it."""
    last_week = monday_of(next_month(day) - ONE_DAY)
    return monday_of(first_of(day)), last_week + ONE_WEEK


def first_of(day: date) -> date:
    """The first day of the month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """The first day of the month after."""
    return first_of(first_of(day) + timedelta(days=32))


def previous_month(day: date) -> date:
    """The first day of the month before."""
    return first_of(first_of(day) - ONE_DAY)


def monday_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def asked_day(text: str, *, default: date) -> date:
    """The day in an address, or the default if it is none of our time."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return default
    return day if EARLIEST_YEAR <= day.year <= LATEST_YEAR else default


def _weeks(
    first: date, until: date, content: Content, *, month: int | None
) -> list[list[Day]]:
    """Whole weeks from the first day on; days of another month are marked."""
    on: defaultdict[date, list[Event]] = defaultdict(list)
    for event in content.events:
        on[event.on].append(event)

    def day(at: date) -> Day:
        return Day(
            number=at.day,
            label=wording.day_and_month(at, content.locale),
            iso=at.isoformat(),
            in_month=month is None or at.month == month,
            is_today=at == content.today,
            closed=content.closed(at),
            events=on[at],
        )

    mondays = range(monday_of(first).toordinal(), until.toordinal(), DAYS_A_WEEK)
    return [
        [day(date.fromordinal(monday + later)) for later in range(DAYS_A_WEEK)]
        for monday in mondays
    ]


def _today_url(content: Content, first: date, until: date) -> str | None:
    """The way back to today, where today is not shown."""
    return None if first <= content.today < until else content.url(content.today)


def _span_of_week(monday: date, locale: str) -> str:
    sunday = monday + ONE_WEEK - ONE_DAY
    return f"{wording.short_day(monday, locale)} – {wording.short_day(sunday, locale)}"
