"""Reasons: the first thing that stands in the way, and a change that really helps."""

import random
from dataclasses import replace

import pytest

from scheduler.matching.explain import explain, obstacle
from scheduler.matching.greedy import greedy
from scheduler.matching.ledger import Ledger, NoPlan
from scheduler.matching.plan import Plan, Reason
from scheduler.matching.possible import Offer, admits, possible_visits, visits_of
from scheduler.matching.problem import Problem, SchoolClass, Split, read_problem
from scheduler.matching.verify import verify
from tests.matching.instances import (
    a_visit,
    changed,
    random_instance,
    the_example,
    with_rules,
)

FACTORY = a_visit("C2", ("S3", 28, 1))


def reasons(data: dict, *visits) -> dict[str, Reason]:
    offer = Offer(read_problem(data))
    told = explain(offer, possible_visits(offer), visits)
    return {reason.class_id: reason for reason in told}


@pytest.mark.parametrize(
    ("key", "value", "code", "needs"),
    [
        ("wishes", [{"slot": "gone"}], "no_wish_match", None),
        ("unavailable", ["2026-11-17"], "no_date", {"dates": ["2026-11-17"]}),
        ("level", "BTS", "no_level", None),
        ("needs", ["lsf"], "no_access", None),
        ("max_m", 2000, "too_far", {"max_m": 3000}),
        ("size", 31, "no_seats", {"slot": "S3", "seats": 1}),
    ],
)
def test_the_first_filter_that_leaves_nothing_is_the_reason(
    key: str, value: object, code: str, needs: object
):
    told = reasons(changed(the_example(), ["classes", 1, key], value))["C2"]

    assert (told.code, told.needs) == (code, needs)


def test_half_groups_that_were_refused_are_named():
    data = changed(the_example(), ["classes", 2, "wishes"], [{"host": "H1"}])
    data["classes"][2]["size"] = 20

    told = reasons(data)["C3"]

    assert told.code == "split_refused"
    assert told.needs == {"split": "same_host", "max_parts": 2}


def test_who_has_the_slot_is_named():
    data = the_example()
    data["classes"][0]["wishes"] = [{"slot": "S3"}]

    told = reasons(data, FACTORY)

    assert told["C1"] == Reason("C1", "capacity_taken", blockers=("C2",))
    assert "C2" not in told


def test_a_month_that_is_full_is_named():
    """The factory opens once a month, and its other slot stands empty."""
    data = the_example()
    data["slots"].append({**data["slots"][2], "id": "S4", "date": "2026-11-24"})
    data["classes"][0]["wishes"] = [{"slot": "S4"}]

    told = reasons(data, FACTORY)["C1"]

    assert told == Reason("C1", "host_month_full", blockers=("C2",))


def test_a_forbidden_slot_is_told_as_no_date_with_a_detail():
    """The funnel's code stays; who forbade the slot can allow it again."""
    data = the_example()
    data["classes"][1]["forbidden"] = ["S3", "gone"]

    told = reasons(data)["C2"]

    assert told == Reason(
        "C2", "no_date", needs={"forbidden": ["S3"]}, detail="forbidden"
    )


def test_a_forbidden_slot_on_an_absent_date_is_a_matter_of_the_date():
    data = the_example()
    data["classes"][1].update(forbidden=["S1"], unavailable=["2026-11-17"])

    told = reasons(data)["C2"]

    assert told == Reason("C2", "no_date", needs={"dates": ["2026-11-17"]})


def test_who_used_up_the_quota_of_the_school_is_named():
    data = the_example()
    data["classes"][0]["school"] = data["classes"][1]["school"]
    data["schools"][1]["quota"] = 1

    told = reasons(data, FACTORY)["C1"]

    assert data["classes"][1]["school"] == data["schools"][1]["id"]
    assert told == Reason(
        "C1", "capacity_taken", blockers=("C2",), detail="school_quota"
    )


def test_a_cap_of_the_host_is_named_with_whom_it_counts():
    """The factory's other slot stands empty; its month would allow it."""
    data = the_example()
    data["hosts"][1].update(
        month_cap=2, caps=[{"from": "2026-11-01", "to": "2027-06-30", "groups": 1}]
    )
    data["slots"].append({**data["slots"][2], "id": "S4", "date": "2026-12-01"})
    data["classes"][0]["wishes"] = [{"slot": "S4"}]

    told = reasons(data, FACTORY)["C1"]

    assert told == Reason("C1", "host_month_full", blockers=("C2",), detail="host_cap")


def test_a_cap_is_named_only_where_nothing_else_is_in_the_way():
    """Without the caps a named class could be added to the plan as it is."""
    seen = 0
    for seed in range(8000, 8400):
        draw = random.Random(seed)
        problem = read_problem(with_rules(draw, random_instance(draw)))
        offer = Offer(problem)
        possible = possible_visits(offer)
        try:
            visits = greedy(problem, possible)
        except NoPlan:
            continue
        for told in explain(offer, possible, visits):
            if told.detail == "host_cap":
                seen += 1
                assert may_join(problem, visits, possible[told.class_id])
    assert seen > 5


def may_join(problem: Problem, visits, choices) -> bool:
    hosts = {name: replace(host, caps=()) for name, host in problem.hosts.items()}
    ledger = Ledger(replace(problem, hosts=hosts))
    for visit in visits:
        ledger.note(visit)
    more = [visit for each in choices if (visit := ledger.take(each))][:1]
    return bool(more) and verify(ledger.problem, Plan((*visits, *more))).is_valid


def changed_as_advised(one: SchoolClass, needs: dict) -> SchoolClass:
    if "max_m" in needs:
        return replace(one, max_m=needs["max_m"])
    if "dates" in needs:
        return replace(one, unavailable=one.unavailable - {needs["dates"][0]})
    if "split" in needs:
        split = Split(needs["split"])
        return replace(one, split=split, max_parts=needs["max_parts"])
    return replace(one, size=one.size - needs["seats"])


def may_come(problem: Problem, one: SchoolClass) -> bool:
    wished = Offer(problem).wished(one)
    return bool(visits_of(problem, one, [w for w in wished if admits(problem, one, w)]))


def test_the_advice_makes_a_visit_possible():
    """Except for seats: a smaller class may then fall below a least number."""
    seen = set()
    for seed in range(600):
        problem = read_problem(random_instance(random.Random(seed)))
        offer = Offer(problem)
        possible = possible_visits(offer)
        for told in explain(offer, possible, greedy(problem, possible)):
            one = problem.classes[told.class_id]
            assert (obstacle(offer, one) is None) == bool(possible[one.id])
            if told.needs and "seats" not in told.needs:
                seen.add(told.code)
                assert may_come(problem, changed_as_advised(one, dict(told.needs)))
    assert seen == {"no_date", "too_far", "split_refused"}
