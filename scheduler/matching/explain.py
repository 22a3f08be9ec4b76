"""Why a class got nothing: the first filter that leaves no slot, or who took them.

The codes and their order are the format's (docs/matching.md). What a class is told is
recomputed by ``verify``, so a false reason is a failing check and not a bad day.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from scheduler.matching.ledger import Ledger
from scheduler.matching.plan import Reason, Visit
from scheduler.matching.possible import (
    Offer,
    Possible,
    Wished,
    admits,
    holds_whole,
    visits_of,
)
from scheduler.matching.problem import Problem, SchoolClass, Slot, Split

OTHERS_TOOK_IT = frozenset({"capacity_taken", "host_month_full"})
CODES = OTHERS_TOOK_IT | {
    "no_wish_match",
    "no_date",
    "no_level",
    "no_access",
    "too_far",
    "split_refused",
    "no_seats",
}
MOST_PARTS = 3
"""More half-groups than that are nobody's wish, and no advice."""
BLOCKERS_TOLD = 20


def filters(
    problem: Problem, one: SchoolClass
) -> tuple[tuple[str, Callable[[Wished], bool]], ...]:
    """The funnel, in the order in which a teacher would ask."""
    return (
        ("no_date", lambda each: each.slot.date not in one.unavailable),
        ("no_date", lambda each: each.slot.id not in one.forbidden),
        ("no_level", lambda each: one.level in each.slot.levels),
        ("no_access", lambda each: one.needs <= problem.sites[each.slot.site].access),
        ("too_far", lambda each: each.distance <= one.max_m),
    )


def obstacle(offer: Offer, one: SchoolClass) -> str | None:
    """What makes any visit impossible, or None if the class has a possible one."""
    left = offer.wished(one)
    if not left:
        return "no_wish_match"
    for code, passes in filters(offer.problem, one):
        left = [each for each in left if passes(each)]
        if not left:
            return code
    if visits_of(offer.problem, one, left):
        return None
    return "split_refused" if accepting(offer.problem, one, left) else "no_seats"


def accepting(
    problem: Problem, one: SchoolClass, admitted: Sequence[Wished]
) -> SchoolClass | None:
    """The class with the smallest change of half-groups that makes a visit possible."""
    for other in willing(one):
        if visits_of(problem, other, admitted):
            return other
    return None


def willing(one: SchoolClass) -> Iterator[SchoolClass]:
    """The class if it accepted other half-groups, small changes first."""
    for split in (one.split, Split.SAME_HOST, Split.NEARBY, Split.ROTATION):
        for parts in (2, MOST_PARTS):
            yield replace(one, split=split, max_parts=max(parts, one.max_parts))


def explain(
    offer: Offer,
    possible: Mapping[str, Sequence[Possible]],
    visits: Iterable[Visit],
) -> tuple[Reason, ...]:
    """A reason for each class that the plan leaves without a visit."""
    plan = Taken(offer.problem, visits)
    return tuple(
        _taken(plan, one, possible[one.id])
        if possible[one.id]
        else _impossible(offer, one)
        for one in offer.problem.classes.values()
        if one.id not in plan.served
    )


# ---------------------------------------------------------------- nothing is possible


def _impossible(offer: Offer, one: SchoolClass) -> Reason:
    code = obstacle(offer, one)
    if code is None:
        raise AssertionError(f"class {one.id} has a possible visit")
    detail = "forbidden" if code == "no_date" and _on_free_date(offer, one) else None
    return Reason(one.id, code, needs=_needs(offer, one, code), detail=detail)


def _on_free_date(offer: Offer, one: SchoolClass) -> bool:
    """Dates alone would leave something: what is left is forbidden."""
    wished = offer.wished(one)
    return any(each.slot.date not in one.unavailable for each in wished)


def _needs(offer: Offer, one: SchoolClass, code: str) -> dict[str, object] | None:
    """The smallest change that opens at least one visit by itself, if there is one."""
    wished = offer.wished(one)
    if code == "split_refused":
        admitted = [each for each in wished if admits(offer.problem, one, each)]
        other = accepting(offer.problem, one, admitted)
        if other is None:
            raise AssertionError(f"no half-groups would help class {one.id}")
        return {"split": other.split.value, "max_parts": other.max_parts}
    if code == "too_far":
        for each in sorted(wished, key=lambda each: each.distance):
            if _opens(offer, replace(one, max_m=each.distance), wished):
                return {"max_m": each.distance}
    if code == "no_date":
        return _dates_or_slots(offer, one, wished)
    if code == "no_seats":
        return _seats_missing(offer, one, wished)
    return None


def _dates_or_slots(
    offer: Offer, one: SchoolClass, wished: Sequence[Wished]
) -> dict[str, object] | None:
    """The dates, and the forbidden slots, each of which opens a visit by itself."""
    dates = [
        date
        for date in sorted({each.slot.date for each in wished})
        if _opens(offer, replace(one, unavailable=one.unavailable - {date}), wished)
    ]
    slots = [
        slot
        for slot in sorted({each.slot.id for each in wished} & one.forbidden)
        if _opens(offer, replace(one, forbidden=one.forbidden - {slot}), wished)
    ]
    found = {"dates": dates, "forbidden": slots}
    return {key: each for key, each in found.items() if each} or None


def _opens(offer: Offer, other: SchoolClass, wished: Sequence[Wished]) -> bool:
    admitted = [each for each in wished if admits(offer.problem, other, each)]
    return bool(visits_of(offer.problem, other, admitted))


