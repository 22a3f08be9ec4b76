"""Large problems, tested on small ones that are cut as if they were large."""

import random
from itertools import pairwise

import pytest

from scheduler.matching.districts import Standing, districts
from scheduler.matching.greedy import greedy
from scheduler.matching.optimum import Limits, Optimum, Progress, Scale, optimum
from scheduler.matching.plan import Plan
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, read_problem
from scheduler.matching.score import better_key, objective_of
from scheduler.matching.verify import verify
from tests.matching.brute import best_objective
from tests.matching.instances import random_instance, with_previous
from tests.matching.judge import beside

CUT = Scale(district=12, turns=3, together=0, whole=10_000, proof=0, priced=20)
"""As a country: districts, then all at once, and prices for a bound."""
IN_BLOCKS = Scale(district=12, turns=3, together=0, whole=0, proof=0, priced=25)
PROVEN = Scale(district=12, together=0)
"""As an académie: districts, all levels weighed together, then the proofs."""


def a_campus(seed: int) -> Problem:
    generate = beside("generate")
    mix = generate.MIX["campus"]
    return read_problem(generate.build(60, 80, 1, 30, 2, seed, mix=mix))


def solved(problem: Problem, scale: Scale, limits: Limits | None = None) -> Optimum:
    possible = possible_visits(Offer(problem))
    return optimum(problem, possible, limits or Limits(), scale=scale)


def values(found: Optimum) -> dict[str, int]:
    return {name: level.value for name, level in found.levels.items()}


@pytest.mark.parametrize("scale", [CUT, IN_BLOCKS], ids=["together", "blocks"])
def test_a_plan_by_districts_is_valid_and_its_bound_is_one(scale: Scale):
    for seed in (2, 4):
        problem = a_campus(seed)
        start = greedy(problem, possible_visits(Offer(problem)))
        order = problem.params.objective
        best = values(solved(problem, Scale()))

        found = solved(problem, scale)

        assert verify(problem, Plan(found.visits)).is_valid
        assert values(found) == {
            level: objective_of(problem, found.visits)[level] for level in order
        }
        least = better_key(order, objective_of(problem, start))
        assert better_key(order, values(found)) >= least
        bound = found.levels["served"].bound
        assert best["served"] <= bound <= 1.05 * best["served"]
        assert found.levels["served"].value >= 0.9 * best["served"]


def test_random_problems_keep_every_rule_when_they_are_cut():
    """Frozen and published visits, rotations and months among them."""
    tiny = Scale(district=1, turns=2, together=0, whole=0, proof=0, priced=2)
    for seed in range(4000, 4060):
        draw = random.Random(seed)
        data = random_instance(draw)
        if seed % 2:
            data = with_previous(draw, data)
        problem = read_problem(data)
        best = best_objective(problem)

        cut = solved(problem, tiny)
        whole = solved(problem, Scale(district=1, together=0))

        assert verify(problem, Plan(cut.visits)).is_valid, f"seed {seed}"
        assert cut.levels["served"].value <= best["served"], f"seed {seed}"
        assert cut.levels["served"].bound >= best["served"], f"seed {seed}"
        assert values(whole) == best, f"seed {seed}"


def test_the_way_of_large_problems_ends_at_the_same_optimum():
    for seed in (5, 6):
        problem = a_campus(seed)

        found = solved(problem, PROVEN)

        assert values(found) == values(solved(problem, Scale()))
        assert all(level.is_proven for level in found.levels.values())


def test_every_class_is_in_one_district_and_schools_are_whole():
    problem = a_campus(2)
    names = list(problem.classes)
    seen = set()
    for turn in range(4):
        groups = districts(problem, names, most=12, turn=turn)
        assert sorted(name for group in groups for name in group) == sorted(names)
        homes = [{problem.classes[name].school for name in group} for group in groups]
        assert all(not a & b for n, a in enumerate(homes) for b in homes[n + 1 :])
        seen.add(frozenset(frozenset(group) for group in groups))
    assert len(seen) == 4


def test_progress_never_falls_back():
    seen: list[Progress] = []
    problem = a_campus(4)

    found = solved(problem, CUT, Limits(tell=seen.append))

    assert seen[0].stage == "start"
    assert {each.stage for each in seen} == {"start", "prices", "districts", "together"}
    keys = [better_key(problem.params.objective, each.objective) for each in seen]
    assert all(before <= after for before, after in pairwise(keys))
    assert seen[-1].best == found.levels["served"].value
    assert all(a.work <= b.work for a, b in pairwise(seen))


@pytest.mark.parametrize("scale", [CUT, IN_BLOCKS, PROVEN])
@pytest.mark.parametrize("asked", [0, 1, 3, 9])
def test_a_stopped_search_keeps_a_valid_plan(scale: Scale, asked: int):
    problem = a_campus(4)
    possible = possible_visits(Offer(problem))
    order = problem.params.objective
    start = better_key(order, objective_of(problem, greedy(problem, possible)))
    times = iter(range(10_000))

    found = solved(problem, scale, Limits(stop=lambda: next(times) >= asked))

    assert verify(problem, Plan(found.visits)).is_valid
    assert better_key(order, values(found)) >= start
    assert found.was_cut


def test_the_same_cut_gives_the_same_plan():
    problem = a_campus(3)

    assert solved(problem, CUT).visits == solved(problem, CUT).visits


def test_a_plan_that_is_known_is_where_the_search_begins():
    problem = a_campus(4)
    best = solved(problem, Scale())
    possible = possible_visits(Offer(problem))

    stopped = Limits(stop=lambda: True)
    found = optimum(problem, possible, stopped, start=best.visits)

    assert values(found) == values(best)


def test_a_standing_plan_knows_who_is_around():
    """Everybody at a slot that a choice could use, and in its host's month."""
    problem = a_campus(4)
    possible = possible_visits(Offer(problem))
    visits = greedy(problem, possible)
    standing = Standing(problem, possible, visits)
    members = sorted(problem.classes)[:10]

    around = set(standing.around(members))

    slots = {s for name in members for each in possible[name] for s in each.slots}
    there = {v for v in visits if v.class_id not in members and v.slots & slots}
    assert there <= around
    assert not {visit.class_id for visit in around} & set(members)
