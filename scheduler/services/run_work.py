"""Compute a run: read the campaign, search, explain, store.

It belongs in a process of its own (``scheduler match work``): the search takes minutes
and memory. The engine works in a thread, so that this one can say every second that it
is alive, hear that somebody wants it to stop, and end at once when it is told to.
"""

from __future__ import annotations

import importlib
import resource
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import RunState
from scheduler.domain.refusals import WrongState
from scheduler.matching import draw
from scheduler.matching.contest import Inquiry
from scheduler.matching.explain import explain
from scheduler.matching.fcfs import as_practised, in_rounds
from scheduler.matching.greedy import Choices, greedy
from scheduler.matching.ledger import NoPlan
from scheduler.matching.limits import Limits
from scheduler.matching.pins import PinsRefused
from scheduler.matching.plan import ENGINE, Plan, Reason, Visit, plan_as_json
from scheduler.matching.possible import Offer, Wished, possible_visits
from scheduler.matching.problem import Problem
from scheduler.matching.prospects import granted
from scheduler.matching.score import objective_of
from scheduler.matching.verify import Report, verify
from scheduler.matching.writing import problem_as_json
from scheduler.persistence.queries import runs as queries
from scheduler.services import rounds, runs
from scheduler.services.campaign_problem import (
    ADDED,
    Snapshot,
    number_of,
    snapshot,
)
from scheduler.services.runs import Result

BEAT_SECONDS = 1.0
MEGA = 1 << 20

log = structlog.get_logger()


def work(
    session: Session,
    run_id: int,
    *,
    now: Callable[[], datetime],
    beat_seconds: float = BEAT_SECONDS,
) -> bool:
    """Compute a waiting run; whether it was ours to compute."""
    if not runs.claim(session, run_id, engine=ENGINE, now=now()):
        return False
    row = queries.run(session, run_id)
    if row is None:
        return False
    search = Search(seed=row.seed, seconds=row.seconds)
    try:
        taken = rounds.problem_of(session, row, now=now())
        session.rollback()
        worker = threading.Thread(target=search.run, args=(taken,), daemon=True)
        worker.start()
        while worker.is_alive():
            worker.join(beat_seconds)
            if runs.beat(session, run_id, search.progress(), now=now()):
                search.stop.set()
        result = search.result(taken)
        runs.finish(session, run_id, result, now=now())
    except PinsRefused as wrong:
        pins = [
            {"class": each.pin.class_id, "slot": each.pin.slot, "why": each.why}
            for each in wrong.refused
        ]
        runs.fail(session, run_id, "pins_refused", summary={"pins": pins}, now=now())
    except WrongState:
        log.warning("run_given_up", run=run_id)
    except Exception as wrong:
        # Whoever waits for it must learn that it is over.
        log.exception("run_failed", run=run_id)
        runs.fail(session, run_id, type(wrong).__name__, now=now())
        raise
    return True


# ---------------------------------------------------------------- the search


