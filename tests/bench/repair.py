"""./run bench repair: a published plan after a cancellation, and reasons.

    ./run bench repair                            département, three seeds
    ./run bench repair --scale academie --seeds 1 --time-limit 60 --no-global
    ./run bench repair instance.json ...          instances of your own

Each plan is made as ``./run bench matching`` makes it and published; three companies
with visits then cancel everything, and the 48 earliest visits are past. The local
repair is told beside the global one, and every plan is checked. Then each class without
a visit is asked why, or every tenth where there are many. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

from scheduler.matching.contest import Inquiry
from scheduler.matching.optimum import Limits, optimum, solver
from scheduler.matching.plan import Plan, Visit
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, Published, read_problem
from scheduler.matching.repair import (
    Fate,
    Repair,
    damage,
    fewest_changes,
    local_repair,
    second_round,
    what_if,
)
from scheduler.matching.verify import verify
from tests.bench.matching import SCALES, instances

CANCELLING, PAST = 3, 48
ASKED = 150
SOLVE = solver(Limits())


def main() -> None:
    order = argparse.ArgumentParser(prog="./run bench repair", description=__doc__)
    order.formatter_class = argparse.RawDescriptionHelpFormatter
    order.add_argument("instances", nargs="*", type=Path)
    order.add_argument("--scale", nargs="+", choices=SCALES, default=["departement"])
    order.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    order.add_argument("--time-limit", type=float, default=600)
    order.add_argument("--no-global", action="store_true")
    asked = order.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for files in instances(asked, Path(folder)).values():
            for file in files:
                measure(file, asked.time_limit, with_global=not asked.no_global)


def measure(file: Path, seconds: float, *, with_global: bool) -> None:
    problem = read_problem(json.loads(file.read_text(encoding="utf-8")))
    offer = Offer(problem)
    possible = possible_visits(offer)
    end = time.monotonic() + seconds
    found = optimum(
        problem, possible, Limits(seconds_left=lambda: end - time.monotonic())
    )
    print(f"{file.stem}: {len(found.visits)} visits published")
    repairs(problem, found.visits, with_global=with_global)
    reasons(offer, found.visits)
    print(flush=True)


# ---------------------------------------------------------------- repairs


def repairs(problem: Problem, visits: tuple[Visit, ...], *, with_global: bool) -> None:
    after = cancelled(problem, visits)
    started = time.process_time()
    possible = possible_visits(Offer(after))
    listed = time.process_time() - started
    harm = damage(after, possible)
    print(f"    {len(harm.hit)} classes hit; possible visits listed in {listed:.2f} s")
    told("nobody moves", after, lambda: second_round(after, possible, SOLVE))
    told("local repair", after, lambda: local_repair(after, possible, SOLVE))
    if with_global:
        best = partial(optimum, limits=Limits())
        told("fewest changes", after, lambda: fewest_changes(after, possible, best))
    busiest = Counter(s.host for s in problem.slots.values()).most_common(1)[0][0]
    mine = [slot for slot in problem.slots.values() if slot.host == busiest][:2]
    more = [replace(slot, id=f"{slot.id}-more") for slot in mine]
    cap = {busiest: problem.hosts[busiest].month_cap + len(more)}
    started = time.process_time()
    answer = what_if(problem, visits, more, SOLVE, caps=cap)
    seconds = time.process_time() - started
    print(
        f"    what if: two more slots, +{len(answer.gained)} classes, {seconds:.2f} s"
    )


def cancelled(problem: Problem, visits: tuple[Visit, ...]) -> Problem:
    draw = random.Random(len(visits))
    hosts = sorted({problem.slots[s].host for visit in visits for s in visit.slots})
    gone = set(draw.sample(hosts, CANCELLING))
    slots = {name: s for name, s in problem.slots.items() if s.host not in gone}
    by_date = sorted(visits, key=lambda v: min(problem.slots[s].date for s in v.slots))
    previous = tuple(
        Published(visit, frozen=number < PAST and visit.slots <= slots.keys())
        for number, visit in enumerate(by_date)
    )
    return replace(problem, slots=slots, previous=previous)


def told(name: str, problem: Problem, repair) -> None:
    started = time.process_time()
    found: Repair = repair()
    seconds = time.process_time() - started
    report = verify(problem, Plan(found.visits, reasons=found.reasons))
    assert report.is_valid, report.faults[:5]
    fates = ", ".join(
        f"{len(found.of(fate))} {fate}"
        for fate in (Fate.MOVED, Fate.FEWER, Fate.NEWLY_SERVED, Fate.LOST)
    )
    print(
        f"    {name:<15} served {found.levels['served']}, changes "
        f"{found.levels['changes']} ({fates}), {seconds:.2f} s"
        f"{'' if found.is_proven else ', not proven'}"
    )


# ---------------------------------------------------------------- reasons


def reasons(offer: Offer, visits: tuple[Visit, ...]) -> None:
    possible = possible_visits(offer)
    inquiry = Inquiry(offer, possible, visits, SOLVE)
    names = list(inquiry.reasons)
    names = names[:: 10 if len(names) > ASKED * 2 else 1]
    seconds = []
    levels: Counter[str] = Counter()
    advice: Counter[str] = Counter()
    for name in names:
        started = time.process_time()
        reason = inquiry.reason(name)
        seconds.append(time.process_time() - started)
        levels[(reason.contest or {"level": "nothing possible"})["level"]] += 1
        advice["served" if (reason.needs or {}).get("serves") else "not"] += 1
    print(
        f"    {len(names)} reasons: median {statistics.median(seconds):.2f} s, most "
        f"{max(seconds):.2f} s; advice that serves {advice['served']}"
    )
    print(f"    lost on: {', '.join(f'{n} {k}' for k, n in levels.most_common())}")


if __name__ == "__main__":
    main()
