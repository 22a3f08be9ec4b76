"""What a teacher wishes for a class in a campaign: ranked, best first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from scheduler.domain.campaigns import Campaign, Phase, phase
from scheduler.domain.refusals import (
    LevelNotMeant,
    NoStudents,
    NoWish,
    Refusal,
    TooManyWishes,
    WishesNotOpen,
    WrongWish,
)

MOST_PARTS = 3


class Splitting(StrEnum):
    """Which half-groups a class accepts, from none to changing hosts half-way."""

    NONE = "none"
    SAME_HOST = "same_host"
    NEARBY = "nearby"
    ROTATION = "rotation"


class WishListState(StrEnum):
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One of three shapes: a slot, a host, or criteria (fields, dates, distance).

    Criteria: ``field_codes`` empty means any field; the dates are both included.
    """

    slot_id: int | None = None
    host_id: int | None = None
    field_codes: tuple[str, ...] = ()
    first_on: date | None = None
    last_on: date | None = None
    max_km: int | None = None

    @property
    def is_empty(self) -> bool:
        """A line of the form that was left alone."""
        return self == Wish()


@dataclass(frozen=True)
class Days:
    """Days on which the class cannot go, both ends included."""

    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class WishList:
    """All that a teacher says for one class. ``max_km`` by road, one way.

    ``leave_from`` and ``back_by``: when the class can leave the school at the
    earliest, and has to be back at the latest. ``arrangements`` are counts.
    """

    students: int
    adults: int
    wishes: tuple[Wish, ...]
    max_km: int
    support_assistants: int = 0
    split: Splitting = Splitting.NONE
    max_parts: int = 1
    wheelchair: bool = False
    absent: tuple[Days, ...] = ()
    leave_from: time | None = None
    back_by: time | None = None
    arrangements: str = ""
    message: str = ""


def wishing_refusals(
    campaign: Campaign, *, level_code: str, now: datetime
) -> list[Refusal]:
    """Whether a class of that level may file wishes now."""
    found: list[Refusal] = []
    if phase(campaign, now=now) is not Phase.WISHING:
        found.append(
            WishesNotOpen(
                opens_at=campaign.timing.opens_at.isoformat(),
                closes_at=campaign.timing.closes_at.isoformat(),
                yet=now < campaign.timing.opens_at,
            )
        )
    if campaign.level_codes and level_code not in campaign.level_codes:
        found.append(LevelNotMeant())
    return found


def list_refusals(
    wanted: WishList,
    campaign: Campaign,
    *,
    slots: Collection[int],
    hosts: Collection[int],
) -> list[Refusal]:
    """What is wrong with the list itself. ``slots``, ``hosts``: what may be wished."""
    found: list[Refusal] = []
    if wanted.students < 1:
        found.append(NoStudents())
    if not wanted.wishes:
        found.append(NoWish())
    if len(wanted.wishes) > campaign.most_wishes:
        found.append(TooManyWishes(most=campaign.most_wishes, given=len(wanted.wishes)))
    wrong = _wrong_wishes(wanted, campaign, slots=slots, hosts=hosts)
    return found + [WrongWish(position=at, wrong=why) for at, why in wrong]


def _wrong_wishes(
    wanted: WishList,
    campaign: Campaign,
    *,
    slots: Collection[int],
    hosts: Collection[int],
) -> Iterator[tuple[int, str]]:
    timing = campaign.timing
    for position, wish in enumerate(wanted.wishes, 1):
        if wish in wanted.wishes[: position - 1]:
            yield position, "twice"
        elif wish.slot_id is not None and wish.slot_id not in slots:
            yield position, "slot"
        elif wish.host_id is not None and wish.host_id not in hosts:
            yield position, "host"
        elif (wish.last_on or timing.last_visit_on) < (
            wish.first_on or timing.first_visit_on
        ):
            yield position, "dates"
