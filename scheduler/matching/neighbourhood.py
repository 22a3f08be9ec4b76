"""Some classes choose again while all others stay: small models, solved exactly.

Repairs and reasons are questions about a few classes of a large plan. Here their model
is made: the visits that stay are in it only where they share a slot, a month of a host
or a school with a choice that is still free. Knows no solver; it is given one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from scheduler.matching.greedy import Choices
from scheduler.matching.model import (
    INFINITE,
    Model,
    Row,
    build,
    full_months,
    tight_caps,
    visits_of,
)
from scheduler.matching.plan import Visit
from scheduler.matching.possible import Possible
from scheduler.matching.problem import Problem, Slot
from scheduler.matching.score import sign

WEIGHED_TOGETHER = 1_000_000
"""Levels are solved in one go while no sum of their weighted values is larger."""


@dataclass(frozen=True, slots=True)
class Minimum:
    """Columns of least cost; not proven if the search was cut."""

    values: Sequence[float]
    is_proven: bool


class Undecided(Exception):
    """The search was cut before it knew whether there are any columns."""


Solve = Callable[[Model, Mapping[int, int]], Minimum | None]
"""Finds the columns of least cost, or None if there are none (``optimum.solver``).

May raise ``Undecided``.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """The visits of a small model, what they are worth, and whether that is proven."""

    visits: tuple[Visit, ...]
    levels: Mapping[str, int]
    is_proven: bool


class Standing:
    """A valid plan whose visits are found by slot, month, cap, school and class."""

    def __init__(
        self, problem: Problem, possible: Choices, visits: Iterable[Visit]
    ) -> None:
        self.problem = problem
        self.possible: dict[Visit, Possible] = {}
        self.at_slot: dict[str, list[Visit]] = defaultdict(list)
        self.at_month: dict[tuple[str, str], list[Visit]] = defaultdict(list)
        self.in_cap: dict[tuple[str, int], list[Visit]] = defaultdict(list)
        self.of_school: dict[str, list[Visit]] = defaultdict(list)
        self.of_class: dict[str, list[Visit]] = defaultdict(list)
        self.students: Counter[str] = Counter()
        for visit in visits:
            self._note(visit, possible[visit.class_id])
        months = Counter(month_of(problem.slots[name]) for name in self.at_slot)
        self.full = {
            key
            for key, used in months.items()
            if used >= problem.hosts[key[0]].month_cap
        }

    def _note(self, visit: Visit, choices: Sequence[Possible]) -> None:
        self.possible[visit] = next(
            each for each in choices if frozenset(each.slots) == visit.slots
        )
        self.of_class[visit.class_id].append(visit)
        self.of_school[self.problem.classes[visit.class_id].school].append(visit)
        for part in visit.parts:
            self.at_slot[part.slot].append(visit)
            self.students[part.slot] += part.students
            for cap in self.problem.caps_on(self.problem.slots[part.slot]):
                self.in_cap[cap].append(visit)
        for key in {month_of(self.problem.slots[name]) for name in visit.slots}:
            self.at_month[key].append(visit)

    @property
    def visits(self) -> list[Visit]:
        return list(self.possible)

    def leaves_room(self, choice: Possible) -> bool:
        """Whether the visit could be there too, as far as slots and months go."""
        return all(self.is_open(self.problem.slots[name]) for name in choice.slots)

    def is_open(self, slot: Slot) -> bool:
        """Whether another group could come, as far as the slot and its month go."""
        taken = len(self.at_slot.get(slot.id, ()))
        if not taken:
            return month_of(slot) not in self.full
        return taken < slot.groups and self.students[slot.id] < slot.most

    def beside(self, choosing: Choices) -> list[Visit]:
        """The visits that a choice could get in the way of, or count together with."""
        found: dict[Visit, None] = {}
        for name, choices in choosing.items():
            found.update(dict.fromkeys(self.of_class.get(name, ())))
            school = self.problem.classes[name].school
            found.update(dict.fromkeys(self.of_school.get(school, ())))
            for slot_id in dict.fromkeys(s for each in choices for s in each.slots):
                slot = self.problem.slots[slot_id]
                found.update(dict.fromkeys(self.at_month.get(month_of(slot), ())))
                for cap in self.problem.caps_on(slot):
                    found.update(dict.fromkeys(self.in_cap.get(cap, ())))
        return self._with_their_company(found)

    def _with_their_company(self, visits: Iterable[Visit]) -> list[Visit]:
        """Who shares a slot comes along: only together may they reach its least."""
        found: dict[Visit, None] = {}
        ring = list(visits)
        while ring:
            found.update(dict.fromkeys(ring))
            slots = {part.slot for visit in ring for part in visit.parts}
            company = dict.fromkeys(v for s in sorted(slots) for v in self.at_slot[s])
            ring = [visit for visit in company if visit not in found]
        return list(found)


def month_of(slot: Slot) -> tuple[str, str]:
    return slot.host, slot.month


