"""A bound on how many classes can be served, from prices of slots and months.

Every row about a host's slots and months gets a price; each class then takes the visit
that is cheapest for it, whatever others take. What the classes gain beyond their prices
and what all seats are worth together is more than any plan can serve (Lagrange). That
holds for any prices, so they may come from linear programs of single districts; good
ones make the bound good. Anyone can add it up again in one pass.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from scheduler.matching.greedy import Choices
from scheduler.matching.model import Model, build, limits_of
from scheduler.matching.problem import Problem

WHOLE = 1e-6
RowPrices = Callable[[Model], Sequence[float] | None]
"""The prices of the rows of a model for the level ``served``; None: stopped."""


def homes(possible: Choices, groups: Sequence[Sequence[str]]) -> list[set[str]]:
    """The hosts of each district: a host is at home where most could visit it."""
    wanted: dict[str, Counter[int]] = defaultdict(Counter)
    for number, names in enumerate(groups):
        for name in names:
            for each in possible[name]:
                for host in each.hosts:
                    wanted[host][number] += 1
    found: list[set[str]] = [set() for _ in groups]
    for host, where in wanted.items():
        found[max(sorted(where), key=where.__getitem__)].add(host)
    return found


def suitors(possible: Choices, hosts: Iterable[str]) -> list[str]:
    """The classes that could visit one of the hosts."""
    mine = set(hosts)
    return [
        name
        for name, choices in possible.items()
        if any(not mine.isdisjoint(each.hosts) for each in choices)
    ]


@dataclass(slots=True)
class Prices:
    """What has been priced so far; a host without prices costs nothing."""

    possible: Choices
    total: float = 0.0
    visits: dict[str, list[float]] = field(default_factory=dict)
    sizes: dict[tuple[str, int, int], float] = field(default_factory=dict)
    limits: dict[tuple[str, int, int], tuple[int, int]] = field(default_factory=dict)

    def add(self, model: Model, rows: Sequence[float], hosts: set[str]) -> None:
        """Take over the prices of these hosts' rows.

        In the model every class that could come there has all its choices, in order.
        """
        place: list[tuple[str, int]] = []
        counted: Counter[str] = Counter()
        for each in model.choices:
            place.append((each.class_id, counted[each.class_id]))
            counted[each.class_id] += 1
        opened: dict[int, float] = dict.fromkeys(model.opened.values(), 0.0)
        groups = {column: key for key, column in model.sizes.items()}
        for row, price in zip(model.rows, rows, strict=False):
            if row.host not in hosts or price <= 0:
                continue
            self.total += price * row.high
            for column, factor in row.terms:
                if column in opened:
                    opened[column] += price * factor
                elif column in groups:
                    choice, group = groups[column]
                    key = (*place[choice], group)
                    self.sizes[key] = self.sizes.get(key, 0.0) + price * factor
                    self.limits[key] = limits_of(model, choice)[group]
                else:
                    name, number = place[column]
                    self._of(name)[number] += price * factor
        self.total += sum(max(0.0, -price) for price in opened.values())

    def bound(self, problem: Problem) -> int:
        """No plan serves more classes."""
        costs = {name: list(mine) for name, mine in self.visits.items()}
        for (name, number, group), price in self.sizes.items():
            least, most = self.limits[name, number, group]
            mine = costs.setdefault(name, [0.0] * len(self.possible[name]))
            mine[number] += min(price * least, price * most)
        gains = [
            _gain(costs.get(name, [0.0]), problem.classes[name].max_visits)
            for name, choices in self.possible.items()
            if choices
        ]
        return math.floor(self.total + math.fsum(gains) + WHOLE)

    def _of(self, name: str) -> list[float]:
        return self.visits.setdefault(name, [0.0] * len(self.possible[name]))


def _gain(costs: Sequence[float], most: int) -> float:
    """What a class is worth beyond the prices of the visits that are best for it."""
    if most < 1:
        return 0.0
    cheapest, *others = heapq.nsmallest(most, costs)
    return max(0.0, 1 - cheapest - sum(min(0.0, each) for each in others))


def bound_of_served(
    problem: Problem,
    possible: Choices,
    groups: Sequence[Sequence[str]],
    row_prices: RowPrices,
) -> int | None:
    """A bound from one linear program for each district; None if one was stopped."""
    prices = Prices(possible)
    for hosts in filter(None, homes(possible, groups)):
        piece = {name: possible[name] for name in suitors(possible, hosts)}
        model = build(problem, piece)
        rows = row_prices(model)
        if rows is None:
            return None
        prices.add(model, rows, hosts)
    return prices.bound(problem)
