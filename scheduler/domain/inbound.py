"""What a received message says, as plain values: no MIME, no calendar, no judgement.

``mail.received`` and ``ical.answer`` make them of octets that anybody may have sent;
``domain.verdict`` decides what they are worth. Everything here is a claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Authentication(StrEnum):
    """What our own mail server found out about the domain in ``From`` (DMARC).

    ``fail_reject``: it failed, and the domain asks that such mail be refused or set
    aside. ``fail``: it failed, but the domain asks for nothing.
    """

    PASS = "pass"  # noqa: S105 - a finding, not a password
    FAIL_REJECT = "fail-reject"
    FAIL = "fail"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class BounceReport:
    """A delivery report (RFC 3464) about one letter of ours.

    ``permanent``: it will not arrive; otherwise it is late or the report is about a
    success (``delivered``). ``message_id``: of the letter, without brackets.
    """

    status: str
    permanent: bool
    delivered: bool = False
    recipient: str = ""
    message_id: str = ""
    envelope_id: str = ""


@dataclass(frozen=True, kw_only=True)
class ReceivedMail:
    """What is in a message. ``problem`` is a code when it could not be read.

    ``recipients``: every address it was sent to, whichever header says so; the token
    of a bounce is in one of them. ``calendar``: the calendar part as UTF-8, or nothing
    with the reason in ``calendar_problem``. ``excerpt``: for a person to look at.
    """

    size: int
    digest: str
    problem: str = ""
    message_id: str = ""
    from_addresses: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    subject: str = ""
    auto_submitted: str = ""
    is_auto_reply: bool = False
    is_receipt: bool = False
    is_list: bool = False
    is_bulk: bool = False
    authentication: Authentication = Authentication.NONE
    calendar: bytes | None = None
    calendar_method: str = ""
    calendar_problem: str = ""
    report: BounceReport | None = None
    excerpt: str = ""


@dataclass(frozen=True, kw_only=True)
class AttendeeLine:
    """One ``ATTENDEE`` of an answer. Addresses are lower case, without ``mailto:``."""

    address: str
    partstat: str = ""
    comment: str = ""
    sent_by: str = ""
    delegated_from: tuple[str, ...] = ()
    delegated_to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CalendarAnswer:
    """One event of one calendar, as far as an answer can say something.

    ``method`` is upper case, "" if it says none. ``starts_at`` and ``ends_at`` are
    read from a COUNTER only: the times in a REPLY are never used.
    """

    method: str
    uid: str
    dtstamp: datetime
    sequence: int = 0
    organizer: str = ""
    attendees: tuple[AttendeeLine, ...] = ()
    comment: str = ""
    is_recurrence: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class UnreadableAnswer:
    """A calendar that says nothing we may act upon; ``uid`` if there is one."""

    code: str
    uid: str = ""
