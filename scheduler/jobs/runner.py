"""The loop: the jobs of the table at their times, in threads of this process.

APScheduler is only the clock. It keeps nothing: after a stop of an hour, or a crash,
the next tick finds in the database what is due.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any
from uuid import uuid4

import structlog
from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask

from scheduler import clock
from scheduler.extensions import db
from scheduler.jobs.table import Desk, Job
from scheduler.jobs.workshop import Workshop
from scheduler.persistence.advisory import AdvisoryLock
from scheduler.services import lease

HEARTBEAT_SECONDS = 20
THREADS = 4
# A missed run is made up for once, however late: it asks what is due by now.
DEFAULTS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}

log = structlog.get_logger()


class Loop:
    """``start`` returns at once; ``stop`` waits for the runs that are under way."""

    def __init__(
        self, app: Flask, jobs: tuple[Job, ...], *, workshop: Workshop | None = None
    ) -> None:
        self._app = app
        self._jobs = jobs
        self._owner = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:6]}"
        self._stopping = threading.Event()
        self._leads = False
        with app.app_context():
            self._lock = AdvisoryLock(db.engine, lease.LOOP)
        self._desk = Desk(
            now=clock.now,
            compose=app.extensions["compose"],
            post=app.extensions["post"],
            answers=app.extensions["answers"],
            stopping=self._stopping.is_set,
            workshop=workshop,
        )
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(THREADS)},
            job_defaults=DEFAULTS,
            timezone=UTC,
        )

    @property
    def leads(self) -> bool:
        """Whether this process is the one that runs what is done once."""
        return self._leads

    def start(self) -> None:
        """Begin, with one run of everything that has an interval."""
        # First of all: an error of the very first run must not be swallowed.
        self._scheduler.add_listener(_report, EVENT_JOB_ERROR)
        self._add("heartbeat", self.beat, IntervalTrigger(seconds=HEARTBEAT_SECONDS))
        for job in self._jobs:
            self._add(job.id, self._runner(job), _trigger(job))
        self.beat()
        self._scheduler.start()
        log.info("loop_started", owner=self._owner, leads=self._leads)

    def stop(self) -> None:
        """Finish what is under way and let another process take over at once."""
        self._stopping.set()
        self._scheduler.shutdown(wait=True)
        if self._desk.workshop is not None:
            self._desk.workshop.close()
        self._in_context(self._let_go)
        log.info("loop_stopped", owner=self._owner)

    def _add(self, name: str, run: Callable[[], None], trigger: Any) -> None:
        at_once: dict[str, Any] = {}
        if isinstance(trigger, IntervalTrigger) and name != "heartbeat":
            at_once = {"next_run_time": datetime.now(UTC)}  # noqa: TID251 - its clock
        self._scheduler.add_job(run, trigger, id=name, name=name, **at_once)

    def _runner(self, job: Job) -> Callable[[], None]:
        def run() -> None:
            if self._stopping.is_set() or (job.alone and not self._leads):
                return
            self._in_context(lambda: job.run(db.session(), self._desk))

        return run

    def beat(self) -> None:
        """Say that we are alive, and find out whether we lead."""
        led = self._leads
        try:
            self._in_context(self._take_lead)
        except Exception:
            # Whoever cannot say so does not lead.
            self._leads = False
            raise
        if self._leads != led:
            log.info("loop_leads" if self._leads else "loop_follows", owner=self._owner)

    def _take_lead(self) -> None:
        self._leads = self._lock.hold() and lease.hold(
            db.session(), owner=self._owner, now=clock.now()
        )

    def _let_go(self) -> None:
        if self._leads:
            lease.let_go(db.session(), owner=self._owner, now=clock.now())
        self._lock.release()

    def _in_context(self, work: Callable[[], object]) -> None:
        with self._app.app_context():
            try:
                work()
            finally:
                db.session.remove()


def _trigger(job: Job) -> IntervalTrigger | CronTrigger:
    if isinstance(job.rhythm, time):
        return CronTrigger(
            hour=job.rhythm.hour, minute=job.rhythm.minute, timezone=job.rhythm.tzinfo
        )
    return IntervalTrigger(seconds=job.rhythm.total_seconds())


def _report(event: JobExecutionEvent) -> None:
    log.error("job_failed", job=event.job_id, exc_info=event.exception)
