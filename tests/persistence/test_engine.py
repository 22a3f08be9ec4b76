"""Addresses of databases, and what SQLite needs to be one."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scheduler.persistence.engine import database_url, engine_options, make_engine


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("postgres://a@b/c", "postgresql+psycopg://a@b/c"),
        ("postgresql://a@b/c", "postgresql+psycopg://a@b/c"),
        ("postgresql+psycopg://a@b/c", "postgresql+psycopg://a@b/c"),
        ("sqlite:///visits.db", "sqlite:///visits.db"),
    ],
)
def test_a_driver_is_named(given, meant):
    assert database_url(given) == meant


def test_only_servers_have_a_pool_that_is_tested():
    assert "pool_pre_ping" not in engine_options("sqlite:///visits.db")
    assert engine_options("postgresql+psycopg://a@b/c")["pool_pre_ping"] is True


def test_sqlite_writes_ahead_keeps_references_and_waits(sqlite_url):
    engine = make_engine(sqlite_url)
    with engine.connect() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    engine.dispose()

    assert said == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 20_000}


def test_a_transaction_that_writes_has_the_lock_from_the_start(sqlite_url):
    engine = make_engine(sqlite_url)
    with engine.connect() as first, engine.connect() as second:
        first.execution_options(writes=True).begin()
        second.exec_driver_sql("PRAGMA busy_timeout=10")
        second.rollback()

        with pytest.raises(sa.exc.OperationalError, match="locked"):
            second.execution_options(writes=True).begin()
    engine.dispose()
