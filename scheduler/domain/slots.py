"""A dated slot of an offer: seats, opening, and how it lies in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.parties import Seats
from scheduler.domain.refusals import BadTimes, SlotNotOpen, TooLate

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
FURTHEST = timedelta(days=3 * 366)


class SlotState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """``place`` is empty where the host's own address holds."""

    id: int
    host_id: int
    starts_at: datetime
    ends_at: datetime
    seats: Seats
    state: SlotState = SlotState.OPEN


def check_times(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    """Raise ``BadTimes`` or ``TooLate`` for hours no visit can have."""
    length = ends_at - starts_at
    if length < SHORTEST:
        raise BadTimes(wrong="too_short", minutes=int(SHORTEST.total_seconds() // 60))
    if length > LONGEST:
        raise BadTimes(wrong="too_long", hours=int(LONGEST.total_seconds() // 3600))
    if starts_at <= now:
        raise TooLate(starts_at=starts_at.isoformat())
    if starts_at > now + FURTHEST:
        raise BadTimes(wrong="too_far", years=3)


def check_open(slot: Slot, *, now: datetime) -> None:
    """Raise unless seats may be taken on the slot."""
    if slot.state is not SlotState.OPEN:
        raise SlotNotOpen(state=slot.state.value)
    if slot.starts_at <= now:
        raise TooLate(starts_at=slot.starts_at.isoformat())
