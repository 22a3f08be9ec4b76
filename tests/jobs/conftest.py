"""Jobs are tested as the functions they are; the runner with the real application."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scheduler.services.house import House
from tests import rows


@pytest.fixture
def session(session: Session) -> Session:
    session.info["house"] = House(link_key=b"a key", mail_domain="visits.example")
    return session


@pytest.fixture
def world(session: Session) -> rows.World:
    return rows.store_world(session)
