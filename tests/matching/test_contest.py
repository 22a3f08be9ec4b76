"""What a class lost against and what would have helped: true by trying everything."""

import random
from dataclasses import replace

import pytest

from scheduler.matching.contest import NOWHERE, Inquiry, explain_fully
from scheduler.matching.draw import lots
from scheduler.matching.ledger import NoPlan
from scheduler.matching.optimum import Limits, optimum, solver
from scheduler.matching.plan import Plan, Reason
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, SlotWish, Split, read_problem
from scheduler.matching.score import better_key, sign
from scheduler.matching.verify import verify
from tests.matching.brute import best_of, valid_plans
from tests.matching.instances import (
    a_visit,
    changed,
    random_instance,
    the_example,
    with_rules,
)

SOLVE = solver(Limits())


def asked(problem: Problem, visits=None, drawn=None) -> dict[str, Reason]:
    offer = Offer(problem)
    possible = possible_visits(offer)
    if visits is None:
        visits = optimum(problem, possible, Limits()).visits
    told = explain_fully(offer, possible, visits, SOLVE, drawn=drawn)
    assert verify(problem, Plan(tuple(visits), reasons=told)).is_valid
    return {reason.class_id: reason for reason in told}


# ---------------------------------------------------------------- by hand


def both_want_the_factory(**mine) -> Problem:
    """C1 and C2 can only go to the factory, which takes one class a month."""
    data = changed(the_example(), ["classes", 0, "wishes"], [{"slot": "S3"}])
    data["classes"][0].update(split="none", **mine)
    return read_problem(data)


def test_who_has_more_points_is_named():
    problem = both_want_the_factory(priority=1)
    two = replace(problem.classes["C2"], priority=4)
    problem = replace(problem, classes={**problem.classes, "C2": two})

    told = asked(problem)["C1"]

    assert told.contest == {"level": "priority", "loss": 3, "losers": ["C2"]}


def test_a_better_wish_is_named():
    problem = both_want_the_factory(wishes=[{"slot": "S1"}, {"slot": "S3"}])
    one, two = problem.classes["C1"], problem.classes["C2"]
    alike = replace(two, priority=one.priority, school=one.school)
    problem = replace(problem, classes={**problem.classes, "C2": alike})

    told = asked(problem)["C1"]

    assert told.contest == {"level": "rank", "loss": 1, "losers": ["C2"]}


def test_equal_claims_are_settled_by_lots():
    data = the_example()
    twin = {**data["classes"][1], "id": "C9"}
    data["classes"] = [data["classes"][1], twin]
    problem = read_problem(data)
    drawn = lots(problem.classes, "2026-autumn")
    first, second = sorted(problem.classes, key=drawn.__getitem__)

    told = asked(problem, [a_visit(first, ("S3", 28, 1))], drawn)

    assert told[second].contest == {"level": "draw", "losers": [first]}


def test_half_groups_that_would_have_served_are_advised():
    data = the_example()
    data["classes"][0]["split"] = "none"
    problem = read_problem(data)

    told = asked(problem, [a_visit("C2", ("S3", 28, 1))])["C1"]

    assert told.needs == {"split": "same_host", "max_parts": 2, "serves": True}


def test_a_slot_that_nobody_has_is_advised():
    data = the_example()
    data["slots"].append({**data["slots"][2], "id": "S8", "date": "2026-12-01"})
    problem = read_problem(data)

    told = asked(problem)["C3"]

    assert told.needs == {"wishes": ["S8"], "serves": True}


def test_two_more_seats_are_advised_if_nobody_else_takes_them():
    problem = both_want_the_factory()
    three = replace(problem.classes["C3"], size=14)
    problem = replace(problem, classes={**problem.classes, "C3": three})

    told = asked(problem)["C3"]

    assert told.needs == {"slot": "S1", "seats": 2, "serves": True}


