"""The best plan, level by level, each with its proof.

A valid plan is there from the first second (``greedy``). A large problem is then
improved district by district, and as a whole with its first levels weighed together.
Each part that shares nothing with the others is proven by itself: one solve per level;
a row then holds it for the levels below. A part that is a network needs no search at
all. What comes out is never worse than the greedy plan, whenever the search is cut.

Nothing here reads a clock. What limits the search is work (nodes of the search tree),
so that a result can be computed again; whoever wants a limit in seconds passes a
function that says how many are left, and the plan notes that it was cut.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scheduler.matching import draw, highs
from scheduler.matching.districts import Standing, districts
from scheduler.matching.greedy import Choices, fill, greedy
from scheduler.matching.highs import INFINITE, WHOLE, Effort, Solved, solver
from scheduler.matching.improve import better, key_of, value_of, values_of
from scheduler.matching.ledger import frozen_possible
from scheduler.matching.limits import NODES, Limits, Progress
from scheduler.matching.model import (
    Model,
    Row,
    build,
    ceiling,
    parts,
    start_of,
    visits_of,
)
from scheduler.matching.pins import NOT_FOUND, Cut, PinsRefused, with_pins_by
from scheduler.matching.plan import Visit
from scheduler.matching.possible import Possible
from scheduler.matching.prices import bound_of_served
from scheduler.matching.problem import Problem
from scheduler.matching.score import levels_of, rank_cost, sign

__all__ = [
    "NODES",
    "Level",
    "Limits",
    "Optimum",
    "Progress",
    "Scale",
    "optimum",
    "solver",
]


@dataclass(frozen=True, slots=True)
class Scale:
    """From which size on a problem is cut; tests cut small ones."""

    district: int = 1500
    """Classes that choose again together; a problem of fewer is not cut."""
    turns: int = 2
    """How often, with other borders each time."""
    together: int = 10_000
    """Possible visits from which on the first levels are weighed together first."""
    whole: int = 250_000
    """Possible visits of the largest model that is solved as one."""
    proof: int = 100_000
    """Possible visits up to which levels are proven; beyond, prices bound the first."""
    priced: int = 3000
    """Classes of a district whose prices are found at once."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the plan, and what no plan can beat given the levels above."""

    value: int
    bound: int | None

    @property
    def is_proven(self) -> bool:
        return self.value == self.bound


@dataclass(frozen=True, slots=True)
class Optimum:
    visits: tuple[Visit, ...]
    levels: Mapping[str, Level]
    was_cut: bool
    log: tuple[str, ...]


def optimum(
    problem: Problem,
    possible: Choices,
    limits: Limits,
    *,
    scale: Scale | None = None,
    start: Sequence[Visit] | None = None,
) -> Optimum:
    """The best plan that the limits allow: never worse than ``start``.

    Without one the search begins with the greedy plan.
    """
    visits = _start(problem, possible, limits) if start is None else start
    search = _Search(problem, possible, limits, scale or Scale())
    return search.optimum(visits)


def _start(problem: Problem, possible: Choices, limits: Limits) -> tuple[Visit, ...]:
    """The greedy plan; where it finds no place for the pins, the solver does."""
    try:
        return greedy(problem, possible)
    except PinsRefused as wrong:
        if any(each.why != NOT_FOUND for each in wrong.refused):
            raise
    ledger = with_pins_by(problem, possible, lambda model: _any_plan(model, limits))
    fill(ledger, possible)
    return tuple(ledger.visits)


def _any_plan(model: Model, limits: Limits) -> list[float] | None:
    """Some plan; None if there is none; raises ``Cut`` if the limits do not tell."""
    solved = highs.search(model, {}, [], limits)
    if solved.is_proven:
        return solved.values
    if solved.is_impossible:
        return None
    raise Cut


