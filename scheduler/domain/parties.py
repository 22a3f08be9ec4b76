"""The group that comes: numbers, adults needed, seats used (DOMAIN rules 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from scheduler.domain.policy import Policy
from scheduler.domain.refusals import (
    GroupTooBig,
    NoStudents,
    NumbersDisagree,
    Refusal,
    SlotFull,
    TooFewAdults,
)

SPARE_ADDRESSES = 5


class Part(StrEnum):
    """A class comes whole or as a half-group."""

    WHOLE = "whole"
    HALF = "half"


@dataclass(frozen=True, kw_only=True)
class Party:
    """Who comes. ``girls`` and ``boys`` are ``None`` when not stated.

    ``support_assistants`` (AESH) come on top of the adults (DOMAIN F-43).
    """

    students: int
    adults: int
    support_assistants: int = 0
    girls: int | None = None
    boys: int | None = None
    part: Part = Part.WHOLE

    @property
    def people(self) -> int:
        return self.students + self.adults + self.support_assistants


@dataclass(frozen=True, kw_only=True)
class Seats:
    """What a slot offers, or what is taken of it.

    ``people`` is ``None`` where the host caps students only. One visit takes one
    group, whatever sub-groups it walks in.
    """

    students: int
    people: int | None = None
    groups: int = 1


def subgroups(students: int, *, size: int) -> int:
    """Parallel sub-groups on the tour (rule 2)."""
    return max(1, ceil(students / size)) if size > 0 else 1


def adults_needed(students: int, *, subgroup_size: int, school_minimum: int) -> int:
    """One adult of the school for each sub-group, or the school's own minimum."""
    return max(school_minimum, subgroups(students, size=subgroup_size))


def number_refusals(
    party: Party, *, subgroup_size: int, school_minimum: int
) -> list[Refusal]:
    """What is wrong with the numbers themselves."""
    refusals: list[Refusal] = []
    if party.students < 1:
        refusals.append(NoStudents())
    stated = (party.girls or 0) + (party.boys or 0)
    if stated > max(party.students, 0):
        refusals.append(
            NumbersDisagree(girls=party.girls, boys=party.boys, students=party.students)
        )
    needed = adults_needed(
        party.students, subgroup_size=subgroup_size, school_minimum=school_minimum
    )
    if party.adults < needed:
        refusals.append(
            TooFewAdults(
                needed=needed,
                adults=party.adults,
                subgroups=subgroups(party.students, size=subgroup_size),
            )
        )
    return refusals


def seat_refusals(party: Party, *, offered: Seats, taken: Seats) -> list[Refusal]:
    """Whether the group fits into what is left, counted three ways (P1)."""
    if party.students > offered.students:
        return [
            GroupTooBig(unit="students", most=offered.students, asked=party.students)
        ]
    if offered.people is not None and party.people > offered.people:
        return [GroupTooBig(unit="people", most=offered.people, asked=party.people)]
    if taken.groups + 1 > offered.groups:
        return [SlotFull(unit="groups", left=0, asked=1)]
    left = offered.students - taken.students
    if party.students > left:
        return [SlotFull(unit="students", left=left, asked=party.students)]
    if offered.people is not None:
        left = offered.people - (taken.people or 0)
        if party.people > left:
            return [SlotFull(unit="people", left=left, asked=party.people)]
    return []


def party_of_group(
    students: int,
    *,
    of: Party,
    group_no: int,
    subgroup_size: int,
    school_minimum: int,
    left: Seats,
) -> Party:
    """A class, or a group of it, as it comes to a host that a campaign gave it.

    Its share of the adults whom the teacher named, never fewer than the host's
    sub-groups need; where people are counted, no more than leave room for others.
    Support assistants come with the first group.
    """
    needed = adults_needed(
        students, subgroup_size=subgroup_size, school_minimum=school_minimum
    )
    assistants = of.support_assistants if group_no == 1 else 0
    share = ceil(of.adults * students / max(of.students, 1))
    if left.people is not None:
        room = left.people - students - assistants
        share = min(share, room if left.groups == 1 else needed)
    return Party(
        students=students,
        adults=max(needed, share),
        support_assistants=assistants,
        part=Part.WHOLE if students == of.students else Part.HALF,
    )


def most_students(
    left: Seats, *, subgroup_size: int, school_minimum: int, assistants: int = 0
) -> int:
    """How many students surely find room when each group brings its adults."""
    if left.people is None:
        return left.students

    def adults(students: int) -> int:
        if left.groups == 1:
            return adults_needed(
                students, subgroup_size=subgroup_size, school_minimum=school_minimum
            )
        # However they are divided: a group rounds up once, and has its minimum.
        round_all = subgroups(students, size=subgroup_size) - 1
        return left.groups * max(1, school_minimum) + round_all

    room = left.people - assistants
    fitting = range(min(left.students, room), 0, -1)
    return next((each for each in fitting if each + adults(each) <= room), 0)


def most_addresses(party: Party, *, policy: Policy) -> int:
    """How many students' addresses a visit takes: a few change theirs."""
    return min(party.students + SPARE_ADDRESSES, policy.max_addresses)


class Advice(StrEnum):
    """Said, never refused: a default, not a law (TE-M4)."""

    FEW_ADULTS = "few_adults"
    ONE_ADULT_COLLEGE = "one_adult_college"


def advice(party: Party, *, is_college: bool, policy: Policy) -> list[Advice]:
    """Warnings about supervision that leave the decision to the head of school."""
    said = []
    if party.students > party.adults * policy.adults_ratio_warning:
        said.append(Advice.FEW_ADULTS)
    if is_college and party.adults < policy.adults_college_warning:
        said.append(Advice.ONE_ADULT_COLLEGE)
    return said
