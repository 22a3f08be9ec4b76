"""The numbers on the page that explains the method are those of the engine."""

from __future__ import annotations

from collections.abc import Iterable

from scheduler.matching.fcfs import as_practised
from scheduler.matching.limits import Limits
from scheduler.matching.optimum import optimum
from scheduler.matching.plan import Visit
from scheduler.matching.possible import Offer, possible_visits
from scheduler.services.worked_example import EXAMPLE, problem


def places(visits: Iterable[Visit]) -> dict[str, str]:
    return {each.class_id: "".join(sorted(each.slots)) for each in visits}


def test_the_plan_of_the_example_is_the_best_one_and_the_only_one() -> None:
    example = problem()
    possible = possible_visits(Offer(example))
    best = optimum(example, possible, Limits())
    shown = {each.name: each.plan for each in EXAMPLE.lines if each.plan}
    assert places(best.visits) == shown
    assert all(level.is_proven for level in best.levels.values())


def test_the_queue_of_the_example_is_first_come_first_served() -> None:
    example = problem()
    queue = as_practised(example, possible_visits(Offer(example)))
    assert places(queue) == {e.name: e.queue for e in EXAMPLE.lines if e.queue}


def test_the_plan_serves_one_class_more() -> None:
    assert EXAMPLE.served_by_plan == EXAMPLE.served_by_queue + 1
