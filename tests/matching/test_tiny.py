"""A thousand tiny instances: the engine, trying everything, and the other checker."""

import random

import pytest

from scheduler.matching.contest import explain_fully
from scheduler.matching.optimum import Limits, optimum, solver
from scheduler.matching.plan import Plan, plan_as_json
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import read_problem
from scheduler.matching.verify import verify
from tests.matching.brute import best_objective
from tests.matching.instances import random_instance
from tests.matching.judge import if_beside

SOLVE = solver(Limits())


def tiny(seed: int) -> dict:
    """Two classes and three slots at most."""
    data = random_instance(random.Random(seed))
    data["classes"], data["slots"] = data["classes"][:2], data["slots"][:3]
    return data


@pytest.mark.parametrize("block", range(4))
def test_nothing_is_better_and_every_reason_is_true(block: int):
    """A slot more never serves fewer. The other checker agrees, where it is there."""
    judge = if_beside("verify")
    for seed in range(20_000 + block * 250, 20_250 + block * 250):
        data = tiny(seed)
        problem = read_problem(data)
        offer = Offer(problem)
        possible = possible_visits(offer)

        found = optimum(problem, possible, Limits())

        values = {name: level.value for name, level in found.levels.items()}
        reasons = explain_fully(offer, possible, found.visits, SOLVE)
        plan = Plan(found.visits, objective=values, bound=values, reasons=reasons)
        if judge:
            checker = judge.Checker(data)
            checker.run(plan_as_json(plan))
            assert checker.errors == [], seed
        assert verify(problem, plan, offer=offer).is_valid
        assert values == best_objective(problem), seed
        less = read_problem({**data, "slots": data["slots"][:-1]})
        before = best_objective(less)
        assert before["served"] <= values["served"], seed
