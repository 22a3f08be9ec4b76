"""What changed → who is told, by which mail, with which calendar method.

Two tables are the whole specification of the calendars (docs/invitations.md shows
them, and a test keeps both in step):

- ``STANDING``: what the calendar of each audience shows while a visit is in a state.
- ``TELLINGS``: who hears of which change, and what goes with the mail.

``domain.invitations`` puts them together: a REQUEST is sent where the calendar shall
show the visit, a CANCEL where it still does and shall not. SEQUENCE is 0 in the first
message of an invitation and one higher in each later one, a CANCEL included; a copy of
the same message keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scheduler.domain.visits import VisitState


class Audience(StrEnum):
    TEACHER = "teacher"
    HOST = "host"
    STUDENT = "student"


class Method(StrEnum):
    """RFC 5546 methods that this service sends."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    PUBLISH = "PUBLISH"


class Status(StrEnum):
    """STATUS of an entry (RFC 5545 §3.8.1.11)."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Change(StrEnum):
    """What happened to a visit."""

    REQUESTED = "requested"
    REQUESTED_AGAIN = "requested_again"
    REQUEST_SWITCHED = "request_switched"
    ALLOCATED = "allocated"
    ANSWER_OVERDUE = "answer_overdue"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    PROPOSED = "proposed"
    OFFERED_AGAIN = "offered_again"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    NUMBERS_CHANGED = "numbers_changed"
    DETAILS_CHANGED = "details_changed"
    SLOT_CHANGED = "slot_changed"
    MOVE_ASKED = "move_asked"
    MOVED = "moved"
    MOVE_DECLINED = "move_declined"
    MOVE_EXPIRED = "move_expired"
    MOVE_WITHDRAWN = "move_withdrawn"
    CANCELLED = "cancelled"
    STUDENT_ADDED = "student_added"
    STUDENT_REMOVED = "student_removed"
    CONTACT_ADDED = "contact_added"
    CONTACT_REMOVED = "contact_removed"
    CONTACT_CHANGED = "contact_changed"
    ORGANISER_LEFT = "organiser_left"
    ORGANISER_JOINED = "organiser_joined"
    WEEK_BEFORE = "week_before"
    EVE = "eve"


class Reach(StrEnum):
    """Whom a line means: all of the audience, or who has the visit in a calendar."""

    ALL = "all"
    HOLDERS = "holders"


@dataclass(frozen=True)
class Telling:
    """``mail`` is the folder under templates/mail.

    ``asks_again``: time or place changed, so what was answered counts no longer
    (RFC 5546 §3.2.2.1). A first invitation, and one after a CANCEL, always asks.
    """

    audience: Audience
    mail: str
    method: Method | None = None
    asks_again: bool = False
    reach: Reach = Reach.ALL


TEACHER, HOST, STUDENT = Audience.TEACHER, Audience.HOST, Audience.STUDENT
REQUEST, CANCEL = Method.REQUEST, Method.CANCEL

AGREED = dict.fromkeys(Audience, Status.CONFIRMED)
STANDING: dict[VisitState, dict[Audience, Status]] = {
    VisitState.REQUESTED: {HOST: Status.TENTATIVE},
    VisitState.PROPOSED: {},
    VisitState.CONFIRMED: AGREED,
    VisitState.MOVING: AGREED,
    VisitState.DECLINED: {},
    VisitState.EXPIRED: {},
    VisitState.WITHDRAWN: {},
    VisitState.CANCELLED_BY_SCHOOL: {},
    VisitState.CANCELLED_BY_HOST: {},
    VisitState.DONE: AGREED,
}


def standing(state: VisitState, audience: Audience) -> Status | None:
    """What this audience's calendars show of a visit in that state, if anything."""
    return STANDING[state].get(audience)


def _all(
    mail: str, method: Method | None = None, *, asks_again: bool = False
) -> tuple[Telling, ...]:
    return tuple(Telling(each, mail, method, asks_again) for each in Audience)


_ASKED = (
    Telling(HOST, "visit_requested_host", REQUEST, asks_again=True),
    Telling(TEACHER, "visit_requested_teacher"),
)
_CLOSED = Telling(HOST, "request_closed_host", CANCEL, reach=Reach.HOLDERS)

TELLINGS: dict[Change, tuple[Telling, ...]] = {
    Change.REQUESTED: _ASKED,
    Change.REQUESTED_AGAIN: _ASKED,
    Change.REQUEST_SWITCHED: _ASKED,
    # One letter about the whole campaign tells each teacher and each host
    # (services/publishing.py); a host's calendar shows the visit from its yes on.
    Change.ALLOCATED: (),
    Change.ANSWER_OVERDUE: (Telling(HOST, "request_reminder_host"),),
    Change.CONFIRMED: _all("visit_confirmed", REQUEST),
    Change.DECLINED: (Telling(TEACHER, "visit_declined"), _CLOSED),
    Change.PROPOSED: (Telling(TEACHER, "visit_proposed"), _CLOSED),
    Change.OFFERED_AGAIN: (Telling(TEACHER, "visit_proposed"),),
    Change.EXPIRED: (
        Telling(TEACHER, "visit_expired"),
        Telling(HOST, "visit_expired", CANCEL),
    ),
    Change.WITHDRAWN: (Telling(HOST, "visit_withdrawn", CANCEL),),
    Change.NUMBERS_CHANGED: (
        Telling(TEACHER, "visit_changed", REQUEST),
        Telling(HOST, "visit_changed", REQUEST),
    ),
    Change.DETAILS_CHANGED: _all("visit_changed", REQUEST),
    Change.SLOT_CHANGED: _all("visit_changed", REQUEST, asks_again=True),
    Change.MOVE_ASKED: (Telling(HOST, "move_requested_host"),),
    Change.MOVED: _all("visit_changed", REQUEST, asks_again=True),
    Change.MOVE_DECLINED: (Telling(TEACHER, "move_declined"),),
    Change.MOVE_EXPIRED: (Telling(TEACHER, "move_declined"),),
    Change.MOVE_WITHDRAWN: (Telling(HOST, "move_withdrawn"),),
    Change.CANCELLED: _all("visit_cancelled", CANCEL),
    Change.STUDENT_ADDED: (Telling(STUDENT, "visit_confirmed", REQUEST),),
    Change.STUDENT_REMOVED: (
        Telling(STUDENT, "student_removed", CANCEL, reach=Reach.HOLDERS),
    ),
    Change.CONTACT_ADDED: (Telling(HOST, "contact_added", REQUEST),),
    Change.CONTACT_REMOVED: (
        Telling(HOST, "student_removed", CANCEL, reach=Reach.HOLDERS),
    ),
    Change.CONTACT_CHANGED: (
        Telling(TEACHER, "visit_changed", REQUEST, reach=Reach.HOLDERS),
        Telling(HOST, "visit_changed", REQUEST, reach=Reach.HOLDERS),
    ),
    Change.ORGANISER_LEFT: (Telling(TEACHER, "student_removed", CANCEL),),
    Change.ORGANISER_JOINED: (
        Telling(TEACHER, "organiser_added", REQUEST),
        Telling(HOST, "visit_changed", REQUEST),
        Telling(STUDENT, "visit_changed", REQUEST),
    ),
    Change.WEEK_BEFORE: (
        Telling(TEACHER, "reminder_7"),
        Telling(HOST, "reminder_7"),
    ),
    Change.EVE: _all("reminder_1"),
}
