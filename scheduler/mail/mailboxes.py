"""Where answers arrive: a Maildir on this machine, or a folder of an IMAP server.

    arrived() ──▶ octets ──(the caller commits)──▶ put_away()

A message is put away only when the caller says so: whatever stops the reader, it is
there again at the next look. One that cannot be opened or put away is left behind, and
comes after all others from then on: it holds up none of them. Of a message that is too
large only the beginning is fetched; its true size comes with it.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import structlog
from imapclient import SEEN, IMAPClient, SocketTimeout
from imapclient.exceptions import (
    IMAPClientAbortError,
    IMAPClientError,
    LoginError,
)

from scheduler.mail.received import LARGEST

ENOUGH = LARGEST + 1
AT_ONCE = 500
CONNECT_SECONDS, READ_SECONDS = 10, 30
NEW, CUR = "new", "cur"
# RFC 3501 §2.3.2; in a Maildir the same flag is an S after ":2,".
INFO, READ = ":2,", "S"
SAID_NO = "server_said_no"

log = structlog.get_logger()


class Unreadable(Exception):
    """The mailbox cannot be reached or opened. ``reason`` is a short code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A message, or its beginning; ``size`` is that of the whole.

    ``last``: nothing comes after it that is known to be good, and whoever asks for more
    may not be able to put it away.
    """

    octets: bytes
    size: int
    put_away: Callable[[], None]
    last: bool = False


class Mailbox(Protocol):
    """Something that letters arrive in."""

    def arrived(self) -> Iterable[Arrived]:
        """What nobody has put away yet, the oldest first. Raises ``Unreadable``."""

    def look(self) -> int:
        """How many wait. Raises ``Unreadable``."""


@dataclass(frozen=True, kw_only=True)
class Maildir:
    """Any mail server can deliver into one, and so does the demo's mail catcher.

    A message moves from ``new`` to ``cur`` with the flag for "read" in one rename.
    """

    folder: Path
    _left: set[str] = field(default_factory=set, compare=False, repr=False)

    def arrived(self) -> Iterator[Arrived]:
        """The unread messages. One that cannot be opened is left for the next look."""
        for path in self._unread()[:AT_ONCE]:
            try:
                with path.open("rb") as stream:
                    size = os.fstat(stream.fileno()).st_size
                    octets = stream.read(ENOUGH)
            except OSError as wrong:
                log.warning("mail_file_unreadable", reason=type(wrong).__name__)
                self._left.add(path.name)
                continue
            yield Arrived(octets=octets, size=size, put_away=self._mark(path))

    def look(self) -> int:
        """How many are unread."""
        return len(self._unread())

    def make(self) -> None:
        """The three folders, if they are not there."""
        for part in ("tmp", NEW, CUR):
            (self.folder / part).mkdir(parents=True, exist_ok=True)

    def deliver(self, octets: bytes, *, name: str) -> None:
        """Put a message in: written whole in ``tmp``, then renamed into ``new``."""
        self.make()
        written = self.folder / "tmp" / name
        written.write_bytes(octets)
        written.rename(self.folder / NEW / name)

    def forget_before(self, moment: float) -> int:
        """Delete what was read and arrived before a moment (POSIX time)."""
        gone = 0
        for path in self._files(CUR):
            with suppress(OSError):
                if READ in _flags(path) and path.stat().st_mtime < moment:
                    path.unlink()
                    gone += 1
        return gone

    def _unread(self) -> list[Path]:
        if not self.folder.is_dir():
            raise Unreadable("no_such_folder")
        found = [
            *self._files(NEW),
            *(path for path in self._files(CUR) if READ not in _flags(path)),
        ]
        self._left.intersection_update(path.name for path in found)
        return sorted(found, key=lambda path: (path.name in self._left, *_age(path)))

    def _files(self, part: str) -> list[Path]:
        place = self.folder / part
        if not place.is_dir():
            return []
        with os.scandir(place) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if entry.is_file(follow_symlinks=False)
                and not entry.name.startswith(".")
            ]

    def _mark(self, path: Path) -> Callable[[], None]:
        def mark() -> None:
            name, _, _ = path.name.partition(INFO)
            flags = "".join(sorted({*_flags(path), READ}))
            cur = self.folder / CUR
            try:
                cur.mkdir(exist_ok=True)
                path.rename(cur / f"{name}{INFO}{flags}")
            except FileNotFoundError:
                # Gone already: another reader was as fast, and found it known.
                return
            except OSError as wrong:
                log.warning("mail_not_put_away", reason=type(wrong).__name__)
                self._left.add(path.name)

        return mark


def _flags(path: Path) -> str:
    return path.name.partition(INFO)[2]


def _age(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except OSError:
        return 0.0, path.name


@dataclass(frozen=True, kw_only=True)
class ImapMailbox:
    """A folder of an IMAP server.

    ``done_folder``: where messages go that were read; without one they get the flag
    "seen", and nobody else should read that mailbox. ``tls``: "tls", "starttls", or
    "none" for a server on the same machine.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    done_folder: str = ""
    tls: str = "tls"
    trust: ssl.SSLContext | None = field(default=None, repr=False)
    _left: set[int] = field(default_factory=set, compare=False, repr=False)

    def arrived(self) -> Iterator[Arrived]:
        """The messages that wait, over one connection, each fetched when asked for."""
        with self._connection() as client:
            # One is held back, to know whether another one comes after it.
            held: Arrived | None = None
            for uid in self._waiting(client)[:AT_ONCE]:
                if held is not None and uid in self._left:
                    yield replace(held, last=True)
                    held = None
                found = None
                with self._leaving_behind(uid, "mail_not_fetched"):
                    found = _fetched(client, uid)
                if found is None:
                    continue
                if held is not None:
                    yield held
                octets, size = found
                put_away = self._mark(client, uid)
                held = Arrived(octets=octets, size=size, put_away=put_away)
            if held is not None:
                yield replace(held, last=True)

    def look(self) -> int:
        """How many wait."""
        with self._connection() as client:
            return len(self._waiting(client))

    @contextmanager
    def _connection(self) -> Iterator[IMAPClient]:
        """A connection that is signed in, with the folder open."""
        with _told():
            client = self._signed_in()
        try:
            with _told():
                client.select_folder(self.folder)
                yield client
        finally:
            with suppress(OSError, IMAPClientError):
                client.logout()

    def _signed_in(self) -> IMAPClient:
        # Verified against the system's authorities, the host's name included.
        trust = self.trust or ssl.create_default_context()
        client = IMAPClient(
            self.host,
            port=self.port,
            ssl=self.tls == "tls",
            ssl_context=trust if self.tls == "tls" else None,
            timeout=SocketTimeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        )
        try:
            if self.tls == "starttls":
                client.starttls(ssl_context=trust)
            client.login(self.user, self.password)
        except BaseException:
            with suppress(OSError, IMAPClientError):
                client.shutdown()
            raise
        return client

    def _waiting(self, client: IMAPClient) -> list[int]:
        """What is left in the folder; without a second folder, what is unseen."""
        found = client.search("ALL" if self.done_folder else "UNSEEN")
        self._left.intersection_update(found)
        return sorted(found, key=lambda uid: (uid in self._left, uid))

    @contextmanager
    def _leaving_behind(self, uid: int, event: str) -> Iterator[None]:
        """Go on without this message, unless the connection is gone."""
        try:
            with _told():
                yield
        except Unreadable as wrong:
            self._left.add(uid)
            if wrong.reason != SAID_NO:
                raise
            log.warning(event, reason=wrong.reason)

    def _mark(self, client: IMAPClient, uid: int) -> Callable[[], None]:
        def mark() -> None:
            with self._leaving_behind(uid, "mail_not_put_away"):
                if self.done_folder:
                    _move(client, uid, self.done_folder)
                else:
                    client.add_flags([uid], [SEEN], silent=True)

        return mark


