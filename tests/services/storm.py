"""A mail server on a bad day, and a sender in a process of its own to be killed."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess

from aiosmtpd.controller import Controller

from scheduler.mail.smtp import SmtpPost
from scheduler.persistence.engine import make_engine, make_session
from scheduler.persistence.sealed import Seal
from scheduler.services import delivery
from scheduler.services.house import House
from tests.mail.peers import a_post_office, free_port
from tests.mail.samples import a_compose
from tests.processes import PROCESSES

DROPPED = 57
LONGEST_LIFE_SECONDS = 120.0
# Of ten senders three are killed by the clock, whatever they are at.
BY_THE_CLOCK = 0.3


def is_refused(address: str) -> bool:
    return number_of(address) % 23 == 7


def is_deferred(address: str) -> bool:
    return number_of(address) % 17 == 5


def number_of(address: str) -> int:
    return int(address.partition("@")[0].removeprefix("eleve"))


class BadDay:
    """Refuses some, defers some twice, and drops the line at the 57th letter.

    ``kill_after``: letters until the sender is killed, in the middle of something.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.letters: list[bytes] = []
        self.recipients: list[str] = []
        self.tries: Counter[str] = Counter()
        self.given = 0
        self.sender: BaseProcess | None = None
        self.kill_after = 0
        self.delay = 0.0
        self._controller: Controller | None = None

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd calls it so
        self.tries[address] += 1
        if is_refused(address):
            return "550 5.1.1 no such user here"
        if is_deferred(address) and self.tries[address] <= 2:
            return "451 4.3.0 not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802 - likewise
        self.given += 1
        if self.given == DROPPED:
            server.transport.abort()
            return "250 OK"
        self.letters.append(envelope.content)
        self.recipients.append(envelope.rcpt_tos[0])
        self.kill_after -= 1
        if self.kill_after == 0:
            threading.Timer(self.delay, self.kill).start()
        return "250 OK"

    def kill(self) -> None:
        sender = self.sender
        if sender is not None and sender.pid is not None:
            # Both the letter and the time may have come to kill it.
            with suppress(ProcessLookupError):
                os.kill(sender.pid, signal.SIGKILL)

    @contextmanager
    def up(self) -> Iterator[None]:
        """Connections are refused before and after."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        try:
            yield
        finally:
            self._controller.stop()

    def kill_at_random(
        self, luck: random.Random, *, url: str, seal_key: str, now: datetime
    ) -> None:
        """Start a sender and kill it after some letters, some time, or idle."""
        self.kill_after = luck.randint(1, 30)
        self.delay = luck.choice((0.0, luck.uniform(0, 0.02)))
        self.sender = PROCESSES.Process(
            target=send_for_ever, args=(url, seal_key, self.port, now.isoformat())
        )
        self.sender.start()
        if luck.random() < BY_THE_CLOCK:
            self.sender.join(luck.uniform(0.05, 0.4))
            self.kill()
        self.sender.join(LONGEST_LIFE_SECONDS)
        assert self.sender.exitcode == -signal.SIGKILL
        self.sender = None


def send_for_ever(url: str, seal_key: str, port: int, now: str) -> None:
    """What a worker does, without its loop: it looks for mail again and again.

    Once it can send none it dies like the others, so that no test waits for that.
    """
    house = House(link_key=b"a key", bounce_address="retours@visits.example")
    at = datetime.fromisoformat(now)
    compose, post = a_compose(), SmtpPost(a_post_office(port))
    pause = threading.Event()
    with make_session(make_engine(url), Seal((seal_key,))) as session:
        session.info["house"] = house
        for turn in range(10_000):
            clock = at + timedelta(milliseconds=turn * 20)
            sent = delivery.deliver_due(session, compose, post, now=lambda at=clock: at)
            pause.wait(0.02)
            if not sent:
                os.kill(os.getpid(), signal.SIGKILL)
