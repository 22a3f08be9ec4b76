"""The loop in a process: what runs, who runs it, and that no error ends or hides."""

from __future__ import annotations

import threading
from datetime import time, timedelta

import pytest
from flask import Flask
from structlog.testing import capture_logs

from scheduler import clock
from scheduler.domain.localtime import PARIS
from scheduler.extensions import db
from scheduler.jobs.runner import Loop
from scheduler.jobs.table import Job
from scheduler.services import lease

OFTEN = timedelta(milliseconds=30)
PATIENCE_SECONDS = 20


class Counted:
    """A job's function that says when it ran often enough."""

    def __init__(self, runs: int = 1, *, fails: bool = False) -> None:
        self.left = runs
        self.fails = fails
        self.enough = threading.Event()

    def __call__(self, _session: object, _desk: object) -> None:
        self.left -= 1
        if self.left <= 0:
            self.enough.set()
        if self.fails:
            raise RuntimeError("broken")

    def wait(self) -> bool:
        return self.enough.wait(PATIENCE_SECONDS)


def a_job(run: Counted, name: str = "often", *, alone: bool = True) -> Job:
    return Job(id=name, rhythm=OFTEN, run=run, alone=alone)


def test_a_job_runs_at_once_and_again(app: Flask):
    run = Counted(3)
    loop = Loop(app, (a_job(run),))

    loop.start()
    ran = run.wait()
    loop.stop()

    assert ran


def test_an_error_is_logged_and_the_loop_goes_on(app: Flask):
    broken, sound = Counted(2, fails=True), Counted(2)
    loop = Loop(app, (a_job(broken, "broken"), a_job(sound)))

    with capture_logs() as lines:
        loop.start()
        ran = broken.wait(), sound.wait()
        loop.stop()

    failed = [line for line in lines if line["event"] == "job_failed"]
    assert ran == (True, True)
    assert {line["job"] for line in failed} == {"broken"}
    assert {str(line["exc_info"]) for line in failed} == {"broken"}


def test_only_the_leader_runs_what_is_done_once(app: Flask):
    first, second = Loop(app, ()), Counted()
    shared = Counted(3)
    follower = Loop(app, (a_job(second, "alone"), a_job(shared, "shared", alone=False)))

    first.start()
    follower.start()
    ran = shared.wait()
    leads = first.leads, follower.leads
    follower.stop()
    first.stop()

    assert ran
    assert leads == (True, False)
    assert not second.enough.is_set()


def test_the_next_loop_leads_when_the_leader_stops(app: Flask):
    first, second = Loop(app, ()), Loop(app, ())
    first.start()
    second.start()

    first.stop()
    second.beat()
    leads = second.leads
    second.stop()

    assert leads


def test_the_next_loop_leads_when_the_leader_dies(app: Flask):
    """Killed, it can let go of nothing: its lease runs out."""
    with app.app_context():
        lease.hold(db.session(), owner="a dead one", now=clock.now())
        db.session.remove()
    loop = Loop(app, ())
    loop.beat()
    early = loop.leads

    clock.shift(lease.LIFE)
    try:
        loop.beat()
        later = loop.leads
    finally:
        clock.shift(timedelta(0))
    loop.start()
    loop.stop()

    assert (early, later) == (False, True)


def test_whoever_cannot_reach_the_database_does_not_lead(
    app: Flask, monkeypatch: pytest.MonkeyPatch
):
    loop = Loop(app, ())
    loop.beat()

    def gone(*_about: object, **_more: object) -> bool:
        raise ConnectionError

    monkeypatch.setattr(lease, "hold", gone)
    with pytest.raises(ConnectionError):
        loop.beat()
    monkeypatch.undo()

    assert not loop.leads
    loop.start()
    loop.stop()


def test_a_daily_job_waits_for_its_hour(app: Flask):
    run = Counted()
    loop = Loop(app, (Job(id="daily", rhythm=time(3, 30, tzinfo=PARIS), run=run),))

    loop.start()
    ran = run.enough.wait(0.3)
    loop.stop()

    assert not ran
