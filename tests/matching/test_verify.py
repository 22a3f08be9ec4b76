"""Our checker: each rule by name, and the same verdict as the independent one."""

import random
from collections import Counter

import pytest

from scheduler.matching.explain import explain
from scheduler.matching.fcfs import in_rounds
from scheduler.matching.greedy import greedy
from scheduler.matching.plan import Part, Plan, Reason, Visit, plan_as_json
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, read_problem
from scheduler.matching.verify import Fault, verify
from tests.matching.instances import a_visit, changed, random_problem, the_example
from tests.matching.judge import beside

HALVES = a_visit("C1", ("S1", 12, 1), ("S2", 12, 2))
FACTORY = a_visit("C2", ("S3", 28, 1))


def codes(plan: Plan, data: dict | None = None) -> set[str]:
    problem = read_problem(data or the_example())
    return {fault.code for fault in verify(problem, plan).faults}


def test_a_plan_that_keeps_every_rule_is_valid():
    report = verify(read_problem(the_example()), Plan((HALVES, FACTORY)))

    assert report.faults == ()
    assert report.objective == {
        "served": 2, "schools": 2, "priority": 4, "visits": 2, "rank": 1,
        "travel": 8000, "changes": 0, "students": 52,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("visit", "code"),
    [
        (a_visit("C9", ("S1", 12, 1)), "unknown_class"),
        (a_visit("C1"), "empty_visit"),
        (a_visit("C1", ("S9", 24, 1)), "unknown_slot"),
        (a_visit("C1", ("S3", 0, 1)), "bad_students"),
        (a_visit("C1", ("S1", 12, 1), ("S1", 12, 2)), "same_slot_twice"),
        (a_visit("C1", ("S3", 23, 1)), "not_whole_class"),
        (a_visit("C1", ("S1", 12, 1), ("S2", 12, 1)), "bad_shape"),
        (a_visit("C1", ("S1", 12, 1), ("S2", 11, 2)), "not_whole_class"),
        (a_visit("C1", ("S1", 21, 1), ("S2", 3, 2)), "group_too_small"),
        (a_visit("C1", ("S3", 12, 1), ("S2", 12, 2)), "split_not_needed"),
        (a_visit("C2", ("S1", 14, 1), ("S2", 14, 2)), "split_refused"),
        (a_visit("C2", ("S1", 14, 1), ("S2", 14, 2)), "not_wished"),
        (a_visit("C3", ("S1", 26, 1)), "slot_over_max"),
    ],
)
def test_a_broken_rule_has_its_code(visit: Visit, code: str):
    assert code in codes(Plan((visit,)))


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (["classes", 1, "unavailable"], ["2026-11-17"], "not_eligible_unavailable"),
        (["classes", 1, "level"], "BTS", "not_eligible_level"),
        (["classes", 1, "needs"], ["lsf"], "not_eligible_access"),
        (["classes", 1, "max_m"], 2999, "not_eligible_too_far"),
        (["classes", 0, "max_parts"], 1, "too_many_parts"),
        (["classes", 0, "max_visits"], 0, "too_many_visits"),
        (["params", "gap_min"], 10, "neither_parallel_nor_back_to_back"),
        (["slots", 1, "date"], "2026-11-18", "several_dates"),
        (["hosts", 0, "month_cap"], 1, "host_month_cap"),
        (["slots", 2, "min"], 29, "slot_under_min"),
        (["slots", 0, "max"], 24, "split_not_needed"),
    ],
)
def test_a_rule_that_the_instance_tightens_is_seen(
    path: list, value: object, code: str
):
    data = changed(the_example(), path, value)

    assert codes(Plan((HALVES, FACTORY)), data) == {code}


def test_rules_about_several_visits_have_their_codes():
    plan = Plan((HALVES, HALVES, FACTORY))

    assert codes(plan) == {
        "slot_over_max", "slot_too_many_groups", "too_many_visits",
        "two_visits_same_day", "same_host_twice",
    }  # fmt: skip


def test_a_frozen_visit_must_stay():
    data = the_example()
    parts = [{"slot": "S3", "group": 1, "students": 28}]
    data["previous"] = [{"class": "C2", "parts": parts, "frozen": True}]

    assert codes(Plan((HALVES,)), data) == {"frozen_visit_lost"}
    assert codes(Plan((FACTORY,)), data) == set()


