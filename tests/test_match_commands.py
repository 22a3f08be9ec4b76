"""``scheduler match``: files in, a plan and a summary out, troubles with a place."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT, getsignal, raise_signal
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scheduler import match_commands
from scheduler.cli import main
from scheduler.matching.problem import read_problem
from scheduler.matching.reading import BadFile
from tests.matching.instances import changed, the_example


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["match", *map(str, words)])


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    return written(tmp_path / "instance.json", the_example())


def written(file: Path, data: object) -> Path:
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def test_solve_writes_the_best_plan_and_sums_it_up(instance: Path, tmp_path: Path):
    plan = tmp_path / "plan.json"

    done = run("solve", instance, "-o", plan)
    checked = run("verify", instance, plan)

    summary = json.loads(done.stdout)
    assert done.exit_code == checked.exit_code == 0
    assert summary["objective"] == {
        "served": 2, "schools": 2, "priority": 4, "visits": 2, "rank": 1,
        "travel": 8000,
    }  # fmt: skip
    assert summary["bound"] == summary["objective"]
    assert set(summary["proven"].values()) == {True}
    assert set(summary["gap"].values()) == {0.0}
    assert summary["reasons"] == {"no_seats": 1}
    assert summary["peak_memory_mb"] > 0
    assert "part 1 of" in done.stderr
    assert json.loads(checked.stdout)["valid"] is True


@pytest.mark.parametrize(
    ("method", "served"),
    [("greedy", 2), ("fcfs", 1), ("fcfs-half-groups", 1), ("rounds", 1)],
)
def test_the_other_methods_promise_no_bound(
    instance: Path, tmp_path: Path, method: str, served: int
):
    plan = tmp_path / "plan.json"

    summary = json.loads(run("solve", instance, "-o", plan, "--method", method).stdout)

    assert summary["objective"]["served"] == served
    assert set(summary["bound"].values()) == {None}
    assert set(summary["gap"].values()) == {None}
    assert run("verify", instance, plan).exit_code == 0


@pytest.mark.parametrize("method", ["optimum", "fcfs"])
def test_advice_is_searched_for_if_asked(tmp_path: Path, method: str):
    """Three classes want the factory; with the plan of a queue none is proven best."""
    data = the_example()
    data["classes"][2]["wishes"] = [{"slot": "S3"}]
    data["classes"][0]["split"] = "none"
    file, plan = written(tmp_path / "i.json", data), tmp_path / "plan.json"

    done = run("solve", file, "-o", plan, "--method", method, "--advice")

    told = {each["class"]: each for each in json.loads(plan.read_text())["reasons"]}
    assert done.exit_code == run("verify", file, plan).exit_code == 0
    assert all("contest" in each for each in told.values())


def test_the_same_order_writes_the_same_bytes(instance: Path, tmp_path: Path):
    plans = [tmp_path / "one.json", tmp_path / "two.json"]

    for plan, threads in zip(plans, ("1", "2"), strict=True):
        run("solve", instance, "-o", plan, "--seed", "7", "--threads", threads)

    first, second = (plan.read_bytes() for plan in plans)
    assert first == second


def test_a_limit_in_seconds_is_noted(instance: Path, tmp_path: Path):
    plan = tmp_path / "plan.json"

    done = run("solve", instance, "-o", plan, "--time-limit", "0.000001")

    assert json.loads(done.stdout)["cut"] is True
    assert json.loads(plan.read_text())["made_by"] == {
        "engine": "1", "method": "optimum", "seed": 0, "time_limit": 1e-06, "cut": True,
    }  # fmt: skip
    assert run("verify", instance, plan).exit_code == 0


def test_ctrl_c_keeps_the_best_plan(instance: Path, tmp_path: Path, monkeypatch):
    """The signal comes while the solver runs; what was found is written and noted."""
    monkeypatch.setattr(match_commands, "_tell", lambda _: raise_signal(SIGINT))
    plan, before = tmp_path / "plan.json", getsignal(SIGINT)

    done = run("solve", instance, "-o", plan)

    assert done.exit_code == 0
    assert "Stopping" in done.stderr
    assert json.loads(done.stdout)["cut"] is True
    assert json.loads(plan.read_text())["made_by"]["cut"] is True
    assert run("verify", instance, plan).exit_code == 0
    assert getsignal(SIGINT) is before


def test_verify_names_what_is_wrong(instance: Path, tmp_path: Path):
    parts = [{"slot": "S3", "group": 1, "students": 23}]
    plan = written(tmp_path / "p.json", {"visits": [{"class": "C1", "parts": parts}]})

    done = run("verify", instance, plan)

    assert done.exit_code == 1
    assert json.loads(done.stdout)["faults"] == [
        {"code": "not_whole_class", "where": "visit 0 (C1)"}
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "expected JSON"),
        (b"{", "expected JSON"),
        (b"\xff\xfe", "expected text in UTF-8"),
        (b"[" * 100_000, "expected fewer levels of brackets"),
        (b'{"format": NaN}', "expected JSON: NaN is no number"),
        (b'{"format": "other"}', 'format: expected "visites/1", found "other"'),
        (b"[]", "(the whole file): expected an object, found a list of 0"),
    ],
)
def test_a_file_that_is_no_instance_is_told_and_nothing_is_written(
    tmp_path: Path, content: bytes, told: str
):
    file, plan = tmp_path / "instance.json", tmp_path / "plan.json"
    file.write_bytes(content)

    solved = run("solve", file, "-o", plan)
    checked = run("verify", file, file)

    assert solved.exit_code == checked.exit_code == 2
    assert solved.stderr == checked.stderr
    assert told in solved.stderr
    assert solved.stdout == ""
    assert sorted(tmp_path.iterdir()) == [file]


def test_a_place_in_the_file_is_told(tmp_path: Path):
    data = changed(the_example(), ["classes", 1, "size"], -3)
    file = written(tmp_path / "instance.json", data)

    done = run("solve", file, "-o", tmp_path / "plan.json")

    assert done.exit_code == 2
    assert done.stderr == (
        f"Error: {file}: classes[1].size: expected an integer, at least 1, found -3\n"
    )


def rich_example() -> dict[str, Any]:
    """The example with every key that the format and the service's rules know."""
    data = the_example()
    data["schools"][0]["quota"] = 3
    data["hosts"][0]["caps"] = [{"from": "2026-11-01", "to": "2026-11-30", "groups": 4}]
    data["classes"][0].update(pinned=["S1"], forbidden=["S9"], needs=["pmr"])
    parts = [{"slot": "S1", "group": 1, "students": 12}]
    data["previous"] = [{"class": "C1", "parts": parts, "frozen": False}]
    return data


