"""How fast mail goes out and answers are read: ``./run bench mail``.

Sending: the whole outbox (rows → claimed → opened → SMTP → marked → committed) against
a bare smtplib loop with the same octets, the same local server in a process of its own,
and as many connections. Composing (facts → octets) is measured apart, and the outbox
once more with it. Turns are mixed, the median of each counts.

There are two servers. ``aiosmtpd``: a real one, which reads what it gets and throws it
away; it offers what an operator's relay offers, but PIPELINING. ``nothing``: answers
without looking, so that every microsecond of ours shows; no relay is as fast.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from aiosmtpd.smtp import SMTP
from flask import Flask
from sqlalchemy import update
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
from scheduler.persistence.queries import outbox as queries
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


class Reads:
    """What aiosmtpd asks; the letter is read as it must be, and dropped."""

    async def handle_DATA(self, *_about: object) -> str:  # noqa: N802 - likewise
        return "250 taken"


SERVERS: dict[str, Callable[[], asyncio.Protocol]] = {
    "aiosmtpd": lambda: SMTP(Reads(), hostname="bench"),
    "nothing": Dialogue,
}


def serve(kind: str, port: int, ready: Any) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_server(SERVERS[kind], "127.0.0.1", port)
        ready.set()
        await asyncio.Event().wait()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


@contextmanager
def a_server(kind: str) -> Iterator[int]:
    """Its port. In a process of its own, so that it takes nobody's time."""
    context = multiprocessing.get_context("spawn")
    port, ready = free_port(), context.Event()
    process = context.Process(target=serve, args=(kind, port, ready), daemon=True)
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
    found = queries.due(session, now=NOW + timedelta(minutes=1), limit=10**6)
    opened = [delivery.opened(session, row) for row in found]
    session.rollback()
    return [each for each in opened if each is not None]


@dataclass(frozen=True)
class Written:
    """The recorded messages as octets, and how many were made in a second."""

    mails: Mapping[str, InviteMail]
    a_second: float


def written(session: Session, app: Flask, compose: Compose) -> Written:
    """Everything that waits, composed."""
    messages = messages_of(session)
    compose_all(app, compose, messages[:50])
    mails: list[InviteMail] = []
    took = timed(lambda: mails.extend(compose_all(app, compose, messages)))
    names = [message.message_id for message in messages]
    return Written(dict(zip(names, mails, strict=True)), len(mails) / took)


def measure(
    engine: Engine,
    port: int,
    octets: Mapping[str, InviteMail],
    *,
    connections: int,
    turns: int,
) -> dict[str, float]:
    """Messages per second, bare and through the outbox."""
    post, number = SmtpPost(a_post_office(port)), len(octets)
    mails = list(octets.values())
    ways: list[tuple[str, Callable[[], float]]] = [
        ("bare", lambda: bare(port, mails, connections)),
        (
            "outbox",
            lambda: through_the_outbox(
                engine,
                post,
                lambda message: octets[message.message_id],
                connections,
                number,
            ),
        ),
    ]
    found: dict[str, list[float]] = {"bare": [], "outbox": []}
    with a_session(engine) as session:
        for turn in range(turns):
            for name, run in ways if turn % 2 == 0 else ways[::-1]:
                all_unsent(session)
                found[name].append(number / run())
    return {name: statistics.median(each) for name, each in found.items()}


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
    with ExitStack() as stack:
        ports = {kind: stack.enter_context(a_server(kind)) for kind in SERVERS}
        for name, engine in stack.enter_context(databases(given.databases)).items():
            good &= one_database(name, engine, ports, given)
    return good


def one_database(
    name: str, engine: Engine, ports: Mapping[str, int], given: argparse.Namespace
) -> bool:
    good, compose = True, a_compose()
    app = a_post_office(ports["aiosmtpd"])
    with a_session(engine) as session:
        record(session, given.number)
        made = written(session, app, compose)
        whole = through_the_outbox(engine, SmtpPost(app), compose, 1, given.number)
        session.rollback()
    for connections in given.connections:
        for kind, port in ports.items():
            found = measure(
                engine,
                port,
                made.mails,
                connections=connections,
                turns=given.turns,
            )
            ratio = found["outbox"] / found["bare"]
            # The other server does no work at all: shown, to see our own overhead.
            wanted = kind == "aiosmtpd"
            good &= ratio >= ENOUGH or not wanted
            print(
                f"{name:<10} {kind:<8} {connections} connection(s): "
                f"smtplib {found['bare']:6.0f}/s, outbox {found['outbox']:6.0f}/s, "
                f"ratio {ratio:.2f}" + (f" (wanted {ENOUGH})" if wanted else "")
            )
    print(
        f"{name:<10} composing alone {made.a_second:.0f}/s, "
        f"outbox with composing {given.number / whole:.0f}/s"
    )
    return good


if __name__ == "__main__":
    sys.exit(main())
