"""Delivery reports: what a mail server says of a letter that it could not deliver.

RFC 3464 is the rule (multipart/report with a delivery-status part), Exchange's own
among them. Exim and qmail still send plain texts; those count only if they come from a
mail system and carry the letter's Message-ID or address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from scheduler.domain.inbound import BounceReport
from scheduler.mail.mime import (
    LARGEST_HEADERS,
    Headers,
    Part,
    content_type,
    headers_of,
    line_ends,
    parameter,
)

_STATUS_KINDS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RETURNED_KINDS = frozenset(
    {"message/rfc822", "message/global", "message/global-headers",
     "message/rfc822-headers", "text/rfc822-headers"}
)  # fmt: skip
_MOST_RECIPIENTS = 100
_TEXT_LOOKED_AT = 20_000

_BLANK_LINES = re.compile(rb"\n(?:[ \t]*\n)+")
_FAILED, _DELAYED = "failed", "delayed"
_SUCCESSES = frozenset({"delivered", "relayed", "expanded"})
_BY_CLASS = {"5": _FAILED, "4": _DELAYED, "2": "delivered"}
# What is worst for the reader of the report decides, if it names several recipients.
_WEIGHT = {_FAILED: 0, _DELAYED: 1}

_STATUS = re.compile(r"(?<![0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")
_REPLY_CODE = re.compile(r"(?<![0-9.])([45])[0-9]{2}[ -]")
_BRACKETED = re.compile(r"<([^<>\s]{1,250})>")
_RETURNED_ID = re.compile(
    rb"^[ \t>]*message-id:[ \t]*<([!-;=?-~]{1,250})>", re.IGNORECASE | re.MULTILINE
)
_MAIL_SYSTEM = re.compile(r"(?:^|<)(?:mailer-daemon|postmaster)@", re.IGNORECASE)
_LATE = re.compile(r"\b(?:delayed|warning|retard|différé)", re.IGNORECASE)


def is_receipt(headers: Headers) -> bool:
    """RFC 8098: read, or deleted without being read. It says nothing about coming."""
    return _report_type(headers) == "disposition-notification"


def read_report(headers: Headers, parts: Sequence[Part]) -> BounceReport | None:
    """The report, if the message is one."""
    if content_type(headers) == "multipart/report":
        status = next((part for part in parts if part.kind in _STATUS_KINDS), None)
        if status is not None:
            return _by_the_rule(status, parts)
    return _plain(headers, parts)


def _report_type(headers: Headers) -> str:
    if content_type(headers) != "multipart/report":
        return ""
    return parameter(headers.first("content-type"), "report-type").lower()


def _by_the_rule(status: Part, parts: Sequence[Part]) -> BounceReport:
    """RFC 3464 §2: fields of the message, then a group for each recipient."""
    groups = list(_groups(status.decoded()))
    recipients = [group for group in groups if group.first("final-recipient")]
    recipients = recipients or groups[1:] or groups[:1]
    worst = min(recipients, key=lambda group: _WEIGHT.get(_action(group), 2))
    action = _action(worst)
    original = worst.first("original-recipient") or worst.first("final-recipient")
    return BounceReport(
        status=_status(worst, action),
        permanent=action == _FAILED,
        delivered=action in _SUCCESSES,
        recipient=_address(original),
        message_id=_returned_id(parts),
        envelope_id=groups[0].first("original-envelope-id")[:250] if groups else "",
    )


def _groups(fields: bytes) -> list[Headers]:
    """Blank lines part the groups; a report with nothing in it has one empty group."""
    written = line_ends(fields[:LARGEST_HEADERS]).strip()
    blocks = _BLANK_LINES.split(written, _MOST_RECIPIENTS)
    return [headers_of(block)[0] for block in blocks]


def _action(group: Headers) -> str:
    """As written (§2.3.3), or by the class of the status where it is missing."""
    action = group.first("action").split("(")[0].strip().lower()
    known = {_FAILED, _DELAYED} | _SUCCESSES
    return action if action in known else _BY_CLASS.get(_status(group, "")[:1], "")


def _status(group: Headers, action: str) -> str:
    """RFC 3463; else what the other server said; else the class alone."""
    diagnostic = group.first("diagnostic-code")
    found = _STATUS.search(group.first("status")) or _STATUS.search(diagnostic)
    if found is not None:
        return found[1]
    code = _REPLY_CODE.search(f"{diagnostic} ")
    if code is not None:
        return f"{code[1]}.0.0"
    return {_FAILED: "5.0.0", _DELAYED: "4.0.0"}.get(action, "")


def _address(typed: str) -> str:
    """``rfc822; anna@example.fr`` without its type."""
    return typed.rpartition(";")[2].strip().strip("<>").lower()[:254]


def _returned_id(parts: Sequence[Part]) -> str:
    for part in parts:
        if part.kind in _RETURNED_KINDS:
            found = _RETURNED_ID.search(part.decoded())
            if found is not None:
                return found[1].decode("ascii")
    return ""


def _plain(headers: Headers, parts: Sequence[Part]) -> BounceReport | None:
    """A bounce without a report: a mail system writes, and gives the letter back."""
    failed = headers.first("x-failed-recipients")
    if not _MAIL_SYSTEM.search(headers.first("from").strip()) or not parts:
        return None
    body = b"\n".join(part.body[:_TEXT_LOOKED_AT] for part in parts[:3])
    returned = _RETURNED_ID.search(body)
    if returned is None and not failed:
        return None
    said = body.decode("utf-8", "replace")
    status = _STATUS.search(said) or _REPLY_CODE.search(said)
    late = _LATE.search(headers.first("subject")) is not None
    by_class = "4.0.0" if late else "5.0.0"
    written = status[1] if status is not None and "." in status[1] else by_class
    bracketed = _BRACKETED.search(said)
    return BounceReport(
        status=written,
        permanent=not late and not written.startswith(("2", "4")),
        recipient=_address(
            failed.split(",")[0] or (bracketed[1] if bracketed is not None else "")
        ),
        message_id=returned[1].decode("ascii") if returned is not None else "",
    )
