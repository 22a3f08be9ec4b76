"""One month of an offer's slots, as ``_parts/calendar.html`` draws it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext, ngettext

from scheduler import wording
from scheduler.domain.localtime import local_day
from scheduler.persistence.queries.host_pages import Closed, ClosedDays, SlotLine

ONE_DAY = timedelta(days=1)
DAYS_A_WEEK = 7
TONES = {
    "open": "open",
    "full": "full",
    "closed": "off",
    "cancelled": "off",
    "past": "off",
}


@dataclass(frozen=True, kw_only=True)
class Item:
    time: str
    title: str
    url: str
    note: str | None
    tone: str


@dataclass(frozen=True, kw_only=True)
class DayCell:
    number: int
    label: str
    iso: str
    in_month: bool
    is_today: bool
    closed: str | None
    items: list[Item]

    def __getitem__(self, name: str) -> object:
        """The calendar's macro says ``day["items"]``."""
        return getattr(self, name)


@dataclass(frozen=True, kw_only=True)
class Month:
    title: str
    previous: tuple[str, str]
    next: tuple[str, str]
    today_url: str | None
    weekdays: list[tuple[str, str]]
    weeks: list[list[DayCell]]


def month_bounds(first: date) -> tuple[date, date]:
    """The Monday before the month and the Monday after it (excluded)."""
    start = first - timedelta(days=first.weekday())
    following = _shifted(first, 1)
    end = following + timedelta(days=-following.weekday() % DAYS_A_WEEK)
    return start, end


def month_of(
    first: date,
    *,
    slots: Sequence[SlotLine],
    schools: Sequence[Closed],
    own: Sequence[ClosedDays],
    now: datetime,
    locale: str,
    month_url: Callable[[str], str],
    slot_url: Callable[[int], str],
) -> Month:
    """The weeks of the month, with slots and closed days."""
    start, end = month_bounds(first)
    today = local_day(now)

    def cell(on: date) -> DayCell:
        return DayCell(
            number=on.day,
            label=wording.day_and_month(on, locale),
            iso=on.isoformat(),
            in_month=on.month == first.month,
            is_today=on == today,
            closed=_closed(on, schools, own, locale),
            items=[
                _item(slot, locale, slot_url)
                for slot in slots
                if local_day(slot.starts_at) == on
            ],
        )

    days = [start + number * ONE_DAY for number in range((end - start).days)]
    previous, following = _shifted(first, -1), _shifted(first, 1)
    return Month(
        title=wording.month(first, locale),
        previous=(wording.month(previous, locale), month_url(f"{previous:%Y-%m}")),
        next=(wording.month(following, locale), month_url(f"{following:%Y-%m}")),
        today_url=None
        if (first.year, first.month) == (today.year, today.month)
        else month_url(f"{today:%Y-%m}"),
        weekdays=wording.weekdays(locale),
        weeks=[
            [cell(on) for on in days[at : at + DAYS_A_WEEK]]
            for at in range(0, len(days), DAYS_A_WEEK)
        ],
    )


def _item(slot: SlotLine, locale: str, slot_url: Callable[[int], str]) -> Item:
    tone = TONES[slot.state]
    if slot.state == "cancelled":
        title = gettext("Cancelled slot")
    elif slot.state == "closed":
        title = gettext("Closed slot")
    elif slot.taken == 0:
        title = ngettext("%(num)s free seat", "%(num)s free seats", slot.seats)
    else:
        title = gettext(
            "%(taken)s of %(seats)s seats", taken=slot.taken, seats=slot.seats
        )
    if tone == "open" and slot.has_visits:
        tone = "visit"
    return Item(
        time=wording.time_of_day(slot.starts_at, locale),
        title=title,
        url=slot_url(slot.id),
        note=None,
        tone=tone,
    )


def _closed(
    on: date, schools: Sequence[Closed], own: Sequence[ClosedDays], locale: str
) -> str | None:
    for days in own:
        if days.first_on <= on <= days.last_on:
            return days.reason or gettext("You are closed")
    for closed in schools:
        if closed.first_on <= on <= closed.last_on:
            return closed.name_en if locale == "en" else closed.name_fr
    return None


def _shifted(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
