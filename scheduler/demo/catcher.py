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

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from scheduler.wording import clean_line

LARGEST_MAIL = 2_000_000
LARGEST_PART = 400_000
MOST_PARTS = 50
HEADER_LIMIT = 2000
SHOWN_HEADER = 300

# Made by the standard library: seconds, microseconds, process, number in the process.
_KEY = re.compile(r"(\d{1,12})\.M(\d{1,6})P(\d+)Q(\d+)\..*")

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

    def __init__(self, folder: Path, *, port: int, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self._controller = Controller(
            _Keeper(folder),
            hostname=host,
            port=port,
            data_size_limit=LARGEST_MAIL,
            ident="Mail catcher",
            ready_timeout=10,
        )

    @property
    def port(self) -> int:
        """Where it listens; another number than asked for when that was 0."""
        server = self._controller.server
        sockets = getattr(server, "sockets", None) or ()
        for each in sockets:
            return int(each.getsockname()[1])
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


class _Keeper:
    """Writes each mail to the Maildir before it says yes (RFC 5321 §6.1)."""

    def __init__(self, folder: Path) -> None:
        self._box = _box(folder)

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        content = envelope.content or b""
        self._box.add(content if isinstance(content, bytes) else content.encode())
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
    folder.parent.mkdir(parents=True, exist_ok=True)
    return mailbox.Maildir(str(folder), create=True)


def _arrival(key: str) -> tuple[int, int, int]:
    """The order of writing: the clock, then the number within the process."""
    match = _KEY.fullmatch(key)
    if match is None:
        return (0, 0, 0)
    return int(match[1]), int(match[2]), int(match[4])


def _read(key: str, raw: bytes) -> CaughtMail:
    seconds, microseconds, _number = _arrival(key)
    received_at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    mail, parts = _taken_apart(raw)
    calendar = _first(parts, "text/calendar")
    return CaughtMail(
        key=key,
        received_at=received_at,
        to=_header(mail, "To"),
        from_=_header(mail, "From"),
        subject=_header(mail, "Subject"),
        text=_decoded(_first(parts, "text/plain")),
        html=_decoded(_first(parts, "text/html")),
        calendar=None if calendar is None else _octets(calendar),
        method=None if calendar is None else _method(calendar),
        raw=raw,
    )


def _taken_apart(raw: bytes) -> tuple[Message, list[Message]]:
    """The mail and its parts; of one that is built to cost time, the headers only."""
    if raw.lower().count(b"boundary") > MOST_PARTS:
        return BytesHeaderParser().parsebytes(raw), []
    try:
        mail = message_from_bytes(raw)
        return mail, list(_leaves(mail))
    except _UNREADABLE:
        return BytesHeaderParser().parsebytes(raw), []


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
    try:
        payload = part.get_payload(decode=True)
    except _UNREADABLE:
        return b""
    return payload[:LARGEST_PART] if isinstance(payload, bytes) else b""


def _decoded(part: Message | None) -> str:
    if part is None:
        return ""
    charset = str(part.get_content_charset() or "utf-8")
    try:
        return _octets(part).decode(charset, "replace").replace("\r\n", "\n")
    except _UNREADABLE:
        return _octets(part).decode("utf-8", "replace").replace("\r\n", "\n")


def _method(part: Message) -> str | None:
    try:
        method = part.get_param("method")
    except _UNREADABLE:
        return None
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
