"""``scheduler match``: solve an instance file and check a plan file, without a service.

Everything here is a file in, a file out and a summary. A file that is not in the format
is told with the place in it; then nothing is written and the exit code is 2.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from scheduler.matching import draw
from scheduler.matching.contest import explain_fully
from scheduler.matching.explain import explain
from scheduler.matching.fcfs import as_practised, in_rounds, with_half_groups
from scheduler.matching.greedy import Choices, greedy
from scheduler.matching.ledger import NoPlan
from scheduler.matching.plan import ENGINE, Plan, Reason, Visit, plan_as_json, read_plan
from scheduler.matching.possible import Offer, possible_visits
from scheduler.matching.problem import Problem, read_problem
from scheduler.matching.reading import BadFile
from scheduler.matching.score import objective_of, sign
from scheduler.matching.verify import verify as check

if TYPE_CHECKING:
    from scheduler.matching import optimum

UNREADABLE = 2
FAULTS_SHOWN = 200
MEGA = 1 << 20
QUEUES: Mapping[str, Callable[[Problem, Choices], tuple[Visit, ...]]] = {
    "greedy": greedy,
    "fcfs": as_practised,
    "fcfs-half-groups": with_half_groups,
    "rounds": in_rounds,
}
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NEW_FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Order:
    method: str
    seed: int
    time_limit: float | None
    threads: int
    started: float
    processor: float
    with_advice: bool


@click.group("match")
def match_group() -> None:
    """Allocate visits to classes: from an instance file to a plan file."""


@match_group.command("solve")
@click.argument("instance", type=FILE)
@click.option("-o", "--output", type=NEW_FILE, required=True, help="The plan (JSON).")
@click.option(
    "--method",
    type=click.Choice(["optimum", *QUEUES]),
    default="optimum",
    show_default=True,
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    help="Seconds. Without it only the work limit holds: the same plan every time.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Accepted, and without effect: one thread searches, whatever is given.",
)
@click.option(
    "--advice",
    is_flag=True,
    help="Search what each class without a visit lost against and what would help.",
)
def solve(  # noqa: PLR0917 - click gives them by name
    instance: Path,
    output: Path,
    method: str,
    seed: int,
    time_limit: float | None,
    threads: int,
    *,
    advice: bool,
) -> None:
    """Write the best plan for INSTANCE; its summary goes to standard output."""
    now, processor = time.monotonic(), time.process_time()
    order = Order(method, seed, time_limit, threads, now, processor, advice)
    problem = read_file(instance, read_problem)
    offer = Offer(problem)
    possible = possible_visits(offer)
    try:
        plan = _plan(problem, offer, possible, order)
    except NoPlan as wrong:
        _refuse(instance, str(wrong))
    report = check(problem, plan, offer=offer)
    if not report.is_valid:
        raise AssertionError(f"the engine made an invalid plan: {report.faults[:5]}")
    write_file(output, plan_as_json(plan))
    click.echo(json.dumps(_summary(problem, possible, plan, order)))


@match_group.command("verify")
@click.argument("instance", type=FILE)
@click.argument("plan", type=FILE)
def verify(instance: Path, plan: Path) -> None:
    """Check PLAN against every rule. Exit code 0: valid, 1: not, 2: unreadable."""
    problem = read_file(instance, read_problem)
    report = check(problem, read_file(plan, read_plan))
    faults = [{"code": each.code, "where": each.where} for each in report.faults]
    told = {
        "valid": report.is_valid,
        "objective": dict(report.objective),
        "faults": faults[:FAULTS_SHOWN],
        "faults_total": len(faults),
    }
    click.echo(json.dumps(told))
    sys.exit(0 if report.is_valid else 1)


# ---------------------------------------------------------------- the plan


def _plan(problem: Problem, offer: Offer, possible: Choices, order: Order) -> Plan:
    made_by: dict[str, Any] = {
        "engine": ENGINE,
        "method": order.method,
        "seed": order.seed,
    }
    if order.method != "optimum":
        visits = QUEUES[order.method](problem, possible)
        objective = objective_of(problem, visits, offer=offer)
        bound = None
    else:
        found = _optimum(problem, possible, order)
        visits = found.visits
        objective = {name: level.value for name, level in found.levels.items()}
        bound = {
            name: level.bound
            for name, level in found.levels.items()
            if level.bound is not None
        }
        made_by |= {"time_limit": order.time_limit, "cut": found.was_cut}
    return Plan(
        visits=visits,
        objective=objective,
        bound=bound,
        reasons=_reasons(offer, possible, visits, order),
        made_by=made_by,
    )


def _reasons(
    offer: Offer, possible: Choices, visits: Sequence[Visit], order: Order
) -> tuple[Reason, ...]:
    if not order.with_advice:
        return explain(offer, possible, visits)
    engine = importlib.import_module("scheduler.matching.optimum")
    solve_small = engine.solver(engine.Limits(seed=order.seed))
    drawn = draw.lots(offer.problem.classes, order.seed)
    return explain_fully(offer, possible, visits, solve_small, drawn=drawn)


def _optimum(problem: Problem, possible: Choices, order: Order) -> optimum.Optimum:
    """The solver library is loaded only here: it costs memory that no page needs."""
    engine = importlib.import_module("scheduler.matching.optimum")
    left: Callable[[], float] | None = None
    if order.time_limit is not None:
        end = order.started + order.time_limit

        def left() -> float:
            return end - time.monotonic()

    with _interrupts() as stopped:
        limits = engine.Limits(
            seed=order.seed, seconds_left=left, tell=_tell, stop=lambda: bool(stopped)
        )
        found: optimum.Optimum = engine.optimum(problem, possible, limits)
    return found


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Ctrl-C ends the search and keeps its best plan; a second one ends the program."""
    stopped: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        signal.signal(signal.SIGINT, before)
        click.echo("Stopping with the best plan so far ...", err=True)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(progress: optimum.Progress) -> None:
    steps = f" {progress.done}/{progress.steps}" if progress.steps else ""
    level = "" if progress.stage == progress.level else f" {progress.level}"
    click.echo(
        f"part {progress.part + 1} of {progress.parts}, {progress.stage}{steps}:"
        f"{level} {progress.best}, bound {progress.bound}",
        err=True,
    )


