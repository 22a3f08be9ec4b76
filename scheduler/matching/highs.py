"""The solver and nothing else: models go in, columns, bounds and prices come out.

HiGHS runs on one thread with a fixed seed, a new object for each solve, so that nothing
lingers and the same model gives the same columns. Its callbacks are how a search is
stopped and how its better plans are heard of while it runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from scheduler.matching.limits import Limits
from scheduler.matching.model import Model, Row
from scheduler.matching.neighbourhood import Minimum, Solve, Undecided
from scheduler.matching.score import sign

WHOLE = 1e-6
HALF = 0.5
"""Prices are whole numbers in a network with whole costs."""
INFINITE = float("inf")
CALLS_BETWEEN = 50
"""A linear program asks at every step whether to stop; the clock is read less often."""

OPTIMAL = highspy.HighsModelStatus.kOptimal
IMPOSSIBLE = {
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
}
FEASIBLE = highspy.SolutionStatus.kSolutionStatusFeasible
Hear = Callable[[Sequence[float] | None, float], None]
"""Is told the columns of a better plan, if there are any, and the bound on the cost."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard a search tries: until the gap is this small, or after so many nodes.

    ``from_start`` hands the known plan to the solver. A poor one makes it more than
    twice as slow; a very good one leaves it only the proof, and ``proof_only`` saves it
    the search for better ones.
    """

    gap: float = 0.0
    nodes: int | None = None
    from_start: bool = False
    proof_only: bool = False
    share: float = 1.0
    """Of the seconds that are left."""


@dataclass(frozen=True, slots=True)
class Solved:
    """``bound`` is one on the cost; ``is_proven``: no columns cost less."""

    values: list[float]
    bound: float
    is_proven: bool
    is_impossible: bool = False


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A linear program's end: what it costs, and the prices of columns and rows."""

    cost: float
    columns: Sequence[float]
    rows: Sequence[float]


def silent(limits: Limits | None = None) -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    solver.setOptionValue("threads", 1)
    if limits is not None:
        solver.setOptionValue("random_seed", limits.seed)
    return solver


def search(
    model: Model,
    costs: Mapping[int, float],
    known: list[float],
    limits: Limits,
    *,
    held: Sequence[Row] = (),
    closed: Collection[int] = (),
    effort: Effort | None = None,
    hear: Hear | None = None,
) -> Solved:
    """The columns of least cost that the limits allow; never dearer than ``known``.

    Columns that are ``closed`` stay at nothing.
    """
    effort = effort or Effort()
    nothing = Solved(known, -INFINITE, is_proven=False)
    left = limits.left() * effort.share
    if left <= 0:
        return nothing
    solver = silent(limits)
    solver.setOptionValue("mip_max_nodes", min(limits.nodes, effort.nodes or NO_LIMIT))
    solver.setOptionValue("mip_rel_gap", effort.gap)
    solver.setOptionValue("mip_abs_gap", 1 - WHOLE)
    solver.setOptionValue("time_limit", left)
    if effort.proof_only:
        solver.setOptionValue("mip_heuristic_effort", 0.0)
    solver.passModel(lp_of(model, costs, held, closed))
    if effort.from_start:
        start = highspy.HighsSolution()
        start.col_value = list(known)
        solver.setSolution(start)
    _watch(solver, limits, hear)
    solver.run()
    return _solved(solver, costs, known)


NO_LIMIT = 2**31 - 1


def _watch(solver: highspy.Highs, limits: Limits, hear: Hear | None) -> None:
    """Ask whether to stop as often as the solver lets us; hear what it has found."""
    bound = -INFINITE

    def ask(event: Any) -> None:
        nonlocal bound
        now = event.data_out.mip_dual_bound
        if hear is not None and now >= bound + 1:
            bound = now
            hear(None, bound)
        if limits.stop():
            event.interrupt()

    def better(event: Any) -> None:
        if hear is not None:
            hear(list(event.data_out.mip_solution), event.data_out.mip_dual_bound)

    solver.cbMipInterrupt.subscribe(ask)
    if hear is not None:
        solver.cbMipImprovingSolution.subscribe(better)


