"""Checks any plan against every hard rule, and what it claims. Knows no solver.

It looks at a plan as it is and does not ask which visits are possible, so that a
mistake in ``possible.py`` cannot hide here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from scheduler.matching import explain
from scheduler.matching.plan import Part, Plan, Visit
from scheduler.matching.possible import Offer, Wished, admits
from scheduler.matching.problem import Problem, SchoolClass, Slot, Split
from scheduler.matching.score import levels_of, rank_cost, sign

BOUNDED = ("served", "schools", "priority", "visits", "students")
NOT_WISHED_RANK = 99
ROTATION_STOPS = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that is broken: a stable code and where."""

    code: str
    where: str


@dataclass(frozen=True, slots=True)
class Report:
    faults: tuple[Fault, ...]
    objective: Mapping[str, int]

    @property
    def is_valid(self) -> bool:
        return not self.faults


@dataclass(slots=True)
class _Check:
    problem: Problem
    offer: Offer
    faults: list[Fault] = field(default_factory=list)
    rank: int = 0
    travel: int = 0

    def note(self, code: str, where: str) -> None:
        self.faults.append(Fault(code, where))


def verify(problem: Problem, plan: Plan, *, offer: Offer | None = None) -> Report:
    """Every fault of the plan, and its objective as far as it can be counted."""
    check = _Check(problem, offer or Offer(problem))
    sound = [
        visit
        for number, visit in enumerate(plan.visits)
        if _visit(check, visit, f"visit {number} ({visit.class_id})")
    ]
    _seats(check, sound)
    _months(check, sound)
    _caps(check, sound)
    _quotas(check, sound)
    _classes(check, sound)
    _frozen(check, sound)
    _pins(check, sound)
    objective = levels_of(problem, sound, rank=check.rank, travel=check.travel)
    _claims(check, plan, objective)
    if plan.reasons is not None:
        _reasons(check, plan, {visit.class_id for visit in sound})
    return Report(tuple(check.faults), objective)


# ---------------------------------------------------------------- one visit


def _visit(check: _Check, visit: Visit, where: str) -> bool:
    """Whether the visit can be counted at all; what else is wrong is noted."""
    problem = check.problem
    one = problem.classes.get(visit.class_id)
    unreadable = _unreadable(problem, visit)
    if one is None or unreadable:
        check.note(unreadable or "unknown_class", where)
        return False
    slots = [problem.slots[part.slot] for part in visit.parts]
    if len({slot.date for slot in slots}) > 1:
        check.note("several_dates", where)
    wished = {each.slot.id: each for each in check.offer.wished(one)}
    _eligible(check, one, slots, wished, where)
    groups: dict[int, list[Part]] = defaultdict(list)
    for part in visit.parts:
        groups[part.group].append(part)
    for code in _shape(problem, one, list(groups.values())):
        check.note(code, where)
    ranks = [
        wished[slot.id].rank if slot.id in wished else NOT_WISHED_RANK for slot in slots
    ]
    check.rank += rank_cost(max(ranks))
    check.travel += max(problem.distance(one, slot) for slot in slots)
    return True


def _unreadable(problem: Problem, visit: Visit) -> str | None:
    slots = [part.slot for part in visit.parts]
    if visit.class_id not in problem.classes:
        return "unknown_class"
    if not slots:
        return "empty_visit"
    if any(slot not in problem.slots for slot in slots):
        return "unknown_slot"
    if any(part.students < 1 for part in visit.parts):
        return "bad_students"
    return "same_slot_twice" if len(set(slots)) < len(slots) else None


def _eligible(
    check: _Check,
    one: SchoolClass,
    slots: Sequence[Slot],
    wished: Mapping[str, Wished],
    where: str,
) -> None:
    problem = check.problem
    for slot in slots:
        place = f"{where}: {slot.id}"
        mine = Wished(slot, rank=0, distance=problem.distance(one, slot))
        if not admits(problem, one, mine):
            check.note(f"not_eligible_{_obstacle(problem, one, mine)}", place)
        if slot.id not in wished:
            check.note("not_wished", place)


