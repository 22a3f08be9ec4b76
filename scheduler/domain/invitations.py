"""What one person's calendar was told, and what it is told next.

One invitation is one visit in one person's calendar: a UID for life, a SEQUENCE that
only rises, a DTSTAMP that only grows. Nothing here reads a clock or a database; the
service stores what comes out, and the random walk of the tests plays thousands of
histories with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from scheduler.domain.announcements import Method, Reach, Status, Telling
from scheduler.domain.answers import Answer

FIRST_SEQUENCE = 0


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """``invited``: the visit stands in that calendar. ``shared``: a mailing list.

    ``time_sequence``: the SEQUENCE from which on an answer counts. ``answer`` is what
    the person said to it.
    """

    sequence: int
    dtstamp: datetime
    invited: bool = True
    shared: bool = False
    time_sequence: int = FIRST_SEQUENCE
    answer: Answer | None = None


@dataclass(frozen=True, kw_only=True)
class Revision:
    """The invitation as it is from now on, and the calendar part that says so."""

    invitation: Invitation
    method: Method
    status: Status
    asks_again: bool


class Reader(Protocol):
    """Whoever is written to."""

    @property
    def address(self) -> str: ...


R = TypeVar("R", bound=Reader)


def reached(telling: Telling, *, current: Sequence[R], holders: Sequence[R]) -> list[R]:
    """Whom a line of the table reaches, each once.

    ``current``: who belongs to the visit now; ``holders``: who has it in a calendar. A
    CANCEL finds everybody who still has it.
    """
    if telling.reach is Reach.HOLDERS:
        return list(holders)
    found = list(holders) if telling.method is Method.CANCEL else []
    known = {each.address for each in found}
    return found + [each for each in current if each.address not in known]


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


def revised(
    held: Invitation | None,
    telling: Telling,
    *,
    standing: Status | None,
    shared: bool = False,
    now: datetime,
) -> Revision | None:
    """What a line of the table does to one calendar; ``None`` if it does nothing.

    A CANCEL goes to whoever still has the visit, a REQUEST to whoever shall have it.
    """
    if telling.method is None:
        return None
    if telling.method is Method.CANCEL:
        if held is None or not held.invited:
            return None
        return _withdrawn(held, now=now)
    if standing is None:
        return None
    return _told(held, telling, standing=standing, shared=shared, now=now)


def _withdrawn(held: Invitation, *, now: datetime) -> Revision:
    """RFC 5546 §3.2.5: the same UID, a higher SEQUENCE. The answer is void."""
    sequence = next_sequence(held.sequence)
    gone = Invitation(
        sequence=sequence,
        dtstamp=next_dtstamp(held.dtstamp, now=now),
        invited=False,
        shared=held.shared,
        time_sequence=sequence,
    )
    return Revision(
        invitation=gone,
        method=Method.CANCEL,
        status=Status.CANCELLED,
        asks_again=True,
    )


def _told(
    held: Invitation | None,
    telling: Telling,
    *,
    standing: Status,
    shared: bool,
    now: datetime,
) -> Revision:
    sequence = next_sequence(held.sequence if held else None)
    asks = telling.asks_again or held is None or not held.invited
    kept = held if not asks else None
    told = Invitation(
        sequence=sequence,
        dtstamp=next_dtstamp(held.dtstamp if held else None, now=now),
        shared=shared,
        time_sequence=kept.time_sequence if kept else sequence,
        answer=kept.answer if kept else None,
    )
    return Revision(
        invitation=told,
        # RFC 5546 §3.2.1: whoever reads a list is no ATTENDEE and is asked nothing.
        method=Method.PUBLISH if shared else Method.REQUEST,
        status=standing,
        asks_again=asks,
    )
