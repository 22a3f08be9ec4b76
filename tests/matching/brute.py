"""The best plan by trying everything: slow, and sharing no idea with the engine.

A visit is any set of same-day slots with any group sizes that ``verify`` accepts by
itself; a plan is any set of visits that ``verify`` accepts together.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations

from scheduler.matching.plan import Part, Plan, Visit
from scheduler.matching.possible import Offer
from scheduler.matching.problem import Problem, SchoolClass, Slot
from scheduler.matching.score import better_key
from scheduler.matching.verify import verify

OTHERS_CAN_MEND = {"slot_under_min", "frozen_visit_lost", "pin_lost"}


def visits_by_trial(
    problem: Problem, one: SchoolClass, offer: Offer | None = None
) -> list[Visit]:
    """Every visit of the class that breaks no rule about one visit."""
    offer = offer or Offer(problem)
    return [
        visit
        for visit in _guesses(problem, one)
        if _faults(problem, visit, offer) <= OTHERS_CAN_MEND
        and not _too_small_for_good(problem, visit)
    ]


def _faults(problem: Problem, visit: Visit, offer: Offer) -> set[str]:
    return {f.code for f in verify(problem, Plan((visit,)), offer=offer).faults}


def _too_small_for_good(problem: Problem, visit: Visit) -> bool:
    slots = problem.slots
    return any(
        part.students < slots[part.slot].least and slots[part.slot].groups == 1
        for part in visit.parts
    )


def _guesses(problem: Problem, one: SchoolClass) -> Iterator[Visit]:
    days: dict[str, list[Slot]] = defaultdict(list)
    for slot in problem.slots.values():
        days[slot.date].append(slot)
    for slots in days.values():
        for slot in slots:
            yield Visit(one.id, (Part(slot.id, one.size),))
        for number in range(2, one.max_parts + 1):
            for chosen in combinations(slots, number):
                for sizes in _sizes(one.size, number):
                    parts = zip(chosen, sizes, range(1, number + 1), strict=True)
                    yield Visit(one.id, tuple(Part(s.id, n, g) for s, n, g in parts))
        for a, b, c, d in combinations(slots, 4):
            for first, second in (((a, b), (c, d)), ((a, c), (b, d)), ((a, d), (b, c))):
                for size in range(1, one.size):
                    yield Visit(one.id, (
                        *(Part(slot.id, size, 1) for slot in first),
                        *(Part(slot.id, one.size - size, 2) for slot in second),
                    ))  # fmt: skip


def _sizes(total: int, number: int) -> Iterator[tuple[int, ...]]:
    if number == 1:
        yield (total,)
        return
    for first in range(1, total):
        for rest in _sizes(total - first, number - 1):
            yield (first, *rest)


Served = frozenset[str]
Valid = list[tuple[tuple[int, ...], dict[str, int], Served]]


def best_objective(problem: Problem) -> dict[str, int] | None:
    """The best levels, in the problem's order; None if no plan is valid."""
    return best_of(valid_plans(problem), lambda _served: True)


def valid_plans(problem: Problem) -> Valid:
    """Every valid plan: how good it is, its levels, and whom it serves."""
    levels = problem.params.objective
    return [
        (key, dict(zip(levels, (abs(value) for value in key), strict=True)),
         frozenset(visit.class_id for visit in visits))
        for key, visits in plans_of(problem)
    ]  # fmt: skip


def plans_of(problem: Problem) -> list[tuple[tuple[int, ...], tuple[Visit, ...]]]:
    """Every valid plan with its key: the greatest is the best."""
    offer = Offer(problem)
    levels = problem.params.objective
    sets = [
        list(_sets(visits_by_trial(problem, one, offer), one.max_visits))
        for one in problem.classes.values()
    ]
    found = []
    for visits in _plans(problem, sets, (), Counter()):
        report = verify(problem, Plan(visits), offer=offer)
        if report.is_valid:
            found.append((better_key(levels, report.objective), visits))
    return found


def best_of(plans: Valid, suits: Callable[[Served], bool]) -> dict[str, int] | None:
    """The levels of the best plan that serves the right classes."""
    right = [each for each in plans if suits(each[2])]
    return max(right, key=lambda each: each[0])[1] if right else None


def _sets(visits: list[Visit], most: int) -> Iterator[tuple[Visit, ...]]:
    for number in range(min(most, len(visits)) + 1):
        yield from combinations(visits, number)


def _plans(
    problem: Problem,
    sets: list[list[tuple[Visit, ...]]],
    chosen: tuple[Visit, ...],
    load: Counter[str],
) -> Iterator[tuple[Visit, ...]]:
    if not sets:
        yield chosen
        return
    for more in sets[0]:
        parts = [part for visit in more for part in visit.parts]
        now = Counter(load)
        for part in parts:
            now[part.slot] += part.students
        if all(now[p.slot] <= problem.slots[p.slot].most for p in parts):
            yield from _plans(problem, sets[1:], (*chosen, *more), now)
