"""After a plan was published: what still holds, and how little has to change.

A host declines, a class withdraws, a slot is gone: ``previous`` of the problem then
holds visits that are possible no more. Three ways on, each with what it means for every
class (``Outcome``):

    second_round      nobody moves; who has nothing takes what is left
    local_repair      the same, and a visit moves only where that serves one more class
    fewest_changes    the best plan of all, which moves as few visits as it can

They know no solver and are given one: ``optimum.solver`` or ``optimum.optimum``.
"""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scheduler.matching import draw
from scheduler.matching.explain import explain
from scheduler.matching.greedy import Choices
from scheduler.matching.ledger import NoPlan, as_it_is_now, breaking
from scheduler.matching.neighbourhood import (
    Found,
    Solve,
    Standing,
    Web,
    best_of,
    choose_again,
    hold,
)
from scheduler.matching.pins import only_pins, pins_of
from scheduler.matching.plan import Reason, Visit, in_order
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, Published, Slot
from scheduler.matching.score import objective_of

if TYPE_CHECKING:
    from scheduler.matching.optimum import Optimum

LEVELS = ("served", "changes", "schools", "priority", "visits", "rank", "travel")
"""In a repair few changes come second: before schools, wishes and ways."""
MOVES_SETTLED = LEVELS.index("visits")
"""Up to here the levels say which visits move; below, how those that move are."""
AROUND = 200
"""So many classes around what was hit may move; more take longer and gain little."""


