"""The demo as its users have it: a process of its own, its pages, its mail.

Nothing is replaced: gunicorn, the loop, SMTP and the mail catcher are the real ones.
Only the day is fixed, so that the sample's slots lie ahead whenever tests run.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from scheduler.demo.catcher import (
    CaughtMail,
    caught_keys,
    caught_mails,
    read_caught,
)

ROOT = Path(__file__).resolve().parents[2]
MORNING = "2026-11-23T07:30:00+00:00"
"""The day of the journeys: Monday 23 November 2026, half past eight in Paris."""

ANY_LINK = re.compile(r"http://127\.0\.0\.1:\d+((?:/sign-in|/h|/c|/r|/u)/[\w.-]*[\w-])")
START_SECONDS = 90
MAIL_SECONDS = 30
LINK = re.compile(r"http://127\.0\.0\.1:\d+((?:/sign-in|/h|/c)/[\w.-]*[\w-])")
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a program without a browser gets: a mail scanner, a calendar."""

    status: int
    body: str
    content_type: str


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A running demo."""

    url: str
    folder: Path

    @property
    def mailbox(self) -> Path:
        return self.folder / "mailbox"

    def ask(self, path: str, *, method: str = "GET") -> Answer:
        """One request without cookies and without following redirects."""
        address = path if path.startswith("http") else self.url + path
        request = Request(address, method=method)  # noqa: S310 - always http
        try:
            with urlopen(request, timeout=20) as reply:  # noqa: S310
                return _answer(reply.status, reply)
        except HTTPError as error:
            with error:
                return _answer(error.code, error)

    def health(self) -> dict[str, object]:
        """What ``/healthz`` says."""
        found: dict[str, object] = json.loads(self.ask("/healthz").body)
        return found

    def is_quiet(self) -> bool:
        """Whether every letter has left."""
        messages = self.health()["messages"]
        return isinstance(messages, dict) and messages["waiting"] == 0

    def wait_until_quiet(self) -> None:
        until(lambda: self.is_quiet() or None, what="an empty outbox")

    def postbox(self) -> Postbox:
        """The mail from now on."""
        self.wait_until_quiet()
        return Postbox(self, set(caught_keys(self.mailbox)))


@dataclass
class Postbox:
    """Mails that came in since it was made; each is handed out once."""

    demo: Demo
    seen: set[str] = field(default_factory=set)

    def arrived(self) -> list[CaughtMail]:
        """What nobody has taken yet, the oldest first."""
        keys = [key for key in caught_keys(self.demo.mailbox) if key not in self.seen]
        mails = [read_caught(self.demo.mailbox, key) for key in reversed(keys)]
        return [mail for mail in mails if mail is not None]

    def take(self, *, to: str, subject: str = "") -> CaughtMail:
        """Wait for the next mail to this address."""

        def look() -> CaughtMail | None:
            return next(
                (
                    mail
                    for mail in self.arrived()
                    if f"<{to}>" in mail.to or mail.to == to
                    if subject in mail.subject
                ),
                None,
            )

        mail = until(look, what=f"a mail to {to} “{subject}”", instead=self)
        self.seen.add(mail.key)
        return mail

    def __str__(self) -> str:
        return "; ".join(f"{mail.to}: {mail.subject}" for mail in self.arrived())

    def take_rest(self) -> list[CaughtMail]:
        """Everything else, once the outbox is empty."""
        self.demo.wait_until_quiet()
        rest = self.arrived()
        self.seen.update(mail.key for mail in rest)
        return rest


def link_in(mail: CaughtMail) -> str:
    """The path of a mail's personal link, as its plain text shows it."""
    found = LINK.search(mail.text)
    assert found, mail.text
    return found[1]


def links_in_mails(demo: Demo) -> list[str]:
    """Every personal link that is in the mailbox, the newest first."""
    demo.wait_until_quiet()
    return [
        match[1]
        for mail in caught_mails(demo.mailbox)
        for match in ANY_LINK.finditer(mail.text)
    ]


def newest_links(demo: Demo) -> list[str]:
    """One personal link of each kind, the newest."""
    found: dict[str, str] = {}
    for path in links_in_mails(demo):
        found.setdefault(path.rpartition("/")[0], path)
    return list(found.values())


def until(
    look: Callable[[], Found | None], *, what: str, instead: object = ""
) -> Found:
    """Look again and again until there is something; a test never waits for ever."""
    end = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {MAIL_SECONDS} s for {what}; there is: {instead}")


@contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """``python -m scheduler.cli demo`` on free ports, ended with its last test."""
    port, mail_port = _free_port(), _free_port()
    ports = ["--port", str(port), "--mail-port", str(mail_port)]
    demo = Demo(url=f"http://127.0.0.1:{port}", folder=folder)
    with (folder / "output.txt").open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "scheduler.cli", "demo", *ports],
            cwd=ROOT,
            env=_environment(folder),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for_start(demo, process)
            yield demo
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)


def _environment(folder: Path) -> dict[str, str]:
    """The caller's environment without its settings of the service."""
    needed = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "COVERAGE_")
    kept = {name: text for name, text in os.environ.items() if name.startswith(needed)}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"sqlite:///{folder / 'visits.db'}",
        "MAILBOX_DIR": str(folder / "mailbox"),
        "CLOCK_STARTS_AT": MORNING,
        "OUTBOX_SECONDS": "1",
    }


def _wait_for_start(demo: Demo, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if demo.ask("/healthz").status == 200:
                return
        except (URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.2)
    output = (demo.folder / "output.txt").read_text(encoding="utf-8")
    raise AssertionError(f"the demo did not start:\n{output}")


def _answer(status: int, reply: object) -> Answer:
    body = reply.read()  # type: ignore[attr-defined]
    content_type = reply.headers.get("Content-Type", "")  # type: ignore[attr-defined]
    return Answer(
        status=status,
        body=body.decode("utf-8", "replace"),
        content_type=content_type,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
