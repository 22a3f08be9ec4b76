"""A weekly rule, as a host says it: "every second Tuesday and Thursday until June".

Only what a company means by that is understood. RFC 5545 §3.3.10 allows rules that
describe a million dates or none; they are refused by name, before any date is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from dateutil.rrule import WEEKLY, rrule, weekday

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_DATES = 400
LONGEST_INTERVAL = 52
LONGEST_WINDOW = timedelta(days=3 * 366)

# dateutil looks a year ahead and stumbles over the end of the calendar.
EARLIEST, LATEST = date(1900, 1, 1), date(9000, 12, 31)

_PARTS = frozenset({"FREQ", "BYDAY", "INTERVAL", "UNTIL", "COUNT", "WKST"})
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")
_UNTIL = re.compile(r"([0-9]{8})(T[0-9]{6}Z?)?")
_RULE_LIMIT = 200


class BadRule(ValueError):
    """The rule cannot be used. ``code`` is stable; words belong to templates."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def weekly_rule(
    weekdays: Iterable[int], *, until: date | None = None, interval: int = 1
) -> str:
    """The rule in RFC 5545's words; Monday is 0."""
    chosen = sorted(set(weekdays))
    if not chosen or not set(chosen) <= set(range(len(WEEKDAYS))):
        raise BadRule("rule_without_weekday")
    if not 1 <= interval <= LONGEST_INTERVAL:
        raise BadRule("rule_interval")
    rule = "FREQ=WEEKLY"
    if interval > 1:
        rule += f";INTERVAL={interval}"
    rule += ";BYDAY=" + ",".join(WEEKDAYS[day] for day in chosen)
    return rule if until is None else f"{rule};UNTIL={until:%Y%m%d}"


def weekly_dates(rule_text: str, first_on: date, last_on: date) -> list[date]:
    """The days that the rule names from ``first_on`` to ``last_on``, both included.

    Weeks are counted from the week of ``first_on``. Days only: which hour that is in
    Paris is the slot's business, so no clock change can move a date.
    """
    if last_on < first_on:
        raise BadRule("rule_ends_before_it_starts")
    if last_on - first_on > LONGEST_WINDOW:
        raise BadRule("rule_window_too_long")
    if not EARLIEST <= first_on <= last_on <= LATEST:
        raise BadRule("rule_out_of_range")
    parts = _parts(rule_text)
    until = min(last_on, _until(parts) or last_on)
    days = rrule(
        WEEKLY,
        dtstart=datetime.combine(first_on, time()),
        interval=_number(parts, "INTERVAL") or 1,
        byweekday=_weekdays(parts) or (weekday(first_on.weekday()),),
        wkst=_week_start(parts),
        count=_number(parts, "COUNT"),
    )
    return _bounded(days, until)


def _bounded(days: Iterable[datetime], until: date) -> list[date]:
    dates: list[date] = []
    for at in days:
        if at.date() > until:
            break
        if len(dates) == MOST_DATES:
            raise BadRule("rule_too_many_dates")
        dates.append(at.date())
    return dates


def _parts(rule_text: str) -> dict[str, str]:
    if len(rule_text) > _RULE_LIMIT:
        raise BadRule("rule_not_understood")
    text = rule_text.strip().upper().removeprefix("RRULE:")
    parts: dict[str, str] = {}
    for piece in text.split(";"):
        name, equals, value = piece.partition("=")
        if not equals or not value or name in parts:
            raise BadRule("rule_not_understood")
        parts[name] = value
    if parts.get("FREQ") != "WEEKLY" or not parts.keys() <= _PARTS:
        raise BadRule("rule_not_weekly")
    return parts


def _weekdays(parts: dict[str, str]) -> tuple[weekday, ...]:
    names = parts["BYDAY"].split(",") if "BYDAY" in parts else []
    if not all(name in WEEKDAYS for name in names):
        raise BadRule("rule_without_weekday")
    return tuple(weekday(WEEKDAYS.index(name)) for name in names)


def _week_start(parts: dict[str, str]) -> int:
    name = parts.get("WKST", "MO")
    if name not in WEEKDAYS:
        raise BadRule("rule_not_understood")
    return WEEKDAYS.index(name)


def _number(parts: dict[str, str], name: str) -> int | None:
    if name not in parts:
        return None
    if not _NUMBER.fullmatch(parts[name]):
        raise BadRule("rule_not_understood")
    return int(parts[name])


def _until(parts: dict[str, str]) -> date | None:
    if "UNTIL" not in parts:
        return None
    match = _UNTIL.fullmatch(parts["UNTIL"])
    if match is None:
        raise BadRule("rule_not_understood")
    try:
        return datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007
    except ValueError as wrong:
        raise BadRule("rule_not_understood") from wrong