def places(value: object, path: tuple = ()) -> Iterator[tuple]:
    """Each place of a file once: the first item stands for a list."""
    if path not in {(), ("name",), ("seed",)}:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def as_told(path: tuple) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


@pytest.mark.parametrize("path", list(places(rich_example())), ids=as_told)
def test_every_place_that_is_wrong_is_told(tmp_path: Path, path: tuple):
    """Some 80 broken files: the place, what was expected, code 2, nothing written."""
    data = changed(rich_example(), list(path), None)
    file = written(tmp_path / "instance.json", data)

    done = run("solve", file, "-o", tmp_path / "plan.json", "--method", "greedy")

    assert done.exit_code == 2
    assert done.stderr.startswith(f"Error: {file}: {as_told(path)}: expected ")
    assert done.stderr.endswith(", found null\n")
    assert sorted(tmp_path.iterdir()) == [file]


WRONG = ("", -1, 1.5, True, [], {}, "x", 10**30, "2026-13-01", [None], [[]], [{}])


def test_no_wrong_value_is_a_surprise():
    """Whatever stands at a place, it is read or told with a place: a thousand files."""
    outcomes = Counter(
        outcome(changed(rich_example(), list(path), value))
        for path in places(rich_example())
        for value in WRONG
    )

    assert set(outcomes) == {"read", "told"}


def outcome(data: object) -> str:
    try:
        read_problem(data)
    except BadFile as wrong:
        return "told" if wrong.path else "without a place"
    return "read"


def test_a_frozen_visit_that_cannot_stay_is_told(tmp_path: Path):
    parts = [{"slot": "S1", "group": 1, "students": 26}]
    frozen = [{"class": "C3", "parts": parts, "frozen": True}]
    data = changed(the_example(), ["previous"], frozen)
    file = written(tmp_path / "instance.json", data)

    done = run("solve", file, "-o", tmp_path / "plan.json")

    assert done.exit_code == 2
    assert "previous[0]: the frozen visit cannot be kept" in done.stderr


def test_a_plan_that_cannot_be_written_leaves_nothing_behind(
    instance: Path, tmp_path: Path
):
    missing = tmp_path / "no such folder" / "plan.json"

    done = run("solve", instance, "-o", missing, "--method", "greedy")

    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
    assert sorted(tmp_path.iterdir()) == [instance]


def test_a_plan_of_another_instance_is_told(instance: Path, tmp_path: Path):
    file = written(tmp_path / "p.json", {"visits": 3})

    done = run("verify", instance, file)

    assert done.exit_code == 2
    assert done.stderr == f"Error: {file}: visits: expected a list, found 3\n"
