"""Numbers of a group: adults needed, seats used (rules 1 and 2, promise P1)."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from scheduler.domain.parties import (
    Advice,
    Party,
    Seats,
    adults_needed,
    advice,
    number_refusals,
    seat_refusals,
    subgroups,
)
from tests.builders import NOBODY, POLICY, a_party


def codes(refusals):
    return [refusal.code for refusal in refusals]


# ------------------------------------------------------------------ rule 1 and 2


@pytest.mark.parametrize(
    ("students", "size", "groups"),
    [(10, 10, 1), (11, 10, 2), (24, 12, 2), (25, 12, 3), (0, 10, 1), (24, 0, 1)],
)
def test_subgroups_are_students_by_size_rounded_up(students, size, groups):
    assert subgroups(students, size=size) == groups


@pytest.mark.parametrize(
    ("students", "size", "minimum", "needed"),
    [(24, 24, 1, 1), (24, 12, 1, 2), (24, 8, 2, 3), (8, 12, 2, 2)],
)
def test_one_adult_for_each_subgroup_or_the_schools_minimum(
    students, size, minimum, needed
):
    assert needed == adults_needed(students, subgroup_size=size, school_minimum=minimum)


def test_case_20_four_groups_of_thirteen_need_an_adult_each():
    party = a_party(students=52, adults=3)

    refusals = number_refusals(party, subgroup_size=13, school_minimum=1)

    assert [each.facts for each in refusals] == [
        {"needed": 4, "adults": 3, "subgroups": 4}
    ]


def test_right_numbers_are_not_refused():
    party = a_party(students=24, adults=2, girls=10, boys=14)

    assert number_refusals(party, subgroup_size=12, school_minimum=1) == []


@pytest.mark.parametrize("students", [0, -3])
def test_at_least_one_student_comes(students):
    party = a_party(students=students)

    assert codes(number_refusals(party, subgroup_size=12, school_minimum=1)) == [
        "no_students"
    ]


@pytest.mark.parametrize(
    ("girls", "boys", "refused"),
    [(None, None, []), (12, 12, []), (12, None, []), (12, 13, ["numbers_disagree"])],
)
def test_girls_and_boys_are_not_more_than_the_students(girls, boys, refused):
    party = a_party(students=24, girls=girls, boys=boys)

    assert codes(number_refusals(party, subgroup_size=12, school_minimum=1)) == refused


def test_every_wrong_number_is_told_at_once():
    party = a_party(students=0, adults=0, girls=2)

    assert codes(number_refusals(party, subgroup_size=12, school_minimum=2)) == [
        "no_students",
        "numbers_disagree",
        "too_few_adults",
    ]


# ------------------------------------------------------------------ seats


def test_case_1_fifteen_students_are_too_many_by_five_for_ten_seats():
    refused = seat_refusals(
        a_party(students=15), offered=Seats(students=10), taken=NOBODY
    )

    assert [(each.code, each.facts) for each in refused] == [
        ("group_too_big", {"unit": "students", "most": 10, "asked": 15})
    ]


@pytest.mark.parametrize("half", [7, 8])
def test_case_1_each_half_group_fits(half):
    party = a_party(students=half, adults=1)

    assert seat_refusals(party, offered=Seats(students=10), taken=NOBODY) == []


def test_adults_and_assistants_count_where_the_host_caps_people():
    offered = Seats(students=30, people=26)

    fits = a_party(students=24, adults=2)
    too_many = a_party(students=24, adults=2, support_assistants=1)

    assert seat_refusals(fits, offered=offered, taken=NOBODY) == []
    assert [
        each.facts for each in seat_refusals(too_many, offered=offered, taken=NOBODY)
    ] == [{"unit": "people", "most": 26, "asked": 27}]


def test_adults_do_not_count_where_the_host_caps_students_only():
    party = a_party(students=25, adults=9)

    assert seat_refusals(party, offered=Seats(students=25), taken=NOBODY) == []


@pytest.mark.parametrize(
    ("taken", "facts"),
    [
        (
            Seats(students=1, people=2, groups=2),
            {"unit": "groups", "left": 0, "asked": 1},
        ),
        (
            Seats(students=7, people=9, groups=1),
            {"unit": "students", "left": 23, "asked": 24},
        ),
        (
            Seats(students=6, people=15, groups=1),
            {"unit": "people", "left": 25, "asked": 26},
        ),
    ],
)
def test_what_others_hold_is_told_by_the_unit_that_lacks(taken, facts):
    offered = Seats(students=30, people=40, groups=2)

    refused = seat_refusals(a_party(), offered=offered, taken=taken)

    assert [(each.code, each.facts) for each in refused] == [("slot_full", facts)]


SOME = st.integers(0, 60)


PARTIES = st.builds(
    Party,
    students=st.integers(1, 60),
    adults=SOME,
    support_assistants=st.integers(0, 5),
)
OFFERED = st.builds(
    Seats,
    students=st.integers(1, 60),
    people=st.none() | st.integers(1, 90),
    groups=st.integers(1, 4),
)
TAKEN = st.builds(Seats, students=SOME, people=SOME, groups=st.integers(0, 4))


@given(party=PARTIES, offered=OFFERED, taken=TAKEN)
def test_seats_are_refused_exactly_when_the_group_does_not_fit(party, offered, taken):
    fits = (
        taken.students + party.students <= offered.students
        and taken.groups + 1 <= offered.groups
        and (offered.people is None or taken.people + party.people <= offered.people)
    )

    assert (seat_refusals(party, offered=offered, taken=taken) == []) is fits


# ------------------------------------------------------------------ advice


@pytest.mark.parametrize(
    ("students", "adults", "is_college", "said"),
    [
        (30, 2, False, []),
        (31, 2, False, [Advice.FEW_ADULTS]),
        (15, 1, True, [Advice.ONE_ADULT_COLLEGE]),
        (24, 1, True, [Advice.FEW_ADULTS, Advice.ONE_ADULT_COLLEGE]),
        (24, 2, True, []),
    ],
)
def test_few_adults_are_advised_against_and_never_refused(
    students, adults, is_college, said
):
    party = a_party(students=students, adults=adults)

    assert advice(party, is_college=is_college, policy=POLICY) == said
