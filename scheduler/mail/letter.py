"""What goes in and what comes out of mail: a recorded message, a letter, a post.

    Message ──compose──▶ Letter ──Post.connect().send──▶ sent
                                            ├─ Undeliverable: never again
                                            └─ Deferred: later, the same letter

A message is what the outbox stored in the transaction of the change. A letter is the
same thing in words, complete and without any way back to the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Message:
    """One recipient's news of one change, as recorded: primitives only.

    ``method``, ``uid``, ``sequence`` and ``dtstamp`` come together or not at all: they
    say that a calendar entry goes with it, and they never change between attempts, so
    that a letter sent twice changes nothing (RFC 5546 §2.1.5). ``envelope_from`` is
    where a delivery report about this one message goes.
    """

    id: int
    kind: str
    locale: str
    recipient_name: str
    recipient_address: str
    payload: Mapping[str, Any]
    message_id: str
    created_at: datetime
    uid: str | None = None
    method: str | None = None
    sequence: int | None = None
    dtstamp: datetime | None = None
    references: tuple[str, ...] = ()
    envelope_from: str | None = None


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A mail in words, to exactly one person."""

    recipient_name: str
    recipient_address: str
    sender_name: str
    sender_address: str
    subject: str
    text: str
    html: str
    message_id: str
    date: datetime
    calendar: bytes | None = None
    method: str | None = None
    references: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    envelope_from: str | None = None


class NotSent(Exception):
    """The letter did not go out. ``reason`` is a short code, ``answer`` the peer's."""

    def __init__(self, reason: str, *, answer: str = "") -> None:
        super().__init__(f"{reason}: {answer}" if answer else reason)
        self.reason = reason
        self.answer = answer


class Undeliverable(NotSent):
    """It will never go out as it is (5xx, or an address nobody can have)."""


class Deferred(NotSent):
    """Not now (4xx, or the connection was lost, perhaps after it was accepted)."""


class Unreachable(Deferred):
    """No server to talk to: the other letters of this round may as well wait."""


class Courier(Protocol):
    """Carries letters over one connection."""

    def send(self, letter: Letter) -> None:
        """Return when the letter is accepted; else raise ``NotSent``."""


class Post(Protocol):
    """Where letters are handed in: SMTP, or a list in tests."""

    def connect(self) -> AbstractContextManager[Courier]:
        """One connection for as many letters as there are."""
