"""The best plan, level by level, each with its proof: the only home of the solver.

Each part of the problem that shares nothing with the others is solved by itself: one
solve per level, which proves it; a row then holds it for the levels below. A part that
is a network needs no search at all (``_flow``). What comes out is never worse than the
greedy plan, whenever the search is cut.

Nothing here reads a clock. What limits the search is work (nodes of the search tree),
so that a result can be computed again; whoever wants a limit in seconds passes a
function that says how many are left, and the plan notes that it was cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import highspy
import numpy as np

from scheduler.matching.greedy import Choices, fill, greedy
from scheduler.matching.ledger import frozen_possible
from scheduler.matching.model import Model, Row, build, parts, start_of, visits_of
from scheduler.matching.neighbourhood import Minimum
from scheduler.matching.pins import NOT_FOUND, Cut, PinsRefused, with_pins_by
from scheduler.matching.plan import Visit
from scheduler.matching.problem import Problem
from scheduler.matching.score import sign

NODES = 100_000
WHOLE = 1e-6
HALF = 0.5
"""Prices are whole numbers in a network with whole costs."""
INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Progress:
    stage: str
    part: int
    parts: int
    best: int
    bound: int | None


def _nobody(_progress: Progress) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Limits:
    """``nodes`` holds for each solve. ``seconds_left`` may end any of them early."""

    nodes: int = NODES
    seconds_left: Callable[[], float] | None = None
    seed: int = 0
    tell: Callable[[Progress], None] = _nobody


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


def optimum(problem: Problem, possible: Choices, limits: Limits) -> Optimum:
    """The best plan that the limits allow: never worse than the greedy one."""
    start = _start(problem, possible, limits)
    kept = [each for _, each in frozen_possible(problem, possible)]
    pieces = parts(problem, possible)
    search = _Search(problem, limits)
    found: list[_Found] = []
    for number, piece in enumerate(pieces):
        model = build(problem, piece, [one for one in kept if one.class_id in piece])
        mine = [visit for visit in start if visit.class_id in piece]
        found.append(search.part(model, mine, number=number, of=len(pieces)))
    visits = [visit for each in found for visit in each.visits]
    levels: dict[str, Level] = {}
    for level in problem.params.objective:
        constant = len(problem.previous) if level == "changes" else 0
        bounds = [each.bounds.get(level) for each in found]
        known = [bound for bound in bounds if bound is not None]
        value = constant + sum(each.values[level] for each in found)
        whole = constant + sum(known) if len(known) == len(bounds) else None
        levels[level] = Level(value, whole)
    return Optimum(tuple(visits), levels, search.was_cut, tuple(search.log))


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
    solved = _Solver(model, limits).solve({}, [], ())
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


@dataclass(slots=True)
class _Solved:
    values: list[float]
    bound: float
    is_proven: bool
    is_impossible: bool = False


@dataclass(slots=True)
class _Search:
    problem: Problem
    limits: Limits
    was_cut: bool = False
    log: list[str] = field(default_factory=list)

    def part(
        self, model: Model, start: Sequence[Visit], *, number: int, of: int
    ) -> _Found:
        values = start_of(model, start)
        flow = _flow(model) if model.has_flow else None
        if flow is not None:
            self.log.append(f"part {number + 1}/{of}: a network")
            return _Found(
                visits_of(model, flow), found := self._values(model, flow), found
            )
        solver = _Solver(model, self.limits)
        bounds: dict[str, int] = {}
        held: list[Row] = []
        for level in self.problem.params.objective:
            costs = {c: -sign(level) * cost for c, cost in model.costs[level].items()}
            solved = solver.solve(costs, values, held)
            values = solved.values
            value = _value(model, level, values)
            bound = _bound(level, value, solved)
            self._tell(model, Progress(level, number, of, value, bound))
            if bound is not None:
                bounds[level] = bound
            if bound != value:
                self.was_cut = True
                break
            held.append(_hold(model, level, value))
        return _Found(visits_of(model, values), self._values(model, values), bounds)

    def _tell(self, model: Model, progress: Progress) -> None:
        """The model counts published visits that stay; people count those that move."""
        if progress.stage == "changes":
            mine = {each.class_id for each in model.choices}
            before = [each.visit.class_id for each in self.problem.previous]
            more = sum(name in mine for name in before)
            progress = replace(
                progress,
                best=progress.best + more,
                bound=None if progress.bound is None else progress.bound + more,
            )
        self.log.append(
            f"part {progress.part + 1}/{progress.parts}: "
            f"{progress.stage} {progress.best}, bound {progress.bound}"
        )
        self.limits.tell(progress)

    def _values(self, model: Model, values: Sequence[float]) -> dict[str, int]:
        return {
            level: _value(model, level, values)
            for level in self.problem.params.objective
        }


def _value(model: Model, level: str, values: Sequence[float]) -> int:
    return sum(round(values[c]) * cost for c, cost in model.costs[level].items())


def _bound(level: str, value: int, solved: _Solved) -> int | None:
    """The solver's bound, which is one on -value where more is better."""
    if solved.is_proven:
        return value
    if not math.isfinite(solved.bound):
        return None
    bound = -sign(level) * math.ceil(solved.bound - WHOLE)
    return max(bound, value) if sign(level) > 0 else min(bound, value)


