"""How fast mail goes out and answers are read: ``./run bench mail``.

Sending: the whole outbox (rows → claimed → SMTP → marked) against a bare smtplib loop
with the same octets, the same local server in a process of its own, and as many
connections. Composing (facts → octets) is measured apart, and the outbox once more
with it. Turns are mixed, the median of each counts.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import platform
import smtplib
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience, Method
from scheduler.domain.visits import VisitState
from scheduler.mail.compose import Compose
from scheduler.mail.letter import Message
from scheduler.mail.smtp import InviteMail, SmtpPost
from scheduler.persistence.engine import make_session
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.visits import InvitationRow
from scheduler.persistence.sealed import Seal
from scheduler.services import delivery, outbox
from scheduler.services.house import House
from scheduler.services.transaction import transaction
from tests import rows
from tests.bench import inbox, reading
from tests.bench.databases import databases
from tests.mail.peers import a_post_office, free_port
from tests.mail.samples import a_compose, a_visit
from tests.rows import NOW
from tests.services.letters import Bag

SEAL = Seal(("a key for the benchmark",))
HOUSE = House(link_key=b"a key", bounce_address="retours@visits.example")
ENOUGH = 0.7


# ------------------------------------------------------------------ the server


class Dialogue(asyncio.Protocol):
    """SMTP for one connection, as little of it as smtplib needs: takes everything."""

    ANSWERS = {  # noqa: RUF012 - a constant
        b"EHLO": b"250-bench\r\n250 8BITMIME\r\n",
        b"DATA": b"354 go on\r\n",
        b"QUIT": b"221 bye\r\n",
    }

    def connection_made(self, transport: Any) -> None:
        self.transport, self.buffer, self.in_data = transport, bytearray(), False
        transport.write(b"220 bench\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = b"\r\n.\r\n" if self.in_data else b"\r\n"
            found = self.buffer.find(end, max(0, len(self.buffer) - len(data) - 5))
            if found < 0:
                return
            command = bytes(self.buffer[:4]).upper()
            del self.buffer[: found + len(end)]
            if self.in_data:
                self.in_data = False
                self.transport.write(b"250 taken\r\n")
                continue
            self.in_data = command == b"DATA"
            self.transport.write(self.ANSWERS.get(command, b"250 OK\r\n"))


def serve(port: int, ready: Any) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_server(Dialogue, "127.0.0.1", port)
        ready.set()
        await asyncio.Event().wait()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


@contextmanager
def a_server() -> Iterator[int]:
    """Its port. In a process of its own, so that it takes nobody's time."""
    context = multiprocessing.get_context("spawn")
    port, ready = free_port(), context.Event()
    process = context.Process(target=serve, args=(port, ready), daemon=True)
    process.start()
    ready.wait()
    try:
        yield port
    finally:
        process.terminate()
        process.join()


# ------------------------------------------------------------------ the outbox


def a_session(engine: Engine) -> Session:
    session = make_session(engine, SEAL)
    session.info["house"] = HOUSE
    return session


def record(session: Session, number: int) -> None:
    """So many students are invited to one visit; each has an entry of its own."""
    world = rows.store_world(session)
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    Bag().deliver(session, now=NOW)
    facts = a_visit(id=visit, state="confirmed")
    with transaction(session):
        for each in range(number):
            address = f"eleve{each}@lycee{each % 20}.example"
            invitation = InvitationRow(
                visit_id=visit,
                audience=Audience.STUDENT,
                address=SEAL.close(address),
                address_digest=SEAL.digest(address),
                uid=f"{uuid4()}@visits.example",
                dtstamp=NOW,
                created_at=NOW,
            )
            session.add(invitation)
            session.flush()
            outbox.record(
                session,
                kind="visit_confirmed",
                locale="fr",
                name="",
                address=address,
                payload={"visit": facts, "audience": "student", "link": None},
                now=NOW,
                audience=Audience.STUDENT,
                visit_id=visit,
                invitation=invitation,
                method=Method.REQUEST,
            )


def all_unsent(session: Session) -> None:
    with transaction(session):
        session.execute(
            update(MessageRow)
            .where(
                MessageRow.state == MessageState.SENT, MessageRow.method == "REQUEST"
            )
            .where(MessageRow.audience == Audience.STUDENT)
            .values(
                state=MessageState.WAITING,
                attempts=0,
                sent_at=None,
                first_tried_at=None,
            )
        )


