"""Pinned slots: given in every plan, or named with what is in the way."""

import pytest

from scheduler.matching.explain import CODES
from scheduler.matching.fcfs import as_practised, in_rounds, with_half_groups
from scheduler.matching.greedy import greedy
from scheduler.matching.optimum import Limits, optimum
from scheduler.matching.pins import (
    NOT_FOUND,
    REFUSALS,
    TOGETHER,
    Pin,
    PinsRefused,
    RefusedPin,
    impossible_pins,
)
from scheduler.matching.plan import Plan
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, read_problem
from scheduler.matching.verify import verify
from tests.matching.instances import changed, the_example


def pinned(data: dict, **pins: list[str]) -> dict:
    for one in data["classes"]:
        one["pinned"] = pins.get(one["id"], [])
    return data


def refused(problem: Problem, limits: Limits | None = None) -> set[RefusedPin]:
    with pytest.raises(PinsRefused) as told:
        optimum(problem, possible_visits(Offer(problem)), limits or Limits())
    return set(told.value.refused)


def in_one_slot(**numbers: object) -> dict:
    """C1 with 24 and C2 with 28 students both want the factory."""
    data = the_example()
    data["slots"][2].update(numbers)
    return data


@pytest.mark.parametrize(
    "method", [greedy, as_practised, with_half_groups, in_rounds, None]
)
def test_every_way_to_plan_gives_what_is_pinned(method):
    """C1 likes the factory better, and C2 could have it: one pin moves both."""
    problem = read_problem(pinned(the_example(), C1=["S2"]))
    possible = possible_visits(Offer(problem))

    visits = (
        method(problem, possible)
        if method
        else optimum(problem, possible, Limits()).visits
    )

    assert {(v.class_id, *sorted(v.slots)) for v in visits} >= {("C1", "S1", "S2")}
    assert verify(problem, Plan(visits)).is_valid


def test_a_visit_in_half_groups_is_enough_for_the_pins_of_both_slots():
    problem = read_problem(pinned(the_example(), C1=["S1", "S2"]))

    visits = greedy(problem, possible_visits(Offer(problem)))

    assert {visit.class_id for visit in visits} == {"C1", "C2"}


@pytest.mark.parametrize(
    ("path", "value", "slot", "why"),
    [
        (["name"], "", "S9", "unknown_slot"),
        (["name"], "", "S1", "no_wish_match"),
        (["classes", 1, "forbidden"], ["S3"], "S3", "forbidden"),
        (["classes", 1, "unavailable"], ["2026-11-17"], "S3", "no_date"),
        (["classes", 1, "level"], "BTS", "S3", "no_level"),
        (["classes", 1, "max_m"], 2000, "S3", "too_far"),
        (["classes", 1, "size"], 31, "S3", "no_seats"),
        (["classes", 1, "max_visits"], 0, "S3", "max_visits"),
        (["schools", 1, "quota"], 0, "S3", "school_quota"),
    ],
)
def test_a_pin_that_no_plan_can_have_is_told_before_the_search(
    path: list, value: object, slot: str, why: str
):
    problem = read_problem(changed(pinned(the_example(), C2=[slot]), path, value))
    possible = possible_visits(Offer(problem))

    found = impossible_pins(problem, possible)

    assert found == (RefusedPin(Pin("C2", slot), why),)
    assert why in CODES | REFUSALS
    with pytest.raises(PinsRefused, match=rf"classes\[1\].pinned: .*{slot} \({why}\)"):
        greedy(problem, possible)


def test_half_groups_that_a_class_refuses_stand_between_it_and_the_pin():
    data = pinned(the_example(), C3=["S1"])
    data["classes"][2].update(size=20, wishes=[{"host": "H1"}])
    problem = read_problem(data)

    found = impossible_pins(problem, possible_visits(Offer(problem)))

    assert found == (RefusedPin(Pin("C3", "S1"), "split_refused"),)


def test_pins_that_are_impossible_together_are_named_without_the_others():
    data = pinned(in_one_slot(), C1=["S3"], C2=["S3"], C3=["S1"])
    data["classes"][2]["size"] = 12

    assert refused(read_problem(data)) == {
        RefusedPin(Pin("C1", "S3"), TOGETHER),
        RefusedPin(Pin("C2", "S3"), TOGETHER),
    }


def test_a_cap_of_the_host_can_forbid_a_single_pin():
    data = pinned(the_example(), C1=["S3"])
    cap = {"from": "2026-11-01", "to": "2026-11-30", "groups": 0}
    data["hosts"][1]["caps"] = [cap]

    assert refused(read_problem(data)) == {RefusedPin(Pin("C1", "S3"), TOGETHER)}


def test_pins_that_only_together_are_enough_are_found():
    """The slot opens for 50 students: neither class is enough by itself."""
    data = pinned(in_one_slot(min=50, max=60, groups=2), C1=["S3"], C2=["S3"])
    problem = read_problem(data)
    possible = possible_visits(Offer(problem))

    found = optimum(problem, possible, Limits())

    assert {(v.class_id, *v.slots) for v in found.visits} == {
        ("C1", "S3"),
        ("C2", "S3"),
    }
    with pytest.raises(PinsRefused, match=NOT_FOUND):
        greedy(problem, possible)


def test_without_time_nobody_knows():
    data = pinned(in_one_slot(min=50, max=60, groups=2), C1=["S3"], C2=["S3"])
    limits = Limits(seconds_left=lambda: 0.0)

    assert {each.why for each in refused(read_problem(data), limits)} == {NOT_FOUND}
