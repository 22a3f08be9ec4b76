"""What a host offers and asks: the rules of welcome."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scheduler.domain.refusals import LimitTooLow, WrongState


class OfferState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"
    ARCHIVED = "archived"
    BLOCKED = "blocked"


NEXT: dict[tuple[OfferState, str], OfferState] = {
    (OfferState.DRAFT, "publish"): OfferState.PUBLISHED,
    (OfferState.PUBLISHED, "pause"): OfferState.PAUSED,
    (OfferState.PAUSED, "resume"): OfferState.PUBLISHED,
    (OfferState.DRAFT, "archive"): OfferState.ARCHIVED,
    (OfferState.PUBLISHED, "archive"): OfferState.ARCHIVED,
    (OfferState.PAUSED, "archive"): OfferState.ARCHIVED,
    (OfferState.ARCHIVED, "restore"): OfferState.DRAFT,
}


class Confirmation(StrEnum):
    """Who says yes to a request: the host by hand, or the offer by itself."""

    BY_HOST = "by_host"
    AUTOMATIC = "automatic"


class SizeCategory(StrEnum):
    """Decree 2008-1354, article 3: of the enterprise, not of the site."""

    MICRO = "TPE"
    SME = "PME"
    MIDCAP = "ETI"
    LARGE = "GE"


class Wheelchair(StrEnum):
    YES = "yes"
    PARTIAL = "partial"
    NO = "no"


class PhoneRule(StrEnum):
    ALLOWED = "allowed"
    SILENT = "silent"
    OFF = "off"
    LEFT_IN_COACH = "left_in_coach"


class PhotoRule(StrEnum):
    NONE = "none"
    ASK = "ask"
    ALLOWED = "allowed"


class VehicleAccess(StrEnum):
    COACH = "coach"
    STREET = "street"
    CAR_ONLY = "car_only"


@dataclass(frozen=True, kw_only=True)
class Caps:
    """How many visits a host takes; ``None`` for no cap."""

    per_day: int | None = None
    per_month: int | None = None
    per_year: int | None = None


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the host asks of every class, as the rules need it."""

    state: OfferState
    bookable: bool
    min_grade_rank: int
    min_age: int | None
    subgroup_size: int
    min_notice_days: int
    confirmation: Confirmation
    wheelchair: Wheelchair = Wheelchair.NO
    cap_per_day: int | None = None
    cap_per_month: int | None = None
    cap_per_year: int | None = None


def after(state: OfferState, step: str) -> OfferState:
    """The state that a step leads to. Raises ``WrongState``."""
    try:
        return NEXT[state, step]
    except KeyError:
        raise WrongState(state=state.value, step=step) from None


def check_limits(**limits: int | None) -> None:
    """Raise ``LimitTooLow`` naming the limits under which nobody could ever come."""
    too_low = [name for name, most in limits.items() if most is not None and most < 1]
    if too_low:
        raise LimitTooLow(limits=too_low)
