"""A large problem cut into districts by geography, and what stays around each of them.

The classes of a district choose again while all others keep their visits. A district is
small enough to be solved nearly to the end; districts of another turn have their
borders elsewhere, so that nothing stays bad because it lies on a border.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from scheduler.matching.greedy import Choices
from scheduler.matching.plan import Visit
from scheduler.matching.possible import Possible
from scheduler.matching.problem import Problem, School


def districts(
    problem: Problem, names: Iterable[str], *, most: int, turn: int = 0
) -> list[list[str]]:
    """The classes in groups of neighbours, schools kept together.

    ``most`` classes each, unless one school has more. Each turn cuts elsewhere.
    """
    schools: dict[str, list[str]] = defaultdict(list)
    for name in names:
        schools[problem.classes[name].school].append(name)
    places = [(problem.schools[name], mine) for name, mine in schools.items()]

    def cut(here: list[tuple[School, list[str]]], depth: int) -> list[list[str]]:
        total = sum(len(mine) for _, mine in here)
        if total <= most or len(here) == 1:
            return [[name for _, mine in here for name in mine]]
        pieces = -(-total // most)
        side = pieces // 2 + (0.5 if turn // 2 % 2 else 0)
        if (depth + turn) % 2:
            here = sorted(here, key=lambda each: (each[0].y, each[0].x, each[0].id))
        else:
            here = sorted(here, key=lambda each: (each[0].x, each[0].y, each[0].id))
        seen = number = 0
        while number < len(here) - 1 and (not number or seen < total * side / pieces):
            seen += len(here[number][1])
            number += 1
        return cut(here[:number], depth + 1) + cut(here[number:], depth + 1)

    return cut(places, 0) if places else []


class Standing:
    """A valid plan that changes district by district."""

    def __init__(
        self, problem: Problem, possible: Choices, visits: Iterable[Visit]
    ) -> None:
        self.problem, self.possible = problem, possible
        self.of_class: dict[str, list[Visit]] = defaultdict(list)
        self._chosen: dict[Visit, Possible] = {}
        self._at_slot: dict[str, list[Visit]] = defaultdict(list)
        self._within: dict[tuple[str, str | int], list[Visit]] = defaultdict(list)
        for visit in visits:
            self._add(visit)

    @property
    def visits(self) -> tuple[Visit, ...]:
        return tuple(visit for mine in self.of_class.values() for visit in mine)

    def choices(self) -> list[Possible]:
        """Each visit as one of the possible visits of its class."""
        return list(self._chosen.values())

    def around(self, members: Collection[str]) -> list[Visit]:
        """The visits of others that a choice of the members could get in the way of.

        Whoever shares a slot with one of them comes along: sizes of half-groups may
        shift, and the least number of a slot counts all who are there.
        """
        inside = set(members)
        slots = {
            s for name in members for each in self.possible[name] for s in each.slots
        }
        limits = dict.fromkeys(key for n in sorted(slots) for key in self._limits(n))
        waiting = [visit for key in limits for visit in self._within[key]]
        found: dict[Visit, None] = {}
        while waiting:
            visit = waiting.pop()
            if visit.class_id not in inside and visit not in found:
                found[visit] = None
                for name in sorted(visit.slots):
                    if self.problem.slots[name].is_shared:
                        waiting += self._at_slot[name]
        return list(found)

    def piece(
        self, members: Collection[str]
    ) -> tuple[dict[str, Sequence[Possible]], list[Possible]]:
        """What the members may choose, with the visits around them; those are kept."""
        choices: dict[str, Sequence[Possible]] = {
            name: self.possible[name] for name in members
        }
        kept = [self._chosen[visit] for visit in self.around(members)]
        others: dict[str, list[Possible]] = defaultdict(list)
        for each in kept:
            others[each.class_id].append(each)
        return choices | others, kept

    def mine(self, names: Mapping[str, Sequence[Possible]]) -> list[Visit]:
        """The visits of a piece: all of its choices that are made now."""
        return [
            visit
            for name, choices in names.items()
            for visit in self.of_class[name]
            if self._chosen[visit] in choices
        ]

    def replace(self, old: Iterable[Visit], new: Iterable[Visit]) -> None:
        for visit in old:
            self.of_class[visit.class_id].remove(visit)
            del self._chosen[visit]
            for name in visit.slots:
                self._at_slot[name].remove(visit)
            for key in self._limits_of(visit):
                self._within[key].remove(visit)
        for visit in new:
            self._add(visit)

    def _add(self, visit: Visit) -> None:
        self.of_class[visit.class_id].append(visit)
        self._chosen[visit] = self._possible(visit)
        for name in visit.slots:
            self._at_slot[name].append(visit)
        for key in self._limits_of(visit):
            self._within[key].append(visit)

    def _limits(self, name: str) -> list[tuple[str, str | int]]:
        """The month and the caps of its host that a slot counts in."""
        slot = self.problem.slots[name]
        return [(slot.host, slot.month), *self.problem.caps_on(slot)]

    def _limits_of(self, visit: Visit) -> set[tuple[str, str | int]]:
        return {key for name in visit.slots for key in self._limits(name)}

    def _possible(self, visit: Visit) -> Possible:
        return next(
            each
            for each in self.possible[visit.class_id]
            if frozenset(each.slots) == visit.slots
        )
