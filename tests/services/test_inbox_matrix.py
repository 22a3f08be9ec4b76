"""The matrix of received messages through the code of the loop, with real invitations.

One message for each state and code: that each message has its code is tested, without
a database, in tests/inbound.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scheduler.domain.answers import Answer, Effect
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)
from scheduler.persistence.sealed import seal_of
from scheduler.services import bounces, inbox
from scheduler.services.house import House
from scheduler.services.students import set_addresses
from tests import rows
from tests.inbound.messages import FILLED, NOW, SERVER, STATES, Row, matrix
from tests.rows import World
from tests.services.letters import messages

ANNA, BRUNO = FILLED["address"], "bruno.petit@example.fr"
COUNTED = {
    Effect.ACCEPT: Answer.ACCEPTED,
    Effect.TENTATIVE: Answer.TENTATIVE,
    Effect.DECLINE: Answer.DECLINED,
}


ONE_OF_EACH = {(row.state, row.effect, row.code): row for row in matrix()}


@pytest.fixture
def house() -> House:
    return House(
        link_key=b"a key for the links of tests",
        mail_domain="campus.example",
        organizer=FILLED["organizer"],
        bounce_address=FILLED["organizer"],
        authserv_id=SERVER,
    )


@pytest.fixture
def visit(session: Session, world: World) -> int:
    found = rows.visit_in(session, world, VisitState.CONFIRMED)
    set_addresses(session, found, [ANNA, BRUNO], by=world.teacher.actor, now=rows.NOW)
    return found


def invitation(session: Session, visit: int, address: str) -> InvitationRow:
    session.rollback()
    return session.scalars(
        select(InvitationRow)
        .where(
            InvitationRow.visit_id == visit,
            InvitationRow.address_digest == seal_of(session).digest(address),
        )
        .execution_options(populate_existing=True)
    ).one()


def put_into(session: Session, state: str, visit: int) -> dict[str, str]:
    """Bring Anna's invitation into the state; what a message then has to say."""
    known = STATES[state]
    row = invitation(session, visit, ANNA)
    if known is not None:
        row.sequence = row.time_sequence = known.sequence
        row.answer_sequence, row.answer_dtstamp = known.last or (None, None)
        row.answer = Answer.TENTATIVE if known.last else None
        row.answer_way = row.answered_at = None
        if known.cancelled:
            row.state = InvitationState.CANCELLED
        if known.over:
            slot_id = session.get_one(VisitRow, visit).slot_id
            slot = session.get_one(SlotRow, slot_id)
            slot.starts_at, slot.ends_at = NOW - timedelta(hours=3), NOW
        session.get_one(VisitRow, visit).students_answer = known.asked
    session.execute(delete(ReceivedRow))
    uid = "nobody@campus.example" if known is None else row.uid
    session.commit()
    if state == "of another":
        uid = invitation(session, visit, BRUNO).uid
    session.rollback()
    return {"uid": uid}


def said(outcome: inbox.Outcome) -> tuple[str, str, bool]:
    return outcome.effect.value, outcome.code, outcome.for_person


def answers(session: Session, visit: int) -> dict[str, Answer | None]:
    session.rollback()
    found = session.execute(
        select(InvitationRow.address_digest, InvitationRow.answer).where(
            InvitationRow.visit_id == visit
        )
    )
    by_digest = {row.address_digest: row.answer for row in found}
    digest = seal_of(session).digest
    return {address: by_digest[digest(address)] for address in (ANNA, BRUNO)}


@pytest.mark.parametrize("state", STATES)
def test_the_loop_says_and_does_what_the_table_says(
    session: Session, house: House, visit: int, state: str
):
    letter = messages(session)[-1]
    bounce = bounces.return_address(house, letter.id, letter.message_id)
    assert bounce is not None
    filling = {} if state == "no such letter" else {"bounce": bounce}

    for row in (row for row in ONE_OF_EACH.values() if row.state == state):
        octets = row.filled(**filling, **put_into(session, state, visit))
        before = answers(session, visit)
        expected = dict(before)
        if Effect(row.effect) in COUNTED:
            tried = inbox.rehearse(session, octets, now=NOW)
            assert (said(tried)[0], answers(session, visit)) == (row.effect, before)
            expected[ANNA] = COUNTED[Effect(row.effect)]

        done = inbox.receive(session, octets, now=NOW)

        assert said(done) == (row.effect, row.code, row.person == "yes"), row
        assert answers(session, visit) == expected, row


def test_a_bad_message_does_not_stop_the_reading_of_the_next(
    session: Session, visit: int
):
    filling = put_into(session, "waiting", visit)
    hostile = [row for row in ONE_OF_EACH.values() if row.effect == "reject"]
    good = Row("gmail/answer.eml", "ACCEPTED", "waiting", "", "accept", "", "", "")

    for row in hostile:
        inbox.receive(session, row.filled(**filling), now=NOW)
    done = inbox.receive(session, good.filled(**filling), now=NOW)

    assert done.effect is Effect.ACCEPT
    assert answers(session, visit) == {ANNA: Answer.ACCEPTED, BRUNO: None}