def _move(client: IMAPClient, uid: int, folder: str) -> None:
    if not client.folder_exists(folder):
        client.create_folder(folder)
    if client.has_capability("MOVE"):
        client.move([uid], folder)
        return
    client.copy([uid], folder)
    client.delete_messages([uid], silent=True)
    if client.has_capability("UIDPLUS"):
        client.uid_expunge([uid])


def _fetched(client: IMAPClient, uid: int) -> tuple[bytes, int] | None:
    """The octets and the size of a message; nothing if it has gone meanwhile.

    PEEK leaves the flag "seen" alone. The size is asked first, and never more than we
    read is fetched (RFC 3501 §6.4.5).
    """
    told = client.fetch([uid], ["RFC822.SIZE"]).get(uid)
    if told is None:
        return None
    size = int(told[b"RFC822.SIZE"])
    asked = "BODY.PEEK[]" if size < ENOUGH else f"BODY.PEEK[]<0.{ENOUGH}>"
    found: dict[Any, Any] = client.fetch([uid], [asked]).get(uid, {})
    for key, value in found.items():
        if key.startswith(b"BODY[]") and isinstance(value, bytes):
            return value, size
    return None


@contextmanager
def _told() -> Iterator[None]:
    """What a server or the way to it may do to us, as one kind of trouble.

    The server's own words may repeat what was sent, so they go no further.
    """
    try:
        yield
    except LoginError:
        raise Unreadable("login_refused") from None
    except ssl.SSLError:
        raise Unreadable("certificate_refused") from None
    except OSError:
        raise Unreadable("connection_lost") from None
    except IMAPClientError as wrong:
        lost = isinstance(wrong, IMAPClientAbortError)
        raise Unreadable("connection_lost" if lost else SAID_NO) from None
