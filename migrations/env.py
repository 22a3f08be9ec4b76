"""Alembic's environment, for Flask-Migrate and for a plain engine alike.

SQLite rebuilds a table to alter it; with foreign keys on, that would silently delete
the rows of child tables. So they are off during a migration and checked after it.
"""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from flask import current_app
from sqlalchemy.engine import Connection, Engine

from scheduler.persistence import models
from scheduler.persistence.base import Base, UtcDateTime
from scheduler.persistence.engine import make_engine

assert models  # noqa: S101 - imported for the tables it defines


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as plain ones: migrations never import the app."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def engine() -> Engine:
    """The engine handed over by a caller, Flask's, or one of our own."""
    given = context.config.attributes.get("engine")
    if given is not None:
        return given
    url = context.config.get_main_option("sqlalchemy.url")
    if url:
        return make_engine(url)
    return current_app.extensions["migrate"].db.engine


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    with engine().connect() as connection:
        if connection.dialect.name != "sqlite":
            run(connection)
            connection.commit()
            return
        raw = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            run(connection)
            broken = connection.execute(sa.text("PRAGMA foreign_key_check")).all()
            if broken:
                raise RuntimeError(f"rows without their parent: {broken[:5]}")
            connection.commit()
        finally:
            raw.execute("PRAGMA foreign_keys=ON")


main()
