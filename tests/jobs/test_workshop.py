"""Plans are computed by real processes, and a killed one leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import RunState
from scheduler.domain.wishes import Wish
from scheduler.jobs.table import Desk, compute_runs
from scheduler.jobs.workshop import Workshop
from scheduler.persistence.engine import make_engine, make_session
from scheduler.persistence.models.campaigns import OutcomeRow, PlaceRow, RunRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import runs as queries
from scheduler.persistence.sealed import Seal
from scheduler.services import runs
from scheduler.services.house import House
from scheduler.services.runs import Wanted
from tests import rows
from tests.campaigns import store_campaign, store_wishes
from tests.conftest import SEAL_KEY
from tests.rows import NOW
from tests.services.letters import Bag, as_it_is

PATIENCE = 60


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def session(sqlite_url: str) -> Session:
    session = make_session(make_engine(sqlite_url), Seal((SEAL_KEY,)))
    session.info["house"] = House(link_key=b"a key")
    return session


@pytest.fixture
def run(session: Session, world: rows.World) -> int:
    campaign = store_campaign(session)
    store_wishes(
        session,
        campaign,
        world.school_class,
        Wish(slot_id=world.slots[0]),
        teacher=world.teacher.id,
    )
    return runs.ask_for_run(
        session, campaign, Wanted(), by=world.coordinator.actor, now=NOW
    )


def environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": url,
        "SECRET_KEY": "a secret for tests",
        "SEAL_KEYS": SEAL_KEY,
        "CLOCK_STARTS_AT": NOW.isoformat(),
        "LOG_LEVEL": "WARNING",
    }


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def state_of(session: Session, run: int) -> RunState:
    session.rollback()
    return session.get_one(RunRow, run, populate_existing=True).state


def test_a_killed_process_leaves_nothing_and_the_run_begins_again(
    session, world, run, sqlite_url
):
    workshop = Workshop(lambda: environment(sqlite_url))
    desk = Desk(now=lambda: NOW, compose=as_it_is, post=Bag(), workshop=workshop)

    compute_runs(session, desk)
    until(lambda: state_of(session, run) is RunState.RUNNING)
    os.kill(workshop.process, signal.SIGKILL)
    until(lambda: compute_runs(session, desk) == 0 and not workshop.is_busy)
    killed = state_of(session, run)
    left = [
        session.scalar(select(func.count()).select_from(table))
        for table in (OutcomeRow, PlaceRow, VisitRow)
    ]
    runs.restart(session, run, by=world.coordinator.actor, now=NOW)
    compute_runs(session, desk)
    until(lambda: state_of(session, run) is not RunState.QUEUED)
    until(lambda: state_of(session, run) is not RunState.RUNNING)
    workshop.close()

    assert killed is RunState.INTERRUPTED
    assert left == [0, 0, 0]
    assert state_of(session, run) is RunState.DONE
    assert queries.queued(session) == []


def test_one_process_at_a_time(session, run):
    workshop = Workshop(
        lambda: os.environ, command=(sys.executable, "-c", "import time;time.sleep(9)")
    )
    desk = Desk(now=lambda: NOW, compose=as_it_is, post=Bag(), workshop=workshop)

    begun = [compute_runs(session, desk), compute_runs(session, desk)]
    is_busy = workshop.is_busy
    workshop.close()

    assert (begun, is_busy) == ([1, 0], True)


def test_a_process_that_never_claims_its_run_interrupts_it(session, run):
    workshop = Workshop(lambda: os.environ, command=(sys.executable, "-c", "1/0"))
    desk = Desk(now=lambda: NOW, compose=as_it_is, post=Bag(), workshop=workshop)

    compute_runs(session, desk)
    until(lambda: compute_runs(session, desk) == 0 and not workshop.is_busy)

    assert state_of(session, run) is RunState.INTERRUPTED


def test_a_process_that_does_not_listen_is_killed(session, run, monkeypatch):
    deaf = "import signal,time;signal.signal(15,signal.SIG_IGN);print(1,flush=True);"
    monkeypatch.setattr("scheduler.jobs.workshop.TIME_TO_END", 0.1)
    workshop = Workshop(
        lambda: os.environ, command=(sys.executable, "-c", deaf + "time.sleep(9)")
    )

    workshop.begin(run)
    process = workshop.process
    time.sleep(0.2)
    workshop.close()

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