def _solved(
    solver: highspy.Highs, costs: Mapping[int, float], known: list[float]
) -> Solved:
    """What was found, unless the search was cut before it found as good a plan."""

    def cost(values: Sequence[float]) -> float:
        return sum(round(values[column]) * each for column, each in costs.items())

    info = solver.getInfo()
    values = list(solver.getSolution().col_value)
    status = solver.getModelStatus()
    if info.primal_solution_status != FEASIBLE or cost(known) < cost(values):
        values = known
    return Solved(
        values,
        info.mip_dual_bound,
        is_proven=status == OPTIMAL,
        is_impossible=status == highspy.HighsModelStatus.kInfeasible,
    )


def relaxed(
    model: Model,
    costs: Mapping[int, float],
    limits: Limits,
    *,
    held: Sequence[Row] = (),
) -> Relaxed | None:
    """The linear program, whose columns need not be whole; None if it was stopped."""
    left = limits.left()
    if left <= 0 or not model.upper:
        return None
    solver = silent(limits)
    if math.isfinite(left):
        solver.setOptionValue("time_limit", left)
    lp = lp_of(model, costs, held)
    lp.integrality_ = []
    solver.passModel(lp)
    solver.setOptionValue("solver", "simplex")
    calls = 0

    def ask(event: Any) -> None:
        nonlocal calls
        calls += 1
        if calls % CALLS_BETWEEN == 0 and limits.stop():
            event.interrupt()

    solver.cbSimplexInterrupt.subscribe(ask)
    solver.run()
    if solver.getModelStatus() != OPTIMAL:
        return None
    solution = solver.getSolution()
    cost = solver.getInfo().objective_function_value
    return Relaxed(cost, list(solution.col_dual), list(solution.row_dual))


def lp_of(
    model: Model,
    costs: Mapping[int, float],
    held: Sequence[Row],
    closed: Collection[int] = (),
) -> highspy.HighsLp:
    rows = [*model.rows, *held]
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.upper), len(rows)
    cost = np.zeros(len(model.upper))
    cost[list(costs)] = list(costs.values())
    upper = np.array(model.upper, dtype=float)
    upper[list(closed)] = 0.0
    lp.col_cost_ = cost
    lp.col_lower_ = np.array(model.lower, dtype=float)
    lp.col_upper_ = upper
    lp.row_lower_ = np.array([row.low for row in rows])
    lp.row_upper_ = np.array([row.high for row in rows])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(row.terms) for row in rows)])
    lp.a_matrix_.index_ = np.array([c for row in rows for c, _ in row.terms])
    lp.a_matrix_.value_ = np.array([float(v) for row in rows for _, v in row.terms])
    lp.integrality_ = [highspy.HighsVarType.kInteger] * len(model.upper)
    return lp


# ---------------------------------------------------------------- networks


def flow(model: Model) -> list[float] | None:
    """The best plan of a network, by linear programs alone; None if one is not solved.

    Their corners are whole numbers. What is best on a level is described by the prices:
    what has a price stays where it is for the levels below. A row that holds the value
    of a level, as elsewhere, would break the network.
    """
    solver = silent()
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
        if solver.getModelStatus() != OPTIMAL:
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


def solver(limits: Limits) -> Solve:
    """What repairs and reasons solve their small models with (``neighbourhood``)."""

    def solve(model: Model, costs: Mapping[int, int]) -> Minimum | None:
        if not model.upper:
            return _without_columns(model)
        left = limits.left()
        if left <= 0:
            raise Undecided
        highs = silent(limits)
        highs.setOptionValue("mip_max_nodes", limits.nodes)
        highs.setOptionValue("mip_rel_gap", 0.0)
        highs.setOptionValue("mip_abs_gap", 1 - WHOLE)
        highs.setOptionValue("time_limit", left)
        highs.passModel(lp_of(model, costs, ()))
        _watch(highs, limits, None)
        highs.run()
        status = highs.getModelStatus()
        if highs.getInfo().primal_solution_status != FEASIBLE:
            if status not in IMPOSSIBLE:
                raise Undecided
            return None
        return Minimum(list(highs.getSolution().col_value), status == OPTIMAL)

    return solve


def _without_columns(model: Model) -> Minimum | None:
    """HiGHS takes no model without columns; it has one plan, or none."""
    is_possible = all(row.low <= 0 <= row.high for row in model.rows)
    return Minimum([], is_proven=True) if is_possible else None
