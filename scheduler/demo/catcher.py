"""The demo's mail catcher: a real SMTP server on this machine and a Maildir behind it.

It takes what anybody on this machine sends, so it trusts nothing of it: sizes are
bounded before reading, headers are read by the plain parser (the one that decodes
while parsing takes quadratic time on purpose-made headers), and a mail that cannot be
taken apart is still listed, with its raw source.
"""

from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from scheduler.mail.mailboxes import Maildir
from scheduler.wording import clean_line

LARGEST_MAIL = 2_000_000
LARGEST_PART = 400_000
LARGEST_HEAD = 16_000
MOST_PARTS = 50
# Lines that begin like a part; text may have them too.
MOST_RULES = 500
HEADER_LIMIT = 2000
SHOWN_HEADER = 300

# Made by the standard library: seconds, microseconds, process, number in the process.
_KEY = re.compile(r"(\d{1,12})\.M(\d{1,6})P(\d+)Q(\d+)\..*")

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")

# What reading a mail that was made to break readers is known to raise.
_UNREADABLE = (
    AttributeError,
    IndexError,
    KeyError,
    LookupError,
    MessageError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, kw_only=True)
class CaughtMail:
    """A mail as it came in. Everything is untrusted text, the HTML most of all."""

    key: str
    received_at: datetime
    to: str
    from_: str
    subject: str
    text: str
    html: str
    calendar: bytes | None
    method: str | None
    raw: bytes


