"""A weekly rule of a host: which of its days become slots, and why others do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from scheduler.domain.localtime import instant
from scheduler.domain.refusals import NoSuchTime
from scheduler.domain.schooldays import Closure, SchoolCalendar, covering

MOST_SLOTS_AT_ONCE = 120


@dataclass(frozen=True)
class LeftOut:
    """A day that the weekly rule skipped, and the code of why."""

    day: date
    code: str
    name: str = ""


@dataclass(frozen=True)
class WeeklyPlan:
    """What a weekly rule gives: the days taken and the days left out."""

    days: tuple[date, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, kw_only=True)
class WeeklyRule:
    """``rrule``: RFC 5545 text such as ``FREQ=WEEKLY;BYDAY=TU,TH``."""

    rrule: str
    first_on: date
    last_on: date
    starts: time
    ends: time
    place: str = ""


def weekly_plan(
    rule: WeeklyRule,
    dates: Iterable[date],
    *,
    calendar: SchoolCalendar,
    closed: Sequence[Closure],
    taken: Sequence[tuple[datetime, datetime]],
    now: datetime,
) -> WeeklyPlan:
    """The dates of the rule without holidays, closed days, past and taken times."""
    days, left_out = [], []
    for day in dates:
        why = _left_out(
            rule, day, calendar=calendar, closed=closed, taken=taken, now=now
        )
        if why is None:
            days.append(day)
        else:
            left_out.append(why)
    too_many = [LeftOut(day, "too_many") for day in days[MOST_SLOTS_AT_ONCE:]]
    return WeeklyPlan(tuple(days[:MOST_SLOTS_AT_ONCE]), tuple(left_out + too_many))


def _left_out(
    rule: WeeklyRule,
    day: date,
    *,
    calendar: SchoolCalendar,
    closed: Sequence[Closure],
    taken: Sequence[tuple[datetime, datetime]],
    now: datetime,
) -> LeftOut | None:
    for code, closure in (
        ("school_closed", calendar.closure_on(day)),
        ("host_closed", covering(closed, day)),
    ):
        if closure is not None:
            return LeftOut(day, code, closure.name)
    try:
        starts_at, ends_at = instant(day, rule.starts), instant(day, rule.ends)
    except NoSuchTime as refusal:
        return LeftOut(day, refusal.code)
    if starts_at <= now:
        return LeftOut(day, "too_late")
    if any(starts_at < end and start < ends_at for start, end in taken):
        return LeftOut(day, "slots_overlap")
    return None
