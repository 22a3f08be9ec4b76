"""What changed → who is told, by which mail, with which calendar method.

This table is the specification of the invitations (docs/operations.md shows it).
``REQUEST`` and ``CANCEL`` apply where the recipient holds an invitation; a visit
that was never confirmed is told about without a calendar part.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    TEACHER = "teacher"
    HOST = "host"
    STUDENT = "student"


class Method(StrEnum):
    """RFC 5546 methods that this service sends."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    PUBLISH = "PUBLISH"


class Change(StrEnum):
    """What happened to a visit."""

    REQUESTED = "requested"
    REQUEST_SWITCHED = "request_switched"
    ANSWER_OVERDUE = "answer_overdue"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    PROPOSED = "proposed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    NUMBERS_CHANGED = "numbers_changed"
    SLOT_CHANGED = "slot_changed"
    MOVE_ASKED = "move_asked"
    MOVED = "moved"
    MOVE_DECLINED = "move_declined"
    MOVE_EXPIRED = "move_expired"
    MOVE_WITHDRAWN = "move_withdrawn"
    CANCELLED = "cancelled"
    STUDENT_ADDED = "student_added"
    STUDENT_REMOVED = "student_removed"
    WEEK_BEFORE = "week_before"
    EVE = "eve"


@dataclass(frozen=True)
class Telling:
    """``mail`` is the folder under templates/mail."""

    audience: Audience
    mail: str
    method: Method | None = None


def _all(mail: str, method: Method | None) -> tuple[Telling, ...]:
    return tuple(Telling(audience, mail, method) for audience in Audience)


TELLINGS: dict[Change, tuple[Telling, ...]] = {
    Change.REQUESTED: (
        Telling(Audience.HOST, "visit_requested_host"),
        Telling(Audience.TEACHER, "visit_requested_teacher"),
    ),
    Change.REQUEST_SWITCHED: (
        Telling(Audience.HOST, "visit_requested_host"),
        Telling(Audience.TEACHER, "visit_requested_teacher"),
    ),
    Change.ANSWER_OVERDUE: (Telling(Audience.HOST, "request_reminder_host"),),
    Change.CONFIRMED: _all("visit_confirmed", Method.REQUEST),
    Change.DECLINED: (Telling(Audience.TEACHER, "visit_declined"),),
    Change.PROPOSED: (Telling(Audience.TEACHER, "visit_proposed"),),
    Change.EXPIRED: (
        Telling(Audience.TEACHER, "visit_expired"),
        Telling(Audience.HOST, "visit_expired"),
    ),
    Change.WITHDRAWN: (Telling(Audience.HOST, "visit_withdrawn"),),
    Change.NUMBERS_CHANGED: (
        Telling(Audience.TEACHER, "visit_changed", Method.REQUEST),
        Telling(Audience.HOST, "visit_changed", Method.REQUEST),
    ),
    Change.SLOT_CHANGED: _all("visit_changed", Method.REQUEST),
    Change.MOVE_ASKED: (Telling(Audience.HOST, "move_requested_host"),),
    Change.MOVED: _all("visit_changed", Method.REQUEST),
    Change.MOVE_DECLINED: (Telling(Audience.TEACHER, "move_declined"),),
    Change.MOVE_EXPIRED: (Telling(Audience.TEACHER, "move_declined"),),
    Change.MOVE_WITHDRAWN: (Telling(Audience.HOST, "move_withdrawn"),),
    Change.CANCELLED: _all("visit_cancelled", Method.CANCEL),
    Change.STUDENT_ADDED: (
        Telling(Audience.STUDENT, "visit_confirmed", Method.REQUEST),
    ),
    Change.STUDENT_REMOVED: (
        Telling(Audience.STUDENT, "student_removed", Method.CANCEL),
    ),
    Change.WEEK_BEFORE: (
        Telling(Audience.TEACHER, "reminder_7"),
        Telling(Audience.HOST, "reminder_7"),
    ),
    Change.EVE: _all("reminder_1", None),
}
