"""Jobs are tested as the functions they are; the runner with the real application."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scheduler.services.house import House


@pytest.fixture
def session(session: Session) -> Session:
    session.info["house"] = House(link_key=b"a key", mail_domain="visits.example")
    return session
