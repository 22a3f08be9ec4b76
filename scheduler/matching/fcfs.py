"""First come, first served: what services do today, to compare with.

Three queues. As practised: whoever arrives takes as many visits as the class may make,
whole classes only. With half-groups: the same, split classes included. In rounds: one
visit each, then again from the front; the fairest queue that we know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scheduler.matching.greedy import Choices
from scheduler.matching.ledger import Ledger
from scheduler.matching.pins import with_pins
from scheduler.matching.plan import Visit
from scheduler.matching.possible import Possible
from scheduler.matching.problem import Problem


def as_practised(problem: Problem, possible: Choices) -> tuple[Visit, ...]:
    return with_half_groups(problem, _whole_only(problem, possible))


def with_half_groups(problem: Problem, possible: Choices) -> tuple[Visit, ...]:
    ledger = with_pins(problem, possible)
    for name in _queue(problem):
        while _best(ledger, possible[name]):
            pass
    return tuple(ledger.visits)


def in_rounds(problem: Problem, possible: Choices) -> tuple[Visit, ...]:
    ledger = with_pins(problem, possible)
    waiting = _queue(problem)
    while waiting:
        waiting = [name for name in waiting if _best(ledger, possible[name])]
    return tuple(ledger.visits)


def _queue(problem: Problem) -> list[str]:
    return sorted(problem.classes, key=lambda name: problem.classes[name].order)


def _best(ledger: Ledger, choices: Sequence[Possible]) -> bool:
    """The best wish that is still free; ``choices`` come best first."""
    return any(ledger.take(each) is not None for each in choices)


def _whole_only(
    problem: Problem, possible: Choices
) -> Mapping[str, Sequence[Possible]]:
    """Frozen and pinned half-groups stay: nobody asks them again."""
    kept = {
        (each.visit.class_id, each.visit.slots)
        for each in problem.previous
        if each.frozen
    }
    return {
        name: [
            each
            for each in choices
            if each.is_whole
            or (name, frozenset(each.slots)) in kept
            or not problem.classes[name].pinned.isdisjoint(each.slots)
        ]
        for name, choices in possible.items()
    }