def test_a_search_without_time_leaves_what_is_known():
    problem = both_want_the_factory()
    offer = Offer(problem)
    possible = possible_visits(offer)
    cut = solver(Limits(seconds_left=lambda: 0.0))

    (told, _) = explain_fully(offer, possible, [a_visit("C2", ("S3", 28, 1))], cut)

    assert told == Reason("C1", "capacity_taken", blockers=("C2",))


# ---------------------------------------------------------------- by trying


def with_change(problem: Problem, name: str, needs: dict) -> Problem:
    """The problem as if the advice had been followed."""
    one = problem.classes[name]
    if "split" in needs:
        split = Split(needs["split"])
        one = replace(one, split=split, max_parts=needs["max_parts"])
    elif "dates" in needs:
        one = replace(one, unavailable=one.unavailable - set(needs["dates"]))
    elif "forbidden" in needs:
        one = replace(one, forbidden=one.forbidden - set(needs["forbidden"]))
    elif "max_m" in needs:
        one = replace(one, max_m=needs["max_m"])
    elif "wishes" in needs:
        more = tuple(SlotWish(slot) for slot in needs["wishes"])
        one = replace(one, wishes=(*one.wishes, *more))
    elif "slot" in needs:
        slot = problem.slots[needs["slot"]]
        wider = replace(slot, most=slot.most + needs["seats"])
        return replace(problem, slots={**problem.slots, slot.id: wider})
    elif "school" in needs:
        school = replace(problem.schools[needs["school"]], quota=needs["quota"])
        return replace(problem, schools={**problem.schools, school.id: school})
    else:
        host = problem.hosts[needs["host"]]
        if "month_cap" in needs:
            host = replace(host, month_cap=needs["month_cap"])
        else:
            caps = tuple(replace(cap, groups=cap.groups + 1) for cap in host.caps)
            host = replace(host, caps=caps)
        return replace(problem, hosts={**problem.hosts, host.id: host})
    return replace(problem, classes={**problem.classes, name: one})


def serving(name: str):
    return lambda served: name in served


def as_key(problem: Problem, best: dict | None) -> tuple[int, ...]:
    return better_key(problem.params.objective, best) if best else ()


@pytest.mark.parametrize("block", range(6))
def test_contest_and_advice_are_true(block: int):
    """The class by force costs just that; with the advice every best plan has it."""
    for seed in range(7000 + block * 40, 7040 + block * 40):
        draw = random.Random(seed)
        data = random_instance(draw)
        if seed % 3 == 0:
            data = with_rules(draw, data)
        problem = read_problem(data)
        plans = valid_plans(problem)
        best = best_of(plans, lambda _served: True)
        if best is None:
            continue
        for name, told in asked(problem).items():
            if told.contest:
                forced = best_of(plans, serving(name))
                assert told.contest["level"] == lost_on(best, forced), f"seed {seed}"
            if told.needs and told.needs.get("serves"):
                other = with_change(problem, name, dict(told.needs))
                plans_then = valid_plans(other)
                mine = best_of(plans_then, serving(name))
                without = best_of(
                    plans_then, lambda served, name=name: name not in served
                )
                assert as_key(other, mine) > as_key(other, without), f"seed {seed}"


def lost_on(best: dict[str, int], forced: dict[str, int] | None) -> str:
    if forced is None:
        return NOWHERE
    worse = (n for n in best if sign(n) * (best[n] - forced[n]) > 0)
    return next(worse, "draw")


def test_advice_of_every_kind_is_given():
    """The instances above are rich enough: each change is advised somewhere."""
    seen: set[str] = set()
    for seed in range(7000, 7240):
        draw = random.Random(seed)
        data = random_instance(draw)
        if seed % 3 == 0:
            data = with_rules(draw, data)
        problem = read_problem(data)
        possible = possible_visits(Offer(problem))
        try:
            visits = optimum(problem, possible, Limits()).visits
        except NoPlan:
            continue
        inquiry = Inquiry(Offer(problem), possible, visits, SOLVE)
        for name in inquiry.reasons:
            seen |= set(inquiry.advice(name) or ())
    assert seen >= {"split", "dates", "max_m", "wishes", "seats", "month_cap"}