def _hold(model: Model, level: str, value: int) -> Row:
    terms = sorted(model.costs[level].items())
    return (
        Row(value, INFINITE, terms) if sign(level) > 0 else Row(-INFINITE, value, terms)
    )


class _Solver:
    """HiGHS on one model; a new object for each solve, so that nothing lingers.

    It is not given the plan that is known already: without one it is more than twice as
    quick (a département: 14 seconds instead of 32). The plan is kept here for the case
    that the search is cut.
    """

    def __init__(self, model: Model, limits: Limits) -> None:
        self.model, self.limits = model, limits

    def _may_last(self, solver: highspy.Highs) -> bool:
        """Hand the seconds that are left to the solver; False if there are none."""
        if self.limits.seconds_left is None:
            return True
        left = self.limits.seconds_left()
        solver.setOptionValue("time_limit", max(left, 0.0))
        return left > 0

    @staticmethod
    def silent() -> highspy.Highs:
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.silent()
        solver.setOptionValue("threads", 1)
        return solver

    def solve(
        self,
        costs: Mapping[int, int],
        start: list[float],
        held: Sequence[Row],
    ) -> _Solved:
        solver = self.silent()
        solver.setOptionValue("random_seed", self.limits.seed)
        solver.setOptionValue("mip_max_nodes", self.limits.nodes)
        solver.setOptionValue("mip_rel_gap", 0.0)
        solver.setOptionValue("mip_abs_gap", 1 - WHOLE)
        if not self._may_last(solver):
            return _Solved(start, -INFINITE, is_proven=False)
        solver.passModel(lp_of(self.model, costs, held))
        solver.run()
        return self._solved(solver, costs, start)

    @staticmethod
    def _solved(
        solver: highspy.Highs, costs: Mapping[int, int], start: list[float]
    ) -> _Solved:
        """What was found, unless the search was cut before it found as good a plan."""

        def cost(values: Sequence[float]) -> int:
            return sum(round(values[column]) * each for column, each in costs.items())

        status, info = solver.getModelStatus(), solver.getInfo()
        values = list(solver.getSolution().col_value)
        is_proven = status == highspy.HighsModelStatus.kOptimal
        has_plan = (
            info.primal_solution_status
            == highspy.SolutionStatus.kSolutionStatusFeasible
        )
        if not has_plan or cost(start) < cost(values):
            values = start
        is_impossible = status == highspy.HighsModelStatus.kInfeasible
        return _Solved(values, info.mip_dual_bound, is_proven, is_impossible)


