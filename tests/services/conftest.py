"""Use cases are tested with a plain session on both databases, no Flask at all."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scheduler.services.house import House
from tests import rows
from tests.services.mailbox import Outbox

LINK_KEY = b"a key for the links of tests"


@pytest.fixture
def house() -> House:
    return House(
        link_key=LINK_KEY,
        mail_domain="visits.example",
        organizer="visits@visits.example",
        bounce_address="visits@visits.example",
    )


@pytest.fixture
def session(session: Session, house: House) -> Session:
    session.info["house"] = house
    return session


@pytest.fixture
def outbox(session: Session, world: rows.World) -> Outbox:
    """What is recorded from now on."""
    return Outbox(session)
