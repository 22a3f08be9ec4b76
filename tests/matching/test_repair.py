"""Repairs: who can stay stays, a move serves one more class, and nothing is better."""

import random
from dataclasses import replace
from functools import partial

import pytest

from scheduler.matching.ledger import NoPlan
from scheduler.matching.optimum import Limits, optimum, solver
from scheduler.matching.pins import only_pins, pins_of
from scheduler.matching.plan import Plan
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, Published, Slot, read_problem
from scheduler.matching.repair import (
    LEVELS,
    Fate,
    Repair,
    damage,
    fewest_changes,
    local_repair,
    second_round,
    what_if,
)
from scheduler.matching.score import better_key
from scheduler.matching.verify import verify
from tests.matching.brute import best_objective
from tests.matching.instances import (
    a_visit,
    random_instance,
    the_example,
    with_previous,
    with_rules,
)

SOLVE = solver(Limits())
BEST = partial(optimum, limits=Limits())
FACTORY = a_visit("C2", ("S3", 28, 1))
JOINERY = a_visit("C1", ("S1", 12, 1), ("S2", 12, 2))


def published(data: dict, *visits, frozen=()) -> Problem:
    before = tuple(Published(each, frozen=each in frozen) for each in visits)
    return replace(read_problem(data), previous=before)


def repaired(how, problem: Problem) -> Repair:
    found = how(problem, possible_visits(Offer(problem)), SOLVE)
    report = verify(problem, Plan(found.visits, reasons=found.reasons))
    assert report.is_valid, report.faults
    assert report.objective == found.levels
    return found


def fates(found: Repair) -> dict[str, Fate]:
    return {each.class_id: each.fate for each in found.outcomes}


# ---------------------------------------------------------------- by hand


def test_who_lost_its_slot_takes_one_that_is_left():
    """The factory is gone; the joinery opens another month for 28."""
    data = the_example()
    third = {**data["slots"][1], "id": "S9", "date": "2026-12-01", "max": 28}
    data["slots"] = [*data["slots"][:2], third]
    data["classes"][1]["wishes"].append({"host": "H1"})

    found = repaired(second_round, published(data, FACTORY, JOINERY))

    assert fates(found) == {"C1": Fate.KEPT, "C2": Fate.MOVED}
    assert found.of(Fate.MOVED)[0].gone == (FACTORY,)
    assert found.of(Fate.MOVED)[0].new == (a_visit("C2", ("S9", 28, 1)),)
    assert found.levels["changes"] == 1
    assert found.is_proven


def test_who_loses_is_told_why():
    data = the_example()
    data["slots"] = data["slots"][:2]

    found = repaired(local_repair, published(data, FACTORY, JOINERY))

    (lost,) = found.of(Fate.LOST)
    assert (lost.class_id, lost.reason.code) == ("C2", "no_wish_match")


def test_a_visit_moves_where_that_serves_one_more():
    """C1 took the factory; it also fits the joinery, and then C2 fits the factory."""
    problem = published(the_example(), a_visit("C1", ("S3", 24, 1)))
    possible = possible_visits(Offer(problem))

    held = repaired(second_round, problem)
    moved = local_repair(problem, possible, SOLVE, near=["S3"])

    assert fates(held) == {"C1": Fate.KEPT}
    assert fates(moved) == {"C1": Fate.MOVED, "C2": Fate.NEWLY_SERVED}
    assert set(moved.visits) == {FACTORY, JOINERY}


def test_a_class_that_withdrew_leaves_its_slot_to_others():
    data = the_example()
    data["classes"] = data["classes"][1:]
    problem = published(data, a_visit("C1", ("S3", 24, 1)))

    found = repaired(second_round, problem)

    assert fates(found) == {"C1": Fate.WITHDRAWN, "C2": Fate.NEWLY_SERVED}


def test_half_groups_are_given_up_together():
    data = the_example()
    del data["slots"][1]

    found = repaired(second_round, published(data, FACTORY, JOINERY))

    assert fates(found) == {"C1": Fate.LOST, "C2": Fate.KEPT}