@dataclass(slots=True)
class _Found:
    visits: list[Visit]
    values: dict[str, int]
    bounds: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """Which part of the problem a search is at."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"part {self.number + 1}/{self.of}"


@dataclass(slots=True)
class _Search:
    problem: Problem
    possible: Choices
    limits: Limits
    scale: Scale
    was_cut: bool = False
    work: int = 0
    log: list[str] = field(default_factory=list)
    kept: list[Possible] = field(default_factory=list)
    lots: Mapping[str, int] = field(default_factory=dict)

    @property
    def order(self) -> Sequence[str]:
        return self.problem.params.objective

    def optimum(self, start: Sequence[Visit]) -> Optimum:
        self.lots = draw.lots(self.problem.classes, self.limits.seed)
        self.kept = [each for _, each in frozen_possible(self.problem, self.possible)]
        standing = Standing(self.problem, self.possible, start)
        names = [name for name, choices in self.possible.items() if choices]
        size = sum(map(len, self.possible.values()))
        if size > self.scale.proof and not self._may_flow():
            return self._large(standing, names)
        pieces = parts(self.problem, self.possible)
        found = [
            self._part(piece, standing, _Place(number, len(pieces)))
            for number, piece in enumerate(pieces)
        ]
        visits = tuple(visit for each in found for visit in each.visits)
        return Optimum(visits, self._levels(found), self.was_cut, tuple(self.log))

    def _may_flow(self) -> bool:
        """No half-groups, no shared slots, one visit each: a network, however large."""
        slots, classes = self.problem.slots, self.problem.classes
        return all(
            each.is_whole and not slots[each.slots[0]].is_shared
            for choices in self.possible.values()
            for each in choices
        ) and all(one.max_visits <= 1 for one in classes.values())

    def _levels(self, found: Sequence[_Found]) -> dict[str, Level]:
        levels: dict[str, Level] = {}
        for level in self.order:
            constant = len(self.problem.previous) if level == "changes" else 0
            known = [each.bounds[level] for each in found if level in each.bounds]
            value = constant + sum(each.values[level] for each in found)
            whole = constant + sum(known) if len(known) == len(found) else None
            levels[level] = Level(value, whole)
        return levels

    # ------------------------------------------------------------ large problems

    def _large(self, standing: Standing, names: Sequence[str]) -> Optimum:
        """Prices for a bound, districts, then all together where that is possible."""
        self._tell_all("start", standing)
        bound = self._bound(standing, names) if self.order[0] == "served" else None
        for turn in range(self.scale.turns):
            self._turn(standing, names, turn=turn, bound=bound)
        if sum(map(len, self.possible.values())) <= self.scale.whole:
            self._district(standing, names)
            self._tell_all("together", standing, bound=bound)
        values = self._objective(standing)
        bounds = {} if bound is None else {"served": max(bound, values["served"])}
        levels = {each: Level(values[each], bounds.get(each)) for each in self.order}
        self.was_cut = self.was_cut or not all(e.is_proven for e in levels.values())
        return Optimum(standing.visits, levels, self.was_cut, tuple(self.log))

    def _bound(self, standing: Standing, names: Sequence[str]) -> int | None:
        def row_prices(
            model: Model, costs: Mapping[int, float]
        ) -> Sequence[float] | None:
            self.work += 1
            relaxed = highs.relaxed(model, costs, self.limits)
            return None if relaxed is None else [-price for price in relaxed.rows]

        def tell(bound: int) -> None:
            self._tell_all("prices", standing, bound=bound)

        def cut(turn: int) -> list[list[str]]:
            return districts(self.problem, names, most=self.scale.priced, turn=turn)

        return bound_of_served(
            self.problem, self.possible, cut, row_prices, rounds=ROUNDS, tell=tell
        )

    def _turn(
        self,
        standing: Standing,
        names: Sequence[str],
        *,
        turn: int,
        bound: int | None = None,
    ) -> None:
        """Each district chooses again; every turn has its borders elsewhere."""
        most = self.scale.district
        groups = districts(self.problem, names, most=most, turn=turn)
        for number, members in enumerate(groups, 1):
            if self.limits.are_over:
                self.was_cut = True
                return
            self._district(standing, members)
            self._tell_all(
                "districts", standing, bound=bound, done=number, steps=len(groups)
            )

    def _district(self, standing: Standing, members: Sequence[str]) -> None:
        piece, around = standing.piece(members)
        frozen = [each for each in self.kept if each.class_id in piece]
        model = build(self.problem, piece, [*around, *frozen])
        mine = standing.mine(piece)
        known = start_of(model, mine)
        self.work += 1
        found = better(model, known, self.limits)
        if key_of(model, found) > key_of(model, known):
            standing.replace(mine, visits_of(model, found))

    def _objective(self, standing: Standing) -> dict[str, int]:
        chosen = standing.choices()
        return levels_of(
            self.problem,
            standing.visits,
            rank=sum(rank_cost(each.rank) for each in chosen),
            travel=sum(each.travel for each in chosen),
        )

    def _tell_all(
        self,
        stage: str,
        standing: Standing,
        *,
        bound: int | None = None,
        done: int = 0,
        steps: int = 0,
    ) -> None:
        values = self._objective(standing)
        level = self.order[0]
        self._tell(
            Progress(
                stage, 0, 1, values[level], bound,
                level=level, objective={each: values[each] for each in self.order},
                done=done, steps=steps, work=self.work,
            )
        )  # fmt: skip

    # ------------------------------------------------------------ one part, proven

    def _part(self, piece: Choices, standing: Standing, place: _Place) -> _Found:
        frozen = [each for each in self.kept if each.class_id in piece]
        model = build(self.problem, piece, frozen)
        flow = self._flow(model) if model.has_flow else None
        if flow is not None:
            self.log.append(f"{place}: a network")
            return _Found(
                visits_of(model, flow), found := values_of(model, flow), found
            )
        if len(piece) > self.scale.district:
            self._tell_all("start", standing)
            self._turn(standing, list(piece), turn=0)
        mine = [visit for name in piece for visit in standing.of_class[name]]
        values = start_of(model, mine)
        is_large = len(model.choices) > self.scale.together
        if is_large:
            values = self._together(model, values, place)
        values, bounds = self._proofs(model, values, place, is_large=is_large)
        if len(piece) > 1 and len(bounds) == len(self.order) and not self.was_cut:
            values = self._drawn(model, values)
        visits = visits_of(model, values)
        # Where the search was cut, columns of levels below may say less than is true.
        return _Found(visits, values_of(model, start_of(model, visits)), bounds)

    def _together(
        self,
        model: Model,
        values: list[float],
        place: _Place,
        held: Sequence[Row] = (),
    ) -> list[float]:
        """Nearly the best plan, without a proof of any level."""
        best = values

        def hear(heard: Sequence[float] | None, _bound: float) -> None:
            """The first plans of a search may be worse than the known one."""
            nonlocal best
            if heard is not None and key_of(model, heard) > key_of(model, best):
                best = list(heard)
                self._tell_part(model, "together", self.order[0], best, place=place)

        self.work += 1
        values = better(model, values, self.limits, held=held, share=0.5, hear=hear)
        self._tell_part(model, "together", self.order[0], values, place=place)
        return values

    def _proofs(
        self, model: Model, values: list[float], place: _Place, *, is_large: bool
    ) -> tuple[list[float], dict[str, int]]:
        """Level by level: what is proven is held for those below.

        Below a level that is not proven the plan still becomes better, with no bound.
        """
        bounds: dict[str, int] = {}
        held: list[Row] = []
        is_sure = True
        for level in self.order:
            if self.limits.are_over:
                is_sure = False
                break
            before = value_of(model, level, values)
            effort = self._effort(level, is_large=is_large, is_sure=is_sure)
            if before == ceiling(model, level):
                solved = Solved(values, -before, is_proven=True)
            else:
                solved = self._level(
                    model, level, values, held, place=place, effort=effort
                )
            values = solved.values
            value = value_of(model, level, values)
            bound = _bound(level, value, solved)
            if is_sure and bound is not None:
                bounds[level] = bound
            is_sure = is_sure and bound == value
            self._tell_part(
                model, level, level, values, bound=bounds.get(level), place=place
            )
            held.append(_hold(model, level, value))
            if is_large and value != before and level != self.order[-1]:
                values = self._together(model, values, place, held)
        self.was_cut = self.was_cut or not is_sure
        return values, bounds

    def _level(
        self,
        model: Model,
        level: str,
        values: list[float],
        held: Sequence[Row],
        *,
        place: _Place,
        effort: Effort,
    ) -> Solved:
        def hear(heard: Sequence[float] | None, bound: float) -> None:
            best = values if heard is None else heard
            whole = _whole(level, bound) if effort.proof_only else None
            self._tell_part(model, level, level, best, bound=whole, place=place)

        costs = {c: -sign(level) * cost for c, cost in model.costs[level].items()}
        self.work += 1
        return highs.search(
            model, costs, values, self.limits, held=held, effort=effort,
            hear=hear if effort.from_start else None,
        )  # fmt: skip

    def _effort(self, level: str, *, is_large: bool, is_sure: bool) -> Effort:
        share = 1.0 if level == self.order[-1] else SHARE
        if not is_sure:
            return Effort(from_start=True, share=share, gap=ROUGH, nodes=FEW)
        if is_large:
            return Effort(from_start=True, proof_only=True, share=share)
        return Effort()

    # ------------------------------------------------------------ the draw

    def _flow(self, model: Model) -> list[float] | None:
        """The best plan of a network, the draw included."""
        levels = dict(model.costs)
        draw.add_level(model, self.lots)
        values = highs.flow(model)
        model.costs = levels
        return values

    def _drawn(self, model: Model, values: list[float]) -> list[float]:
        """Of all plans that are as good on every level, the one of the lots.

        Every level is held from both sides: the solver gains more from that here.
        """
        held = []
        for level, costs in model.costs.items():
            value = value_of(model, level, values)
            held.append(Row(value, value, sorted(costs.items())))
        levels = dict(model.costs)
        draw.add_level(model, self.lots)
        costs = model.costs[draw.LEVEL]
        model.costs = levels
        self.work += 1
        solved = highs.search(model, costs, values, self.limits, held=held)
        self.was_cut = self.was_cut or not solved.is_proven
        return solved.values

    # ------------------------------------------------------------ progress

    def _tell_part(
        self,
        model: Model,
        stage: str,
        level: str,
        values: Sequence[float],
        *,
        place: _Place,
        bound: int | None = None,
    ) -> None:
        """The model counts published visits that stay; people count those that move."""
        told = values_of(model, values)
        if "changes" in told:
            mine = {each.class_id for each in model.choices}
            before = [each.visit.class_id for each in self.problem.previous]
            more = sum(name in mine for name in before)
            told["changes"] += more
            if level == "changes" and bound is not None:
                bound += more
        self._tell(
            Progress(
                stage, place.number, place.of, told[level], bound,
                level=level, objective=told, work=self.work,
            )
        )  # fmt: skip

    def _tell(self, progress: Progress) -> None:
        self.log.append(
            f"part {progress.part + 1}/{progress.parts}: "
            f"{progress.stage} {progress.best}, bound {progress.bound}"
        )
        self.limits.tell(progress)


ROUNDS = 3
"""Of prices: the first are far apart, from the fourth on little is won."""
SHARE = 0.9
"""Of the seconds left, for one level of a large problem."""
ROUGH = 1e-3
FEW = 100
"""Below a level that is not proven: no search to the end, there is no proof to win."""


def _whole(level: str, bound: float) -> int | None:
    """The solver's bound, which is one on -value where more is better."""
    if not math.isfinite(bound):
        return None
    return -sign(level) * math.ceil(bound - WHOLE)


def _bound(level: str, value: int, solved: Solved) -> int | None:
    if solved.is_proven:
        return value
    bound = _whole(level, solved.bound)
    if bound is None:
        return None
    return max(bound, value) if sign(level) > 0 else min(bound, value)


def _hold(model: Model, level: str, value: int) -> Row:
    terms = sorted(model.costs[level].items())
    return (
        Row(value, INFINITE, terms) if sign(level) > 0 else Row(-INFINITE, value, terms)
    )