def _obstacle(problem: Problem, one: SchoolClass, wished: Wished) -> str:
    if wished.slot.date in one.unavailable:
        return "unavailable"
    if wished.slot.id in one.forbidden:
        return "forbidden"
    if one.level not in wished.slot.levels:
        return "level"
    has = problem.sites[wished.slot.site].access
    return "access" if not one.needs <= has else "too_far"


def _shape(
    problem: Problem, one: SchoolClass, groups: Sequence[Sequence[Part]]
) -> Iterator[str]:
    stops = {len(group) for group in groups}
    if len(groups) == 1:
        (parts,) = groups
        if len(parts) != 1:
            yield "bad_shape"
        elif parts[0].students != one.size:
            yield "not_whole_class"
        return
    yield from _group_sizes(problem, one, groups)
    if stops == {1}:
        slots = [problem.slots[group[0].slot] for group in groups]
        yield from _half_groups(problem, one, slots)
    elif stops == {ROTATION_STOPS} and len(groups) == ROTATION_STOPS:
        yield from _rotation(problem, one, groups)
    else:
        yield "bad_shape"


def _group_sizes(
    problem: Problem, one: SchoolClass, groups: Sequence[Sequence[Part]]
) -> Iterator[str]:
    if one.split is Split.NONE:
        yield "split_refused"
    if len(groups) > one.max_parts:
        yield "too_many_parts"
    if any(len({part.students for part in group}) > 1 for group in groups):
        yield "group_changes_size"
    sizes = [group[0].students for group in groups]
    if sum(sizes) != one.size:
        yield "not_whole_class"
    if min(sizes) < problem.params.min_group:
        yield "group_too_small"


def _half_groups(
    problem: Problem, one: SchoolClass, slots: Sequence[Slot]
) -> Iterator[str]:
    if sum(sorted(slot.most for slot in slots)[1:]) >= one.size:
        yield "split_not_needed"
    starts = [slot.start for slot in slots]
    parallel = max(starts) - min(starts) <= problem.params.parallel_min
    if len({slot.site for slot in slots}) == 1:
        if not (parallel or _back_to_back(problem, slots)):
            yield "neither_parallel_nor_back_to_back"
        return
    if one.split is not Split.NEARBY:
        yield "split_policy"
    if not parallel:
        yield "neither_parallel_nor_back_to_back"
    for a, b in combinations(slots, 2):
        if not problem.are_near(a.site, b.site):
            yield "sites_too_far_apart"


def _back_to_back(problem: Problem, slots: Sequence[Slot]) -> bool:
    ordered = sorted(slots, key=lambda slot: slot.start)
    pauses = [later.start - earlier.end for earlier, later in pairwise(ordered)]
    return all(0 <= pause <= problem.params.gap_min for pause in pauses)


def _rotation(
    problem: Problem, one: SchoolClass, groups: Sequence[Sequence[Part]]
) -> Iterator[str]:
    """Group 1 sees X then Y, group 2 sees Y then X."""
    (x1, y2), (y1, x2) = (
        sorted(
            (problem.slots[part.slot] for part in group), key=lambda each: each.start
        )
        for group in groups
    )
    params = problem.params
    if one.split is not Split.ROTATION:
        yield "split_policy"
    hosts = (x1.host == x2.host, y1.host == y2.host, x1.host != y1.host)
    if not all(hosts) or x1.site != x2.site or y1.site != y2.site:
        yield "bad_rotation"
    if not problem.are_near(x1.site, y1.site):
        yield "sites_too_far_apart"
    for a, b in ((x1, y1), (x2, y2)):
        if abs(a.start - b.start) > params.parallel_min:
            yield "bad_rotation"
    for a, b in ((x1, y2), (y1, x2)):
        if not params.walk_min <= b.start - a.end <= params.gap_min:
            yield "bad_rotation"
    if max(slot.most for slot in (x1, x2, y1, y2)) >= one.size:
        yield "split_not_needed"


# ---------------------------------------------------------------- all visits together


def _seats(check: _Check, visits: Sequence[Visit]) -> None:
    students: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    for visit in visits:
        for part in visit.parts:
            students[part.slot] += part.students
            groups[part.slot] += 1
    for name, taken in students.items():
        slot = check.problem.slots[name]
        if taken > slot.most:
            check.note("slot_over_max", f"{name}: {taken} > {slot.most}")
        if taken < slot.least:
            check.note("slot_under_min", f"{name}: {taken} < {slot.least}")
        if groups[name] > slot.groups:
            check.note("slot_too_many_groups", f"{name}: {groups[name]}")


