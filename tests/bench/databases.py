"""One database of each kind for a benchmark, gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy.engine import Engine

from scheduler.persistence import migrate
from scheduler.persistence.engine import make_engine
from tests import postgres


@contextmanager
def databases(names: Sequence[str]) -> Iterator[dict[str, Engine]]:
    """One of each kind, migrated; PostgreSQL only where there is one."""
    with ExitStack() as stack:
        found = {}
        if "sqlite" in names:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            found["sqlite"] = make_engine(f"sqlite:///{Path(folder) / 'bench.db'}")
        programs = postgres.binaries()
        if "postgresql" in names and programs is not None:
            url = stack.enter_context(postgres.server(programs))
            found["postgresql"] = make_engine(url)
        for engine in found.values():
            stack.callback(engine.dispose)
            migrate.upgrade(engine)
        yield found
