"""One loop at a time; a dead one is followed by the next."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.persistence.advisory import AdvisoryLock
from scheduler.persistence.engine import make_engine, make_session
from scheduler.services import lease
from tests.rows import NOW

SECOND = timedelta(seconds=1)


def test_the_first_who_asks_has_it(session: Session):
    assert lease.hold(session, owner="a", now=NOW)
    assert not lease.hold(session, owner="b", now=NOW)


def test_its_holder_keeps_it_by_asking_again(session: Session):
    lease.hold(session, owner="a", now=NOW)
    lease.hold(session, owner="a", now=NOW + lease.LIFE - SECOND)

    assert not lease.hold(session, owner="b", now=NOW + lease.LIFE + SECOND)


def test_another_takes_over_when_its_holder_died(session: Session):
    lease.hold(session, owner="a", now=NOW)

    assert lease.hold(session, owner="b", now=NOW + lease.LIFE)
    assert not lease.hold(session, owner="a", now=NOW + lease.LIFE)


def test_another_takes_over_at_once_when_its_holder_let_go(session: Session):
    lease.hold(session, owner="a", now=NOW)

    lease.let_go(session, owner="a", now=NOW + SECOND)

    assert lease.hold(session, owner="b", now=NOW + SECOND)


def test_nobody_ends_the_lease_of_another(session: Session):
    lease.hold(session, owner="a", now=NOW)

    lease.let_go(session, owner="b", now=NOW)

    assert not lease.hold(session, owner="b", now=NOW)


def test_the_last_beat_is_that_of_the_holder(session: Session):
    before = lease.last_beat(session)
    lease.hold(session, owner="a", now=NOW)
    lease.hold(session, owner="b", now=NOW + SECOND)

    assert before is None
    assert lease.last_beat(session) == NOW


def test_of_many_who_start_together_one_has_it(session: Session, engine: Engine):
    seal = session.info["seal"]
    start = threading.Barrier(6)
    held = []

    def work(owner: str) -> None:
        with make_session(engine, seal) as own:
            start.wait()
            held.append(lease.hold(own, owner=owner, now=NOW))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(held) == [False] * 5 + [True]


def test_sqlite_needs_no_lock_of_the_server(sqlite_url: str):
    engine = make_engine(sqlite_url)

    assert AdvisoryLock(engine, "loop").hold()
    assert AdvisoryLock(engine, "loop").hold()
    engine.dispose()


@pytest.mark.postgres
def test_on_postgresql_the_server_itself_lets_one_in(postgres_url: str):
    engine = make_engine(postgres_url)
    mine, theirs = AdvisoryLock(engine, "loop"), AdvisoryLock(engine, "loop")

    first = mine.hold(), mine.hold(), theirs.hold()
    mine.release()
    second = theirs.hold(), mine.hold()
    theirs.release()
    engine.dispose()

    assert first == (True, True, False)
    assert second == (True, False)


@pytest.mark.postgres
def test_a_broken_connection_loses_the_lock(postgres_url: str):
    engine, admin = make_engine(postgres_url), make_engine(postgres_url)
    lock = AdvisoryLock(engine, "loop")
    lock.hold()

    with admin.connect() as connection:
        connection.execute(
            sa.text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    lost, again = lock.hold(), lock.hold()
    lock.release()
    engine.dispose()
    admin.dispose()

    assert (lost, again) == (False, True)
