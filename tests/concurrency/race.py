"""Starting many at once: processes for the great race, threads for the small ones.

Everything here is importable, because another process imports what it runs.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.domain.refusals import Refusal
from scheduler.persistence.engine import make_engine
from scheduler.persistence.sealed import Seal
from scheduler.services.house import House
from tests.processes import PROCESSES

Job = Callable[[Session], Any]

DONE = "done"
ERROR = "error"


def session_on(engine: Engine) -> Session:
    return Session(
        engine,
        info={"seal": Seal(("a key for tests",)), "house": House(link_key=b"key")},
    )


def outcome(session: Session, job: Job) -> tuple[str, Any]:
    """``done`` and what came of it, the code of a refusal, or ``error`` and where."""
    try:
        return DONE, job(session)
    except Refusal as refusal:
        codes = [each.code for each in getattr(refusal, "refusals", (refusal,))]
        return codes[0], codes
    except Exception:  # noqa: BLE001 - the race goes on and the test tells
        session.rollback()
        return ERROR, traceback.format_exc()


def in_turn(url: str, jobs: Sequence[Job]) -> list[tuple[str, Any]]:
    """What one process does: its jobs, one after the other."""
    engine = make_engine(url)
    try:
        with closing(session_on(engine)) as session:
            return [outcome(session, job) for job in jobs]
    finally:
        engine.dispose()


def with_processes(
    url: str, jobs: Sequence[Job], *, processes: int
) -> list[tuple[str, Any]]:
    """Deal the jobs out to as many processes; what came of each, in any order."""
    hands = [list(jobs[number::processes]) for number in range(processes)]
    with ProcessPoolExecutor(processes, mp_context=PROCESSES) as pool:
        # Everybody is there before anybody begins.
        list(pool.map(_wake, range(processes * 2)))
        dealt = [pool.submit(in_turn, url, hand) for hand in hands]
        return [each for future in dealt for each in future.result()]


def with_threads(engine: Engine, *jobs: Job) -> list[tuple[str, Any]]:
    """Run the jobs at once, each in a session of its own; outcomes in order."""
    ready = Barrier(len(jobs))

    def run(job: Job) -> tuple[str, Any]:
        with closing(session_on(engine)) as session:
            ready.wait()
            return outcome(session, job)

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def _wake(number: int) -> int:
    return number