@dataclass
class Search:
    """The engine at work in another thread; what it has found so far."""

    seed: int
    seconds: int
    stop: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)
    stage: str = "reading"
    level: str = ""
    best: Mapping[str, int] = field(default_factory=dict)
    bound: dict[str, int] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    found: Found | None = None
    wrong: Exception | None = None

    def run(self, taken: Snapshot) -> None:
        """For the thread: whatever goes wrong is told by ``result``."""
        try:
            self.found = self._solve(taken.problem)
        except Exception as wrong:  # noqa: BLE001 - raised again by ``result``
            self.wrong = wrong

    def _seconds_left(self) -> float:
        if self.stop.is_set():
            return 0.0
        return self.began + self.seconds - time.monotonic()

    def _solve(self, problem: Problem) -> Found:
        self.stage = "possible"
        offer = Offer(problem)
        possible = possible_visits(offer)
        self.stage = "queue"
        queue = as_practised(problem, possible)
        fair_queue = in_rounds(problem, possible)
        self.stage = "start"
        self._tell_start(problem, offer, possible)
        # The solver's library is loaded only here: it costs memory no page needs.
        engine = importlib.import_module("scheduler.matching.optimum")
        limits = Limits(
            seed=self.seed,
            seconds_left=self._seconds_left,
            tell=self._hear,
            stop=self.stop.is_set,
        )
        best = engine.optimum(problem, possible, limits)
        self.stage = "reasons"
        plan = Plan(
            visits=best.visits,
            objective={name: level.value for name, level in best.levels.items()},
            bound={
                name: level.bound
                for name, level in best.levels.items()
                if level.bound is not None
            },
            reasons=self._reasons(offer, possible, best.visits),
            made_by={
                "engine": ENGINE,
                "method": "optimum",
                "seed": self.seed,
                "time_limit": self.seconds,
                "cut": best.was_cut,
            },
        )
        report = verify(problem, plan, offer=offer)
        if not report.is_valid:
            raise AssertionError(
                f"the engine made an invalid plan: {report.faults[:5]}"
            )
        return Found(offer, possible, plan, queue, fair_queue)

    def _reasons(
        self, offer: Offer, possible: Choices, visits: Sequence[Visit]
    ) -> tuple[Reason, ...]:
        """Why each class has nothing; with proven advice as far as the time goes.

        They have as long as the search at most: a region has thousands of them.
        """
        self.bound, self.steps = dict(self.bound), {}
        end = time.monotonic() + self.seconds
        limits = Limits(
            seed=self.seed,
            seconds_left=lambda: end - time.monotonic(),
            stop=self.stop.is_set,
        )
        solve = importlib.import_module("scheduler.matching.highs").solver(limits)
        drawn = draw.lots(offer.problem.classes, self.seed)
        inquiry = Inquiry(offer, possible, visits, solve, drawn=drawn)
        found: list[Reason] = []
        for name, short in inquiry.reasons.items():
            self.steps = {"done": len(found), "steps": len(inquiry.reasons)}
            full = None if limits.are_over else inquiry.reason(name)
            # An answer that was cut while it was looked for proves nothing.
            found.append(short if full is None or limits.are_over else full)
        return tuple(found)

    def _tell_start(self, problem: Problem, offer: Offer, possible: Choices) -> None:
        """From here on there is a valid plan; pins may need the solver for one."""
        try:
            first = greedy(problem, possible)
        except NoPlan:
            return
        whole = objective_of(problem, first, offer=offer)
        self.best = {level: whole[level] for level in problem.params.objective}

    def _hear(self, progress: Any) -> None:
        """What the engine says between two steps."""
        told = asdict(progress)
        self.stage, self.level = told["stage"], told.get("level") or told["stage"]
        self.steps = {"done": told.get("part", 0), "steps": told.get("parts", 0)}
        if told.get("steps"):
            self.steps = {"done": told["done"], "steps": told["steps"]}
        if told.get("parts", 1) != 1:
            return
        self.best = dict(
            told.get("objective") or {**self.best, self.level: told["best"]}
        )
        if told["bound"] is not None:
            self.bound = {**self.bound, self.level: told["bound"]}

    def progress(self) -> dict[str, Any]:
        """How far it is, as the page shows it."""
        return {
            "stage": self.stage,
            "level": self.level,
            "best": dict(self.best),
            "bound": dict(self.bound),
            "seconds": round(time.monotonic() - self.began, 1),
            "of": float(self.seconds),
            **self.steps,
        }

    def result(self, taken: Snapshot) -> Result:
        """Everything to store; raises what went wrong."""
        if self.found is None:
            raise self.wrong or RuntimeError("the search ended without a plan")
        plan = self.found.plan
        objective, bound = plan.objective or {}, plan.bound or {}
        was_stopped = self.stop.is_set() and any(
            bound.get(level) != objective[level] for level in objective
        )
        return result_of(
            taken,
            self.found,
            state=RunState.STOPPED if was_stopped else RunState.DONE,
            seconds=round(time.monotonic() - self.began, 1),
        )


