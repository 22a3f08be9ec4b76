"""Engines and sessions for both databases.

SQLite: WAL, foreign keys, a busy time-out, and transactions that say themselves
when they begin. Those that write begin immediate (``services/transaction.py``), so
that two writers queue instead of failing half-way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from scheduler.persistence.sealed import Seal

SQLITE = "sqlite:///"
BUSY_MILLISECONDS = 20_000
PLAIN_POSTGRES = ("postgresql://", "postgres://")


def database_url(url: str) -> str:
    """The address with the driver that we use named."""
    for plain in PLAIN_POSTGRES:
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


def absolute(url: str) -> str:
    """The same, a SQLite file made absolute; its folder is made."""
    url = database_url(url)
    file = url.removeprefix(SQLITE)
    if file == url or not file or file == ":memory:":
        return url
    path = Path(file).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    return f"{SQLITE}{path}"


def engine_options(url: str) -> dict[str, Any]:
    """Options that both our own engines and Flask-SQLAlchemy's need.

    What people typed stays out of errors, and so out of the log (P9).
    """
    if url.startswith("sqlite"):
        return {
            "hide_parameters": True,
            "connect_args": {"timeout": BUSY_MILLISECONDS / 1000},
        }
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_size": 8,
        "max_overflow": 8,
    }


def prepare(engine: Engine) -> Engine:
    """Attach what SQLite needs; PostgreSQL needs nothing."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def make_engine(url: str) -> Engine:
    """An engine of our own: tests, command line, migrations of another process."""
    url = database_url(url)
    return prepare(sa.create_engine(url, **engine_options(url)))


def make_session(engine: Engine, seal: Seal) -> Session:
    """A plain session, as the services expect it."""
    return Session(engine, info={"seal": seal})


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
