"""A bound on how many classes can be served, from prices of slots and months.

Every row about a host's slots and months gets a price; each class then takes the visit
that is cheapest for it, whatever others take. What the classes gain beyond their prices
and what all seats are worth together is more than any plan can serve (Lagrange). That
holds for any prices, so they may come from small linear programs; good ones make the
bound good. Anyone can add it up again in one pass.

The hosts of one district at a time find their prices while those of all others stand:
a class then has its visits here, and what is best for it elsewhere. A few rounds over
all districts bring the prices together.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scheduler.matching.greedy import Choices
from scheduler.matching.model import Model, build, limits_of
from scheduler.matching.possible import Possible
from scheduler.matching.problem import Problem

WHOLE = 1e-6
Costs = Mapping[int, float]
RowPrices = Callable[[Model, Costs], Sequence[float] | None]
"""What each row of a model is worth where columns cost so much; None: stopped."""
Told = Callable[[int], None]


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


def suitors(possible: Choices) -> dict[str, dict[str, None]]:
    """The classes that could visit each host."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for name, choices in possible.items():
        for each in choices:
            for host in each.hosts:
                found[host][name] = None
    return found


@dataclass(slots=True)
class Priced:
    """The prices of a host: what all is worth, and what each visit costs there."""

    total: float = 0.0
    costs: dict[tuple[str, int], float] = field(default_factory=dict)
    """By class, and the number of the visit in its list."""

    def add(self, visit: tuple[str, int], cost: float) -> None:
        self.costs[visit] = self.costs.get(visit, 0.0) + cost


NOTHING = Priced()


@dataclass(slots=True)
class Market:
    """Prices of all hosts, district by district; those without prices cost nothing."""

    problem: Problem
    possible: Choices
    priced: dict[str, Priced] = field(default_factory=dict)
    costs: dict[str, list[float]] = field(default_factory=dict)

    def take(self, fresh: Mapping[str, Priced]) -> None:
        """The new prices of some hosts instead of the old ones."""
        for host, prices in fresh.items():
            before = self.priced.get(host, NOTHING)
            for sign, several in ((-1, before), (1, prices)):
                for (name, visit), cost in several.costs.items():
                    mine = self.costs.setdefault(name, [0.0] * len(self.possible[name]))
                    mine[visit] += sign * cost
            self.priced[host] = prices

    def cost(self, name: str, visit: int, hosts: Collection[str]) -> float:
        """What the visit costs at other hosts than these."""
        mine = self.costs.get(name)
        if mine is None:
            return 0.0
        here = math.fsum(
            self.priced[host].costs.get((name, visit), 0.0)
            for host in self.possible[name][visit].hosts
            if host in hosts and host in self.priced
        )
        return mine[visit] - here

    def bound(self) -> int:
        """No plan serves more classes."""
        worth = math.fsum(each.total for each in self.priced.values())
        gains = [
            _gain(self.costs.get(name, [0.0]), self.problem.classes[name].max_visits)
            for name, choices in self.possible.items()
            if choices
        ]
        return math.floor(worth + math.fsum(gains) + WHOLE)


def _gain(costs: Sequence[float], most: int) -> float:
    """What a class is worth beyond the prices of the visits that are best for it."""
    if most < 1:
        return 0.0
    cheapest, *others = sorted(costs)[:most]
    return max(0.0, 1 - cheapest - sum(min(0.0, each) for each in others))


# ---------------------------------------------------------------- one district


def prices_of(
    model: Model,
    rows: Sequence[float],
    hosts: Collection[str],
    places: Sequence[tuple[str, int]],
) -> dict[str, Priced]:
    """What each host's rows are worth, and what choices cost by their prices."""
    found = {host: Priced() for host in hosts}
    opened: dict[int, tuple[str, float]] = {}
    groups = {column: key for key, column in model.sizes.items()}
    students: dict[tuple[str, int], dict[int, float]] = {}
    for row, price in zip(model.rows, rows, strict=True):
        if row.host not in found or price <= 0:
            continue
        here = found[row.host]
        here.total += price * row.high
        for column, factor in row.terms:
            if column < len(places):
                here.add(places[column], price * factor)
            elif column in groups:
                choice, group = groups[column]
                mine = students.setdefault((row.host, choice), {})
                mine[group] = mine.get(group, 0.0) + price * factor
            else:
                before = opened.get(column, (row.host, 0.0))[1]
                opened[column] = row.host, before + price * factor
    for (host, choice), by_group in students.items():
        found[host].add(places[choice], _cheapest_sizes(model, choice, by_group))
    for host, price in opened.values():
        found[host].total += max(0.0, -price)
    return found