class Fate(enum.StrEnum):
    """What a repair means for a class; who has nothing before and after has none."""

    KEPT = "kept"
    MOVED = "moved"
    MORE = "more"
    FEWER = "fewer"
    NEWLY_SERVED = "newly_served"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``gone`` and ``new`` are its visits that end and begin; ``reason`` if it lost."""

    class_id: str
    fate: Fate
    gone: tuple[Visit, ...] = ()
    new: tuple[Visit, ...] = ()
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """A plan to be approved, with every level of ``score``.

    ``is_proven``: where nobody moves, or for ``fewest_changes`` of all, none is better.
    """

    visits: tuple[Visit, ...]
    outcomes: tuple[Outcome, ...]
    reasons: tuple[Reason, ...]
    levels: Mapping[str, int]
    is_proven: bool

    def of(self, fate: Fate) -> tuple[Outcome, ...]:
        return tuple(each for each in self.outcomes if each.fate is fate)


# ---------------------------------------------------------------- what still holds


@dataclass(frozen=True, slots=True)
class Damage:
    """The published visits, sorted by what became of them.

    ``stays`` is a valid plan. Visits of ``gone`` are possible no more; those of
    ``loose`` are, but not all of them beside the others, so their classes choose again.
    """

    stays: tuple[Visit, ...]
    gone: tuple[Visit, ...]
    loose: tuple[Visit, ...]

    @property
    def hit(self) -> tuple[str, ...]:
        """The classes that lost a visit or may lose one."""
        return tuple(dict.fromkeys(v.class_id for v in (*self.gone, *self.loose)))


def damage(problem: Problem, possible: Choices) -> Damage:
    """What a cancellation did to ``previous``; raises ``NoPlan`` if it hit a frozen."""
    frozen: dict[Visit, int] = {}
    stays: dict[Visit, None] = {}
    gone: list[Visit] = []
    for number, each in enumerate(problem.previous):
        now = _today(problem, each.visit, possible)
        if now is None and each.frozen:
            raise NoPlan(number, "the class may not make this visit")
        if now is None:
            gone.append(each.visit)
        else:
            stays[now] = None
        if now is not None and each.frozen:
            frozen[now] = number
    loose: list[Visit] = []
    while broken := [
        visit for visit in breaking(problem, stays) if visit not in frozen
    ]:
        loose += broken
        stays = {visit: None for visit in stays if visit not in broken}
    for visit in breaking(problem, stays):
        raise NoPlan(frozen[visit], "it cannot stay beside the other frozen visits")
    return Damage(tuple(stays), tuple(gone), tuple(loose))


def _today(problem: Problem, visit: Visit, possible: Choices) -> Visit | None:
    """The published visit as it would be today; None if the class may not go."""
    for each in possible.get(visit.class_id, ()):
        if frozenset(each.slots) == visit.slots:
            return as_it_is_now(problem, visit, each)
    return None


def _with_pins_that_hold(problem: Problem, stays: Iterable[Visit]) -> Problem:
    """Without the pins that nothing fulfils any more."""
    given = {(visit.class_id, slot) for visit in stays for slot in visit.slots}
    pins = [p for p in pins_of(problem) if (p.class_id, p.slot) in given]
    return only_pins(problem, pins)


# ---------------------------------------------------------------- the three ways


def second_round(
    problem: Problem,
    possible: Choices,
    solve: Solve,
    *,
    drawn: Mapping[str, int] | None = None,
) -> Repair:
    """No visit that can stay moves; hit classes and unserved ones take what is left.

    ``drawn`` are the lots (``draw.lots``) that settle what the levels leave equal.
    """
    visits, is_proven = _Round(problem, possible, solve).nobody_moves(drawn)
    return repaired(problem, possible, visits, is_proven=is_proven)


def local_repair(
    problem: Problem,
    possible: Choices,
    solve: Solve,
    *,
    near: Sequence[str] = (),
    around: int = AROUND,
) -> Repair:
    """As the second round; visits near what was hit move where that serves one more.

    ``near`` names other slots around which visits may move, such as new ones.
    """
    search = _Round(problem, possible, solve)
    first, is_proven = search.nobody_moves()
    moving = search.neighbours(first, near, most=around)
    better = search.some_move(first, moving)
    return repaired(problem, possible, better or first, is_proven=is_proven)


def fewest_changes(
    problem: Problem, possible: Choices, best: Callable[[Problem, Choices], Optimum]
) -> Repair:
    """The best plan of all by the levels of a repair: slower, and proven."""
    harm = damage(problem, possible)
    aim = _with_pins_that_hold(problem, harm.stays)
    params = replace(problem.params, objective=LEVELS)
    found = best(replace(aim, params=params), possible)
    is_proven = all(level.is_proven for level in found.levels.values())
    return repaired(problem, possible, found.visits, is_proven=is_proven)


class _Round:
    """One search for a repair of a problem."""

    def __init__(self, problem: Problem, possible: Choices, solve: Solve) -> None:
        self.harm = damage(problem, possible)
        self.problem = _with_pins_that_hold(problem, self.harm.stays)
        self.possible, self.solve = possible, solve
        self.frozen = {
            (each.visit.class_id, each.visit.slots)
            for each in problem.previous
            if each.frozen
        }

    def nobody_moves(
        self, drawn: Mapping[str, int] | None = None
    ) -> tuple[tuple[Visit, ...], bool]:
        """The best plan with all that stays; only hit and unserved classes choose."""
        stays = Standing(self.problem, self.possible, self.harm.stays)
        served = set(stays.of_class) - set(self.harm.hit)
        choosing = {
            n: self.possible[n] for n in self.problem.classes if n not in served
        }
        model = choose_again(stays, choosing, LEVELS)
        if drawn is not None:
            draw.add_level(model, drawn)
        found = best_of(model, self.solve)
        if found is None:
            return self.harm.stays, False
        return _together(stays, found), found.is_proven

    def neighbours(
        self, first: Sequence[Visit], near: Sequence[str], *, most: int
    ) -> list[str]:
        """The classes nearest to who lost, to slots that were left, and to ``near``."""
        served = {visit.class_id for visit in first}
        hit = [name for name in self.harm.hit if name in self.problem.classes]
        lost = [name for name in hit if name not in served]
        left = [s for v in (*self.harm.gone, *self.harm.loose) for s in sorted(v.slots)]
        slots = [name for name in (*left, *near) if name in self.problem.slots]
        web = Web(self.problem, self.possible)
        return web.near(lost, slots, most=most)

    def some_move(
        self, first: Sequence[Visit], moving: Sequence[str]
    ) -> tuple[Visit, ...] | None:
        """A plan that serves more by moving a few visits of ``moving``; or None.

        Which ones is settled on the first levels; on the others only they choose, which
        saves most of the time.
        """
        one_more = self._again(first, moving, LEVELS[:MOVES_SETTLED], more=1)
        if one_more is None:
            return None
        before = {(visit.class_id, visit.slots) for visit in first}
        movers = [v.class_id for v in one_more if (v.class_id, v.slots) not in before]
        names = [*dict.fromkeys(movers), *(n for n in moving if n in self.harm.hit)]
        return self._again(one_more, names, LEVELS, more=0) or one_more

    def _again(
        self,
        visits: Sequence[Visit],
        names: Sequence[str],
        levels: Sequence[str],
        *,
        more: int,
    ) -> tuple[Visit, ...] | None:
        """Some classes choose again, and so many more are served than by ``visits``.

        Who was not hit stays served, with no more visits than before.
        """
        had = Counter(visit.class_id for visit in visits)
        least = {n: 1 for n in names if had[n] and n not in self.harm.hit}
        classes = dict(self.problem.classes)
        for name in least:
            classes[name] = replace(classes[name], max_visits=had[name])
        problem = replace(self.problem, classes=classes)
        again = set(names)
        kept = [
            visit
            for visit in visits
            if visit.class_id not in again
            or (visit.class_id, visit.slots) in self.frozen
        ]
        stays = Standing(problem, self.possible, kept)
        choosing = {name: self.possible[name] for name in names}
        model = choose_again(stays, choosing, levels, least=least)
        in_it = {each.class_id for each in model.choices}
        hold(model, "served", sum(name in in_it for name in had) + more)
        found = best_of(model, self.solve)
        return None if found is None else _together(stays, found)


def _together(stays: Standing, found: Found) -> tuple[Visit, ...]:
    """The visits that no small model touched, and those that it found."""
    mine = {(visit.class_id, visit.slots) for visit in found.visits}
    others = [v for v in stays.visits if (v.class_id, v.slots) not in mine]
    return tuple(in_order([*others, *found.visits]))


# ---------------------------------------------------------------- what it means


def repaired(
    problem: Problem,
    possible: Choices,
    visits: Sequence[Visit],
    *,
    is_proven: bool = False,
) -> Repair:
    """What a plan means beside the published one, for every class of either."""
    offer = Offer(problem)
    reasons = explain(offer, possible, visits)
    return Repair(
        visits=tuple(in_order(visits)),
        outcomes=outcomes(problem, visits, reasons),
        reasons=reasons,
        levels=objective_of(problem, visits, offer=offer),
        is_proven=is_proven,
    )


def outcomes(
    problem: Problem, visits: Iterable[Visit], reasons: Iterable[Reason] = ()
) -> tuple[Outcome, ...]:
    """The fate of every class that has a visit in ``previous`` or in the plan."""
    why = {reason.class_id: reason for reason in reasons}
    before: dict[str, list[Visit]] = defaultdict(list)
    after: dict[str, list[Visit]] = defaultdict(list)
    for each in problem.previous:
        before[each.visit.class_id].append(each.visit)
    for visit in in_order(visits):
        after[visit.class_id].append(visit)
    names = dict.fromkeys([*problem.classes, *before])
    return tuple(
        _outcome(problem, name, before[name], after[name], why.get(name))
        for name in names
        if before[name] or after[name]
    )


def _outcome(
    problem: Problem,
    name: str,
    before: Sequence[Visit],
    after: Sequence[Visit],
    why: Reason | None,
) -> Outcome:
    had, has = {v.slots for v in before}, {v.slots for v in after}
    gone = tuple(visit for visit in before if visit.slots not in has)
    new = tuple(visit for visit in after if visit.slots not in had)
    fates = (
        (Fate.WITHDRAWN, name not in problem.classes),
        (Fate.NEWLY_SERVED, not before),
        (Fate.LOST, not after),
        (Fate.KEPT, not gone and not new),
        (Fate.MORE, not gone),
        (Fate.FEWER, not new),
        (Fate.MOVED, True),
    )
    fate = next(fate for fate, holds in fates if holds)
    return Outcome(name, fate, gone, new, why if fate is Fate.LOST else None)


# ---------------------------------------------------------------- what if


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What more room would bring: ``gained`` are classes that would have a visit."""

    gained: tuple[str, ...]
    repair: Repair


