"""The possible visits of a class are all that the rules allow, and no other."""

import pytest

from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import read_problem
from tests.matching.brute import visits_by_trial
from tests.matching.instances import random_problem, the_example


def test_the_example_offers_what_one_expects():
    possible = possible_visits(Offer(read_problem(the_example())))

    told = {
        name: [(each.groups, each.rank, each.travel) for each in choices]
        for name, choices in possible.items()
    }
    assert told == {
        "C1": [((("S3",),), 1, 12_000), ((("S1",), ("S2",)), 2, 5000)],
        "C2": [((("S3",),), 1, 3000)],
        "C3": [],
    }


@pytest.mark.parametrize("seed", range(150))
def test_possible_visits_are_those_that_trying_finds(seed: int):
    _, problem = random_problem(seed)

    possible = possible_visits(Offer(problem))

    for one in problem.classes.values():
        tried = {each.slots for each in visits_by_trial(problem, one)}
        closed = {
            frozenset(each.slots)
            for each in possible[one.id]
            if any(
                problem.hosts[problem.slots[slot].host].month_cap == 0
                for slot in each.slots
            )
        }
        mine = {frozenset(each.slots) for each in possible[one.id]}
        assert len(mine) == len(possible[one.id])
        assert mine - closed == tried


def test_a_long_chain_of_half_groups_is_found():
    """Four small groups one after the other, where the class takes four."""
    data = the_example()
    data["classes"] = data["classes"][:1]
    data["classes"][0].update(size=23, max_parts=4, wishes=[{"host": "H1"}])
    data["hosts"][0]["month_cap"] = 4
    first = data["slots"][0]
    data["slots"] = [
        {**first, "id": f"S{n}", "start": 500 + 80 * n, "end": 570 + 80 * n, "max": 6}
        for n in range(5)
    ]

    possible = possible_visits(Offer(read_problem(data)))

    assert [len(each.groups) for each in possible["C1"]] == [4, 4]