def lp_of(
    model: Model, costs: Mapping[int, int], held: Sequence[Row]
) -> highspy.HighsLp:
    rows = [*model.rows, *held]
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.upper), len(rows)
    cost = np.zeros(len(model.upper))
    cost[list(costs)] = list(costs.values())
    lp.col_cost_ = cost
    lp.col_lower_ = np.array(model.lower, dtype=float)
    lp.col_upper_ = np.array(model.upper, dtype=float)
    lp.row_lower_ = np.array([row.low for row in rows])
    lp.row_upper_ = np.array([row.high for row in rows])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(row.terms) for row in rows)])
    lp.a_matrix_.index_ = np.array([c for row in rows for c, _ in row.terms])
    lp.a_matrix_.value_ = np.array([float(v) for row in rows for _, v in row.terms])
    lp.integrality_ = [highspy.HighsVarType.kInteger] * len(model.upper)
    return lp


# ---------------------------------------------------------------- networks


def _flow(model: Model) -> list[float] | None:
    """The best plan of a network, by linear programs alone; None if one is not solved.

    Their corners are whole numbers. What is best on a level is described by the prices:
    what has a price stays where it is for the levels below. A row that holds the value
    of a level, as elsewhere, would break the network.
    """
    solver = _Solver.silent()
    lp = lp_of(model, {}, ())
    lp.integrality_ = []
    solver.passModel(lp)
    columns = np.arange(lp.num_col_, dtype=np.int32)
    rows = np.arange(lp.num_row_, dtype=np.int32)
    lower, upper = np.array(lp.col_lower_), np.array(lp.col_upper_)
    low, high = np.array(lp.row_lower_), np.array(lp.row_upper_)
    values = np.zeros(len(columns))
    for level, mine in model.costs.items():
        cost = np.zeros(len(columns))
        cost[list(mine)] = [-sign(level) * each for each in mine.values()]
        solver.changeColsCost(len(columns), columns, cost)
        solver.changeColsBounds(len(columns), columns, lower, upper)
        # highspy's type stubs forget this one.
        solver.changeRowsBounds(len(rows), rows, low, high)  # type: ignore[attr-defined]
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = solver.getSolution()
        values = np.array(solution.col_value)
        if np.any(np.abs(values - np.round(values)) > WHOLE):
            return None
        priced = np.abs(np.array(solution.col_dual)) > HALF
        lower[priced] = upper[priced] = np.round(values[priced])
        priced = np.abs(np.array(solution.row_dual)) > HALF
        low[priced] = high[priced] = np.round(np.array(solution.row_value)[priced])
    return [float(value) for value in values]


# ---------------------------------------------------------------- small models


def solver(limits: Limits) -> Callable[[Model, Mapping[int, int]], Minimum | None]:
    """What repairs and reasons solve their small models with (``neighbourhood``)."""

    def solve(model: Model, costs: Mapping[int, int]) -> Minimum | None:
        if not model.upper:
            return _without_columns(model)
        highs = _Solver.silent()
        highs.setOptionValue("random_seed", limits.seed)
        highs.setOptionValue("mip_max_nodes", limits.nodes)
        highs.setOptionValue("mip_rel_gap", 0.0)
        highs.setOptionValue("mip_abs_gap", 1 - WHOLE)
        highs.passModel(lp_of(model, costs, ()))
        highs.run()
        feasible = highspy.SolutionStatus.kSolutionStatusFeasible
        if highs.getInfo().primal_solution_status != feasible:
            return None
        is_proven = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return Minimum(list(highs.getSolution().col_value), is_proven)

    return solve


def _without_columns(model: Model) -> Minimum | None:
    """HiGHS takes no model without columns; it has one plan, or none."""
    is_possible = all(row.low <= 0 <= row.high for row in model.rows)
    return Minimum([], is_proven=True) if is_possible else None
