"""Whom one can be in the demo, the busiest of each kind first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from scheduler.domain.actors import SCHOOL_ROLES, Role
from scheduler.persistence.queries.people_pages import Member

SHOWN_AT_ONCE = 6


class Group(StrEnum):
    """The headings of the list."""

    TEACHERS = "teachers"
    HOSTS = "hosts"
    COORDINATION = "coordination"


@dataclass(frozen=True, kw_only=True)
class GroupOfPeople:
    """``others``: those who unfold."""

    group: Group
    first: tuple[Member, ...]
    others: tuple[Member, ...]


def grouped(members: Iterable[Member]) -> tuple[GroupOfPeople, ...]:
    """By role; within it those with something to do, then those with visits ahead."""
    lists: dict[Group, list[Member]] = {group: [] for group in Group}
    for each in members:
        lists[_group_of(each.role)].append(each)
    found = []
    for group, people in lists.items():
        people.sort(key=lambda each: (-each.waiting, -each.ahead))
        first = _one_of_each(people)[:SHOWN_AT_ONCE]
        others = tuple(each for each in people if each not in first)
        found.append(GroupOfPeople(group=group, first=tuple(first), others=others))
    return tuple(found)


def _one_of_each(people: Iterable[Member]) -> list[Member]:
    """The first person of each organisation, once: two of one company see the same."""
    seen: dict[str, Member] = {}
    named: set[int] = set()
    for each in people:
        if each.person_id not in named and each.organisation not in seen:
            seen[each.organisation] = each
            named.add(each.person_id)
    return list(seen.values())


def _group_of(role: Role) -> Group:
    if role in SCHOOL_ROLES:
        return Group.TEACHERS
    return Group.HOSTS if role is Role.HOST_CONTACT else Group.COORDINATION
