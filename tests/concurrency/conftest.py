"""Real processes and threads on one database, each with a session of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from tests.concurrency import race


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with race.session_on(engine) as session:
        yield session