def test_false_claims_are_seen():
    plan = Plan((FACTORY,), objective={"served": 2}, bound={"served": 0, "rank": 9})

    found = verify(read_problem(the_example()), plan).faults

    assert found == (
        Fault("false_claim", "objective.served: claimed 2, is 1"),
        Fault("false_claim", "bound.served: 0, is 1"),
    )


def test_reasons_must_be_complete_and_true():
    reasons = (
        Reason("C2", "no_seats"),
        Reason("C3", "no_date"),
        Reason("C3", "bad_luck"),
    )

    found = verify(
        read_problem(the_example()), Plan((FACTORY,), reasons=reasons)
    ).faults

    assert Counter(fault.code for fault in found) == {
        "bad_reason": 1, "no_reason": 1, "reason_for_served_class": 1,
        "false_reason": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (["classes", 0, "forbidden"], ["S2"], "not_eligible_forbidden"),
        (["schools", 0, "quota"], 0, "school_quota"),
        (["classes", 1, "pinned"], ["S3"], "pin_lost"),
        (
            ["hosts", 0, "caps"],
            [{"from": "2026-11-17", "to": "2026-11-17", "groups": 1}],
            "host_cap",
        ),
    ],
)
def test_a_rule_beside_the_format_has_its_code(path: list, value: object, code: str):
    assert codes(Plan((HALVES,)), changed(the_example(), path, value)) == {code}


def test_a_cap_counts_the_groups_between_its_dates_only():
    data = the_example()
    data["hosts"][0]["caps"] = [
        {"from": "2026-11-17", "to": "2026-11-17", "groups": 2},
        {"from": "2026-11-18", "to": "2026-12-31", "groups": 0},
    ]
    data["schools"][0]["quota"] = 1

    assert codes(Plan((HALVES, FACTORY)), data) == set()


# ---------------------------------------------------------------- the same verdict


def spoiled(draw: random.Random, problem: Problem, visits: list[Visit]) -> list[Visit]:
    """The visits with a few things moved, so that many of them break a rule."""
    slots, classes = sorted(problem.slots), sorted(problem.classes)
    for _ in range(draw.randint(0, 3)):
        move = draw.randint(0, 4)
        if move == 0 or not visits:
            size = problem.classes[name := draw.choice(classes)].size
            visits.append(a_visit(name, (draw.choice(slots), size, 1)))
            continue
        number = draw.randrange(len(visits))
        old = visits[number]
        parts = list(old.parts)
        if move == 1:
            visits.append(old)
        elif move == 2:
            visits[number] = Visit(draw.choice(classes), old.parts)
        elif move == 3:
            part = parts[0]
            parts[0] = Part(draw.choice(slots), part.students, part.group)
            visits[number] = Visit(old.class_id, tuple(parts))
        else:
            size = problem.classes[old.class_id].size
            first = draw.randint(1, max(1, size - 1))
            visits[number] = a_visit(
                old.class_id, (parts[0].slot, first, 1),
                (draw.choice(slots), max(1, size - first), 2),
            )  # fmt: skip
    return visits


def test_the_independent_checker_agrees():
    judge = beside("verify")
    for seed in range(300):
        draw = random.Random(seed)
        data, problem = random_problem(seed)
        possible = possible_visits(Offer(problem))
        start = draw.choice([greedy, in_rounds])(problem, possible)
        plan = Plan(
            tuple(spoiled(draw, problem, list(start))),
            objective={"served": draw.randint(0, 3)},
            bound={"visits": draw.randint(0, 3)},
        )

        mine = verify(problem, plan)
        checker = judge.Checker(data)
        objective, _ = checker.run(plan_as_json(plan))

        theirs = {error["code"] for error in checker.errors}
        assert {fault.code for fault in mine.faults} == theirs, f"seed {seed}"
        assert objective == {level: mine.objective[level] for level in objective}


def test_the_independent_checker_accepts_every_reason():
    judge = beside("verify")
    for seed in range(300, 500):
        data, problem = random_problem(seed)
        offer = Offer(problem)
        possible = possible_visits(offer)
        visits = greedy(problem, possible)
        plan = Plan(visits, reasons=explain(offer, possible, visits))

        checker = judge.Checker(data)
        checker.run(plan_as_json(plan))

        assert checker.errors == [], f"seed {seed}"
        assert verify(problem, plan).is_valid
