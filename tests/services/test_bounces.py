"""Delivery reports find their message by an address that only we can have made."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from scheduler.domain.visits import VisitState
from scheduler.mail.smtp import SmtpPost
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.services import bounces, delivery, outbox
from scheduler.services.house import House
from scheduler.services.transaction import transaction
from tests import rows
from tests.mail.peers import a_post_office, real_server
from tests.mail.samples import a_compose
from tests.rows import NOW
from tests.services.letters import Bag, invite, messages, revise, store_note

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def house(house: House) -> House:
    return dataclasses.replace(house, bounce_address="retours@visits.example")


@pytest.fixture
def sent(session: Session) -> MessageRow:
    """A message that the server has taken."""
    store_note(session, "a@example.org", now=NOW)
    Bag().deliver(session, now=NOW)
    return messages(session)[-1]


def bounce(session: Session, row_id: int, status: str, *, permanent: bool = True):
    with transaction(session):
        outbox.note_bounce(
            session, row_id, status=status, permanent=permanent, now=LATER
        )
    return messages(session)[-1]


def address_of(session: Session, row: MessageRow) -> str:
    house = session.info["house"]
    return bounces.return_address(house, row.id, row.message_id) or ""


# ------------------------------------------------------------------ the address


def test_every_message_leaves_with_an_address_of_its_own(session: Session):
    bag = Bag()
    for name in ("a", "b"):
        store_note(session, f"{name}@example.org", now=NOW)

    bag.deliver(session, now=NOW)

    addresses = [message.envelope_from for message in bag.sent]
    assert len(set(addresses)) == 2
    for each, row in zip(addresses, messages(session), strict=True):
        assert each is not None
        name, domain = each.split("@")
        assert name.startswith(f"retours+b{row.id}-")
        assert domain == "visits.example"
        assert len(name) <= 64


def test_it_is_the_same_at_every_attempt(session: Session, sent: MessageRow):
    assert address_of(session, sent) == address_of(session, sent)


def test_it_is_what_the_server_reads(session: Session):
    number = store_note(session, "a@example.org", now=NOW)
    row = session.get_one(MessageRow, number)
    row.kind = "sign_in"
    row.payload = {"link": {"purpose": "sign_in", "id": 1}, "expires_at": None}
    session.commit()
    expected = address_of(session, row)
    session.rollback()
    with real_server() as (port, kept):
        delivery.deliver_due(
            session, a_compose(), SmtpPost(a_post_office(port)), now=lambda: NOW
        )

    assert kept.envelopes == [(expected, ("a@example.org",))]


def test_without_an_address_for_bounces_the_sender_gets_them(session: Session):
    session.info["house"] = dataclasses.replace(
        session.info["house"], bounce_address=""
    )
    store_note(session, "a@example.org", now=NOW)
    bag = Bag()

    bag.deliver(session, now=NOW)

    assert bag.sent[0].envelope_from is None


# ------------------------------------------------------------------ the way back


def test_the_address_finds_its_message(session: Session, sent: MessageRow):
    address = address_of(session, sent)
    name = address.split("@")[0]

    for text in (address, f"<{address}>", address.upper(), name, name.split("+")[1]):
        found = outbox.message_by_bounce_token(session, text)
        assert found is not None
        assert found.id == sent.id


def test_a_guessed_address_finds_nothing(session: Session, sent: MessageRow):
    address = address_of(session, sent)
    wrong = "f" if address.split("@")[0][-1] != "f" else "e"
    guessed = (
        f"retours+b{sent.id}-{'0' * 16}@visits.example",
        address.replace("@", f"{wrong}@"),
        address[: address.index("@") - 1] + wrong + "@visits.example",
        address.replace(f"b{sent.id}-", f"b{sent.id + 1}-"),
        f"retours+b{2**40}-{'0' * 16}@visits.example",
        "retours@visits.example",
        "",
    )

    for each in guessed:
        assert outbox.message_by_bounce_token(session, each) is None


def test_the_message_id_finds_it_too(session: Session, sent: MessageRow):
    bare = sent.message_id.strip("<>")

    for text in (bare, f"<{bare}>", f"  <{bare}>\r\n"):
        found = outbox.message_by_message_id(session, text)
        assert found is not None
        assert found.id == sent.id
    assert outbox.message_by_message_id(session, "<other@visits.example>") is None


# ------------------------------------------------------------------ what it does


def test_a_permanent_failure_ends_the_message(session: Session, sent: MessageRow):
    row = bounce(session, sent.id, "5.1.1")

    assert (row.state, row.error) == (MessageState.DEAD, "bounced")
    assert (row.bounced_at, row.bounce_status) == (LATER, "5.1.1")
    assert row.sent_at == NOW


def test_a_delay_is_noted_and_ends_nothing(session: Session, sent: MessageRow):
    row = bounce(session, sent.id, "4.4.7", permanent=False)

    assert (row.state, row.bounced_at) == (MessageState.SENT, None)
    assert row.bounce_status == "4.4.7"


def test_the_first_failure_counts(session: Session, sent: MessageRow):
    bounce(session, sent.id, "5.2.2")
    row = bounce(session, sent.id, "5.7.1")

    assert row.bounce_status == "5.2.2"


def test_a_failure_after_a_delay_counts(session: Session, sent: MessageRow):
    bounce(session, sent.id, "4.4.7", permanent=False)
    row = bounce(session, sent.id, "5.4.7")

    assert (row.state, row.bounce_status) == (MessageState.DEAD, "5.4.7")


def test_a_status_that_is_none_is_not_stored(session: Session, sent: MessageRow):
    row = bounce(session, sent.id, "unknown user lea@example.org")

    assert (row.state, row.bounce_status) == (MessageState.DEAD, "")


def test_a_bounced_message_is_sent_again_by_hand(session: Session, sent: MessageRow):
    bounce(session, sent.id, "5.1.1")
    bag = Bag()

    outbox.retry(session, sent.id, now=LATER)
    bag.deliver(session, now=LATER)

    row = messages(session)[-1]
    assert bag.addresses == ["a@example.org"]
    assert (row.state, row.bounced_at, row.bounce_status) == (
        MessageState.SENT,
        None,
        "",
    )


def test_what_a_newer_revision_replaced_stays_replaced(
    session: Session, world: rows.World
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    invitation = invite(session, visit, "s@example.org", now=NOW)
    session.commit()
    older = messages(session)[-1].id
    with transaction(session):
        revise(session, invitation, now=NOW)

    bounce(session, older, "5.1.1")

    row = session.get_one(MessageRow, older)
    assert row.state is MessageState.SUPERSEDED
    assert row.bounced_at == LATER


def test_no_message_no_trouble(session: Session):
    with transaction(session):
        outbox.note_bounce(session, 7, status="5.1.1", permanent=True, now=NOW)