def _seats_missing(
    offer: Offer, one: SchoolClass, wished: Sequence[Wished]
) -> dict[str, object] | None:
    """The largest slot that admits the class, if it is too small by some seats."""
    admitted = [each.slot for each in wished if admits(offer.problem, one, each)]
    largest = max(admitted, key=lambda slot: (slot.most, slot.id))
    missing = one.size - largest.most
    return {"slot": largest.id, "seats": missing} if missing > 0 else None


# ---------------------------------------------------------------- others have it


class Taken:
    """Who is where in the plan, and how full months, caps and quotas are."""

    def __init__(self, problem: Problem, visits: Iterable[Visit]) -> None:
        self.problem = problem
        self.classes: dict[str, list[str]] = defaultdict(list)
        self.students: Counter[str] = Counter()
        self.served: set[str] = set()
        self.schools: dict[str, list[str]] = defaultdict(list)
        self.capped: dict[tuple[str, int], list[str]] = defaultdict(list)
        self.uncapped = Ledger(_without_caps(problem))
        for visit in visits:
            self.uncapped.note(visit)
            self.served.add(visit.class_id)
            school = problem.classes[visit.class_id].school
            self.schools[school].append(visit.class_id)
            for part in visit.parts:
                self.classes[part.slot].append(visit.class_id)
                self.students[part.slot] += part.students
                for key in problem.caps_on(problem.slots[part.slot]):
                    self.capped[key].append(visit.class_id)
        used = [problem.slots[slot] for slot in self.classes]
        self.month = Counter((slot.host, slot.month) for slot in used)

    def is_month_full(self, slot: Slot) -> bool:
        cap = self.problem.hosts[slot.host].month_cap
        return self.month[slot.host, slot.month] >= cap

    def is_quota_used(self, school: str) -> bool:
        quota = self.problem.schools[school].quota
        return quota is not None and len(self.schools[school]) >= quota

    def full_caps(self, slots: Sequence[Slot]) -> list[tuple[str, int]]:
        """The caps that another group in each of the slots would exceed."""
        more = Counter(key for slot in slots for key in self.problem.caps_on(slot))
        return [
            (host, number)
            for (host, number), groups in more.items()
            if len(self.capped[host, number]) + groups
            > self.problem.hosts[host].caps[number].groups
        ]

    def could_come(self, possible: Possible) -> bool:
        """Whether there is room for the visit if no cap counted."""
        if self.uncapped.take(possible) is None:
            return False
        self.uncapped.undo()
        return True


def _without_caps(problem: Problem) -> Problem:
    hosts = {name: replace(host, caps=()) for name, host in problem.hosts.items()}
    return replace(problem, hosts=hosts)


def _taken(plan: Taken, one: SchoolClass, possible: Sequence[Possible]) -> Reason:
    if plan.is_quota_used(one.school):
        return _blocked_by(one, plan.schools[one.school], detail="school_quota")
    return taken(plan, one, possible)


def taken(plan: Taken, one: SchoolClass, possible: Sequence[Possible]) -> Reason:
    """Who is where the class could be, or which limit of a host is in the way."""
    slots = [plan.problem.slots[name] for each in possible for name in each.slots]
    blockers = sorted({name for slot in slots for name in plan.classes[slot.id]})
    month_blocks = any(_only_month_blocks(plan, one, each) for each in possible)
    caps = [key for each in possible for key in _only_caps_block(plan, each)]
    if caps and not month_blocks:
        in_them = [name for key in caps for name in plan.capped[key]]
        return _blocked_by(one, in_them, detail="host_cap", code="host_month_full")
    code = "host_month_full" if month_blocks else "capacity_taken"
    if month_blocks and not blockers:
        blockers = sorted(_in_same_months(plan, slots))
    return Reason(one.id, code, blockers=tuple(blockers[:BLOCKERS_TOLD]))


def _blocked_by(
    one: SchoolClass, names: Iterable[str], *, detail: str, code: str = "capacity_taken"
) -> Reason:
    blockers = tuple(sorted(set(names))[:BLOCKERS_TOLD])
    return Reason(one.id, code, blockers=blockers, detail=detail)


def _only_caps_block(plan: Taken, possible: Possible) -> list[tuple[str, int]]:
    """The caps in the way of a visit that nothing else is in the way of."""
    caps = plan.full_caps([plan.problem.slots[name] for name in possible.slots])
    return caps if caps and plan.could_come(possible) else []


def _only_month_blocks(plan: Taken, one: SchoolClass, possible: Possible) -> bool:
    """Its slots stand empty, and what forbids to open them is the host's month."""
    slots = [plan.problem.slots[name] for name in possible.slots]
    if any(plan.classes[slot.id] for slot in slots):
        return False
    if possible.is_whole and not holds_whole(one, slots[0]):
        return False
    fresh = Counter((slot.host, slot.month) for slot in slots)
    return any(
        plan.month[key] + more > plan.problem.hosts[key[0]].month_cap
        for key, more in fresh.items()
    )


def _in_same_months(plan: Taken, slots: Sequence[Slot]) -> set[str]:
    months = {(slot.host, slot.month) for slot in slots}
    return {
        name
        for slot_id, names in plan.classes.items()
        if (plan.problem.slots[slot_id].host, plan.problem.slots[slot_id].month)
        in months
        for name in names
    }
