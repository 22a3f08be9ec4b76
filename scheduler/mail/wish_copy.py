"""The copy of the wishes of a class, clean and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from scheduler import wording
from scheduler.wording import clean_line


@dataclass(frozen=True, kw_only=True)
class WishTold:
    """One wish. ``when``: of a date; without ``host``: what was described."""

    host: str
    commune: str
    when: str
    fields: tuple[str, ...]
    first_on: str
    last_on: str
    max_km: int | None


@dataclass(frozen=True, kw_only=True)
class WishesTold:
    """A list as it was filed. ``page``: where it can be changed."""

    campaign: str
    class_label: str
    students: int
    max_km: int
    closes: str
    allocation: str
    page: str
    lines: tuple[WishTold, ...]


def wishes_told(
    recorded: Mapping[str, Any], *, locale: str, base_url: str
) -> WishesTold:
    """What was recorded, in the reader's language."""
    there = f"/teacher/campaigns/{int(recorded['campaign_id'])}"
    return WishesTold(
        campaign=clean_line(recorded["campaign"]),
        class_label=clean_line(recorded["class"]),
        students=int(recorded["students"]),
        max_km=int(recorded["max_km"]),
        closes=wording.moment(datetime.fromisoformat(recorded["closes_at"]), locale),
        allocation=wording.day(date.fromisoformat(recorded["allocation_on"]), locale),
        page=f"{base_url.rstrip('/')}{there}/classes/{int(recorded['class_id'])}",
        lines=tuple(_told(each, locale) for each in recorded["lines"]),
    )


def _told(recorded: Mapping[str, Any], locale: str) -> WishTold:
    starts_at = recorded.get("starts_at")
    fields = recorded.get("fields_en" if locale == "en" else "fields_fr") or ()
    return WishTold(
        host=clean_line(recorded.get("host") or ""),
        commune=clean_line(recorded.get("commune") or ""),
        when=wording.moment(datetime.fromisoformat(starts_at), locale)
        if starts_at
        else "",
        fields=tuple(clean_line(each) for each in fields),
        first_on=_day(recorded.get("first_on"), locale),
        last_on=_day(recorded.get("last_on"), locale),
        max_km=recorded.get("max_km"),
    )


def _day(recorded: str | None, locale: str) -> str:
    return wording.day(date.fromisoformat(recorded), locale) if recorded else ""
