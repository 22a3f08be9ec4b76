"""PostgreSQL's own lock for "one at a time": gone at once when its holder dies."""

from __future__ import annotations

import zlib
from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class AdvisoryLock:
    """Held by a connection of its own. Other databases have none: always held there."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = zlib.crc32(name.encode())
        self._connection: Connection | None = None

    def hold(self) -> bool:
        """Take it, or make sure that it is still ours."""
        if self._engine.dialect.name != "postgresql":
            return True
        try:
            if self._connection is not None:
                self._connection.execute(sa.text("select 1"))
                return True
            return self._take()
        except DBAPIError:
            # The connection broke, and the lock with it: the next try starts afresh.
            self.release()
            return False

    def release(self) -> None:
        """Let somebody else have it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        # The server notices a closed connection a little later; this is at once. If it
        # is broken, the lock went with it.
        with suppress(SQLAlchemyError):
            connection.execute(
                sa.text("select pg_advisory_unlock(:key)"), {"key": self._key}
            )
        # Back in the pool it could keep the lock.
        connection.invalidate()
        connection.close()

    def _take(self) -> bool:
        connection = self._engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        )
        taken = connection.scalar(
            sa.text("select pg_try_advisory_lock(:key)"), {"key": self._key}
        )
        if taken:
            self._connection = connection
        else:
            connection.close()
        return bool(taken)
