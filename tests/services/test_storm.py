"""Three hundred recipients on a bad day of the mail server, and of the machine.

At the end each was delivered once or is dead with its reason. A sender that is killed
between the server's yes and our note of it repeats what it had not noted yet: the same
letters, octet for octet.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes

import pytest
from sqlalchemy.orm import Session

from scheduler.domain.visits import VisitState
from scheduler.mail.smtp import SmtpPost
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.sealed import seal_of
from scheduler.services import delivery
from scheduler.services.transaction import transaction
from tests import rows
from tests.conftest import SEAL_KEY
from tests.mail.peers import a_post_office
from tests.mail.samples import a_compose
from tests.rows import NOW
from tests.services.letters import Bag, invite, messages
from tests.services.storm import BadDay, is_deferred, is_refused

STUDENTS = 300
DOMAINS = 12
KILLS = 20
MINUTE = timedelta(minutes=1)
DOWN_FROM, DOWN_UNTIL = NOW + 2 * MINUTE, NOW + 12 * MINUTE
# A new sender comes when the leases of the dead one are over.
A_LIFE = delivery.LEASE + MINUTE
SENT, DEAD = MessageState.SENT, MessageState.DEAD


@pytest.fixture
def addresses(session: Session, world: rows.World) -> list[str]:
    """Invited, all of them; nothing is sent yet."""
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    Bag().deliver(session, now=NOW)
    made = [
        f"eleve{number}@lycee{number % DOMAINS}.example" for number in range(STUDENTS)
    ]
    with transaction(session):
        for address in made:
            invite(session, visit, address, now=NOW)
    return made


def send_all(session: Session, server: BadDay, *, now: datetime) -> None:
    """The loop of one sender, until nothing waits any more."""
    compose, post = a_compose(), SmtpPost(a_post_office(server.port))

    def one_round() -> None:
        delivery.deliver_due(session, compose, post, now=lambda: now, limit=1000)

    while (at := next_due(session)) is not None:
        now = max(now + MINUTE / 2, at)
        assert now < NOW + timedelta(days=3)
        if DOWN_FROM <= now < DOWN_UNTIL:
            one_round()
        else:
            with server.up():
                one_round()


def next_due(session: Session) -> datetime | None:
    """When there is something to do again."""
    due = [
        (row.lease_until if row.state is MessageState.SENDING else None) or row.due_at
        for row in messages(session)
        if row.state in {MessageState.WAITING, MessageState.SENDING}
    ]
    return min(due, default=None)


def check(
    session: Session,
    server: BadDay,
    addresses: list[str],
    *,
    most_copies: Callable[[int], bool],
) -> None:
    """Each has one letter or a reason; copies are the same letter."""
    states: dict[str, MessageRow] = {
        seal_of(session).open(row.address): row for row in messages(session)[-STUDENTS:]
    }
    refused = {each for each in addresses if is_refused(each)}
    copies = Counter(server.recipients)
    for address in addresses:
        row = states[address]
        if address in refused:
            assert (row.state, copies[address]) == (DEAD, 0)
            assert row.error.startswith("recipient_refused: 550 5.1.1")
            assert row.attempts <= KILLS + 1
        else:
            assert row.state is SENT
            assert copies[address] >= 1
    assert most_copies(sum(copies.values()) - len(copies))
    letters: dict[str, set[bytes]] = {}
    for address, octets in zip(server.recipients, server.letters, strict=True):
        letters.setdefault(address, set()).add(octets)
    assert {len(each) for each in letters.values()} == {1}
    for address, (octets,) in letters.items():
        letter = message_from_bytes(octets)
        assert letter["Message-ID"] == states[address].message_id
        assert letter["To"] == address
    assert any(is_deferred(address) and copies[address] for address in addresses)


@pytest.mark.long
def test_a_bad_day_of_the_mail_server(session: Session, addresses: list[str]):
    """It refuses some, defers some, drops the line, and is down for ten minutes."""
    server = BadDay()

    send_all(session, server, now=NOW)

    check(session, server, addresses, most_copies=lambda more: more == 0)


@pytest.mark.long
def test_a_server_that_is_down_at_first(session: Session, addresses: list[str]):
    server = BadDay()

    send_all(session, server, now=DOWN_FROM)

    check(session, server, addresses, most_copies=lambda more: more == 0)


@pytest.mark.long
def test_a_sender_that_is_killed_at_random_twenty_times(
    session: Session, addresses: list[str], database_url: str
):
    server, luck = BadDay(), random.Random(20261122)

    for life in range(KILLS):
        now = NOW + life * A_LIFE
        if DOWN_FROM <= now < DOWN_UNTIL:
            server.kill_at_random(luck, url=database_url, seal_key=SEAL_KEY, now=now)
        else:
            with server.up():
                server.kill_at_random(
                    luck, url=database_url, seal_key=SEAL_KEY, now=now
                )
    send_all(session, server, now=NOW + KILLS * A_LIFE)

    check(
        session,
        server,
        addresses,
        most_copies=lambda more: 0 < more <= KILLS * delivery.GROUP,
    )
