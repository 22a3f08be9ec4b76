"""Found slots as a month and as a week: what ``_parts/calendar.html`` draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scheduler import wording
from scheduler.domain.localtime import local_day
from scheduler.domain.schooldays import Closure, covering

ONE_WEEK = timedelta(days=7)
ONE_DAY = timedelta(days=1)
LATEST_YEAR, EARLIEST_YEAR = 2100, 2020


@dataclass(frozen=True, kw_only=True)
class Item:
    """A slot on a day."""

    starts_at: datetime
    time: str
    title: str
    url: str
    note: str | None
    tone: str


@dataclass(frozen=True, kw_only=True)
class Day:
    number: int
    label: str
    iso: str
    in_month: bool
    is_today: bool
    closed: str | None
    items: Sequence[Item]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A month, or a week: then ``weeks`` holds one."""

    title: str
    previous: tuple[str, str]
    next: tuple[str, str]
    today_url: str | None
    weekdays: Sequence[tuple[str, str]]
    weeks: Sequence[Sequence[Day]]


def first_of(day: date) -> date:
    """The month's first day."""
    return day.replace(day=1)


def next_month(first: date) -> date:
    """The first day of the month after."""
    return first_of(first + timedelta(days=32))


def previous_month(first: date) -> date:
    """The first day of the month before."""
    return first_of(first - ONE_DAY)


def monday_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def asked_day(text: str | None, *, default: date) -> date:
    """The day in an address, if it is one of our time."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return default
    return day if EARLIEST_YEAR <= day.year < LATEST_YEAR else default


def weeks_of(
    first: date,
    last: date,
    items: Iterable[Item],
    *,
    month: date | None,
    today: date,
    closures: tuple[Closure, ...],
    locale: str,
) -> list[list[Day]]:
    """Whole weeks from the first to the last day."""
    on: dict[date, list[Item]] = {}
    for item in items:
        on.setdefault(local_day(item.starts_at), []).append(item)
    days = []
    day = monday_of(first)
    while day <= monday_of(last) + timedelta(days=6):
        closure = covering(closures, day)
        days.append(
            Day(
                number=day.day,
                label=wording.day_and_month(day, locale),
                iso=day.isoformat(),
                in_month=month is None or day.month == month.month,
                is_today=day == today,
                closed=closure.name if closure else None,
                items=on.get(day, []),
            )
        )
        day += ONE_DAY
    return [days[start : start + 7] for start in range(0, len(days), 7)]
