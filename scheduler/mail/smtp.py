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

import hashlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import cached_property
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
from scheduler.wording import clean_line

if TYPE_CHECKING:
    from flask import Flask

TIMEOUT = 20.0
SUBJECT_LIMIT = 160
# Longer names are right on the wire, but the standard library's own parser reads an
# accented one back with a blank in it; some clients share that fault.
NAME_LIMIT = 48
ANSWER_LIMIT = 200
HEADER_LIMIT = 900

PERMANENT = range(500, 600)
TOO_LARGE = 552
BAD_HEADER = "bad_header"
_ADDRESS = re.compile(r"\S+@\S+")
SENDER_REFUSED = "sender_refused"


class _Wire(EmailPolicy):
    """``SMTP``, but for subjects with accents.

    Python 3.11 folds them so that the blank between two encoded words is lost, and
    "2nde 7, Lycée" arrives as "2nde 7,Lycée".
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() == "list-unsubscribe":
            # RFC 8058 §3.1: one address, whole. Folding would cut a long one.
            return f"{name}: {value}\r\n".encode("ascii")
        if name.lower() != "subject" or value.isascii():
            return super().fold_binary(name, value)
        words = Header(str(value), "utf-8", header_name=name).encode(linesep="\r\n")
        return f"{name}: {words}\r\n".encode("ascii")


WIRE = _Wire(linesep=SMTP.linesep)


class InviteMail(flask_mail.Message):
    """One letter to one recipient as MIME; the calendar part is last and has a method.

    multipart/mixed
    ├─ multipart/alternative
    │  ├─ text/plain
    │  ├─ text/html
    │  └─ text/calendar; method=REQUEST      (RFC 6047 §2.4)
    └─ application/ics; name=invite.ics      the same octets
    """

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
        self.mime = _mime(letter, subject=subject, sender=sender, recipient=recipient)

    @cached_property
    def octets(self) -> bytes:
        """What goes over the wire."""
        return self.mime.as_bytes(policy=WIRE)

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


def _mime(letter: Letter, *, subject: str, sender: str, recipient: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(letter.sender_name, sender)
    mail["To"] = _address(letter.recipient_name, recipient)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(letter.date)
    mail["Message-ID"] = _message_id(letter.message_id)
    references = [_message_id(one) for one in letter.references]
    if references:
        mail["In-Reply-To"] = references[-1]
        mail["References"] = " ".join(references)
    for name, value in letter.headers:
        mail[_token(name)] = clean_line(value, HEADER_LIMIT)
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    if letter.calendar is not None:
        _add_calendar(mail, letter.calendar, method=_token(letter.method or ""))
    # Of the letter, not of chance: a second copy is the same, octet for octet.
    made_of = hashlib.sha256(letter.message_id.encode()).hexdigest()[:24]
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{number}_{made_of}")
    return mail


def _add_calendar(mail: EmailMessage, calendar: bytes, *, method: str) -> None:
    """Put the calendar last in the alternative, and the same octets beside it.

    As bytes: given as text, its line ends would be rewritten, and doubled ones make
    Gmail and iPhone drop the invitation. The type is set as it is to be sent: parsed,
    ``method`` would go out in quotes, which is legal but not what calendars write.
    """
    mail.add_alternative(calendar, maintype="text", subtype="calendar", cte="base64")
    part = list(mail.iter_parts())[-1]
    del part["Content-Type"]
    part.set_raw("Content-Type", f"text/calendar; charset=UTF-8; method={method}")
    mail.add_attachment(
        calendar,
        maintype="application",
        subtype="ics",
        filename="invite.ics",
        cte="base64",
        params={"name": "invite.ics"},
    )


def _address(name: str, address: str) -> Address:
    return Address(clean_line(name, NAME_LIMIT), addr_spec=address)


def _message_id(value: str) -> str:
    return f"<{_token(value).strip('<>')}>"


def _token(value: str) -> str:
    """Header values of our own making: printable ASCII without blanks, or a bug."""
    if not value or not all("!" <= character <= "~" for character in value):
        raise ValueError(BAD_HEADER)
    return value


def _words(wrong: Exception) -> str:
    return _nameless(f"{type(wrong).__name__} {wrong}")


def _nameless(answer: str) -> str:
    """Servers repeat the address that they refuse; ours are stored sealed only."""
    return clean_line(_ADDRESS.sub("…", answer), ANSWER_LIMIT)
