"""Every visit that a class could make if it were alone: the engine's raw material.

All rules about one visit (FORMAT: hard rules 1 to 5) are spent here, so that whoever
plans only has to watch what several visits share: seats, months, dates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scheduler.matching.problem import (
    FieldWish,
    HostWish,
    Problem,
    SchoolClass,
    Site,
    Slot,
    SlotWish,
    Split,
)

CELL_M = 20_000
ROTATION_GROUPS = 2

Shape = tuple[tuple[str, ...], ...]
"""The slots of each group."""


@dataclass(frozen=True, slots=True)
class Possible:
    """A visit without its group sizes.

    Each group has its slots; whole classes and half-groups have one, the two groups of
    a rotation have two each.
    """

    class_id: str
    groups: tuple[tuple[str, ...], ...]
    date: str
    hosts: frozenset[str]
    rank: int
    travel: int

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(slot for group in self.groups for slot in group)

    @property
    def is_whole(self) -> bool:
        return len(self.groups) == 1


@dataclass(frozen=True, slots=True)
class Wished:
    """A slot that matches a wish of a class."""

    slot: Slot
    rank: int
    distance: int


class Offer:
    """The slots of a problem, found by host and by place."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.by_host: dict[str, list[Slot]] = defaultdict(list)
        self.by_site: dict[str, list[Slot]] = defaultdict(list)
        self.around: dict[tuple[int, int, str], list[Site]] = defaultdict(list)
        for slot in problem.slots.values():
            self.by_host[slot.host].append(slot)
            self.by_site[slot.site].append(slot)
        for site in problem.sites.values():
            sector = problem.hosts[site.host].sector
            self.around[site.x // CELL_M, site.y // CELL_M, sector].append(site)

    def wished(self, one: SchoolClass) -> list[Wished]:
        """Each slot that matches a wish, with the first wish that it matches."""
        ranks: dict[str, int] = {}
        for rank, wish in enumerate(one.wishes, 1):
            match wish:
                case SlotWish(slot):
                    if slot in self.problem.slots:
                        ranks.setdefault(slot, rank)
                case HostWish(host):
                    for each in self.by_host.get(host, ()):
                        ranks.setdefault(each.id, rank)
                case FieldWish():
                    for each in self._in_field(one, wish):
                        ranks.setdefault(each.id, rank)
        slots = self.problem.slots
        return [
            Wished(slots[name], rank, self.problem.distance(one, slots[name]))
            for name, rank in ranks.items()
        ]

    def _in_field(self, one: SchoolClass, wish: FieldWish) -> Iterator[Slot]:
        school = self.problem.schools[one.school]
        for site in self._within(school.x, school.y, wish):
            if self.problem.school_distance(school, site) <= wish.max_m:
                for slot in self.by_site.get(site.id, ()):
                    if wish.first <= slot.date <= wish.last:
                        yield slot

    def _within(self, x: int, y: int, wish: FieldWish) -> Iterator[Site]:
        low, high = x - wish.max_m, x + wish.max_m
        down, up = y - wish.max_m, y + wish.max_m
        columns = range(low // CELL_M, high // CELL_M + 1)
        rows = range(down // CELL_M, up // CELL_M + 1)
        if len(columns) * len(rows) > len(self.around):
            for (_, _, sector), sites in self.around.items():
                if sector in wish.sectors:
                    yield from sites
            return
        for column in columns:
            for row in rows:
                for sector in sorted(wish.sectors):
                    yield from self.around.get((column, row, sector), ())


# ---------------------------------------------------------------- one class


def admits(problem: Problem, one: SchoolClass, wished: Wished) -> bool:
    """Date, level, access and distance are right; seats are another matter."""
    return (
        wished.slot.date not in one.unavailable
        and wished.slot.id not in one.forbidden
        and one.level in wished.slot.levels
        and one.needs <= problem.sites[wished.slot.site].access
        and wished.distance <= one.max_m
    )


def possible_visits(offer: Offer) -> dict[str, list[Possible]]:
    """For each class what it could do, best wish first, always in the same order."""
    problem = offer.problem
    return {
        one.id: visits_of(
            problem,
            one,
            [each for each in offer.wished(one) if admits(problem, one, each)],
        )
        for one in problem.classes.values()
    }


def visits_of(
    problem: Problem, one: SchoolClass, admitted: Sequence[Wished]
) -> list[Possible]:
    """The possible visits of one class among the slots that admit it."""
    by_slot = {each.slot.id: each for each in admitted}
    whole = [each.slot for each in admitted if holds_whole(one, each.slot)]
    shapes: list[Shape] = [((slot.id,),) for slot in whole]
    if one.split is not Split.NONE:
        days: dict[str, list[Slot]] = defaultdict(list)
        for each in admitted:
            days[each.slot.date].append(each.slot)
        for slots in days.values():
            if len(slots) > 1:
                shapes += splits_of_a_day(problem, one, slots)
    found = [_possible(one, shape, by_slot) for shape in shapes]
    return sorted(found, key=lambda each: (each.rank, each.travel, each.slots))


def _possible(
    one: SchoolClass,
    shape: Shape,
    by_slot: Mapping[str, Wished],
) -> Possible:
    chosen = [by_slot[slot] for group in shape for slot in group]
    return Possible(
        class_id=one.id,
        groups=shape,
        date=chosen[0].slot.date,
        hosts=frozenset(each.slot.host for each in chosen),
        rank=max(each.rank for each in chosen),
        travel=max(each.distance for each in chosen),
    )


def holds_whole(one: SchoolClass, slot: Slot) -> bool:
    """A class below the least number may come where others join it."""
    return one.size <= slot.most and (slot.is_shared or one.size >= slot.least)


# ---------------------------------------------------------------- half-groups


def splits_of_a_day(
    problem: Problem, one: SchoolClass, slots: Sequence[Slot]
) -> Iterator[Shape]:
    """The half-groups and rotations that the class accepts, each set of slots once."""
    ordered = sorted(slots, key=lambda slot: (slot.start, slot.id))
    seen: set[frozenset[str]] = set()
    for chosen in (*_at_once(problem, one, ordered), *_in_turn(problem, one, ordered)):
        key = frozenset(slot.id for slot in chosen)
        if key not in seen and fits_in_groups(problem, one, chosen):
            seen.add(key)
            yield tuple((slot.id,) for slot in chosen)
    if one.split is Split.ROTATION and one.max_parts >= ROTATION_GROUPS:
        yield from _rotations(problem, one, ordered)


def _at_once(
    problem: Problem, one: SchoolClass, ordered: Sequence[Slot]
) -> Iterator[tuple[Slot, ...]]:
    """Sets of slots that start together, on one site or on sites near each other."""

    def together(earlier: Slot, later: Slot) -> bool:
        if later.start - earlier.start > problem.params.parallel_min:
            return False
        if earlier.site == later.site:
            return True
        return one.split is Split.NEARBY and problem.are_near(earlier.site, later.site)

    def grow(
        chosen: tuple[Slot, ...], others: Sequence[Slot]
    ) -> Iterator[tuple[Slot, ...]]:
        if len(chosen) > 1:
            yield chosen
        if may_grow(one, chosen):
            for number, slot in enumerate(others):
                if all(together(each, slot) for each in chosen):
                    yield from grow((*chosen, slot), others[number + 1 :])

    for number, slot in enumerate(ordered):
        yield from grow((slot,), ordered[number + 1 :])


def _in_turn(
    problem: Problem, one: SchoolClass, ordered: Sequence[Slot]
) -> Iterator[tuple[Slot, ...]]:
    """Chains of slots of one site, one after the other with short pauses."""

    def follow(chosen: tuple[Slot, ...]) -> Iterator[tuple[Slot, ...]]:
        if len(chosen) > 1:
            yield chosen
        if may_grow(one, chosen):
            last = chosen[-1]
            for slot in ordered:
                pause = slot.start - last.end
                if slot.site == last.site and 0 <= pause <= problem.params.gap_min:
                    yield from follow((*chosen, slot))

    for slot in ordered:
        yield from follow((slot,))


def may_grow(one: SchoolClass, chosen: Sequence[Slot]) -> bool:
    """Another slot is allowed only while these cannot hold the class."""
    return len(chosen) < one.max_parts and sum(each.most for each in chosen) < one.size


def least_of(problem: Problem, slot: Slot) -> int:
    """The smallest half-group that this slot takes by itself."""
    return max(problem.params.min_group, 1 if slot.is_shared else slot.least)


def fits_in_groups(problem: Problem, one: SchoolClass, chosen: Sequence[Slot]) -> bool:
    """There are group sizes for it, and no group too many (hard rules 3 and 5)."""
    seats = sorted(slot.most for slot in chosen)
    least = [least_of(problem, slot) for slot in chosen]
    return (
        sum(seats[1:]) < one.size <= sum(seats)
        and sum(least) <= one.size
        and all(low <= slot.most for low, slot in zip(least, chosen, strict=True))
        and _within_month(problem, chosen)
    )


def _within_month(problem: Problem, chosen: Iterable[Slot]) -> bool:
    used = Counter(slot.host for slot in chosen)
    return all(problem.hosts[host].month_cap >= times for host, times in used.items())


# ---------------------------------------------------------------- rotations


def _rotations(
    problem: Problem, one: SchoolClass, ordered: Sequence[Slot]
) -> Iterator[Shape]:
    """Two groups that change places: X then Y, and Y then X."""
    pairs = [
        (first, second)
        for number, first in enumerate(ordered)
        for second in ordered[number + 1 :]
        if first.site == second.site and first.start < second.start
    ]
    for x1, x2 in pairs:
        for y1, y2 in pairs:
            if x1.host < y1.host and _change_over(problem, x1, x2, y1, y2):
                groups = ((x1, y2), (y1, x2))
                if _rotation_fits(problem, one, groups):
                    yield tuple((a.id, b.id) for a, b in groups)


def _change_over(problem: Problem, x1: Slot, x2: Slot, y1: Slot, y2: Slot) -> bool:
    params = problem.params
    return (
        problem.are_near(x1.site, y1.site)
        and abs(x1.start - y1.start) <= params.parallel_min
        and abs(x2.start - y2.start) <= params.parallel_min
        and params.walk_min <= y2.start - x1.end <= params.gap_min
        and params.walk_min <= x2.start - y1.end <= params.gap_min
    )


def group_limits(problem: Problem, group: Sequence[Slot]) -> tuple[int, int]:
    """The smallest and largest group that may visit these slots in turn."""
    least = max(least_of(problem, slot) for slot in group)
    return least, min(slot.most for slot in group)


def _rotation_fits(
    problem: Problem, one: SchoolClass, groups: Sequence[Sequence[Slot]]
) -> bool:
    limits = [group_limits(problem, group) for group in groups]
    slots = [slot for group in groups for slot in group]
    return (
        max(slot.most for slot in slots) < one.size
        and all(least <= most for least, most in limits)
        and sum(least for least, _ in limits) <= one.size
        and one.size <= sum(most for _, most in limits)
        and _within_month(problem, slots)
    )
