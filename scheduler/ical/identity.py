"""UID, SEQUENCE and DTSTAMP: what lets a calendar know an entry again.

One UID per invitation (visit and person), random, for as long as the invitation lives.
It is made neither of ids nor of addresses: a reply must echo it (RFC 5546 §3.2.3), so
it also is the secret that ties an answer to one invitation.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

FIRST_SEQUENCE = 0


def new_uid(domain: str) -> str:
    """A UID that nobody can guess."""
    return f"{uuid4()}@{domain}"


def next_sequence(last: int | None) -> int:
    """The SEQUENCE of the next change that goes out, a CANCEL included.

    ``None`` means that this invitation was never sent. Changes of words raise it too:
    RFC 5546 §2.1.4 allows that, and several calendars ignore a mail that does not.
    """
    return FIRST_SEQUENCE if last is None else last + 1


def next_dtstamp(last: datetime | None, *, now: datetime) -> datetime:
    """DTSTAMP breaks ties between equal SEQUENCEs (RFC 5546 §2.1.5), so it must grow.

    iCalendar knows whole seconds only: two changes within one second, or a clock that
    was set back, still get a later stamp.
    """
    stamp = now.replace(microsecond=0)
    if last is None:
        return stamp
    return max(stamp, last.replace(microsecond=0) + timedelta(seconds=1))
