"""Local days and times of the campus. Instants are aware UTC; people live in Paris.

DOMAIN rule 6 gives the half-days; promise P7 the two nights of the clock change.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduler.domain.refusals import NoSuchTime

PARIS = ZoneInfo("Europe/Paris")
NOON = time(12, 45)
WEDNESDAY = 2
SCHOOL_YEAR_STARTS = 9


class HalfDay(StrEnum):
    MORNING = "morning"
    AFTERNOON = "afternoon"


def local(instant: datetime) -> datetime:
    """The same instant on a clock in Paris."""
    return instant.astimezone(PARIS)


def local_day(instant: datetime) -> date:
    """The day that people in Paris write at that instant."""
    return local(instant).date()


def instant(day: date, at: time) -> datetime:
    """The UTC instant of a wall-clock time; of two equal ones the first.

    Raises ``NoSuchTime`` for the hour that the clocks jump over in March.
    """
    wall = datetime.combine(day, at, tzinfo=PARIS)
    utc = wall.astimezone(UTC)
    if utc.astimezone(PARIS).replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise NoSuchTime(day=day.isoformat(), time=at.isoformat("minutes"))
    return utc


def half_day(starts_at: datetime) -> HalfDay:
    """Morning or afternoon, by the local time of the start."""
    early = local(starts_at).time() < NOON
    return HalfDay.MORNING if early else HalfDay.AFTERNOON


def is_wednesday_afternoon(starts_at: datetime) -> bool:
    """Wednesday from midday on, when collèges have no lessons."""
    wednesday = local(starts_at).weekday() == WEDNESDAY
    return wednesday and half_day(starts_at) is HalfDay.AFTERNOON


def school_year(day: date) -> int:
    """The year in which the school year of ``day`` began (1 September)."""
    return day.year if day.month >= SCHOOL_YEAR_STARTS else day.year - 1


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """First instant of the local day and of the next one (end excluded)."""
    return instant(day, time()), instant(day + timedelta(days=1), time())


def month_bounds(day: date) -> tuple[datetime, datetime]:
    """First instant of the local calendar month of ``day`` and of the next one."""
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return instant(first, time()), instant(following, time())


def school_year_bounds(day: date) -> tuple[datetime, datetime]:
    """First instant of the school year of ``day`` and of the next one."""
    year = school_year(day)
    return (
        instant(date(year, SCHOOL_YEAR_STARTS, 1), time()),
        instant(date(year + 1, SCHOOL_YEAR_STARTS, 1), time()),
    )
