"""Reading instances and plans: what is wrong is told with its place."""

import copy
import json
import random

import pytest

from scheduler.matching.plan import plan_as_json, read_plan
from scheduler.matching.problem import (
    FieldWish,
    HostWish,
    SlotWish,
    Split,
    read_problem,
)
from scheduler.matching.reading import BadFile
from scheduler.matching.writing import problem_as_json
from tests.matching.instances import (
    changed,
    random_instance,
    the_example,
    with_previous,
    with_rules,
)


def test_an_instance_is_read_whole():
    problem = read_problem(the_example())

    one, two = problem.classes["C1"], problem.classes["C2"]
    assert list(problem.slots) == ["S1", "S2", "S3"]
    assert one.wishes == (SlotWish("S3"), HostWish("H1"))
    assert two.wishes == (
        FieldWish(frozenset({"metal"}), "2026-11-01", "2026-11-30", 30_000),
    )
    assert (one.split, one.unavailable) == (Split.SAME_HOST, frozenset({"2026-11-20"}))
    assert problem.slots["S3"].month == "2026-11"
    assert problem.distance(one, problem.slots["S1"]) == 5000


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["format"], "visites/2", 'format: expected "visites/1", found "visites/2"'),
        (
            ["params", "min_group"],
            0,
            "params.min_group: expected an integer, at least",
        ),
        (["params", "objective"], [], "params.objective: expected at least one level"),
        (
            ["params", "objective", 0],
            "joy",
            "params.objective[0]: expected one of serv",
        ),
        (
            ["params", "objective"],
            ["rank", "rank"],
            "params.objective: expected at leas",
        ),
        (["schools"], {}, "schools: expected a list, found an object"),
        (
            ["schools", 1, "id"],
            "E1",
            "schools[1].id: expected an id that no other of sc",
        ),
        (
            ["schools", 0, "rural"],
            1,
            "schools[0].rural: expected true or false, found 1",
        ),
        (
            ["classes", 0, "size"],
            True,
            "classes[0].size: expected an integer, at le",
        ),
        (
            ["classes", 2, "size"],
            "26",
            "classes[2].size: expected an integer, at le",
        ),
        (
            ["classes", 0, "school"],
            "E9",
            "classes[0].school: expected the id of one of",
        ),
        (
            ["classes", 0, "split"],
            "half",
            "classes[0].split: expected one of none, same",
        ),
        (
            ["classes", 0, "unavailable"],
            ["20/11"],
            "classes[0].unavailable[0]: expected",
        ),
        (
            ["classes", 0, "wishes", 0],
            {},
            "classes[0].wishes[0]: expected an object with",
        ),
        (
            ["classes", 0, "wishes", 0],
            3,
            "classes[0].wishes[0]: expected an object, fo",
        ),
        (
            ["classes", 1, "wishes", 0, "max_m"],
            None,
            "classes[1].wishes[0].max_m: expec",
        ),
        (["hosts", 0, "sector"], "", "hosts[0].sector: expected a text"),
        (["sites", 0, "host"], "H7", "sites[0].host: expected the id of one of hosts"),
        (["slots", 0, "site"], "T2", "slots[0].site: expected a site of host H1"),
        (
            ["slots", 0, "end"],
            540,
            "slots[0].end: expected an end after the start (540)",
        ),
        (["slots", 0, "min"], 13, "slots[0].min: expected at most the max (12)"),
        (["slots", 0, "date"], "2026-02-30", "slots[0].date: expected a date such as"),
        (
            ["slots", 0, "groups"],
            1.5,
            "slots[0].groups: expected an integer, at least",
        ),
        (
            ["schools", 0, "quota"],
            -1,
            "schools[0].quota: expected an integer, at least 0, found -1",
        ),
        (
            ["classes", 0, "forbidden"],
            "S1",
            'classes[0].forbidden: expected a list, found "S1"',
        ),
        (
            ["classes", 0, "pinned"],
            [1],
            "classes[0].pinned[0]: expected a text, found 1",
        ),
        (
            ["hosts", 0, "caps"],
            [{"from": "2026-12-01", "to": "2026-11-01", "groups": 1}],
            "hosts[0].caps[0].to: expected a date from 2026-12-01 on",
        ),
        (
            ["hosts", 0, "caps"],
            [{"from": "2026-11-01", "to": "2026-12-01"}],
            "hosts[0].caps[0].groups: expected an integer, at least 0, found nothing",
        ),
        (
            ["previous"],
            [{"class": "C1"}],
            "previous[0].parts: expected a list, found no",
        ),
        (
            ["previous"],
            [{"class": "C1", "parts": [{"slot": "S9", "students": 3}], "frozen": True}],
            "previous[0].parts[0].slot: expected the id of one of slots",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(path: list, value: object, told: str):
    data = changed(the_example(), path, value)

    with pytest.raises(BadFile) as wrong:
        read_problem(data)

    assert str(wrong.value).startswith(told)


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_something_else_is_no_instance(data: object):
    with pytest.raises(BadFile, match="the whole file"):
        read_problem(data)


@pytest.mark.parametrize("key", ["params", "schools", "classes", "hosts", "slots"])
def test_what_is_missing_is_told(key: str):
    data = the_example()
    del data[key]

    with pytest.raises(BadFile) as wrong:
        read_problem(data)

    assert wrong.value.path.startswith(key)
    assert wrong.value.found == "nothing"


def test_a_wish_and_a_published_visit_may_name_a_slot_that_is_gone():
    data = the_example()
    data["classes"][0]["wishes"].append({"slot": "gone"})
    data["previous"] = [{"class": "C1", "parts": [{"slot": "gone", "students": 24}]}]

    problem = read_problem(data)

    assert problem.previous[0].visit.slots == {"gone"}


def test_a_problem_comes_back_as_it_was_written():
    """With and without the rules that the format leaves to the engine."""
    for seed in range(100):
        draw = random.Random(seed)
        data = with_previous(draw, random_instance(draw))
        if seed % 2:
            data = with_rules(draw, data)
        problem = read_problem(data)

        told = json.loads(json.dumps(problem_as_json(problem)))

        assert read_problem(told) == problem
        assert {key: told[key] for key in told.keys() & {"schools", "hosts"}} == {
            key: data[key] for key in ("schools", "hosts")
        }


def test_a_plan_comes_back_as_it_was_written():
    data = {
        "visits": [
            {
                "class": "C1",
                "parts": [
                    {"slot": "S1", "group": 1, "students": 12},
                    {"slot": "S2", "group": 2, "students": 12},
                ],
            }
        ],
        "objective": {"served": 1},
        "bound": {"served": 2},
        "reasons": [
            {"class": "C2", "code": "capacity_taken", "blockers": ["C1"]},
            {"class": "C3", "code": "too_far", "needs": {"max_m": 9}},
            {"class": "C4", "code": "no_date", "detail": "forbidden"},
        ],
        "made_by": {"engine": "1"},
    }

    plan = read_plan(copy.deepcopy(data))

    assert plan_as_json(plan) == data


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "visits: expected a list, found nothing"),
        (
            {"visits": [{"class": "C1"}]},
            "visits[0].parts: expected a list, found nothing",
        ),
        (
            {"visits": [{"class": "C1", "parts": [{"slot": "S1", "students": "12"}]}]},
            'visits[0].parts[0].students: expected an integer, found "12"',
        ),
        (
            {"visits": [], "objective": {"served": 1.5}},
            "objective.served: expected an in",
        ),
        ({"visits": [], "reasons": {}}, "reasons: expected a list, found an object"),
    ],
)
def test_a_plan_that_is_none_is_told(data: object, told: str):
    with pytest.raises(BadFile) as wrong:
        read_plan(data)

    assert str(wrong.value).startswith(told)


def test_what_is_long_is_told_in_short():
    data = changed(the_example(), ["classes", 0, "split"], "x" * 500)

    with pytest.raises(BadFile) as wrong:
        read_problem(data)

    assert len(wrong.value.found) < 70