class Web:
    """Which classes could get in each other's way: over a slot, or what limits several.

    Classes meet at a slot, in a month that its host cannot open fully, under a cap, and
    in a school with a quota.
    """

    def __init__(self, problem: Problem, possible: Choices) -> None:
        self.problem = problem
        self._limits: dict[str, list[str]] = defaultdict(list)
        names = list(problem.slots)
        several = (full_months(problem, names), tight_caps(problem, names))
        for key, mine in (item for each in several for item in each.items()):
            for name in mine:
                self._limits[name].append(f"limit {key}")
        self.links: dict[str, list[str]] = {}
        self.users: dict[str, list[str]] = defaultdict(list)
        for name, choices in possible.items():
            slots = dict.fromkeys(slot for each in choices for slot in each.slots)
            self.links[name] = self._links(slots)
            school = problem.schools[problem.classes[name].school]
            if school.quota is not None and choices:
                self.links[name].append(f"school {school.id}")
            for link in self.links[name]:
                self.users[link].append(name)

    def _links(self, slots: Iterable[str]) -> list[str]:
        slots = list(slots)
        limits = [limit for slot in slots for limit in self._limits.get(slot, ())]
        return [*(f"slot {slot}" for slot in slots), *dict.fromkeys(limits)]

    def near(
        self, classes: Iterable[str], slots: Iterable[str] = (), *, most: int
    ) -> list[str]:
        """The classes nearest to some and to some slots; those first."""
        ring = list(classes)
        found = dict.fromkeys(ring)
        seen = dict.fromkeys(self._links(slots))
        fresh = list(seen)
        while (ring or fresh) and len(found) < most:
            wanted = dict.fromkeys(link for name in ring for link in self.links[name])
            fresh += [link for link in wanted if link not in seen]
            seen.update(wanted)
            users = dict.fromkeys(n for link in fresh for n in self.users.get(link, ()))
            ring = [name for name in users if name not in found][: most - len(found)]
            found.update(dict.fromkeys(ring))
            fresh = []
        return list(found)


def choose_again(
    stays: Standing,
    choosing: Choices,
    levels: Sequence[str],
    *,
    least: Mapping[str, int] | None = None,
) -> Model:
    """The model in which some classes choose and every visit of ``stays`` is kept.

    A class of ``least`` gets so many visits at least; there may then be no plan.
    """
    free = {
        name: [each for each in choices if stays.leaves_room(each)]
        for name, choices in choosing.items()
    }
    kept = [stays.possible[visit] for visit in stays.beside(free)]
    choices: dict[str, list[Possible]] = {name: list(free[name]) for name in free}
    for each in kept:
        mine = choices.setdefault(each.class_id, [])
        if each not in mine:
            mine.append(each)
    problem = stays.problem
    aim = replace(problem, params=replace(problem.params, objective=tuple(levels)))
    model = build(aim, choices, kept)
    columns: dict[str, list[int]] = defaultdict(list)
    for column, choice in enumerate(model.choices):
        columns[choice.class_id].append(column)
    for name, number in (least or {}).items():
        terms = [(column, 1) for column in columns[name]]
        model.rows.append(Row(number, INFINITE, terms))
    return model


def best_of(model: Model, solve: Solve) -> Found | None:
    """The best plan of a small model, level by level; None if it has none."""
    values: Sequence[float] | None = None
    is_proven = True
    for together in bundles(model):
        try:
            found = solve(model, weighed(model, together))
        except Undecided:
            found = None
        if found is None:
            is_proven = False
            break
        values, is_proven = found.values, is_proven and found.is_proven
        for level in together:
            hold(model, level, value_of(model, level, values))
    if values is None:
        return None
    levels = {level: value_of(model, level, values) for level in model.costs}
    return Found(tuple(visits_of(model, values)), levels, is_proven)


def hold(model: Model, level: str, value: int) -> None:
    """From now on nothing that is worse on the level is a plan of the model."""
    terms = sorted(model.costs[level].items())
    low, high = (value, INFINITE) if sign(level) > 0 else (-INFINITE, value)
    model.rows.append(Row(low, high, terms))


def value_of(model: Model, level: str, values: Sequence[float]) -> int:
    return sum(round(values[c]) * cost for c, cost in model.costs[level].items())


def bundles(model: Model) -> list[list[str]]:
    """Levels that follow each other, as many at once as the solver can tell apart."""
    bundles: list[list[str]] = []
    size = 1
    for level, costs in model.costs.items():
        span = 1 + sum(map(abs, costs.values()))
        if bundles and size * span <= WEIGHED_TOGETHER:
            bundles[-1].append(level)
            size *= span
        else:
            bundles.append([level])
            size = span
    return bundles


def weighed(model: Model, levels: Sequence[str]) -> dict[int, int]:
    """One cost for several levels: a step of one weighs more than all below it."""
    costs: Counter[int] = Counter()
    weight = 1
    for level in reversed(levels):
        mine = model.costs[level]
        for column, cost in mine.items():
            costs[column] -= sign(level) * weight * cost
        weight *= 1 + sum(map(abs, mine.values()))
    return dict(costs)
