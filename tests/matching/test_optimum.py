"""The optimum: equal to what trying everything finds, the same again, never worse."""

import copy
import json
import random
from itertools import chain, repeat

import pytest

from scheduler.matching.explain import explain
from scheduler.matching.fcfs import as_practised, in_rounds, with_half_groups
from scheduler.matching.greedy import greedy
from scheduler.matching.ledger import NoPlan
from scheduler.matching.optimum import Limits, Optimum, Progress, optimum
from scheduler.matching.pins import TOGETHER, PinsRefused, only_pins
from scheduler.matching.plan import Plan, plan_as_json
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, read_problem
from scheduler.matching.score import better_key, objective_of
from scheduler.matching.verify import verify
from tests.matching.brute import best_objective
from tests.matching.instances import (
    random_instance,
    the_example,
    with_previous,
    with_rules,
)
from tests.matching.judge import beside


def solved(problem: Problem, limits: Limits | None = None) -> Optimum:
    return optimum(problem, possible_visits(Offer(problem)), limits or Limits())


def values(found: Optimum) -> dict[str, int]:
    return {name: level.value for name, level in found.levels.items()}


def test_the_example_serves_two_classes_where_a_queue_serves_one():
    problem = read_problem(the_example())
    possible = possible_visits(Offer(problem))

    queue = as_practised(problem, possible)
    best = optimum(problem, possible, Limits())

    assert [visit.class_id for visit in queue] == ["C1"]
    assert {visit.class_id for visit in best.visits} == {"C1", "C2"}
    assert all(level.is_proven for level in best.levels.values())
    assert not best.was_cut


@pytest.mark.parametrize("block", range(6))
def test_nothing_that_trying_finds_is_better(block: int):
    """Instance by instance the same levels as by brute force, repairs included."""
    for seed in range(block * 25, block * 25 + 25):
        draw = random.Random(seed)
        data = random_instance(draw)
        if seed % 3 == 0:
            data = with_previous(draw, data)
        problem = read_problem(data)

        found = solved(problem)

        assert values(found) == best_objective(problem), f"seed {seed}"
        assert all(level.is_proven for level in found.levels.values())
        assert verify(problem, Plan(found.visits)).is_valid


@pytest.mark.parametrize("block", range(4))
def test_rules_beside_the_format_are_kept_at_the_least_cost(block: int):
    """Again as by brute force; where no plan keeps them, it is said."""
    for seed in range(5000 + block * 40, 5040 + block * 40):
        draw = random.Random(seed)
        data = random_instance(draw)
        if seed % 4 == 0:
            data = with_previous(draw, data)
        problem = read_problem(with_rules(draw, data))
        best = best_objective(problem)

        if best is None:
            assert_no_plan(problem)
            continue
        found = solved(problem)

        assert values(found) == best, f"seed {seed}"
        assert all(level.is_proven for level in found.levels.values())
        assert verify(problem, Plan(found.visits)).is_valid


def assert_no_plan(problem: Problem) -> None:
    """It is said, and pins that are named are impossible, but not one fewer."""
    with pytest.raises(NoPlan) as told:
        solved(problem)

    if isinstance(told.value, PinsRefused):
        pins = [each.pin for each in told.value.refused]
        assert best_objective(only_pins(problem, pins)) is None
        if {each.why for each in told.value.refused} == {TOGETHER}:
            for pin in pins:
                less = only_pins(problem, [each for each in pins if each != pin])
                assert best_objective(less) is not None


def test_the_order_of_methods_holds_and_every_plan_is_valid():
    for seed in range(1000, 1060):
        draw = random.Random(seed)
        data = random_instance(draw)
        problem = read_problem(with_rules(draw, data) if seed % 2 else data)
        offer = Offer(problem)
        possible = possible_visits(offer)
        try:
            best = optimum(problem, possible, Limits())
        except NoPlan:
            continue
        for method in (as_practised, with_half_groups, in_rounds, greedy):
            visits = method(problem, possible)
            reasons = explain(offer, possible, visits)
            report = verify(problem, Plan(visits, reasons=reasons))
            assert report.is_valid, f"seed {seed}, {method.__name__}"
            levels = problem.params.objective
            mine = better_key(levels, report.objective)
            assert mine <= better_key(levels, values(best))


def test_the_same_problem_gives_the_same_plan():
    generate = beside("generate")
    for seed in (1, 2):
        data = generate.build(60, 80, 1, 30, 2, seed, mix=generate.MIX["campus"])
        first, second = (
            json.dumps(
                plan_as_json(Plan(solved(read_problem(copy.deepcopy(data))).visits))
            )
            for _ in range(2)
        )
        assert first == second


def test_one_more_slot_never_serves_fewer():
    for seed in range(2000, 2080):
        data = random_instance(random.Random(seed))
        less = {**data, "slots": data["slots"][:-1]}

        before, after = (values(solved(read_problem(each))) for each in (less, data))

        assert before["served"] <= after["served"], f"seed {seed}"


def test_without_time_the_plan_is_the_greedy_one():
    problem = read_problem(the_example())
    possible = possible_visits(Offer(problem))

    cut = optimum(problem, possible, Limits(seconds_left=lambda: 0.0))

    start = objective_of(problem, greedy(problem, possible))
    assert values(cut) == {level: start[level] for level in problem.params.objective}
    assert cut.was_cut
    assert not cut.levels["served"].is_proven


