"""A letter as the octets that go over the wire: printable ASCII, short lines, CRLF.

    multipart/mixed
    ├─ multipart/alternative
    │  ├─ text/plain
    │  ├─ text/html
    │  └─ text/calendar; method=REQUEST      (RFC 6047 §2.4)
    └─ application/ics; name=invite.ics      the same octets

Without a calendar there is the alternative alone. The shape is always the same, so it
is written; the standard library's EmailMessage would parse what it is given and write
it again, five milliseconds a letter. It only folds the headers that are long or have
accents. A test has it build the same letters and compares them octet for octet.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from email.header import Header
from email.headerregistry import Address
from email.policy import SMTP, EmailPolicy
from email.quoprimime import body_encode
from email.utils import format_datetime
from functools import lru_cache

from scheduler.mail.letter import Letter
from scheduler.wording import clean_line

# Longer names are right on the wire, but the standard library's own parser reads an
# accented one back with a blank in it; some clients share that fault.
NAME_LIMIT = 48
HEADER_LIMIT = 900
LINE_LIMIT = 78
BAD_HEADER = "bad_header"

# What no header needs quotes, folding or encoded words for.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_PLAIN_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")

_TEXT = (
    'Content-Type: text/{}; charset="utf-8"\r\n'
    "Content-Transfer-Encoding: quoted-printable\r\n"
)
_VERSION = "MIME-Version: 1.0\r\n"
_BASE64 = "Content-Transfer-Encoding: base64\r\n"
_CALENDAR = "Content-Type: text/calendar; charset=UTF-8; method={}\r\n"
_ATTACHED = (
    'Content-Disposition: attachment; filename="invite.ics"\r\n'
    'Content-Type: application/ics; name="invite.ics"\r\n'
)


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


def written(letter: Letter, *, subject: str, sender: str, recipient: str) -> bytes:
    """The letter. The same letter always gives the same octets."""
    head = "".join(_headers(letter, subject, sender, recipient)) + _VERSION
    # Of the letter, not of chance, and in no line of quoted-printable or base64.
    mark = hashlib.sha256(letter.message_id.encode()).hexdigest()[:24]
    words = [
        _text("plain", letter.text),
        _text("html", letter.html, more=_VERSION),
    ]
    if letter.calendar is None:
        return (head + _multipart("alternative", f"=_0_{mark}", words)).encode("ascii")
    calendar = _base64(letter.calendar)
    method = token(letter.method or "")
    # Written as calendars do: parsed, ``method`` would go out in quotes.
    answerable = f"{_BASE64}{_VERSION}{_CALENDAR.format(method)}\r\n{calendar}"
    inner = _multipart("alternative", f"=_1_{mark}", [*words, answerable])
    attached = f"{_BASE64}{_ATTACHED}{_VERSION}\r\n{calendar}"
    whole = head + _multipart("mixed", f"=_0_{mark}", [inner, attached])
    return whole.encode("ascii")


def token(value: str) -> str:
    """Header values of our own making: printable ASCII without blanks, or a bug."""
    if not value or not all("!" <= character <= "~" for character in value):
        raise ValueError(BAD_HEADER)
    return value


def _headers(letter: Letter, subject: str, sender: str, recipient: str) -> list[str]:
    references = [_message_id(one) for one in letter.references]
    thread = (
        [
            _header("In-Reply-To", references[-1]),
            _header("References", " ".join(references)),
        ]
        if references
        else []
    )
    return [
        _person("From", letter.sender_name, sender),
        _person("To", letter.recipient_name, recipient),
        _header("Subject", subject),
        _header("Date", format_datetime(letter.date)),
        _header("Message-ID", _message_id(letter.message_id)),
        *thread,
        *(
            _header(token(name), clean_line(value, HEADER_LIMIT))
            for name, value in letter.headers
        ),
    ]


def _header(name: str, value: str) -> str:
    line = f"{name}: {value}\r\n"
    plain = _PLAIN_VALUE.fullmatch(value) is not None and "=?" not in value
    return line if plain and len(line) <= LINE_LIMIT + 2 else _folded(name, value)


def _person(field: str, name: str, address: str) -> str:
    name = clean_line(name, NAME_LIMIT)
    plain = not name or _PLAIN_NAME.fullmatch(name) is not None
    if plain and "=?" not in address:
        return _header(field, f"{name} <{address}>" if name else address)
    return _folded(field, name, address)


@lru_cache(maxsize=256)
def _folded(name: str, value: str, address: str | None = None) -> str:
    """By the standard library; ``value`` is a person's name where there is an address.

    The sender is always the same, and the subject for all who are told of a visit.
    """
    said = value if address is None else Address(value, addr_spec=address)
    return WIRE.fold_binary(*WIRE.header_store_parse(name, said)).decode("ascii")


def _message_id(value: str) -> str:
    return f"<{token(value).strip('<>')}>"


def _multipart(subtype: str, boundary: str, parts: Sequence[str]) -> str:
    """An entity from its type to its last delimiter line."""
    inside = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    kind = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n'
    return f"{kind}\r\n{inside}--{boundary}--\r\n"


def _text(subtype: str, text: str, *, more: str = "") -> str:
    lines = b"\n".join(text.encode().splitlines()) + b"\n"
    encoded = body_encode(lines.decode("latin-1"), LINE_LIMIT, eol="\r\n")
    return f"{_TEXT.format(subtype)}{more}\r\n{encoded}"


def _base64(octets: bytes) -> str:
    return base64.encodebytes(octets).decode("ascii").replace("\n", "\r\n")