# ------------------------------------------------------------------ what is measured


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_threads(works: Sequence[Callable[[], object]]) -> None:
    if len(works) == 1:
        works[0]()
        return
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def compose_all(
    app: Flask, compose: Compose, messages: Sequence[Message]
) -> list[InviteMail]:
    """Facts to octets."""
    with app.app_context():
        mails = [InviteMail(compose(message)) for message in messages]
        for mail in mails:
            mail.octets  # noqa: B018 - made and kept
    return mails


def bare(port: int, mails: Sequence[InviteMail], connections: int) -> float:
    """Smtplib and nothing else."""

    def send(mine: Sequence[tuple[str, str, bytes]]) -> None:
        with smtplib.SMTP("127.0.0.1", port) as host:
            for sender, recipient, octets in mine:
                host.sendmail(sender, recipient, octets)

    prepared = [(each.envelope_from, each.recipient, each.octets) for each in mails]
    works = [
        lambda mine=prepared[first::connections]: send(mine)
        for first in range(connections)
    ]
    return timed(lambda: in_threads(works))


def through_the_outbox(
    engine: Engine, post: SmtpPost, compose: Any, connections: int, expected: int
) -> float:
    """What the loop does, by as many senders as there are connections."""
    counts = []
    later = NOW + timedelta(minutes=1)

    def deliver() -> None:
        with a_session(engine) as session:
            while sent := delivery.deliver_due(
                session, compose, post, now=lambda: later, limit=500
            ):
                counts.append(sent)

    took = timed(lambda: in_threads([deliver] * connections))
    assert sum(counts) == expected, f"{sum(counts)} of {expected} went out"
    return took


def messages_of(session: Session) -> list[Message]:
    """As a sender opens them."""
    found = session.scalars(
        select(MessageRow)
        .where(MessageRow.state == MessageState.WAITING)
        .order_by(MessageRow.id)
    )
    opened = [delivery.opened(session, row) for row in found]
    session.rollback()
    return [each for each in opened if each is not None]


def measure(
    engine: Engine, port: int, *, number: int, connections: int, turns: int
) -> dict[str, float]:
    """Messages per second for each way."""
    app, compose = a_post_office(port), a_compose()
    post = SmtpPost(app)
    with a_session(engine) as session:
        all_unsent(session)
        messages = messages_of(session)
        assert len(messages) == number
        compose_all(app, compose, messages[:50])
        mails: list[InviteMail] = []
        composing = timed(lambda: mails.extend(compose_all(app, compose, messages)))
        written = {
            message.message_id: mail
            for message, mail in zip(messages, mails, strict=True)
        }
        found: dict[str, list[float]] = {"bare": [], "outbox": [], "with composing": []}
        for turn in range(turns):
            ways: list[tuple[str, Callable[[], float]]] = [
                ("bare", lambda: bare(port, mails, connections)),
                (
                    "outbox",
                    lambda: through_the_outbox(
                        engine,
                        post,
                        lambda message: written[message.message_id],
                        connections,
                        number,
                    ),
                ),
            ]
            if turn == 0:
                ways.append(
                    (
                        "with composing",
                        lambda: through_the_outbox(
                            engine, post, compose, connections, number
                        ),
                    )
                )
            for name, run in ways if turn % 2 == 0 else ways[::-1]:
                all_unsent(session)
                found[name].append(number / run())
    medians = {name: statistics.median(each) for name, each in found.items()}
    return {**medians, "composing": number / composing}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=1500)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--only", choices=["sending", "reading", "inbox"])
    given = parser.parse_args()
    print(
        f"{platform.python_implementation()} {platform.python_version()}, "
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    steps: dict[str, Callable[[], bool]] = {
        "sending": lambda: sending(given),
        "reading": reading.main,
        "inbox": lambda: inbox.main(given.databases),
    }
    good = [run() for name, run in steps.items() if given.only in {None, name}]
    return 0 if all(good) else 1


def sending(given: argparse.Namespace) -> bool:
    good = True
    with a_server() as port, databases(given.databases) as engines:
        for name, engine in engines.items():
            with a_session(engine) as session:
                record(session, given.number)
            for connections in given.connections:
                found = measure(
                    engine,
                    port,
                    number=given.number,
                    connections=connections,
                    turns=given.turns,
                )
                ratio = found["outbox"] / found["bare"]
                good &= ratio >= ENOUGH
                print(
                    f"{name:<10} {connections} connection(s): "
                    f"smtplib {found['bare']:6.0f}/s, outbox {found['outbox']:6.0f}/s, "
                    f"ratio {ratio:.2f} (wanted {ENOUGH}); composing alone "
                    f"{found['composing']:5.0f}/s, outbox with composing "
                    f"{found['with composing']:5.0f}/s"
                )
    return good


if __name__ == "__main__":
    sys.exit(main())
