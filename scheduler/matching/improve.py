"""A better plan, fast: the first levels weighed together, on the promising visits only.

One model for the first levels finds nearly the best plan several times as fast as level
after level, but proves none of them: that is left to ``optimum``. Its linear program
tells which possible visits are far too dear ever to be made; they are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from scheduler.matching import highs
from scheduler.matching.highs import Effort, Hear
from scheduler.matching.limits import Limits
from scheduler.matching.model import Model, Row
from scheduler.matching.score import sign

WEIGHTS = (6000.0, 1000.0, 30.0, 1.0)
SLIGHT = {"rank": 0.02, "travel": 0.000_002}
"""Costs that only decide between equals, so that proofs start from a kind plan."""
TOO_DEAR = 1000
"""A visit whose reduced cost is above a sixth of a class is left out."""
NEAR = 5e-4
"""A search ends when it is this near to its bound; the proofs come later."""


def weights(levels: Sequence[str]) -> dict[str, float]:
    """The weights of the levels: each of the first four is worth many of the next."""
    heavy = [level for level in levels if level not in SLIGHT]
    slight = {level: SLIGHT[level] for level in levels if level in SLIGHT}
    return dict(zip(heavy, WEIGHTS, strict=False)) | slight


def weighed(model: Model) -> dict[int, float]:
    """One cost for each column, of all levels."""
    costs: dict[int, float] = defaultdict(float)
    for level, weight in weights(list(model.costs)).items():
        for column, cost in model.costs[level].items():
            costs[column] -= sign(level) * weight * cost
    return dict(costs)


def better(
    model: Model,
    known: list[float],
    limits: Limits,
    *,
    held: Sequence[Row] = (),
    share: float = 1.0,
    hear: Hear | None = None,
) -> list[float]:
    """Columns of a plan that is better, level by level, or the known ones."""
    costs = weighed(model)
    if not costs:
        return known
    relaxed = highs.relaxed(model, costs, limits, held=held)
    if relaxed is None:
        return known
    closed = [
        column
        for column in range(len(model.choices))
        if relaxed.columns[column] > TOO_DEAR
        and not model.lower[column]
        and not round(known[column])
    ]
    found = highs.search(
        model,
        costs,
        known,
        limits,
        held=held,
        closed=closed,
        effort=Effort(gap=NEAR, nodes=NODES, share=share),
        hear=hear,
    ).values
    return max(known, found, key=lambda values: key_of(model, values))


NODES = 500
"""Districts hardly ever need any; more help no plan that has not come near by then."""


def values_of(model: Model, values: Sequence[float]) -> dict[str, int]:
    return {level: value_of(model, level, values) for level in model.costs}


def value_of(model: Model, level: str, values: Sequence[float]) -> int:
    return sum(round(values[c]) * cost for c, cost in model.costs[level].items())


def key_of(model: Model, values: Sequence[float]) -> tuple[int, ...]:
    """Plans of the same model sort by it; the greatest is the best."""
    told: Mapping[str, int] = values_of(model, values)
    return tuple(sign(level) * value for level, value in told.items())
