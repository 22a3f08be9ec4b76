"""The announced draw: lots that settle what every level leaves equal.

Whoever knows the seed can draw the lots again: a class's lot is its place in the order
of SHA-256 of "seed/class". Of plans that are equal on all levels the one whose served
classes have the smallest lots in total is taken.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

from scheduler.matching.model import Model

LEVEL = "draw"


def lots(classes: Iterable[str], seed: int | str) -> dict[str, int]:
    """The lot of each class, from 1 on; the smaller one wins."""

    def drawn(name: str) -> bytes:
        return hashlib.sha256(f"{seed}/{name}".encode()).digest()

    ordered = sorted(set(classes), key=lambda name: (drawn(name), name))
    return {name: number for number, name in enumerate(ordered, 1)}


def add_level(model: Model, drawn: Mapping[str, int]) -> None:
    """The draw becomes the last level of a model."""
    columns: dict[str, list[int]] = defaultdict(list)
    for column, each in enumerate(model.choices):
        columns[each.class_id].append(column)
    model.costs[LEVEL] = {
        column: drawn[name]
        for name, mine in columns.items()
        for column in ([model.served[name]] if name in model.served else mine)
    }
