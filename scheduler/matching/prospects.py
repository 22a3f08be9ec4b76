"""Before the wishes close: what they can still lead to. After: why just this visit.

Neither searches: both count what one class could do by itself, beside a plan or without
one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scheduler.matching.contest import own_changes
from scheduler.matching.explain import Taken, filters, obstacle, taken
from scheduler.matching.plan import Visit, in_order
from scheduler.matching.possible import Offer, Possible, admits, visits_of
from scheduler.matching.problem import SchoolClass

# ---------------------------------------------------------------- before


@dataclass(frozen=True, slots=True)
class Opening:
    """A change of the class and how many more slots it could then come to."""

    needs: Mapping[str, Any]
    slots: int


@dataclass(frozen=True, slots=True)
class Prospects:
    """The slots that a class could come to as it is, and what would open more.

    ``funnel`` counts the slots that are left after each filter, in order; ``obstacle``
    is the first that leaves nothing. ``per_wish`` are the slots of each wish.
    """

    slots: frozenset[str]
    obstacle: str | None
    funnel: tuple[tuple[str, int], ...]
    per_wish: tuple[int, ...]
    openings: tuple[Opening, ...]


def prospects(offer: Offer, one: SchoolClass) -> Prospects:
    """What the wishes of a class can lead to, whoever else wishes the same.

    The class may be new or changed: only its school must be one of the problem.
    """
    slots = _slots(offer, one)
    openings = [
        Opening(needs, len(more))
        for needs, other in own_changes(offer, one)
        if (more := _slots(offer, other) - slots)
    ]
    left = offer.wished(one)
    funnel = [("no_wish_match", len(left))]
    for code, passes in filters(offer.problem, one):
        left = [each for each in left if passes(each)]
        funnel.append((code, len(left)))
    return Prospects(
        slots=slots,
        obstacle=obstacle(offer, one),
        funnel=tuple(dict(funnel).items()),
        per_wish=tuple(
            len(_slots(offer, replace(one, wishes=(wish,)))) for wish in one.wishes
        ),
        openings=tuple(openings),
    )


def _choices(offer: Offer, one: SchoolClass) -> list[Possible]:
    wished = offer.wished(one)
    admitted = [each for each in wished if admits(offer.problem, one, each)]
    return visits_of(offer.problem, one, admitted)


def _slots(offer: Offer, one: SchoolClass) -> frozenset[str]:
    return frozenset(s for each in _choices(offer, one) for s in each.slots)


# ---------------------------------------------------------------- after


@dataclass(frozen=True, slots=True)
class Refused:
    """A better wish that was not fulfilled: a code of the funnel, and who has it.

    ``own_visit``: the class has another visit on that date or at that company.
    """

    rank: int
    code: str
    blockers: tuple[str, ...] = ()
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A visit of the plan: which wish it fulfils, and why none of the better ones."""

    class_id: str
    visit: Visit
    rank: int
    travel: int
    refused: tuple[Refused, ...]


def granted(
    offer: Offer, visits: Iterable[Visit], only: Iterable[str] | None = None
) -> tuple[Granted, ...]:
    """Why these visits; ``only`` names the classes that are asked about."""
    visits = in_order(visits)
    names = set(only) if only is not None else {visit.class_id for visit in visits}
    plan = Taken(offer.problem, visits)
    mine: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        mine[visit.class_id].append(visit)
    return tuple(
        _granted(offer, plan, visit, mine[visit.class_id])
        for visit in visits
        if visit.class_id in names
    )


def _granted(offer: Offer, plan: Taken, visit: Visit, mine: Iterable[Visit]) -> Granted:
    one = offer.problem.classes[visit.class_id]
    made = [each for each in offer.wished(one) if each.slot.id in visit.slots]
    rank = max(each.rank for each in made)
    others = [slot for each in mine if each != visit for slot in each.slots]
    better = (_refused(offer, plan, one, n, others) for n in range(1, rank))
    return Granted(
        class_id=one.id,
        visit=visit,
        rank=rank,
        travel=max(each.distance for each in made),
        refused=tuple(each for each in better if each is not None),
    )


def _refused(
    offer: Offer, plan: Taken, one: SchoolClass, rank: int, others: Sequence[str]
) -> Refused | None:
    """Why the class has no visit of this wish; None if its other visits fulfil it."""
    alone = replace(one, wishes=(one.wishes[rank - 1],))
    if any(each.slot.id in others for each in offer.wished(alone)):
        return None
    choices = _choices(offer, alone)
    if not choices:
        return Refused(rank, obstacle(offer, alone) or "no_seats")
    busy = [offer.problem.slots[name] for name in others]
    dates, hosts = {slot.date for slot in busy}, {slot.host for slot in busy}
    beside = [c for c in choices if c.date not in dates and not c.hosts & hosts]
    if not beside:
        return Refused(rank, "own_visit")
    told = taken(plan, one, beside)
    blockers = tuple(name for name in told.blockers if name != one.id)
    return Refused(rank, told.code, blockers, told.detail)
