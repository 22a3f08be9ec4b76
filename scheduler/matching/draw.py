"""The announced draw: lots that settle what every level leaves equal.

Whoever knows the seed can draw the lots again: a class's lot is its place in the order
of SHA-256 of "seed/class". Of plans that are equal on all levels the one is taken that
is kindest to the small lots: the lots of the served classes count a hundred times each,
and what a wish costs (0, 1, 3, 6, ...) counts more the smaller the lot is.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

from scheduler.matching.model import Model
from scheduler.matching.score import rank_cost

LEVEL = "draw"
SERVED = 100
"""To be served weighs more than the wish that one gets."""


def lots(classes: Iterable[str], seed: int | str) -> dict[str, int]:
    """The lot of each class, from 1 on; the smaller one wins."""

    def drawn(name: str) -> bytes:
        return hashlib.sha256(f"{seed}/{name}".encode(errors="surrogatepass")).digest()

    ordered = sorted(set(classes), key=lambda name: (drawn(name), name))
    return {name: number for number, name in enumerate(ordered, 1)}


def add_level(model: Model, drawn: Mapping[str, int]) -> None:
    """The draw becomes the last level of a model."""
    costs: Counter[int] = Counter()
    for column, each in enumerate(model.choices):
        lot = drawn[each.class_id]
        costs[column] += (len(drawn) + 1 - lot) * rank_cost(each.rank)
        if each.class_id not in model.served:
            costs[column] += SERVED * lot
    for name, column in model.served.items():
        costs[column] = SERVED * drawn[name]
    model.costs[LEVEL] = {column: cost for column, cost in costs.items() if cost}
