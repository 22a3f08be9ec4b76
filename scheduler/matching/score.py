"""The single definition of "better": levels, compared one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scheduler.matching.plan import LEVELS, Visit
from scheduler.matching.possible import Offer
from scheduler.matching.problem import Problem

LESS_IS_BETTER = frozenset({"rank", "travel", "changes", "draw"})


def sign(level: str) -> int:
    """+1 where more is better, -1 where less is."""
    return -1 if level in LESS_IS_BETTER else 1


def rank_cost(rank: int) -> int:
    """What a visit costs by the wish that it fulfils: 0, 1, 3, 6, ..."""
    return rank * (rank - 1) // 2


def better_key(levels: Sequence[str], objective: Mapping[str, int]) -> tuple[int, ...]:
    """Plans sort by it: the greatest key is the best plan."""
    return tuple(sign(level) * objective[level] for level in levels)


def objective_of(
    problem: Problem, visits: Sequence[Visit], *, offer: Offer | None = None
) -> dict[str, int]:
    """Every level of a plan whose visits name known classes and wished slots."""
    offer = offer or Offer(problem)
    wished = {
        name: {each.slot.id: each for each in offer.wished(problem.classes[name])}
        for name in {visit.class_id for visit in visits}
    }
    rank = travel = 0
    for visit in visits:
        chosen = [wished[visit.class_id][slot] for slot in visit.slots]
        rank += rank_cost(max(each.rank for each in chosen))
        travel += max(each.distance for each in chosen)
    return levels_of(problem, visits, rank=rank, travel=travel)


def levels_of(
    problem: Problem, visits: Sequence[Visit], *, rank: int, travel: int
) -> dict[str, int]:
    """The levels that need no look at the wishes, beside the two that do."""
    served = [problem.classes[name] for name in {visit.class_id for visit in visits}]
    found = {
        "served": len(served),
        "schools": len({one.school for one in served}),
        "priority": sum(one.priority for one in served),
        "visits": len(visits),
        "rank": rank,
        "travel": travel,
        "changes": changes(problem, visits),
        "students": sum(one.size for one in served),
    }
    return {level: found[level] for level in LEVELS}


def changes(problem: Problem, visits: Iterable[Visit]) -> int:
    """How many published visits are no longer there."""
    now = {(visit.class_id, visit.slots) for visit in visits}
    before = [(each.visit.class_id, each.visit.slots) for each in problem.previous]
    return sum(each not in now for each in before)
