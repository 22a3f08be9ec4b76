"""A campaign: a round of ranked wishes, its rules, and where it stands.

What is stored is a state; between two states the clock decides the phase. Nothing
here reads a clock or a database.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from scheduler.domain.localtime import local_day
from scheduler.domain.refusals import CampaignDates, CampaignFixed, Refusal, WrongState

LONGEST_TERM = timedelta(days=400)


class CampaignState(StrEnum):
    """``announced``: the rules and the draw's seed are public and stay as they are.

    ``publishing``: a plan was chosen and its visits are being asked for.
    """

    DRAFT = "draft"
    ANNOUNCED = "announced"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    ENDED = "ended"


class Phase(StrEnum):
    """What everybody sees: a state, or where the clock is within ``announced``."""

    DRAFT = "draft"
    UPCOMING = "upcoming"
    WISHING = "wishing"
    CLOSED = "closed"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    ENDED = "ended"


class Criterion(StrEnum):
    """What gives a class priority points (DOMAIN CO-M2). The last one takes away."""

    SCHOOL_NOTHING = "school_nothing"
    CLASS_NOTHING = "class_nothing"
    RURAL = "rural"
    FAR_FROM_HOSTS = "far_from_hosts"
    LATE_CANCELLATIONS = "late_cancellations"


USUAL_POINTS = {
    Criterion.SCHOOL_NOTHING: 2,
    Criterion.CLASS_NOTHING: 1,
    Criterion.RURAL: 1,
    Criterion.FAR_FROM_HOSTS: 1,
    Criterion.LATE_CANCELLATIONS: 0,
}


class RunPurpose(StrEnum):
    """``what_if`` has slots that nobody opened: it can never be published."""

    PLAN = "plan"
    REPAIR = "repair"
    SECOND_ROUND = "second_round"
    WHAT_IF = "what_if"


class RunState(StrEnum):
    """``stopped`` keeps the best plan so far; ``interrupted`` died without one."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


RUN_ENDED = frozenset(RunState) - {RunState.QUEUED, RunState.RUNNING}
HAS_PLAN = frozenset({RunState.DONE, RunState.STOPPED})


class PinKind(StrEnum):
    """What a coordinator fixes by hand for a class and a slot, with a reason."""

    PIN = "pin"
    FORBID = "forbid"


class PlacementState(StrEnum):
    """A visit of the published plan: asked for, refused by a rule, or given up."""

    WAITING = "waiting"
    PLACED = "placed"
    REFUSED = "refused"
    REPLACED = "replaced"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When wishes may be filed, when places are given, when the visits are."""

    opens_at: datetime
    closes_at: datetime
    allocation_on: date
    first_visit_on: date
    last_visit_on: date


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """``level_codes`` empty: every level. ``school_quota`` None: no limit."""

    id: int
    name: str
    state: CampaignState
    timing: Timing
    level_codes: frozenset[str] = frozenset()
    school_quota: int | None = None
    visits_per_class: int = 1
    most_wishes: int = 10
    points: dict[Criterion, int] = field(default_factory=lambda: dict(USUAL_POINTS))
    far_km: int = 40
    seed: int = 1


def timing_refusals(timing: Timing) -> list[Refusal]:
    """What is wrong with the order of the days: first wishes, then places, then visits.

    Each is a ``CampaignDates`` whose ``wrong`` names the later of the two.
    """
    order = (
        (timing.closes_at <= timing.opens_at, "closes_at"),
        (timing.allocation_on < local_day(timing.closes_at), "allocation_on"),
        (timing.first_visit_on <= timing.allocation_on, "first_visit_on"),
        (timing.last_visit_on < timing.first_visit_on, "last_visit_on"),
        (timing.last_visit_on - timing.first_visit_on > LONGEST_TERM, "too_long"),
    )
    return [CampaignDates(wrong=which) for is_wrong, which in order if is_wrong]


def announce(campaign: Campaign, *, now: datetime) -> CampaignState:
    """The rules become public; raises ``CampaignFixed`` or ``CampaignDates``."""
    if campaign.state is not CampaignState.DRAFT:
        raise CampaignFixed
    if campaign.timing.closes_at <= now:
        raise CampaignDates(wrong="closed_already")
    return CampaignState.ANNOUNCED


def postpone_closing(
    campaign: Campaign, *, closes_at: datetime, allocation_on: date, now: datetime
) -> Timing:
    """More time for wishes, until places are given. Never less time.

    Raises ``WrongState`` when a plan was chosen already, ``CampaignDates`` for days
    that contradict one another.
    """
    if campaign.state is not CampaignState.ANNOUNCED:
        raise WrongState(state=campaign.state.value, step="postpone_closing")
    if closes_at < campaign.timing.closes_at or closes_at <= now:
        raise CampaignDates(wrong="earlier")
    timing = replace(campaign.timing, closes_at=closes_at, allocation_on=allocation_on)
    found = timing_refusals(timing)
    if found:
        raise found[0]
    return timing


def end(campaign: Campaign) -> CampaignState:
    """Nothing more comes of it: the waiting list is over. Raises ``WrongState``."""
    if campaign.state not in {CampaignState.ANNOUNCED, CampaignState.PUBLISHED}:
        raise WrongState(state=campaign.state.value, step="end")
    return CampaignState.ENDED


def phase(campaign: Campaign, *, now: datetime) -> Phase:
    """Where the campaign stands at ``now``."""
    if campaign.state is not CampaignState.ANNOUNCED:
        return Phase(campaign.state.value)
    if now < campaign.timing.opens_at:
        return Phase.UPCOMING
    return Phase.WISHING if now < campaign.timing.closes_at else Phase.CLOSED


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of a class when its points are counted."""

    school_has_visit: bool
    class_has_visit: bool
    rural: bool
    km_to_nearest_host: float | None
    late_cancellations: int = 0


def reasons_for_points(
    standing: Standing, *, points: dict[Criterion, int], far_km: int
) -> dict[Criterion, int]:
    """Each criterion that holds, with the points that it gives or takes.

    A class never falls below nothing: the sum is cut at 0 by ``priority``.
    """
    holds = {
        Criterion.SCHOOL_NOTHING: not standing.school_has_visit,
        Criterion.CLASS_NOTHING: not standing.class_has_visit,
        Criterion.RURAL: standing.rural,
        Criterion.FAR_FROM_HOSTS: (
            standing.km_to_nearest_host is None or standing.km_to_nearest_host > far_km
        ),
        Criterion.LATE_CANCELLATIONS: standing.late_cancellations > 0,
    }
    given = {each: points.get(each, 0) for each in Criterion if holds[each]}
    if Criterion.LATE_CANCELLATIONS in given:
        given[Criterion.LATE_CANCELLATIONS] *= -1
    return {criterion: number for criterion, number in given.items() if number}


def priority(given: dict[Criterion, int]) -> int:
    """The points of a class."""
    return max(0, sum(given.values()))
