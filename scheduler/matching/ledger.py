"""The seats, months, caps, quotas and dates that a plan in the making has used up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from scheduler.matching.plan import Part, Visit
from scheduler.matching.possible import Possible, group_limits
from scheduler.matching.problem import Problem, Published, Slot


class NoPlan(Exception):
    """No plan can be valid: a frozen visit breaks a rule that has no exception."""

    def __init__(self, number: int, why: str) -> None:
        self.path = f"previous[{number}]"
        super().__init__(f"{self.path}: the frozen visit cannot be kept: {why}")


class Ledger:
    """Takes visits one by one; what it took is a valid plan at any time.

    A slot is used only by groups that reach its least number themselves: two classes
    that would only together be enough are left to ``optimum``.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.visits: list[Visit] = []
        self._students: Counter[str] = Counter()
        self._groups: Counter[str] = Counter()
        self._months: Counter[tuple[str, str]] = Counter()
        self._dates: dict[str, set[str]] = defaultdict(set)
        self._hosts: dict[str, set[str]] = defaultdict(set)
        self._schools: Counter[str] = Counter()
        self._capped: Counter[tuple[str, int]] = Counter()
        self._caps = {
            slot.id: problem.caps_on(slot)
            for slot in problem.slots.values()
            if problem.hosts[slot.host].caps
        }

    def visits_of(self, class_id: str) -> int:
        return len(self._dates[class_id])

    def take(self, possible: Possible) -> Visit | None:
        """Make the visit, if it is still possible."""
        if not self._class_may(possible) or not self._hosts_allow(possible):
            return None
        sizes = self._sizes(possible)
        if sizes is None:
            return None
        visit = _visit(possible, sizes)
        self.note(visit)
        return visit

    def note(self, visit: Visit) -> None:
        """Count a visit that is known to be allowed."""
        self.visits.append(visit)
        self._schools[self.problem.classes[visit.class_id].school] += 1
        for part in visit.parts:
            slot = self.problem.slots[part.slot]
            if not self._groups[slot.id]:
                self._months[slot.host, slot.month] += 1
            self._groups[slot.id] += 1
            self._capped.update(self._caps.get(slot.id, ()))
            self._students[slot.id] += part.students
            self._dates[visit.class_id].add(slot.date)
            self._hosts[visit.class_id].add(slot.host)

    def undo(self) -> None:
        """Take back the last visit."""
        visit = self.visits.pop()
        self._schools[self.problem.classes[visit.class_id].school] -= 1
        for part in visit.parts:
            slot = self.problem.slots[part.slot]
            self._groups[slot.id] -= 1
            if not self._groups[slot.id]:
                self._months[slot.host, slot.month] -= 1
            self._capped.subtract(self._caps.get(slot.id, ()))
            self._students[slot.id] -= part.students
            self._dates[visit.class_id].discard(slot.date)
            self._hosts[visit.class_id].discard(slot.host)

    def seats_missing(self, slot: Slot, students: int) -> int:
        """How many more seats a group of so many students needs at a slot."""
        return self._students[slot.id] + students - slot.most

    def _class_may(self, possible: Possible) -> bool:
        name = possible.class_id
        return (
            self.visits_of(name) < self.problem.classes[name].max_visits
            and possible.date not in self._dates[name]
            and not possible.hosts & self._hosts[name]
            and self._school_may(self.problem.classes[name].school)
        )

    def _school_may(self, name: str) -> bool:
        quota = self.problem.schools[name].quota
        return quota is None or self._schools[name] < quota

    def _hosts_allow(self, possible: Possible) -> bool:
        return self._months_allow(possible) and self._caps_allow(possible)

    def _caps_allow(self, possible: Possible) -> bool:
        if not self._caps:
            return True
        more = Counter(
            key for slot in possible.slots for key in self._caps.get(slot, ())
        )
        return all(
            self._capped[host, number] + groups
            <= self.problem.hosts[host].caps[number].groups
            for (host, number), groups in more.items()
        )

    def _months_allow(self, possible: Possible) -> bool:
        fresh = [
            self.problem.slots[slot]
            for slot in possible.slots
            if not self._groups[slot]
        ]
        opened = Counter((slot.host, slot.month) for slot in fresh)
        return all(
            self._months[key] + more <= self.problem.hosts[key[0]].month_cap
            for key, more in opened.items()
        )

    def _sizes(self, possible: Possible) -> list[int] | None:
        size = self.problem.classes[possible.class_id].size
        limits = [
            self._limits([self.problem.slots[slot] for slot in group], possible)
            for group in possible.groups
        ]
        return spread(size, limits)

    def _limits(self, group: Sequence[Slot], possible: Possible) -> tuple[int, int]:
        """The smallest and largest group that the slots still take."""
        least, most = (1, max(slot.most for slot in group))
        if not possible.is_whole:
            least, most = group_limits(self.problem, group)
        for slot in group:
            if self._groups[slot.id] >= slot.groups:
                return 1, 0
            least = max(least, slot.least - self._students[slot.id])
            most = min(most, slot.most - self._students[slot.id])
        return least, most