@dataclass(frozen=True, kw_only=False)
class Found:
    """What the search leaves: the plan, and two queues to compare it with."""

    offer: Offer
    possible: Choices
    plan: Plan
    queue: tuple[Visit, ...]
    fair_queue: tuple[Visit, ...]


def result_of(
    taken: Snapshot, found: Found, *, state: RunState, seconds: float
) -> Result:
    """Rows, files and figures of a plan."""
    problem = taken.problem
    objective, bound = found.plan.objective or {}, found.plan.bound or {}
    outcomes, places = rows_of(taken, found)
    return Result(
        state=state,
        summary={
            "objective": dict(objective),
            "bound": dict(bound),
            "proven": {
                level: bound.get(level) == objective[level] for level in objective
            },
            "seconds": seconds,
            "peak_mb": peak_mb(),
            "possible": sum(map(len, found.possible.values())),
            "slots": len(problem.slots),
            "figures": {
                "plan": figures(problem, found.offer, found.plan.visits),
                "queue": figures(problem, found.offer, found.queue),
                "fair_queue": figures(problem, found.offer, found.fair_queue),
            },
        },
        problem=problem_as_json(problem),
        plan=plan_as_json(found.plan),
        queue_plan=plan_as_json(Plan(visits=found.queue)),
        outcomes=outcomes,
        places=places,
    )


def take_plan(
    session: Session, campaign_id: int, plan: Plan, *, label: str, now: datetime
) -> tuple[int | None, Report]:
    """Store a plan that was made elsewhere, if no rule is broken; its run's id.

    What it claims about itself is not believed: nothing of it counts as proven.
    """
    taken = snapshot(session, campaign_id, now=now)
    session.rollback()
    problem, offer = taken.problem, Offer(taken.problem)
    bare = replace(plan, objective=None, bound=None, reasons=None)
    report = verify(problem, bare, offer=offer)
    if not report.is_valid:
        return None, report
    possible = possible_visits(offer)
    whole = objective_of(problem, plan.visits, offer=offer)
    told = replace(
        bare,
        objective={level: whole[level] for level in problem.params.objective},
        reasons=explain(offer, possible, plan.visits),
    )
    found = Found(
        offer,
        possible,
        told,
        as_practised(problem, possible),
        in_rounds(problem, possible),
    )
    result = result_of(taken, found, state=RunState.DONE, seconds=0.0)
    engine = str(plan.made_by.get("engine", ""))[:20]
    run_id = runs.store_made(
        session, campaign_id, result, label=label, engine=engine, now=now
    )
    return run_id, report


