"""Post over Flask-Mail, with its message, its connection and its exit replaced.

Flask-Mail 0.10 stays the extension: it reads the settings and records messages in
tests. Three things in it are not fit for invitations, and each has its class here:

- ``InviteMail``: Flask-Mail puts the calendar where Thunderbird shows no buttons, sends
  8-bit lines without asking, and lets CR LF through in headers.
- ``SafeConnection``: it verifies no certificate, waits for ever, and throws the answer
  about refused recipients away.
- ``SmtpCourier``: a connection that was lost, or a QUIT that failed, says nothing about
  the letters before it.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING

import flask_mail

from scheduler.mail.address import BAD_ADDRESS, ascii_address
from scheduler.mail.dialogue import SERVICE_GOING_AWAY, hand_in
from scheduler.mail.letter import (
    Courier,
    Deferred,
    Letter,
    NotSent,
    Undeliverable,
    Unreachable,
)
from scheduler.mail.wire import BAD_HEADER, written
from scheduler.wording import clean_line

if TYPE_CHECKING:
    from flask import Flask

TIMEOUT = 20.0
SUBJECT_LIMIT = 160
ANSWER_LIMIT = 200

PERMANENT = range(500, 600)
TOO_LARGE = 552
_ADDRESS = re.compile(r"\S+@\S+")
SENDER_REFUSED = "sender_refused"


class InviteMail(flask_mail.Message):
    """One letter to one recipient, as octets."""

    def __init__(self, letter: Letter) -> None:
        recipient = ascii_address(letter.recipient_address)
        sender = ascii_address(letter.sender_address)
        subject = clean_line(letter.subject, SUBJECT_LIMIT)
        super().__init__(subject=subject, recipients=[recipient], sender=sender)
        self.body = letter.text
        self.html = letter.html
        self.msgId = letter.message_id
        self.recipient = recipient
        self.envelope_from = ascii_address(letter.envelope_from or sender)
        self.octets = written(
            letter, subject=subject, sender=sender, recipient=recipient
        )

    def as_bytes(self) -> bytes:
        return self.octets

    def as_string(self) -> str:
        return self.octets.decode("ascii")


class SafeConnection(flask_mail.Connection):
    """One SMTP dialogue: verified, bounded in time, and telling what was refused."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app.extensions["mail"])
        self.app = app

    def configure_host(self) -> smtplib.SMTP:
        timeout = float(self.app.config.get("MAIL_TIMEOUT", TIMEOUT))
        server, port = self.mail.server, self.mail.port
        host = (
            smtplib.SMTP_SSL(server, port, timeout=timeout, context=self._trusted())
            if self.mail.use_ssl
            else smtplib.SMTP(server, port, timeout=timeout)
        )
        try:
            if host.sock is not None:
                # A letter's last packet is not to wait until the others have arrived.
                host.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.mail.use_tls:
                host.starttls(context=self._trusted())
            if self.mail.username and self.mail.password:
                host.login(self.mail.username, self.mail.password)
        except OSError:
            host.close()
            raise
        return host

    def _trusted(self) -> ssl.SSLContext:
        """Made only where it is wanted: reading all certificates takes a while."""
        return ssl.create_default_context(cafile=self.app.config.get("MAIL_CA_FILE"))

    def deliver(self, message: InviteMail) -> None:
        """Return only if the server took the message for its one recipient."""
        if self.host is not None:
            hand_in(self.host, message.envelope_from, message.recipient, message.octets)
        flask_mail.email_dispatched.send(self.app, message=message)
        self.num_emails += 1

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Leave politely if possible. A failed QUIT is no failed mail."""
        host, self.host = self.host, None
        if host is None:
            return
        with suppress(OSError):
            host.quit()
        host.close()

    @property
    def usable(self) -> bool:
        """Whether another message can go out over it."""
        if self.mail.max_emails and self.num_emails >= self.mail.max_emails:
            return False
        return self.host is None or self.host.sock is not None


class SafeMail(flask_mail.Mail):
    """The extension, with connections that can be trusted."""

    def connect(self) -> SafeConnection:
        """Need the application by itself: there is no request where mail is sent."""
        if self.app is None:
            raise RuntimeError("mail_without_application")
        return SafeConnection(self.app)

    def init_app(self, app: Flask) -> flask_mail._Mail:
        self.app = app
        return super().init_app(app)


class SmtpPost:
    """Where letters are handed in. An application without the extension gets it."""

    def __init__(self, app: Flask) -> None:
        if "mail" not in app.extensions:
            SafeMail().init_app(app)
        self._app = app

    @contextmanager
    def connect(self) -> Iterator[Courier]:
        """A courier for one round. It calls the server when there is a letter."""
        courier = SmtpCourier(self._app)
        try:
            yield courier
        finally:
            courier.leave()


class SmtpCourier:
    """Sends letter after letter over one connection, and makes a new one when lost.

    Not to be shared by threads: their dialogues would mix.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._connection: SafeConnection | None = None

    def send(self, letter: Letter | InviteMail) -> None:
        """Return when the server has taken the letter; else say why not.

        One that is written already goes as it is.
        """
        mail = letter if isinstance(letter, InviteMail) else self._mime(letter)
        connection = self._connected()
        try:
            connection.deliver(mail)
        except OSError as wrong:
            # What smtplib raises is an OSError too.
            raise self._verdict(wrong) from wrong

    def leave(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.__exit__(None, None, None)

    def _mime(self, letter: Letter) -> InviteMail:
        try:
            with self._app.app_context():
                return InviteMail(letter)
        except ValueError as wrong:
            known = str(wrong) in {BAD_ADDRESS, BAD_HEADER}
            raise Undeliverable(str(wrong) if known else "not_writable") from wrong

    def _connected(self) -> SafeConnection:
        if self._connection is not None and self._connection.usable:
            return self._connection
        self.leave()
        connection = SafeConnection(self._app)
        try:
            connection.__enter__()
        except OSError as wrong:
            raise Unreachable("no_connection", answer=_words(wrong)) from wrong
        self._connection = connection
        return connection

    def _verdict(self, wrong: OSError) -> NotSent:
        """What an error means for the letter; only the letter's own end it."""
        if isinstance(wrong, smtplib.SMTPRecipientsRefused):
            code, answer = next(iter(wrong.recipients.values()))
            return self._refused("recipient_refused", code, answer)
        if isinstance(wrong, smtplib.SMTPSenderRefused):
            return self._refused(SENDER_REFUSED, wrong.smtp_code, wrong.smtp_error)
        if isinstance(wrong, smtplib.SMTPDataError):
            return self._refused("message_refused", wrong.smtp_code, wrong.smtp_error)
        # Lost, perhaps after the final dot: whether it was taken nobody knows. The same
        # letter goes again, with the same Message-ID, UID, SEQUENCE and DTSTAMP.
        self.leave()
        return Deferred("connection_lost", answer=_words(wrong))

    def _refused(self, reason: str, code: int, answer: bytes | str) -> NotSent:
        if code == SERVICE_GOING_AWAY:
            self.leave()
        said = answer if isinstance(answer, str) else answer.decode("utf-8", "replace")
        words = _nameless(f"{code} {said}")
        # The sender is ours: a wrong setting must not kill every letter that waits.
        ours = reason == SENDER_REFUSED and code != TOO_LARGE
        if code in PERMANENT and not ours:
            return Undeliverable(reason, answer=words)
        return Deferred(reason, answer=words)


def _words(wrong: Exception) -> str:
    return _nameless(f"{type(wrong).__name__} {wrong}")


def _nameless(answer: str) -> str:
    """Servers repeat the address that they refuse; ours are stored sealed only."""
    return clean_line(_ADDRESS.sub("…", answer), ANSWER_LIMIT)