def _months(check: _Check, visits: Sequence[Visit]) -> None:
    used = {part.slot for visit in visits for part in visit.parts}
    slots = [check.problem.slots[name] for name in sorted(used)]
    for (host, month), times in Counter((s.host, s.month) for s in slots).items():
        cap = check.problem.hosts[host].month_cap
        if times > cap:
            check.note("host_month_cap", f"{host} {month}: {times} > {cap}")


def _caps(check: _Check, visits: Sequence[Visit]) -> None:
    slots = [check.problem.slots[p.slot] for visit in visits for p in visit.parts]
    for host in check.problem.hosts.values():
        for cap in host.caps:
            groups = sum(
                slot.host == host.id and cap.first <= slot.date <= cap.last
                for slot in slots
            )
            if groups > cap.groups:
                dates = f"{cap.first} to {cap.last}"
                check.note("host_cap", f"{host.id} {dates}: {groups} > {cap.groups}")


def _quotas(check: _Check, visits: Sequence[Visit]) -> None:
    classes = check.problem.classes
    made = Counter(classes[visit.class_id].school for visit in visits)
    for name, times in made.items():
        quota = check.problem.schools[name].quota
        if quota is not None and times > quota:
            check.note("school_quota", f"{name}: {times} > {quota}")


def _classes(check: _Check, visits: Sequence[Visit]) -> None:
    slots = check.problem.slots
    by_class: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_class[visit.class_id].append(visit)
    for name, mine in by_class.items():
        if len(mine) > check.problem.classes[name].max_visits:
            check.note("too_many_visits", name)
        dates = {slots[visit.parts[0].slot].date for visit in mine}
        if len(dates) < len(mine):
            check.note("two_visits_same_day", name)
        hosts = [{slots[part.slot].host for part in visit.parts} for visit in mine]
        if sum(map(len, hosts)) > len(set().union(*hosts)):
            check.note("same_host_twice", name)


def _frozen(check: _Check, visits: Sequence[Visit]) -> None:
    now = {(visit.class_id, visit.slots) for visit in visits}
    for each in check.problem.previous:
        key = (each.visit.class_id, each.visit.slots)
        if each.frozen and key not in now:
            check.note("frozen_visit_lost", f"{key[0]} {sorted(key[1])}")


def _pins(check: _Check, visits: Sequence[Visit]) -> None:
    given = {(visit.class_id, slot) for visit in visits for slot in visit.slots}
    for one in check.problem.classes.values():
        for slot in sorted(one.pinned):
            if (one.id, slot) not in given:
                check.note("pin_lost", f"{one.id} {slot}")


# ---------------------------------------------------------------- claims


def _claims(check: _Check, plan: Plan, objective: Mapping[str, int]) -> None:
    for level, claimed in (plan.objective or {}).items():
        if claimed != objective[level]:
            told = f"objective.{level}: claimed {claimed}, is {objective[level]}"
            check.note("false_claim", told)
    for level, bound in (plan.bound or {}).items():
        # Below the first level a bound holds among the plans that are best above it;
        # what lies beyond it is then worse above, which this check cannot know.
        if level in BOUNDED and sign(level) * (bound - objective[level]) < 0:
            told = f"bound.{level}: {bound}, is {objective[level]}"
            check.note("false_claim", told)


def _reasons(check: _Check, plan: Plan, served: set[str]) -> None:
    told: dict[str, str] = {}
    for reason in plan.reasons or ():
        known = reason.class_id in check.problem.classes
        if not known or reason.code not in explain.CODES:
            check.note("bad_reason", f"{reason.class_id}: {reason.code}")
        else:
            told[reason.class_id] = reason.code
    for name in check.problem.classes:
        if name not in served and name not in told:
            check.note("no_reason", name)
        elif name in served and name in told:
            check.note("reason_for_served_class", name)
    for name, code in told.items():
        one = check.problem.classes[name]
        true = explain.obstacle(check.offer, one)
        if code != true and not (true is None and code in explain.OTHERS_TOOK_IT):
            check.note("false_reason", f"{name}: {code}, is {true or 'possible'}")