def peak_mb() -> int:
    """The most memory that this process has taken."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // MEGA if sys.platform == "darwin" else peak // 1024


# ---------------------------------------------------------------- figures


def figures(
    problem: Problem, offer: Offer, visits: Sequence[Visit]
) -> dict[str, int | float | None]:
    """What people compare two plans by."""
    ranks: dict[str, int] = {}
    metres: list[int] = []
    for visit, rank, far in measured(problem, offer, visits):
        ranks[visit.class_id] = min(rank, ranks.get(visit.class_id, rank))
        metres.append(far)
    classes = problem.classes
    rural = {name for name, one in classes.items() if problem.schools[one.school].rural}
    return {
        "served": len(ranks),
        "classes": len(classes),
        "students": sum(classes[name].size for name in ranks),
        "schools": len({classes[name].school for name in ranks}),
        "rural_served": len(rural & ranks.keys()),
        "rural_classes": len(rural),
        "rank_mean": round(statistics.fmean(ranks.values()), 2) if ranks else None,
        "km_median": round(statistics.median(metres) / 1000, 1) if metres else None,
        "visits": len(visits),
        "first_wishes": sum(rank == 1 for rank in ranks.values()),
    }


def measured(
    problem: Problem, offer: Offer, visits: Iterable[Visit]
) -> Iterable[tuple[Visit, int, int]]:
    """Each visit with the wish that it fulfils (the worst part's) and its way."""
    wished: dict[str, dict[str, Wished]] = {}
    for visit in visits:
        mine = wished.get(visit.class_id)
        if mine is None:
            one = problem.classes[visit.class_id]
            mine = wished[visit.class_id] = {
                each.slot.id: each for each in offer.wished(one)
            }
        parts = [mine[slot] for slot in visit.slots]
        yield (
            visit,
            max(each.rank for each in parts),
            max(each.distance for each in parts),
        )


# ---------------------------------------------------------------- rows


def rows_of(
    taken: Snapshot, found: Found
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """An outcome for each class, a place for each group of the plan."""
    problem = taken.problem
    visits: dict[str, list[tuple[Visit, int, int]]] = defaultdict(list)
    for each in measured(problem, found.offer, found.plan.visits):
        visits[each[0].class_id].append(each)
    reasons = {each.class_id: each for each in found.plan.reasons or ()}
    whys = _granted(found)
    outcomes, places = [], []
    for name, one in problem.classes.items():
        mine = sorted(visits[name], key=lambda each: problem_date(problem, each[0]))
        reason = reasons.get(name)
        outcomes.append(
            {
                "class_id": number_of(name),
                "visits": len(mine),
                "code": reason.code if reason else "",
                "priority": one.priority,
                "rank": min((rank for _, rank, _ in mine), default=None),
                "metres": max((far for _, _, far in mine), default=None),
                "facts": {
                    "points": {
                        each.value: number
                        for each, number in taken.points[name].items()
                    },
                    "possible": len(found.possible[name]),
                    **({"why": whys[name]} if name in whys else {}),
                    **(_why_not(taken, reason) if reason else {}),
                },
            }
        )
        for number, (visit, _rank, _far) in enumerate(mine, 1):
            places += [
                {
                    "class_id": number_of(name),
                    "slot_id": None if _is_added(part.slot) else number_of(part.slot),
                    "added_slot": part.slot if _is_added(part.slot) else "",
                    "visit_no": number,
                    "group_no": part.group,
                    "students": part.students,
                }
                for part in visit.parts
            ]
    return outcomes, places


def problem_date(problem: Problem, visit: Visit) -> str:
    """The day of a visit: its parts share one."""
    return problem.slots[visit.parts[0].slot].date


def _is_added(slot: str) -> bool:
    return slot.startswith(ADDED)


def _contest(reason: Reason) -> dict[str, Any]:
    """What the plan would lose with the class in it, and who would."""
    told = dict(reason.contest or {})
    if "losers" in told:
        told["losers"] = [number_of(each) for each in told["losers"]]
    return told


def _granted(found: Found) -> dict[str, list[dict[str, Any]]]:
    """Class → its better wishes, and why each was not fulfilled."""
    told: dict[str, list[dict[str, Any]]] = {}
    for each in granted(found.offer, found.plan.visits):
        told.setdefault(each.class_id, [])
        told[each.class_id] += [
            {
                "rank": better.rank,
                "code": better.code,
                "detail": better.detail,
                "blockers": [number_of(name) for name in better.blockers],
            }
            for better in each.refused
        ]
    return told


def _why_not(taken: Snapshot, reason: Reason) -> dict[str, Any]:
    told: dict[str, Any] = {
        "detail": reason.detail,
        "blockers": [number_of(each) for each in reason.blockers],
        "needs": dict(reason.needs or {}),
        "contest": _contest(reason),
    }
    if reason.detail == "forbidden":
        told["forbidden"] = taken.obstacles(taken.problem.classes[reason.class_id])
    return told