def test_a_month_that_was_narrowed_frees_the_fewest():
    """The joinery opens once instead of twice; nobody else is touched."""
    data = the_example()
    data["hosts"][0]["month_cap"] = 1
    problem = published(data, FACTORY, JOINERY)

    harm = damage(problem, possible_visits(Offer(problem)))

    assert (harm.stays, harm.gone, harm.loose) == ((FACTORY,), (JOINERY,), ())


def test_two_that_fit_no_more_choose_again():
    """A shared slot for 24 now holds 20: one of two classes of 12 has to go."""
    data = the_example()
    data["slots"][2].update(max=20, groups=2)
    for one in data["classes"][:2]:
        one.update(size=12, wishes=[{"slot": "S3"}], split="none")
    visits = (a_visit("C1", ("S3", 12, 1)), a_visit("C2", ("S3", 12, 1)))
    problem = published(data, *visits)

    harm = damage(problem, possible_visits(Offer(problem)))
    found = repaired(second_round, problem)

    assert set(harm.loose) == set(visits)
    assert sorted(fates(found).values()) == [Fate.KEPT, Fate.LOST]


def test_a_pin_that_nothing_fulfils_any_more_is_dropped():
    data = the_example()
    data["slots"] = data["slots"][:2]
    data["classes"][1]["pinned"] = ["S3"]
    problem = published(data, FACTORY, JOINERY)

    found = fewest_changes(problem, possible_visits(Offer(problem)), BEST)

    assert fates(found) == {"C1": Fate.KEPT, "C2": Fate.LOST}


def test_a_class_that_grew_keeps_its_slot_where_it_fits():
    data = the_example()
    data["classes"][1]["size"] = 30

    found = repaired(second_round, published(data, FACTORY))

    assert a_visit("C2", ("S3", 30, 1)) in found.visits
    assert fates(found)["C2"] is Fate.KEPT


def test_two_small_groups_that_only_fill_a_slot_together_stay_frozen():
    """12 and 10 at a slot for at least 20; neither could open it alone."""
    data = the_example()
    data["slots"][2].update(min=20, groups=2)
    for one, size in zip(data["classes"][:2], (12, 10), strict=True):
        one.update(size=size, wishes=[{"slot": "S3"}], split="none")
    visits = (a_visit("C1", ("S3", 12, 1)), a_visit("C2", ("S3", 10, 1)))
    problem = published(data, *visits, frozen=visits)

    found = optimum(problem, possible_visits(Offer(problem)), Limits())

    assert set(found.visits) == set(visits)


@pytest.mark.parametrize("gone", ["S3", "C1"])
def test_a_frozen_visit_that_is_impossible_leaves_no_plan(gone: str):
    data = the_example()
    taken = a_visit("C1", ("S3", 24, 1))
    problem = published(data, taken, frozen=[taken])
    rest = {n: s for n, s in problem.slots.items() if n != gone}
    classes = {n: c for n, c in problem.classes.items() if n != gone}
    problem = replace(problem, slots=rest, classes=classes)

    with pytest.raises(NoPlan, match=r"previous\[0\]"):
        damage(problem, possible_visits(Offer(problem)))


def test_a_repair_without_time_keeps_what_stays():
    """C2 could have the factory, but nobody may look for that."""
    cut = solver(Limits(seconds_left=lambda: 0.0))
    problem = published(the_example(), JOINERY)

    found = local_repair(problem, possible_visits(Offer(problem)), cut)

    assert found.visits == (JOINERY,)
    assert not found.is_proven


# ---------------------------------------------------------------- what if


def test_more_room_is_told_in_classes():
    """C1 has the factory: C2 comes too if it takes two groups, or opens once more."""
    data = the_example()
    data["classes"][0]["wishes"] = [{"slot": "S3"}]
    problem = published(data)
    factory = problem.slots["S3"]
    wider = replace(factory, most=60, groups=2)
    again = replace(factory, id="S7", date="2026-11-24")
    visits = (a_visit("C1", ("S3", 24, 1)),)
    cap = {"H2": 2}

    assert what_if(problem, visits, [], SOLVE).gained == ()
    assert what_if(problem, visits, [wider], SOLVE).gained == ("C2",)
    assert what_if(problem, visits, [again], SOLVE).gained == ()
    assert what_if(problem, visits, [again], SOLVE, caps=cap).gained == ("C2",)


