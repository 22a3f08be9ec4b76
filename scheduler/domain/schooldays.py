"""When a school is open, and the deadlines counted with it (DOMAIN rules 5 and 14)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.domain.refusals import CalendarUnknown, Refusal, SchoolClosed

SATURDAY = 5
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Closure:
    """Days without school, both ends included. ``kind``: holiday, bridge or other."""

    first_on: date
    last_on: date
    kind: str
    name: str = ""

    def covers(self, day: date) -> bool:
        return self.first_on <= day <= self.last_on


@dataclass(frozen=True)
class SchoolCalendar:
    """What is known of a school's year. After ``known_until`` nothing is."""

    closures: tuple[Closure, ...] = ()
    known_until: date | None = None

    def closure_on(self, day: date) -> Closure | None:
        """The closure that covers the day, if any."""
        return next((each for each in self.closures if each.covers(day)), None)

    def is_open(self, day: date) -> bool:
        """Monday to Friday, outside closures. Unknown days count as open."""
        return day.weekday() < SATURDAY and self.closure_on(day) is None

    def refusal_on(self, day: date) -> Refusal | None:
        """Why no class can leave that day, or ``None``."""
        closure = self.closure_on(day)
        if closure is not None:
            return SchoolClosed(
                on=day.isoformat(), kind=closure.kind, name=closure.name
            )
        if self.known_until is not None and day > self.known_until:
            return CalendarUnknown(
                on=day.isoformat(), known_until=self.known_until.isoformat()
            )
        return None

    def open_days_before(self, day: date, days: int) -> date:
        """The day that lies ``days`` open days before ``day``."""
        for _ in range(days):
            day = self.last_open(day - ONE_DAY)
        return day

    def open_days_after(self, day: date, days: int) -> date:
        """The day that lies ``days`` open days after ``day``."""
        for _ in range(days):
            day += ONE_DAY
            while not self.is_open(day):
                day += ONE_DAY
        return day

    def last_open(self, day: date) -> date:
        """``day``, or the open day before it (rule 14: always earlier)."""
        while not self.is_open(day):
            day -= ONE_DAY
        return day


@dataclass(frozen=True)
class Deadline:
    """``at_once``: the counted day lies before the visit was even created."""

    on: date
    at_once: bool = False


def deadline(
    visit_on: date,
    *,
    days: int,
    created_on: date,
    calendar: SchoolCalendar,
    calendar_days_from: int = 14,
) -> Deadline:
    """The last day for something due ``days`` before a visit.

    14 days and more are calendar days, fewer are days when the school is open; a
    closed day moves it earlier, never before the visit was created (DOMAIN 2.1,
    rules 5 and 14).
    """
    if days >= calendar_days_from:
        on = calendar.last_open(visit_on - timedelta(days=days))
    else:
        on = calendar.open_days_before(visit_on, days)
    if on < created_on:
        return Deadline(created_on, at_once=True)
    return Deadline(on)


def covering(periods: Iterable[Closure], day: date) -> Closure | None:
    """The first of the periods that covers the day."""
    return next((each for each in periods if each.covers(day)), None)
