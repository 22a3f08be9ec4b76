"""Storage is tested on both databases, with the small world where rows are needed."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scheduler.services.house import House


@pytest.fixture
def session(session: Session) -> Session:
    session.info["house"] = House(link_key=b"a key for the links of tests")
    return session
