"""Kill -9 of the worker while it sends.

Nothing is lost, the newest revision arrives, and what arrives twice is one letter.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy.orm import Session

from scheduler import paths
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.outbox import MessageState
from scheduler.services.delivery import GROUP
from scheduler.services.transaction import transaction
from tests import rows
from tests.conftest import SEAL_KEY
from tests.mail.peers import free_port
from tests.rows import NOW
from tests.services.letters import Bag, invite, messages, revise

STUDENTS = 300
# The worker dies after this many letters: twice before the server could say yes, once
# after it did; between them the visit changes.
KILLS = (70, 90, 110)
CHANGED_BEFORE = 1
PATIENCE_SECONDS = 240
LEASE_OVER = timedelta(minutes=3)


@dataclass
class MailServer:
    """Real SMTP. ``kill_after``: letters until the worker is killed, in mid-answer."""

    letters: list[Message] = field(default_factory=list)
    worker: subprocess.Popen[bytes] | None = None
    kill_after: int = 0
    before_yes: bool = True
    dead: threading.Event = field(default_factory=threading.Event)

    async def handle_DATA(self, *about):  # noqa: N802 - aiosmtpd calls it so
        self.letters.append(message_from_bytes(about[-1].content))
        self.kill_after -= 1
        if self.kill_after == 0 and self.worker is not None:
            if self.before_yes:
                self._kill()
            else:
                threading.Timer(0.01, self._kill).start()
        return "250 OK"

    def _kill(self) -> None:
        if self.worker is not None:
            os.kill(self.worker.pid, signal.SIGKILL)
        self.dead.set()


@contextmanager
def serving(server: MailServer) -> Iterator[int]:
    controller = Controller(server, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def a_worker(
    database_url: str, folder: Path, *, port: int, starts_at: datetime
) -> Iterator[subprocess.Popen[bytes]]:
    """The real process, whose clock begins when the dead one's leases are over."""
    process = subprocess.Popen(
        (sys.executable, "-m", "scheduler.cli", "worker"),
        cwd=folder,
        env={
            **os.environ,
            "CLOCK_STARTS_AT": starts_at.isoformat(),
            "DATABASE_URL": database_url,
            "OUTBOX_SECONDS": "1",
            "PYTHONPATH": str(paths.ROOT),
            "SEAL_KEYS": SEAL_KEY,
            "SECRET_KEY": "a secret for tests",
            "SMTP_PORT": str(port),
        },
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.long
def test_kill_9_in_the_middle_of_sending(
    session: Session, world: rows.World, database_url: str, tmp_path: Path
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    Bag().deliver(session, now=NOW)
    addresses = [f"eleve{number:03}@example.org" for number in range(STUDENTS)]
    with transaction(session):
        invitations = [invite(session, visit, each, now=NOW) for each in addresses]
    first = {row.message_id for row in messages(session)[-STUDENTS:]}
    session.rollback()
    server = MailServer()

    with serving(server) as port:
        for turn, kill_after in enumerate(KILLS):
            if turn == CHANGED_BEFORE:
                with transaction(session):
                    for invitation in invitations:
                        revise(session, invitation, now=NOW)
            server.kill_after, server.before_yes = kill_after, turn != 1
            server.dead.clear()
            with a_worker(
                database_url, tmp_path, port=port, starts_at=NOW + turn * LEASE_OVER
            ) as server.worker:
                assert server.dead.wait(PATIENCE_SECONDS)
                assert server.worker.wait() == -signal.SIGKILL
        server.worker = None
        with a_worker(
            database_url, tmp_path, port=port, starts_at=NOW + len(KILLS) * LEASE_OVER
        ) as last:
            wait_until_nothing_waits(session)
            last.terminate()
            code = last.wait(PATIENCE_SECONDS)

    recorded = messages(session)[-2 * STUDENTS :]
    newest = {row.message_id for row in recorded} - first
    received = [letter["Message-ID"] for letter in server.letters]
    by_id = {letter["Message-ID"]: letter for letter in server.letters}
    assert code == 0
    assert {by_id[each]["To"] for each in newest} == set(addresses)
    assert {sequence(by_id[each]) for each in newest} == {1}
    assert len(received) > len(set(received)), "no letter was caught in mid-answer"
    assert len(received) - len(set(received)) <= len(KILLS) * GROUP
    assert set(received) <= first | newest
    for message_id in set(received):
        copies = [each for each in server.letters if each["Message-ID"] == message_id]
        assert len({calendar(copy) for copy in copies}) == 1
    assert {row.state for row in recorded if row.message_id in newest} == {
        MessageState.SENT
    }
    assert {row.state for row in recorded if row.message_id in first} <= {
        MessageState.SENT,
        MessageState.SUPERSEDED,
    }


def wait_until_nothing_waits(session: Session) -> None:
    waiting = {MessageState.WAITING, MessageState.SENDING}
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 4):
        if not waiting & {row.state for row in messages(session)}:
            session.rollback()
            return
        session.rollback()
        pause.wait(0.25)
    raise AssertionError("messages are still waiting")


def calendar(letter: Message) -> bytes:
    (part,) = [
        part for part in letter.walk() if part.get_content_type() == "text/calendar"
    ]
    return part.get_payload(decode=True)


def sequence(letter: Message) -> int:
    (line,) = [
        line for line in calendar(letter).splitlines() if line.startswith(b"SEQUENCE:")
    ]
    return int(line.removeprefix(b"SEQUENCE:"))