def what_if(
    problem: Problem,
    visits: Iterable[Visit],
    slots: Iterable[Slot],
    solve: Solve,
    *,
    caps: Mapping[str, int] | None = None,
) -> WhatIf:
    """The plan with more room: new slots, or wider ones that carry a known id.

    ``caps`` gives hosts another monthly limit. Visits move only where that serves one
    more class, so the true gain may be larger; it is never smaller.
    """
    wider = {slot.id: slot for slot in slots}
    hosts = dict(problem.hosts)
    for name, cap in (caps or {}).items():
        hosts[name] = replace(hosts[name], month_cap=cap)
    held = {(p.visit.class_id, p.visit.slots) for p in problem.previous if p.frozen}
    published = tuple(
        Published(visit, frozen=(visit.class_id, visit.slots) in held)
        for visit in visits
    )
    more = replace(
        problem,
        hosts=hosts,
        slots={**problem.slots, **wider},
        previous=published,
    )
    offered = [
        s.id for s in more.slots.values() if s.id in wider or s.host in (caps or {})
    ]
    possible = possible_visits(Offer(more))
    repair = local_repair(more, possible, solve, near=offered)
    gained = tuple(each.class_id for each in repair.of(Fate.NEWLY_SERVED))
    return WhatIf(gained, repair)
