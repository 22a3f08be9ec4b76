"""./run bench matching: plans of growing size, with their proof, time and memory.

    ./run bench matching                          campus and département, three seeds
    ./run bench matching --scale academie region --seeds 1
    ./run bench matching --scale academie --time-limit 60     stopped early
    ./run bench matching instance.json ...        instances of your own

Each plan is made by the real command in a process of its own, and checked by
``../shared/matching/verify.py`` where that lies beside the project. The ratio compares
the optimum with the bare solver, in processor time: HiGHS with its own settings on the
same model, level by level, without a start, for as long at most. A national model is
too large for it. Seconds depend on who else uses the machine; processor time less so.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import highspy
import numpy as np

from scheduler import paths
from scheduler.matching.highs import lp_of
from scheduler.matching.model import build
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import read_problem
from scheduler.matching.score import sign

SHARED = Path(
    os.environ.get("MATCHING_SHARED") or paths.ROOT.parent / "shared" / "matching"
)
SCALES = ("tiny", "campus", "departement", "academie", "region", "national")
QUEUES = ("fcfs", "fcfs-half-groups", "rounds", "greedy")
TWO_MINUTES = 120
LIMITS = {"academie": 300, "region": 900, "national": 3600}
"""Seconds for scales that take longer than two minutes."""
TOO_LARGE = 1_000_000
LEVELS = ("served", "schools", "priority", "visits", "rank", "travel")


def main() -> None:
    order = argparse.ArgumentParser(prog="./run bench matching", description=__doc__)
    order.formatter_class = argparse.RawDescriptionHelpFormatter
    order.add_argument("instances", nargs="*", type=Path)
    order.add_argument("--scale", nargs="+", choices=SCALES)
    order.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    order.add_argument("--time-limit", type=float, help="seconds")
    order.add_argument("--no-bare", action="store_true")
    order.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    asked = order.parse_args()
    if asked.bare:
        bare(asked.bare, asked.time_limit or TWO_MINUTES)
        return
    with tempfile.TemporaryDirectory() as folder:
        for scale, files in instances(asked, Path(folder)).items():
            limit = asked.time_limit or LIMITS.get(scale, TWO_MINUTES)
            rows = [
                measured(file, Path(folder), limit, bare=not asked.no_bare)
                for file in files
            ]
            summary(scale, rows)


def instances(asked: argparse.Namespace, folder: Path) -> dict[str, list[Path]]:
    if asked.instances:
        return {"files": asked.instances}
    generator = SHARED / "generate.py"
    if not generator.is_file():
        sys.exit(
            f"{generator} is not there: name instance files, or set MATCHING_SHARED."
        )
    made: dict[str, list[Path]] = {}
    for scale in asked.scale or ("campus", "departement"):
        for seed in asked.seeds:
            file = folder / f"{scale}-{seed}.json"
            words = ("--preset", scale, "--seed", str(seed), "-o", str(file))
            subprocess.run((sys.executable, str(generator), *words), check=True)
            made.setdefault(scale, []).append(file)
    return made


# ---------------------------------------------------------------- one instance


def measured(file: Path, folder: Path, limit: float, *, bare: bool) -> dict[str, Any]:
    plan = folder / "plan.json"
    found = {name: solved(file, plan, "--method", name) for name in QUEUES}
    best = solved(file, plan, "--time-limit", str(limit))
    judged = verdict(file, plan)
    bare = bare and best["possible_visits"] < TOO_LARGE
    alone = bare_solver(file, limit) if bare else None
    served = {name: each["objective"]["served"] for name, each in found.items()}
    mine = best["objective"]["served"]
    print(
        f"{file.stem}: {best['classes']} classes, {best['slots']} slots, "
        f"{best['possible_visits']} possible visits; plan {judged}"
    )
    for level in LEVELS:
        if level in best["objective"]:
            print(f"    {level:<9} {best['objective'][level]:>9}  {proof(best, level)}")
    gains = ", ".join(
        f"{name} {each} (optimum {gain(mine, each):+.0f} %)"
        for name, each in served.items()
    )
    print(f"    served by {gains}")
    print(
        f"    {best['seconds']:.1f} s, {best['processor_seconds']:.1f} s of "
        f"processor time, {best['peak_memory_mb']} MB"
    )
    ratio = best["processor_seconds"] / alone["processor"] if alone else None
    if alone:
        print(
            f"    the bare solver proves {alone['proven']} levels in "
            f"{alone['processor']:.1f} s of processor time: ratio {ratio:.2f}"
        )
    print(flush=True)
    return {
        "served": served,
        "optimum": mine,
        "seconds": best["seconds"],
        "processor": best["processor_seconds"],
        "memory": best["peak_memory_mb"],
        "proven": sum(best["proven"].values()),
        "ratio": ratio,
    }


def proof(best: dict[str, Any], level: str) -> str:
    if best["proven"][level]:
        return "proven"
    bound, gap = best["bound"][level], best["gap"][level]
    return "no bound" if bound is None else f"bound {bound}, gap {100 * gap:.2f} %"


def gain(mine: int, theirs: int) -> float:
    return 100 * (mine / max(1, theirs) - 1)


def solved(file: Path, plan: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        (sys.executable, "-m", "scheduler.cli", "match", "solve", str(file),
         "-o", str(plan), *words),
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def verdict(file: Path, plan: Path) -> str:
    judge = SHARED / "verify.py"
    if not judge.is_file():
        return "checked by our own verify only"
    done = subprocess.run(
        (sys.executable, str(judge), str(file), str(plan)),
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stdout)
    return "accepted by the independent checker"


def summary(scale: str, rows: list[dict[str, Any]]) -> None:
    middle = statistics.median
    print(f"{scale}: {len(rows)} instances")
    for name in QUEUES:
        gains = [gain(row["optimum"], row["served"][name]) for row in rows]
        print(f"    optimum over {name:<17} median {middle(gains):+.0f} %")
    seconds = [row["seconds"] for row in rows]
    print(f"    seconds median {middle(seconds):.1f}, most {max(seconds):.1f}")
    processor = [row["processor"] for row in rows]
    print(f"    of processor time median {middle(processor):.1f} s")
    print(f"    memory most {max(row['memory'] for row in rows)} MB")
    print(f"    levels proven at least {min(row['proven'] for row in rows)}")
    ratios = [row["ratio"] for row in rows if row["ratio"]]
    if ratios:
        print(f"    processor time / bare solver median {middle(ratios):.2f}")
    print(flush=True)


# ---------------------------------------------------------------- the bare solver


def bare_solver(file: Path, limit: float) -> dict[str, Any]:
    done = subprocess.run(
        (sys.executable, "-m", "tests.bench.matching", "--bare", str(file),
         "--time-limit", str(limit)),
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def bare(file: Path, limit: float) -> None:
    """HiGHS as it comes, level by level, on the whole model; tells what it proves."""
    started = time.process_time()
    problem = read_problem(json.loads(file.read_text(encoding="utf-8")))
    model = build(problem, possible_visits(Offer(problem)))
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("time_limit", limit)  # of all runs together
    solver.passModel(lp_of(model, {}, ()))
    columns = np.arange(len(model.upper), dtype=np.int32)
    proven = 0
    for level in problem.params.objective:
        mine = model.costs[level]
        costs = np.zeros(len(columns))
        costs[list(mine)] = [-sign(level) * each for each in mine.values()]
        solver.changeColsCost(len(columns), columns, costs)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            break
        proven += 1
        best = round(solver.getInfo().objective_function_value)
        used = np.flatnonzero(costs).astype(np.int32)
        solver.addRow(-highspy.kHighsInf, best, len(used), used, costs[used])
    processor = time.process_time() - started
    print(json.dumps({"proven": proven, "processor": processor}))


if __name__ == "__main__":
    main()