# ---------------------------------------------------------------- against everything


def damaged(seed: int) -> Problem | None:
    """A small instance after a publication and a mishap, or None if all went well."""
    draw = random.Random(seed)
    data = with_previous(draw, random_instance(draw))
    data["params"]["objective"] = list(LEVELS)
    if not data["previous"]:
        return None
    if draw.random() < 0.3:
        host = draw.choice(data["hosts"])
        host["month_cap"] = max(0, host["month_cap"] - 1)
    if draw.random() < 0.3:
        one = draw.choice(data["slots"]) if data["slots"] else None
        if one and one["max"] > one["min"]:
            one["max"] -= 1
    if draw.random() < 0.3:
        draw.choice(data["classes"])["size"] += 1
    if seed % 2:
        data = with_rules(draw, data)
    problem = read_problem(data)
    try:
        harm = damage(problem, possible_visits(Offer(problem)))
    except NoPlan:
        return None
    given = {(visit.class_id, slot) for visit in harm.stays for slot in visit.slots}
    pins = [pin for pin in pins_of(problem) if (pin.class_id, pin.slot) in given]
    return only_pins(problem, pins)


@pytest.mark.parametrize("block", range(4))
def test_no_repair_is_better_than_what_trying_finds(block: int):
    """Nobody moves: the best of all such plans. Fewest changes: the best of all."""
    for seed in range(5000 + block * 60, 5060 + block * 60):
        problem = damaged(seed)
        if problem is None:
            continue
        possible = possible_visits(Offer(problem))
        harm = damage(problem, possible)

        first = repaired(second_round, problem)
        local = repaired(local_repair, problem)
        best = fewest_changes(problem, possible, BEST)

        now = {(visit.class_id, visit.slots) for visit in first.visits}
        assert {(v.class_id, v.slots) for v in harm.stays} <= now
        assert of_levels(first) == best_objective(with_all_frozen(problem, harm.stays))
        assert of_levels(best) == best_objective(problem), f"seed {seed}"
        assert first.is_proven
        assert best.is_proven
        keys = [better_key(LEVELS, each.levels) for each in (first, local, best)]
        assert keys == sorted(keys), f"seed {seed}"
        told = local.levels["served"] > first.levels["served"]
        assert told or set(local.visits) == set(first.visits)
        untouched = {v.class_id for v in harm.stays} - set(harm.hit)
        assert untouched <= {visit.class_id for visit in local.visits}


def of_levels(found: Repair) -> dict[str, int]:
    return {level: found.levels[level] for level in LEVELS}


def with_all_frozen(problem: Problem, stays) -> Problem:
    """What stays is kept, and who keeps all its visits gets no more."""
    harm = damage(problem, possible_visits(Offer(problem)))
    kept = {(visit.class_id, visit.slots) for visit in stays}
    classes = dict(problem.classes)
    for name in {visit.class_id for visit in stays} - set(harm.hit):
        mine = sum(visit.class_id == name for visit in stays)
        classes[name] = replace(classes[name], max_visits=mine)
    before = tuple(
        replace(each, frozen=(each.visit.class_id, each.visit.slots) in kept)
        for each in problem.previous
    )
    return replace(problem, classes=classes, previous=before)


def test_more_room_never_costs_a_class():
    """A slot is added to a published plan: nobody served before has nothing now."""
    for seed in range(6000, 6060):
        data = random_instance(random.Random(seed))
        problem = read_problem({**data, "slots": data["slots"][:-1]})
        possible = possible_visits(Offer(problem))
        plan = BEST(problem, possible).visits
        added: Slot = read_problem(data).slots[data["slots"][-1]["id"]]

        answer = what_if(problem, plan, [added], SOLVE)

        assert not answer.repair.of(Fate.LOST), f"seed {seed}"
        wider = {**problem.slots, added.id: added}
        best = BEST(replace(problem, slots=wider), possible_visits_with(problem, wider))
        served = len({visit.class_id for visit in plan})
        assert len(answer.gained) <= best.levels["served"].value - served


def possible_visits_with(problem: Problem, slots):
    return possible_visits(Offer(replace(problem, slots=slots)))
