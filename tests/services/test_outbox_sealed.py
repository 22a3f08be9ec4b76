"""Letters whose address nobody can open any more: purged, or closed with a lost key."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from scheduler.domain.visits import VisitState
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.services import outbox as service
from tests import rows
from tests.rows import NOW
from tests.services.mailbox import Calendars, refused

LATER = NOW + timedelta(hours=1)


def break_first(session, address: str) -> int:
    to_be_sent = select(MessageRow).where(MessageRow.state == MessageState.WAITING)
    row = session.scalars(to_be_sent.order_by(MessageRow.id)).first()
    row.address = address
    session.commit()
    return row.id


def test_a_letter_that_nobody_can_address_ends_and_holds_up_no_other(session, world):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    broken = break_first(session, "closed with another key")
    session.rollback()
    calendars = Calendars()

    calendars.deliver(session, now=LATER)

    row = session.get_one(MessageRow, broken)
    assert (row.state, row.error, row.lease_until) == (
        MessageState.DEAD,
        "sealed_address",
        None,
    )
    waiting = select(MessageRow.id).where(MessageRow.state == MessageState.WAITING)
    assert session.scalars(waiting).all() == []
    assert len(calendars.letters) > 1


def test_a_letter_whose_address_was_purged_is_not_sent_again(session, world):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    purged = break_first(session, "")
    session.get_one(MessageRow, purged).state = MessageState.DEAD
    session.commit()
    session.rollback()

    with refused(session, "letter_purged"):
        service.retry(session, purged, now=LATER)


def test_a_letter_whose_words_were_purged_is_not_sent_again(session, world):
    """An adult's mail keeps its address longer than its words."""
    rows.visit_in(session, world, VisitState.CONFIRMED)
    row = session.scalars(select(MessageRow).order_by(MessageRow.id.desc())).first()
    row.state, row.payload = MessageState.DEAD, {}
    purged = row.id
    session.commit()
    session.rollback()

    with refused(session, "letter_purged"):
        service.retry(session, purged, now=LATER)