def spread(size: int, limits: Sequence[tuple[int, int]]) -> list[int] | None:
    """Group sizes as even as the limits allow, or None if there are none."""
    if any(least > most for least, most in limits):
        return None
    sizes = [least for least, _ in limits]
    left = size - sum(sizes)
    if left < 0 or size > sum(most for _, most in limits):
        return None
    while left:
        open_groups = [n for n, (_, most) in enumerate(limits) if sizes[n] < most]
        smallest = min(open_groups, key=lambda number: sizes[number])
        sizes[smallest] += 1
        left -= 1
    return sizes


def as_it_is_now(problem: Problem, visit: Visit, possible: Possible) -> Visit:
    """A published visit with the students that its class has today."""
    size = problem.classes[visit.class_id].size
    told = {part.group: part.students for part in visit.parts}
    if sum(told.values()) == size:
        return visit
    slots = [[problem.slots[name] for name in group] for group in possible.groups]
    limits = [group_limits(problem, group) for group in slots]
    sizes = [size] if possible.is_whole else spread(size, limits)
    if sizes is None:
        raise AssertionError(f"no group sizes for {possible}")
    return _visit(possible, sizes)


def _visit(possible: Possible, sizes: Sequence[int]) -> Visit:
    return Visit(
        possible.class_id,
        tuple(
            Part(slot=slot, students=size, group=number)
            for number, (group, size) in enumerate(
                zip(possible.groups, sizes, strict=True), 1
            )
            for slot in group
        ),
    )


# ---------------------------------------------------------------- what must stay


def with_frozen(problem: Problem, possible: Mapping[str, Sequence[Possible]]) -> Ledger:
    """A ledger that holds what must stay; raises ``NoPlan``."""
    ledger = Ledger(problem)
    kept = list(frozen_possible(problem, possible))
    together = [as_it_is_now(problem, problem.previous[n].visit, p) for n, p in kept]
    if not breaking(problem, together):
        for visit in together:
            ledger.note(visit)
        return ledger
    for number, possibility in kept:
        if ledger.take(possibility) is None and not _repeats(ledger, possibility):
            raise NoPlan(number, "it has no seats beside the other frozen visits")
    return ledger


def frozen_possible(
    problem: Problem, possible: Mapping[str, Sequence[Possible]]
) -> Iterable[tuple[int, Possible]]:
    """Each frozen visit as one of the possible visits of its class."""
    for number, each in enumerate(problem.previous):
        if each.frozen:
            yield number, _the_possible(number, each, possible)


def _the_possible(
    number: int, published: Published, possible: Mapping[str, Sequence[Possible]]
) -> Possible:
    wanted = published.visit.slots
    for each in possible[published.visit.class_id]:
        if frozenset(each.slots) == wanted:
            return each
    raise NoPlan(number, "the class may not make this visit")


def _repeats(ledger: Ledger, possible: Possible) -> bool:
    now = {(visit.class_id, visit.slots) for visit in ledger.visits}
    return (possible.class_id, frozenset(possible.slots)) in now


def breaking(problem: Problem, visits: Iterable[Visit]) -> list[Visit]:
    """The visits that together are too many, or at a slot too few."""
    at_slot: dict[str, list[Visit]] = defaultdict(list)
    of_class: dict[str, list[Visit]] = defaultdict(list)
    of_school: dict[str, list[Visit]] = defaultdict(list)
    capped: dict[tuple[str, int], list[Visit]] = defaultdict(list)
    students: Counter[str] = Counter()
    for visit in visits:
        of_class[visit.class_id].append(visit)
        of_school[problem.classes[visit.class_id].school].append(visit)
        for part in visit.parts:
            at_slot[part.slot].append(visit)
            students[part.slot] += part.students
            for key in problem.caps_on(problem.slots[part.slot]):
                capped[key].append(visit)
    used = [problem.slots[name] for name in at_slot]
    months = Counter((slot.host, slot.month) for slot in used)
    broken = [
        *(at_slot[one.id] for one in used if not _month_allows(problem, one, months)),
        *(mine for name, mine in at_slot.items()
          if not _holds(problem.slots[name], len(mine), students[name])),
        *(mine for name, mine in of_class.items()
          if not _class_may(problem, name, mine)),
        *(mine for name, mine in of_school.items()
          if not _quota_allows(problem, name, mine)),
        *(mine for (host, number), mine in capped.items()
          if len(mine) > problem.hosts[host].caps[number].groups),
    ]  # fmt: skip
    return list(dict.fromkeys(visit for mine in broken for visit in mine))


def _month_allows(
    problem: Problem, slot: Slot, months: Mapping[tuple[str, str], int]
) -> bool:
    return months[slot.host, slot.month] <= problem.hosts[slot.host].month_cap


def _quota_allows(problem: Problem, school: str, visits: Sequence[Visit]) -> bool:
    quota = problem.schools[school].quota
    return quota is None or len(visits) <= quota


def _holds(slot: Slot, groups: int, students: int) -> bool:
    return groups <= slot.groups and slot.least <= students <= slot.most


def _class_may(problem: Problem, name: str, visits: Sequence[Visit]) -> bool:
    slots = [[problem.slots[each] for each in visit.slots] for visit in visits]
    dates = {mine[0].date for mine in slots}
    hosts = [host for mine in slots for host in {slot.host for slot in mine}]
    return (
        len(visits) <= problem.classes[name].max_visits
        and len(dates) == len(visits)
        and len(set(hosts)) == len(hosts)
    )