def _cheapest_sizes(model: Model, choice: int, by_group: Mapping[int, float]) -> float:
    """What half-groups cost at least: as many students as can be where it is cheap."""
    limits = limits_of(model, choice)
    size = model.problem.classes[model.choices[choice].class_id].size
    left = size - sum(least for least, _ in limits)
    cost = 0.0
    for group in sorted(range(len(limits)), key=lambda n: by_group.get(n, 0.0)):
        least, most = limits[group]
        more = min(left, most - least)
        cost += by_group.get(group, 0.0) * (least + more)
        left -= more
    return cost


@dataclass(slots=True)
class _District:
    """The linear program of the hosts of one district."""

    market: Market
    hosts: set[str]
    names: Sequence[str]
    is_alone: bool
    """Nobody has prices yet: nothing elsewhere to compare with."""

    def priced(
        self, problem: Problem, row_prices: RowPrices
    ) -> dict[str, Priced] | None:
        here: dict[str, list[Possible]] = {}
        places: list[tuple[str, int]] = []
        for name in self.names:
            mine = [
                (visit, each)
                for visit, each in enumerate(self.market.possible[name])
                if not self.hosts.isdisjoint(each.hosts)
            ]
            here[name] = [each for _, each in mine]
            places += [(name, visit) for visit, _ in mine]
        model = build(problem, here)
        model.rows = [
            row for row in model.rows if row.host is None or row.host in self.hosts
        ]
        costs = {
            column: self.market.cost(name, visit, self.hosts) - 1
            for column, (name, visit) in enumerate(places)
        }
        if not self.is_alone:
            self._elsewhere(model, costs, places)
        rows = row_prices(model, costs)
        if rows is None:
            return None
        return prices_of(model, rows, self.hosts, places)

    def _elsewhere(
        self,
        model: Model,
        costs: dict[int, float],
        places: Sequence[tuple[str, int]],
    ) -> None:
        """One more column for what is best for a class among the other hosts."""
        columns: dict[str, list[int]] = defaultdict(list)
        for column, (name, _) in enumerate(places):
            columns[name].append(column)
        for name, mine in columns.items():
            inside = {places[column][1] for column in mine}
            best = min(
                (
                    self.market.cost(name, visit, self.hosts)
                    for visit in range(len(self.market.possible[name]))
                    if visit not in inside
                ),
                default=1.0,
            )
            if best < 1:
                other = model.column(1)
                costs[other] = best - 1
                model.at_most(1, [*((column, 1) for column in mine), (other, 1)])


def bound_of_served(
    problem: Problem,
    possible: Choices,
    cut: Callable[[int], Sequence[Sequence[str]]],
    row_prices: RowPrices,
    *,
    rounds: int,
    tell: Told = lambda _bound: None,
) -> int | None:
    """The best bound of some rounds over the districts; None: stopped in the first.

    ``cut`` gives the districts of each round, every time with other borders.
    """
    one_each = replace(
        problem,
        params=replace(problem.params, objective=("served",)),
        classes={
            name: replace(each, max_visits=min(1, each.max_visits))
            for name, each in problem.classes.items()
        },
    )
    market = Market(problem, possible)
    wooing = suitors(possible)
    best: int | None = None
    for turn in range(rounds):
        groups = cut(turn)
        for hosts, members in zip(homes(possible, groups), groups, strict=True):
            names = {name for host in hosts for name in wooing[host]}
            ordered = [name for name in members if name in names]
            if turn:
                ordered += sorted(names.difference(ordered))
            if not ordered:
                continue
            district = _District(market, hosts, ordered, is_alone=not turn)
            fresh = district.priced(one_each, row_prices)
            if fresh is None:
                return best
            market.take(fresh)
        bound = market.bound()
        best = bound if best is None else min(best, bound)
        tell(best)
        if len(groups) == 1:
            break
    return best
