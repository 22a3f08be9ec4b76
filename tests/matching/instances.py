"""Instances: a small one to read, and random ones that meet every rule."""

import copy
import json
import random
from pathlib import Path
from typing import Any

from scheduler.matching.fcfs import in_rounds
from scheduler.matching.plan import Part, Plan, Visit, plan_as_json
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, read_problem

HERE = Path(__file__).parent
EXAMPLES = HERE / "examples"
LEVELS = ["served", "schools", "priority", "visits", "rank", "travel"]
REPAIR = ["served", "changes", "schools", "priority", "visits", "rank", "travel"]
DAYS = ["2026-11-17", "2026-11-18", "2026-12-01"]
TIMES = [540, 560, 630, 650, 720]


def the_example() -> dict[str, Any]:
    """Three classes and two workshops; see docs/matching.md."""
    return json.loads((EXAMPLES / "three-classes.json").read_text("utf-8"))


def changed(data: dict[str, Any], path: list[str | int], value: object) -> Any:
    """A copy with one value replaced."""
    data = copy.deepcopy(data)
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return data


def a_visit(class_id: str, *parts: tuple[str, int, int]) -> Visit:
    return Visit(
        class_id, tuple(Part(slot, students, g) for slot, students, g in parts)
    )


def random_problem(seed: int) -> tuple[dict[str, Any], Problem]:
    data = random_instance(random.Random(seed))
    return data, read_problem(data)


def random_instance(draw: random.Random) -> dict[str, Any]:
    """Few of everything and little room, so that each rule binds now and then."""
    hosts = [
        {"id": f"H{n}", "kind": "TPE", "sector": draw.choice("ab"),
         "month_cap": draw.choice([0, 1, 2, 2, 3, 4])}
        for n in range(draw.randint(1, 3))
    ]  # fmt: skip
    sites = [
        {"id": f"T{n}", "host": draw.choice(hosts)["id"], "x": draw.randint(0, 60),
         "y": draw.randint(0, 60), "access": draw.choice([[], ["pmr"]])}
        for n in range(draw.randint(1, 3))
    ]  # fmt: skip
    days = draw.sample(DAYS, draw.randint(1, 2))
    slots = [_slot(draw, n, sites, days) for n in range(draw.randint(2, 6))]
    schools = [
        {"id": f"E{n}", "x": draw.randint(0, 60), "y": draw.randint(0, 60),
         "rural": draw.random() < 0.5}
        for n in range(draw.randint(1, 2))
    ]  # fmt: skip
    classes = [
        _class(draw, n, schools, hosts, slots) for n in range(draw.randint(1, 4))
    ]
    return {
        "format": "visites/1",
        "name": "random",
        "seed": 0,
        "params": {
            "min_group": draw.randint(1, 3),
            "near_m": draw.choice([0, 30, 90]),
            "parallel_min": draw.choice([0, 30]),
            "gap_min": draw.choice([0, 30, 100]),
            "walk_min": draw.choice([0, 10]),
            "objective": draw.choice([LEVELS, LEVELS, REPAIR]),
        },
        "schools": schools,
        "classes": classes,
        "hosts": hosts,
        "sites": sites,
        "slots": slots,
        "previous": [],
    }


def _slot(draw: random.Random, n: int, sites: list, days: list[str]) -> dict[str, Any]:
    site, start = draw.choice(sites), draw.choice(TIMES)
    most = draw.randint(2, 6)
    return {
        "id": f"S{n}", "host": site["host"], "site": site["id"],
        "date": draw.choice(days), "start": start,
        "end": start + draw.choice([60, 75]), "min": draw.randint(1, min(4, most)),
        "max": most, "groups": draw.choice([1, 1, 2, 3]),
        "levels": draw.choice([["3e"], ["3e", "CAP"]]),
    }  # fmt: skip


def _class(
    draw: random.Random, n: int, schools: list, hosts: list, slots: list
) -> dict[str, Any]:
    wishes: list[dict[str, Any]] = []
    for _ in range(draw.randint(1, 4)):
        kind = draw.random()
        if kind < 0.4:
            wishes.append({"slot": draw.choice(slots)["id"]})
        elif kind < 0.7:
            wishes.append({"host": draw.choice(hosts)["id"]})
        else:
            wishes.append({"sectors": draw.choice([["a"], ["a", "b"]]), "from": DAYS[0],
                           "to": DAYS[draw.randint(0, 2)],
                           "max_m": draw.choice([40, 90])})  # fmt: skip
    return {
        "id": f"C{n}", "school": draw.choice(schools)["id"],
        "level": draw.choice(["3e", "3e", "CAP"]), "size": draw.randint(1, 9),
        "needs": draw.choice([[], [], [], ["pmr"]]),
        "unavailable": draw.choice([[], [], [DAYS[0]]]),
        "max_visits": draw.choice([1, 1, 2]), "max_m": draw.choice([40, 90, 90]),
        "split": draw.choice(["none", "same_host", "nearby", "nearby", "rotation"]),
        "max_parts": draw.choice([2, 3]), "priority": draw.randint(0, 3), "order": n,
        "wishes": wishes,
    }  # fmt: skip


def with_previous(draw: random.Random, data: dict[str, Any]) -> dict[str, Any]:
    """The instance after a plan was published and a few things went wrong."""
    problem = read_problem(data)
    visits = in_rounds(problem, possible_visits(Offer(problem)))
    published = plan_as_json(Plan(visits))["visits"]
    for visit in published:
        visit["frozen"] = draw.random() < 0.3
    data = {**data, "previous": published}
    held = {p["slot"] for v in published if v["frozen"] for p in v["parts"]}
    free = [slot for slot in data["slots"] if slot["id"] not in held]
    if free and draw.random() < 0.5:
        gone = draw.choice(free)
        data["slots"] = [slot for slot in data["slots"] if slot is not gone]
    return data


def with_rules(draw: random.Random, data: dict[str, Any]) -> dict[str, Any]:
    """The instance with forbidden and pinned slots, quotas and hosts' caps."""
    data = copy.deepcopy(data)
    slots = [slot["id"] for slot in data["slots"]]
    for one in data["classes"]:
        if draw.random() < 0.3:
            one["forbidden"] = draw.sample([*slots, "gone"], 2)
    for school in data["schools"]:
        if draw.random() < 0.6:
            school["quota"] = draw.randint(0, 3)
    for host in data["hosts"]:
        if draw.random() < 0.7:
            host["caps"] = [_cap(draw) for _ in range(draw.randint(1, 2))]
    choices = possible_visits(Offer(read_problem(data)))
    for one in data["classes"]:
        mine = sorted({name for each in choices[one["id"]] for name in each.slots})
        if draw.random() < 0.4 and mine:
            one["pinned"] = draw.sample(mine, draw.choice([1, 1, min(2, len(mine))]))
        elif draw.random() < 0.04:
            one["pinned"] = [draw.choice([*slots, "gone"])]
    return data


def _cap(draw: random.Random) -> dict[str, Any]:
    first, last = sorted(draw.choices(DAYS, k=2))
    return {"from": first, "to": last, "groups": draw.randint(0, 3)}
