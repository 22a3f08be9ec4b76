"""Why a mail did not arrive, in one of a few kinds that a person can act upon.

Read from what the server answered (SMTP codes, enhanced status of RFC 3463) or from a
delivery report. Nothing of the answer's own words is shown to people.
"""

from __future__ import annotations

import re
from enum import StrEnum

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_CODE = re.compile(r"\b([245]\d\d)\b")
_FULL = re.compile(
    r"quota|mailbox.{0,20}full|over.?quota|insufficient storage", re.IGNORECASE
)
_SPAM = re.compile(
    r"spam|spf|dkim|dmarc|blocked|block.?list|blacklist|reputation|policy",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"unknown|no such|does not exist|not found|invalid (?:recipient|address)|"
    r"n.existe pas|disabled|no mailbox|rejected: user",
    re.IGNORECASE,
)
_LOST = ("connection_lost", "no_connection", "unreachable")
_UNADDRESSED = ("sealed_address", "bad_address")
_OURS = ("sender_refused", "not_writable", "bad_header", "invitation_without_identity")

_BY_SUBJECT_AND_DETAIL = {
    ("1", "2"): "unknown_domain",
    ("1", "10"): "unknown_domain",
    ("2", "2"): "full",
    ("2", "3"): "too_large",
    ("3", "4"): "too_large",
    ("4", "7"): "unreachable",
}
_BY_SUBJECT = {
    "1": "unknown_address",
    "2": "unknown_address",
    "4": "unreachable",
    "7": "spam",
}


class Trouble(StrEnum):
    """What a person is told, and may do something about."""

    UNKNOWN_ADDRESS = "unknown_address"
    UNKNOWN_DOMAIN = "unknown_domain"
    FULL = "full"
    SPAM = "spam"
    TOO_LARGE = "too_large"
    UNREACHABLE = "unreachable"
    NOT_NOW = "not_now"
    NO_ADDRESS = "no_address"
    OURS = "ours"
    OTHER = "other"


# Nothing arrives there until somebody corrects the address.
LASTING = frozenset({Trouble.UNKNOWN_ADDRESS, Trouble.UNKNOWN_DOMAIN})


def trouble(error: str, *, bounce_status: str = "") -> Trouble:
    """The kind of a stored failure."""
    if bounce_status:
        return _by_status(bounce_status) or Trouble.OTHER
    if any(error.startswith(each) for each in _UNADDRESSED):
        return Trouble.NO_ADDRESS
    if any(each in error for each in _OURS):
        return Trouble.OURS
    if any(each in error for each in _LOST):
        return Trouble.UNREACHABLE
    by_words = _by_words(error)
    by_status = _by_status(error)
    if by_status is not None and by_status is not Trouble.NOT_NOW:
        # "5.1.1 mailbox full" exists; words that say more than the number win.
        return by_words if by_words in {Trouble.FULL, Trouble.SPAM} else by_status
    return by_words or by_status or _by_code(error)


def _by_status(text: str) -> Trouble | None:
    found = _STATUS.search(text)
    if found is None:
        return None
    kind, subject, detail = found.groups()
    known = _BY_SUBJECT_AND_DETAIL.get((subject, detail)) or _BY_SUBJECT.get(subject)
    if kind == "4" and known not in {"full", "unreachable"}:
        return Trouble.NOT_NOW
    return Trouble(known) if known else None


def _by_words(error: str) -> Trouble | None:
    for pattern, kind in (
        (_FULL, Trouble.FULL),
        (_SPAM, Trouble.SPAM),
        (_UNKNOWN, Trouble.UNKNOWN_ADDRESS),
    ):
        if pattern.search(error):
            return kind
    return None


def _by_code(error: str) -> Trouble:
    found = _CODE.search(error)
    if found is None:
        return Trouble.OTHER
    if found[1] == "552":
        return Trouble.FULL
    if found[1] in {"550", "551", "553"}:
        return Trouble.UNKNOWN_ADDRESS
    return Trouble.NOT_NOW if found[1].startswith("4") else Trouble.OTHER