def _summary(
    problem: Problem, possible: Choices, plan: Plan, order: Order
) -> dict[str, Any]:
    objective, bound = plan.objective or {}, plan.bound or {}
    levels = problem.params.objective
    return {
        "instance": problem.name,
        "method": order.method,
        "seed": order.seed,
        "classes": len(problem.classes),
        "slots": len(problem.slots),
        "possible_visits": sum(map(len, possible.values())),
        "objective": {name: objective[name] for name in levels},
        "bound": {name: bound.get(name) for name in levels},
        "proven": {name: bound.get(name) == objective[name] for name in levels},
        "gap": {name: _gap(name, objective[name], bound.get(name)) for name in levels},
        "reasons": dict(Counter(reason.code for reason in plan.reasons or ())),
        "cut": bool(plan.made_by.get("cut", False)),
        "threads": order.threads,
        "seconds": round(time.monotonic() - order.started, 3),
        "processor_seconds": round(time.process_time() - order.processor, 3),
        "peak_memory_mb": _peak_memory_mb(),
    }


def _gap(level: str, value: int, bound: int | None) -> float | None:
    """How far the bound is beyond the value, as a part of the value."""
    if bound is None:
        return None
    beyond = sign(level) * (bound - value)
    return round(beyond / max(1, abs(value)), 6)


def _peak_memory_mb() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // MEGA if sys.platform == "darwin" else peak // 1024


# ---------------------------------------------------------------- files


def read_file(file: Path, understand: Callable[[object], Any]) -> Any:
    """What is in the file; a bad one is told with the place in it, exit code 2."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number)
    except OSError as wrong:
        _refuse(file, wrong.strerror or str(wrong))
    except UnicodeDecodeError:
        _refuse(file, "expected text in UTF-8")
    except RecursionError:
        _refuse(file, "expected fewer levels of brackets")
    except ValueError as wrong:
        _refuse(file, f"expected JSON: {wrong}")
    try:
        return understand(data)
    except BadFile as wrong:
        _refuse(file, str(wrong))


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _refuse(file: Path, why: str) -> NoReturn:
    click.echo(f"Error: {file}: {why}", err=True)
    sys.exit(UNREADABLE)


def write_file(file: Path, data: Mapping[str, Any] | Sequence[Any]) -> None:
    """The whole file or none: a reader never sees half a plan."""
    part: Path | None = None
    try:
        number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        part = Path(name)
        with os.fdopen(number, "w", encoding="utf-8") as stream:
            json.dump(data, stream, separators=(",", ":"))
            stream.write("\n")
        part.chmod(0o644)
        part.replace(file)
    except OSError as wrong:
        if part is not None:
            part.unlink(missing_ok=True)
        _refuse(file, f"cannot be written: {wrong.strerror}")
