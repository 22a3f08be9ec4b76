"""Which plan may be published, and what publishing it changes.

A first plan places every visit. A later one (a repair) keeps the visits that it has in
common with what stands, takes the others back and places the new ones; a second round
only places. Nothing here reads a clock or a database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.campaigns import (
    HAS_PLAN,
    Campaign,
    CampaignState,
    Phase,
    RunPurpose,
    RunState,
    phase,
)
from scheduler.domain.refusals import (
    NothingToPublish,
    PlanOutdated,
    PublishedAlready,
    WishesStillOpen,
    WrongState,
)

FIRST = frozenset({RunPurpose.PLAN})
LATER = frozenset({RunPurpose.REPAIR, RunPurpose.SECOND_ROUND})
ALREADY = frozenset({CampaignState.PUBLISHING, CampaignState.PUBLISHED})


@dataclass(frozen=True, kw_only=True)
class Publishable:
    """What counts of a run. ``started_at``: when its wishes were read."""

    purpose: RunPurpose
    state: RunState
    started_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Published:
    """The last publication of the campaign."""

    at: datetime
    by: str = ""


def check(
    run: Publishable,
    campaign: Campaign,
    *,
    last: Published | None,
    now: datetime,
) -> None:
    """Raise the reason why the run's plan cannot be published now."""
    if run.state not in HAS_PLAN or run.started_at is None:
        raise NothingToPublish(state=run.state.value)
    if run.purpose not in FIRST | LATER:
        raise NothingToPublish(state=run.purpose.value)
    standing = phase(campaign, now=now)
    first = run.purpose in FIRST
    if campaign.state is CampaignState.PUBLISHING or (
        first and campaign.state in ALREADY
    ):
        raise PublishedAlready(
            by=last.by if last else "", at=last.at.isoformat() if last else ""
        )
    if standing in {Phase.UPCOMING, Phase.WISHING}:
        raise WishesStillOpen(closes_at=campaign.timing.closes_at.isoformat())
    if standing is not (Phase.CLOSED if first else Phase.PUBLISHED):
        raise WrongState(state=standing.value, step="publish")
    since = last.at if last else campaign.timing.closes_at
    if run.started_at < since:
        raise PlanOutdated(since=since.isoformat())


@dataclass(frozen=True, kw_only=True)
class Current:
    """A placement that holds something. ``groups``: number, slot and students of each.

    ``planned``: how many groups it was published with. ``accepted``: whether a company
    has said yes to one of them.
    """

    placement_id: int
    class_id: int
    groups: tuple[tuple[int, int, int], ...]
    visit_ids: tuple[int, ...]
    planned: int
    accepted: bool
    starts_at: datetime

    @property
    def is_complete(self) -> bool:
        """No half-group of it is lost."""
        return len(self.groups) == self.planned

    def may_change(self, now: datetime) -> bool:
        """Whether a repair may touch it: nobody said yes to the whole of it yet."""
        return self.starts_at > now and not (self.accepted and self.is_complete)

    def as_placed(self) -> Placed:
        return Placed(
            key=self.placement_id,
            class_id=self.class_id,
            groups=frozenset((slot, students) for _, slot, students in self.groups),
        )


Groups = frozenset[tuple[int, int]]
"""Slot and students of each group."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A visit of a plan: by ``key``, for a class."""

    key: int
    class_id: int
    groups: Groups


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Keys: what stays as it is, what is taken back, what is placed."""

    kept: frozenset[int]
    taken_back: frozenset[int]
    placed: frozenset[int]


def check_room(
    stays: Iterable[Current],
    found: Changes,
    wanted: Iterable[Placed],
    *,
    most: int,
    since: datetime,
) -> None:
    """Raise ``PlanOutdated`` if a class would get more visits than the rules allow.

    A company has accepted meanwhile what the plan wanted to move.
    """
    holding: dict[int, int] = defaultdict(int)
    for current in stays:
        holding[current.class_id] += 1
    for each in wanted:
        if each.key in found.placed:
            holding[each.class_id] += 1
            if holding[each.class_id] > most:
                raise PlanOutdated(since=since.isoformat())


def changes(
    standing: Iterable[Placed], wanted: Iterable[Placed], *, purpose: RunPurpose
) -> Changes:
    """What publishing ``wanted`` does to the visits that stand."""
    standing, wanted = list(standing), list(wanted)
    if purpose is not RunPurpose.REPAIR:
        return Changes(
            kept=frozenset(each.key for each in standing),
            taken_back=frozenset(),
            placed=frozenset(each.key for each in wanted),
        )
    same: dict[tuple[int, Groups], list[int]] = defaultdict(list)
    for each in standing:
        same[each.class_id, each.groups].append(each.key)
    kept, placed = set(), set()
    for each in wanted:
        found = same[each.class_id, each.groups]
        if found:
            kept.add(found.pop())
        else:
            placed.add(each.key)
    return Changes(
        kept=frozenset(kept),
        taken_back=frozenset(each.key for each in standing) - kept,
        placed=frozenset(placed),
    )
