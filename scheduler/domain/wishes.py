"""What a teacher wishes for a class in a campaign: ranked, best first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


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
