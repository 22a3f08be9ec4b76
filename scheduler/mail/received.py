"""A message that came in: octets in, claims out. It never raises.

The bounds are checked before anything is parsed, and whatever goes wrong ends in a
``problem``: one message that cannot be read must not stop the reading of the next.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import replace
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import getaddresses

from scheduler.domain.inbound import Authentication, ReceivedMail
from scheduler.mail.mime import (
    LARGEST_HEADERS,
    Headers,
    NotReadable,
    Part,
    headers_of,
    line_ends,
    parts_of,
)
from scheduler.mail.reports import is_receipt, read_report
from scheduler.wording import clean_line, clean_text

LARGEST = 1_000_000

SUBJECT_LIMIT = 160
EXCERPT_LIMIT = 500
MESSAGE_ID_LIMIT = 250
MOST_RECIPIENTS = 50
_EXCERPT_LOOKED_AT = 20_000

_RECIPIENT_FIELDS = (
    "to", "cc", "delivered-to", "x-original-to", "x-delivered-to", "envelope-to",
    "x-envelope-to", "apparently-to",
)  # fmt: skip
# One of these at least is in every mail; a photograph or a page has none of them.
_MAIL_FIELDS = frozenset(
    {"from", "to", "date", "subject", "message-id", "received", "content-type"}
)
_ROBOT_FIELDS = frozenset(
    {"x-autoreply", "x-autorespond", "x-autoreply-from", "x-mail-autoreply",
     "x-vacation"}
)  # fmt: skip
_CLOSED = {
    "application/ms-tnef": "winmail",
    "application/vnd.ms-tnef": "winmail",
    "multipart/encrypted": "encrypted",
    "application/pkcs7-mime": "encrypted",
    "application/x-pkcs7-mime": "encrypted",
    "application/pgp-encrypted": "encrypted",
}

# Lengths are bounded: a search that may start anywhere must not run to the end.
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]@]{1,128}@[^\s<>,;:\"()\[\]@]{1,255}")
_RECEIVED_FOR = re.compile(r"\bfor\s{1,8}<([^<>\s@]{1,128}@[^<>\s@]{1,255})>")
_ONE_ADDRESS = re.compile(
    r"(?:\"[^\"\\]*\"\s*|[^\"<>@,;:()\\]*)<([^\s<>,;:\"()\[\]@]+@[^\s<>,;:\"()\[\]@]+)>"
    r"|([^\s<>,;:\"()\[\]@]+@[^\s<>,;:\"()\[\]@]+)"
)
_MOST_COMMENTS = 20
_MESSAGE_ID = re.compile(r"<([^<>\s]+)>")
_METHOD = re.compile(
    rb"^METHOD[ \t]*(?:;[^:\n]*)?:[ \t]*([A-Z]+)", re.IGNORECASE | re.MULTILINE
)
_AUTO_REPLY_SUBJECT = re.compile(
    r"\s*(?:automatic reply|auto(?:matic)?[ -]?reply|out of (?:the )?office"
    r"|r[ée]ponse automatique|absence du bureau|message d.absence"
    r"|automatische antwort)\b",
    re.IGNORECASE,
)
_AFTER_KEYWORD = re.compile(r"[^a-z-].*", re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"')
_COMMENT = re.compile(r"\(([^()]*)\)")
_DMARC = re.compile(r"(?:^|;)\s*dmarc\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)
_STRICT_POLICY = re.compile(
    r"(?:\bp|policy|action|dis|policy\.\S{1,60}?)\s*=\s*(?:o?reject|quarantine)\b",
    re.IGNORECASE,
)


def read_mail(octets: bytes, *, authserv_id: str = "") -> ReceivedMail:
    """What is in it. ``authserv_id``: the name our own mail server signs with."""
    mail = ReceivedMail(size=len(octets), digest=hashlib.sha256(octets).hexdigest())
    try:
        return _read(octets, mail, authserv_id=authserv_id)
    except NotReadable as wrong:
        return replace(mail, problem=wrong.code)
    except Exception:  # noqa: BLE001 - the next message must be read, whatever this is
        return replace(mail, problem="unreadable")


def _read(octets: bytes, mail: ReceivedMail, *, authserv_id: str) -> ReceivedMail:
    if not octets.strip():
        raise NotReadable("empty")
    front = line_ends(octets[: 4 * LARGEST_HEADERS])
    headers, at = headers_of(front)
    if not _MAIL_FIELDS & {name for name, _ in headers.fields}:
        raise NotReadable("not_mail")
    mail = _with_headers(mail, headers, authserv_id=authserv_id)
    if mail.size > LARGEST:
        return replace(mail, problem="too_large")
    try:
        body = line_ends(octets)[at:]
        parts = list(parts_of(headers, body))
        return _with_parts(mail, headers, parts)
    except NotReadable as wrong:
        return replace(mail, problem=wrong.code)


def _with_headers(
    mail: ReceivedMail, headers: Headers, *, authserv_id: str
) -> ReceivedMail:
    precedence = headers.word("precedence")
    subject = _subject(headers.first("subject"))
    auto_submitted = _AFTER_KEYWORD.sub("", headers.first("auto-submitted").lower())
    names = {name for name, _ in headers.fields}
    return replace(
        mail,
        message_id=_message_id(headers.first("message-id")),
        from_addresses=_from(headers.all("from")),
        recipients=_recipients(headers),
        subject=subject,
        auto_submitted=auto_submitted[:40],
        is_auto_reply=auto_submitted == "auto-replied"
        or precedence == "auto_reply"
        or bool(_ROBOT_FIELDS & names)
        or _AUTO_REPLY_SUBJECT.match(subject) is not None,
        is_receipt=is_receipt(headers),
        is_list=precedence == "list" or bool(names & {"list-id", "list-post"}),
        is_bulk=precedence in {"bulk", "junk"} or "list-unsubscribe" in names,
        authentication=_authentication(headers, authserv_id=authserv_id),
    )


def _with_parts(
    mail: ReceivedMail, headers: Headers, parts: Sequence[Part]
) -> ReceivedMail:
    report = None if mail.is_receipt else read_report(headers, parts)
    if report is not None or mail.is_receipt:
        return replace(mail, report=report, excerpt=_excerpt(parts))
    try:
        calendar, method = _calendar(parts)
    except NotReadable as wrong:
        return replace(mail, calendar_problem=wrong.code, excerpt=_excerpt(parts))
    return replace(
        mail, calendar=calendar, calendar_method=method, excerpt=_excerpt(parts)
    )


def _calendar(parts: Sequence[Part]) -> tuple[bytes | None, str]:
    """The calendar part and its method (RFC 6047 §2.4, §2.6).

    Only ``text/calendar``: a file that is called .ics is somebody's file. Two that say
    the same are one; two that disagree are none.
    """
    found = {_said(part) for part in parts if part.kind == "text/calendar"}
    with_method = {one for one in found if one[1]} or found
    if len(with_method) > 1:
        raise NotReadable("several_calendars")
    for octets, method in with_method:
        return octets, method
    for part in parts:
        if part.kind in _CLOSED or _is_winmail(part):
            raise NotReadable(_CLOSED.get(part.kind, "winmail"))
    return None, ""


def _said(part: Part) -> tuple[bytes, str]:
    """The octets without their ends, so that two copies compare equal."""
    octets = line_ends(part.utf8()).strip()
    method = part.parameter("method").strip().upper()
    if not method:
        inside = _METHOD.search(octets)
        method = inside[1].decode("ascii").upper() if inside is not None else ""
    return octets, method[:40]


def _is_winmail(part: Part) -> bool:
    names = (
        part.headers.first("content-disposition"),
        part.headers.first("content-type"),
    )
    return any("winmail.dat" in name.lower() for name in names)


def _from(values: list[str]) -> tuple[str, ...]:
    """Every address in every From; none if it is nothing to be read."""
    if len(values) == 1:
        one = _ONE_ADDRESS.fullmatch(values[0])
        if one is not None:
            return ((one[1] or one[2]).lower(),)
    if any(_is_odd(value) for value in values):
        return ()
    found = (address.strip().lower() for _, address in getaddresses(values))
    return tuple(address for address in found if address)[:MOST_RECIPIENTS]


def _is_odd(value: str) -> bool:
    """Comments in comments, brackets without an address: no program writes this."""
    brackets, addresses = value.count("<"), value.count("@")
    return value.count("(") > _MOST_COMMENTS or brackets > addresses


def _recipients(headers: Headers) -> tuple[str, ...]:
    found = [
        address
        for value in headers.all(*_RECIPIENT_FIELDS)
        for address in _ADDRESS.findall(value)
    ]
    for value in headers.all("received"):
        found += _RECEIVED_FOR.findall(value)
    unique = dict.fromkeys(address.lower() for address in found)
    return tuple(unique)[:MOST_RECIPIENTS]


def _message_id(value: str) -> str:
    found = _MESSAGE_ID.search(value)
    written = found[1] if found is not None else value.strip().strip("<>")
    return clean_line(written, MESSAGE_ID_LIMIT)


def _subject(value: str) -> str:
    if "=?" not in value:
        return clean_line(value, SUBJECT_LIMIT)
    try:
        words = [_word(word, charset) for word, charset in decode_header(value)]
    except (HeaderParseError, ValueError):
        return clean_line(value, SUBJECT_LIMIT)
    return clean_line("".join(words), SUBJECT_LIMIT)


def _word(word: str | bytes, charset: str | None) -> str:
    if isinstance(word, str):
        return word
    try:
        return word.decode(charset or "latin-1")
    except (LookupError, ValueError):
        return word.decode("utf-8", "replace")


def _authentication(headers: Headers, *, authserv_id: str) -> Authentication:
    """What the topmost ``Authentication-Results`` of our own server says (RFC 8601).

    The others came with the message: anybody may have written them.
    """
    for value in headers.all("authentication-results") if authserv_id else ():
        named, _, results = value.partition(";")
        if named.lower().split()[:1] == [authserv_id.lower()]:
            return _dmarc(results)
    return Authentication.NONE


def _dmarc(results: str) -> Authentication:
    # The policy stands in a comment: dmarc=fail (p=REJECT sp=NONE dis=NONE).
    unquoted = _QUOTED.sub('""', results)
    opened = _COMMENT.sub(lambda found: f" {found[1].replace(';', ' ')} ", unquoted)
    found = _DMARC.search(opened)
    if found is None:
        return Authentication.NONE
    if found[1].lower() == "pass":
        return Authentication.PASS
    if found[1].lower() != "fail":
        return Authentication.NONE
    strict = _STRICT_POLICY.search(found[2]) is not None
    return Authentication.FAIL_REJECT if strict else Authentication.FAIL


def _excerpt(parts: Sequence[Part]) -> str:
    """The first words, for a person to look at."""
    by_kind = {part.kind: part for part in reversed(parts)}
    part = by_kind.get("text/plain") or by_kind.get("text/html")
    if part is None:
        return ""
    try:
        text = part.front(_EXCERPT_LOOKED_AT)
    except NotReadable:
        return ""
    return clean_text(
        _without_tags(text) if part.kind == "text/html" else text, EXCERPT_LIMIT
    )


def _without_tags(markup: str) -> str:
    """What is between the tags. Not for showing as HTML, and no parser of it."""
    words: list[str] = []
    for piece in markup.split("<"):
        tag, closed, text = piece.partition(">")
        if not tag.lower().startswith(("style", "script", "title")):
            words.append(text if closed else "")
    return html.unescape(" ".join(words))
