"""The readable baseline: who has the fewest possibilities chooses first.

Also the start of ``optimum``, which is never worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scheduler.matching.ledger import Ledger
from scheduler.matching.pins import with_pins
from scheduler.matching.plan import Visit
from scheduler.matching.possible import Possible
from scheduler.matching.problem import Problem

Choices = Mapping[str, Sequence[Possible]]


def greedy(problem: Problem, possible: Choices) -> tuple[Visit, ...]:
    """First one visit for as many as can be, then second visits with what is left."""
    ledger = with_pins(problem, possible)
    fill(ledger, possible)
    return tuple(ledger.visits)


def fill(ledger: Ledger, possible: Choices) -> None:
    """Use what is left: classes with few possibilities first, a visit a round."""
    classes = ledger.problem.classes
    waiting = [name for name in classes if possible[name]]
    waiting.sort(key=lambda name: (len(possible[name]), -classes[name].priority, name))
    wanted = _demand(possible)
    while waiting:
        waiting = [
            name for name in waiting if _one_more(ledger, possible[name], wanted)
        ]


def _one_more(
    ledger: Ledger, choices: Sequence[Possible], wanted: Mapping[str, int]
) -> bool:
    """Take the visit whose slots the fewest others could use."""

    def dear(each: Possible) -> tuple[int, int, int]:
        return sum(wanted[slot] for slot in each.slots), each.rank, each.travel

    return any(ledger.take(each) is not None for each in sorted(choices, key=dear))


def _demand(possible: Choices) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for choices in possible.values():
        for each in choices:
            for slot in each.slots:
                wanted[slot] = wanted.get(slot, 0) + 1
    return wanted