class Catcher:
    """The SMTP server, from ``start`` to ``stop``; a context manager in tests."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        host: str = "127.0.0.1",
        answers: Answers | None = None,
    ) -> None:
        self.folder = folder
        self._controller = Controller(
            _Keeper(folder, answers),
            hostname=host,
            port=port,
            data_size_limit=LARGEST_MAIL,
            ident="Mail catcher",
            ready_timeout=10,
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; what was caught stays."""
        self._controller.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.stop()


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Where mail to the service itself goes: what its loop reads.

    ``addresses`` are ORGANIZER and the return address, without what follows a ``+``.
    """

    mailbox: Maildir
    addresses: frozenset[str]

    def are_meant(self, recipient: str) -> bool:
        """Whether this recipient is the service."""
        name, _, domain = recipient.lower().rpartition("@")
        return f"{name.partition('+')[0]}@{domain}" in self.addresses


class _Keeper:
    """Writes each mail to the Maildir before it says yes (RFC 5321 §6.1)."""

    def __init__(self, folder: Path, answers: Answers | None) -> None:
        self._box = _box(folder)
        self._answers = answers

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        content = envelope.content or b""
        octets = content if isinstance(content, bytes) else content.encode()
        meant = self._answers
        if meant is not None and any(map(meant.are_meant, envelope.rcpt_tos)):
            # What a delivering server adds: a delivery report is known by it.
            to = clean_line(envelope.rcpt_tos[0])
            named = f"Delivered-To: {to}\r\n".encode() + octets
            meant.mailbox.deliver(named, name=f"{uuid4().hex}.demo")
            return "250 Kept"
        self._box.add(octets)
        return "250 Kept"


def caught_keys(folder: Path) -> list[str]:
    """The keys of all mails, the newest first."""
    if not folder.is_dir():
        return []
    return sorted(_box(folder).keys(), key=_arrival, reverse=True)


def caught_mails(folder: Path, *, limit: int = 200) -> list[CaughtMail]:
    """The newest mails, the newest first."""
    found = (read_caught(folder, key) for key in caught_keys(folder)[:limit])
    return [mail for mail in found if mail is not None]


def read_caught(folder: Path, key: str) -> CaughtMail | None:
    """One mail, or ``None`` if there is none of that key."""
    if not folder.is_dir() or not _KEY.fullmatch(key) or "/" in key:
        return None
    try:
        raw = _box(folder).get_bytes(key)
    except (KeyError, OSError):
        return None
    return _read(key, raw)


def _box(folder: Path) -> mailbox.Maildir:
    # ``create`` leaves a folder that exists, but is empty, as it is.
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return mailbox.Maildir(str(folder))


def _arrival(key: str) -> tuple[int, int, int]:
    """The order of writing: the clock, then the number within the process."""
    match = _KEY.fullmatch(key)
    if match is None:
        return (0, 0, 0)
    return int(match[1]), int(match[2]), int(match[4])


@dataclass(frozen=True, kw_only=True)
class _Contents:
    text: str = ""
    html: str = ""
    calendar: bytes | None = None
    method: str | None = None


def _read(key: str, raw: bytes) -> CaughtMail:
    seconds, microseconds, _number = _arrival(key)
    received_at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    headers = BytesHeaderParser().parsebytes(_head(raw))
    contents = _contents(raw)
    return CaughtMail(
        key=key,
        received_at=received_at,
        to=_header(headers, "To"),
        from_=_header(headers, "From"),
        subject=_header(headers, "Subject"),
        text=contents.text,
        html=contents.html,
        calendar=contents.calendar,
        method=contents.method,
        raw=raw,
    )


def _head(raw: bytes) -> bytes:
    """The header lines only: the parser would cut the whole body into lines."""
    cut = raw[:LARGEST_HEAD]
    return _BLANK_LINE.split(cut, maxsplit=1)[0]


def _contents(raw: bytes) -> _Contents:
    """What is in the parts; nothing, if the mail is built to cost time or to break."""
    if raw.lower().count(b"boundary") > MOST_PARTS or raw.count(b"\n--") > MOST_RULES:
        return _Contents()
    head = _head(raw)
    if len(head) == LARGEST_HEAD:
        return _Contents()
    try:
        parts = list(_leaves(message_from_bytes(raw)))
        calendar = _first(parts, "text/calendar")
        return _Contents(
            text=_decoded(_first(parts, "text/plain")),
            html=_decoded(_first(parts, "text/html")),
            calendar=None if calendar is None else _octets(calendar),
            method=None if calendar is None else _method(calendar),
        )
    except _UNREADABLE:
        return _Contents()


def _leaves(mail: Message) -> Iterator[Message]:
    """The parts that are no containers, without recursion and not too many."""
    waiting = [mail]
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        if len(str(part.get("Content-Type", ""))) > HEADER_LIMIT:
            continue
        inside = part.get_payload()
        if part.is_multipart() and isinstance(inside, list):
            waiting[:0] = [each for each in inside if isinstance(each, Message)]
        else:
            yield part


def _first(parts: list[Message], content_type: str) -> Message | None:
    for part in parts:
        if (
            part.get_content_type() == content_type
            and "Content-Disposition" not in part
        ):
            return part
    return None


def _octets(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload[:LARGEST_PART] if isinstance(payload, bytes) else b""


def _decoded(part: Message | None) -> str:
    """The text of a part; of one in an unknown charset, what UTF-8 makes of it."""
    if part is None:
        return ""
    octets = _octets(part)
    charset = str(part.get_content_charset() or "utf-8")
    try:
        text = octets.decode(charset, "replace")
    except (LookupError, ValueError):
        text = octets.decode("utf-8", "replace")
    return text.replace("\r\n", "\n")


def _method(part: Message) -> str | None:
    method = part.get_param("method")
    return clean_line(method.upper(), 20) if isinstance(method, str) else None


def _header(mail: Message, name: str) -> str:
    """A header in words. Cut before decoding, so that its cost is bounded too."""
    value = str(mail.get(name, ""))[:HEADER_LIMIT]
    try:
        pieces = [
            piece.decode(charset or "ascii", "replace")
            if isinstance(piece, bytes)
            else piece
            for piece, charset in decode_header(value)
        ]
    except _UNREADABLE:
        pieces = [value]
    return clean_line("".join(pieces), SHOWN_HEADER)