def test_the_same_plan_is_found_while_somebody_watches():
    problem = read_problem(the_example())
    seen: list[Progress] = []

    watched = solved(problem, Limits(tell=seen.append))

    assert watched.visits == solved(problem).visits
    assert [each.stage for each in seen] == list(problem.params.objective)


def test_a_frozen_visit_that_breaks_the_rules_leaves_no_plan():
    data = the_example()
    parts = [{"slot": "S1", "group": 1, "students": 26}]
    data["previous"] = [{"class": "C3", "parts": parts, "frozen": True}]

    with pytest.raises(NoPlan, match=r"previous\[0\]"):
        solved(read_problem(data))


def test_known_optima_are_met():
    """Sizes that take a second; ./run bench matching does the larger ones."""
    generate = beside("generate")
    for seed, expected in KNOWN.items():
        classes, slots, areas, side, towns = generate.PRESETS["campus"]
        data = generate.build(
            classes, slots, areas, side, towns, seed,
            name=f"campus-{seed}", mix=generate.MIX["campus"],
        )  # fmt: skip
        found = solved(read_problem(data))
        assert list(values(found).values()) == expected


KNOWN = {
    2: [42, 18, 103, 42, 217, 515_271],
    3: [28, 15, 68, 28, 188, 348_493],
    4: [50, 18, 117, 55, 314, 802_295],
    5: [22, 12, 55, 23, 200, 285_356],
    6: [34, 15, 68, 37, 228, 454_828],
}


def test_a_network_is_recognised_and_solved_without_search():
    """As many served as by the search, which second visits need."""
    generate = beside("generate")
    for seed in (1, 2, 3):
        data = generate.build(60, 80, 1, 30, 2, seed, split=False)
        for each in data["slots"]:
            each["groups"] = 1
        for each in data["classes"]:
            each["max_visits"] = 1
        flow = solved(read_problem(data))
        for each in data["classes"]:
            each["max_visits"] = 2
        searched = solved(read_problem(data))
        assert all(told.endswith("a network") for told in flow.log)
        assert any("served" in told for told in searched.log)
        assert verify(read_problem(data), Plan(flow.visits)).is_valid
        first = list(values(flow).items())[:3]
        assert first == list(values(searched).items())[:3]


def test_random_networks_are_as_good_as_by_trying():
    for seed in range(3000, 3060):
        draw = random.Random(seed)
        data = random_instance(draw)
        for each in data["slots"]:
            each["groups"] = 1
        for each in data["classes"]:
            each.update(max_visits=1, split="none")
        problem = read_problem(data)

        found = solved(problem)

        assert values(found) == best_objective(problem), f"seed {seed}"
        assert all(told.endswith("a network") for told in found.log)


def test_a_network_with_rules_beside_the_format_is_searched_where_they_bind():
    """C1 and C2 of two schools have one group at the factory between them."""
    data = the_example()
    data["slots"][2]["max"] = 24
    for each in data["classes"]:
        each.update(max_visits=1, split="none", size=20)
    data["classes"][1]["wishes"] = [{"slot": "S4"}]
    data["slots"].append({**data["slots"][2], "id": "S4", "date": "2026-12-01"})
    cap = {"from": "2026-11-01", "to": "2026-12-31", "groups": 2}
    data["hosts"][1].update(month_cap=9, caps=[cap])
    free = solved(read_problem(data))
    cap["groups"] = 1

    bound = solved(read_problem(data))

    assert (values(free)["served"], values(bound)["served"]) == (2, 1)
    assert all(told.endswith("a network") for told in free.log)
    assert not any(told.endswith("a network") for told in bound.log)


def test_a_search_that_is_cut_keeps_the_better_plan():
    """Seconds run out after so many looks at the clock: every plan is valid."""
    generate = beside("generate")
    data = generate.build(60, 80, 1, 30, 2, 4, mix=generate.MIX["campus"])
    problem = read_problem(data)
    possible = possible_visits(Offer(problem))
    levels = problem.params.objective
    start = better_key(levels, objective_of(problem, greedy(problem, possible)))
    for looks in (0, 1, 2, 3, 4, 5, 8, 12):
        seconds = chain([10.0] * looks, repeat(0.0))
        cut = optimum(problem, possible, Limits(seconds_left=seconds.__next__))
        assert verify(problem, Plan(cut.visits, objective=values(cut))).is_valid
        assert better_key(levels, values(cut)) >= start
        assert cut.was_cut


def test_progress_tells_how_many_published_visits_move():
    """C2's visit cannot stay with C1's at the same slot; one of two moves."""
    data = the_example()
    parts = [{"slot": "S3", "group": 1, "students": 24}]
    data["previous"] = [{"class": "C1", "parts": parts, "frozen": False}]
    data["params"]["objective"] = ["served", "changes"]
    seen: list[Progress] = []

    found = solved(read_problem(data), Limits(tell=seen.append))

    assert values(found) == {"served": 2, "changes": 1}
    assert [(each.stage, each.best, each.bound) for each in seen] == [
        ("served", 2, 2),
        ("changes", 1, 1),
    ]


@pytest.mark.parametrize("key", ["classes", "slots"])
def test_without_classes_or_slots_there_is_an_empty_plan(key: str):
    data = the_example()
    data[key] = []

    found = solved(read_problem(data))

    assert found.visits == ()
    assert set(values(found).values()) == {0}
    assert not found.was_cut
