"""The life of a visit: which step may follow which, and what it changes.

    (asked) ──▶ requested ──accept──▶ confirmed ──complete──▶ done
                 │  │  ▲                │   ▲
                 │  │  └── (host moves  │   │ accept / decline /
                 │  │       the slot)   ▼   │ withdraw / expire
                 │  └─propose▶ proposed moving
                 │               │choose──▶ confirmed
                 └─ declined · expired · withdrawn
    confirmed and moving ──▶ cancelled_by_school · cancelled_by_host

    cancelled_by_school ──ask_again──▶ requested     (the host has to agree again)
    cancelled_by_host ──offer_again──▶ proposed      (the teacher has to choose it)

``moving``: confirmed on its slot, and the host is asked for another one; until the
answer the old date stands and seats are held on both. Nothing here reads a clock
or a database; both arrive as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from scheduler.domain.localtime import instant, local_day
from scheduler.domain.parties import Party
from scheduler.domain.policy import Policy
from scheduler.domain.refusals import ReasonMissing, SameSlot, WrongState
from scheduler.domain.schooldays import SchoolCalendar


class VisitState(StrEnum):
    REQUESTED = "requested"
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    MOVING = "moving"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CANCELLED_BY_SCHOOL = "cancelled_by_school"
    CANCELLED_BY_HOST = "cancelled_by_host"
    DONE = "done"


class Step(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    PROPOSE = "propose"
    CHOOSE = "choose"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    CHANGE_NUMBERS = "change_numbers"
    SWITCH = "switch"
    ASK_MOVE = "ask_move"
    MOVE_AT_ONCE = "move_at_once"
    SLOT_CHANGED = "slot_changed"
    CANCEL_BY_SCHOOL = "cancel_by_school"
    CANCEL_BY_HOST = "cancel_by_host"
    COMPLETE = "complete"
    ASK_AGAIN = "ask_again"
    OFFER_AGAIN = "offer_again"


AFTER: dict[tuple[VisitState, Step], VisitState] = {
    (VisitState.REQUESTED, Step.ACCEPT): VisitState.CONFIRMED,
    (VisitState.REQUESTED, Step.DECLINE): VisitState.DECLINED,
    (VisitState.REQUESTED, Step.PROPOSE): VisitState.PROPOSED,
    (VisitState.REQUESTED, Step.EXPIRE): VisitState.EXPIRED,
    (VisitState.REQUESTED, Step.WITHDRAW): VisitState.WITHDRAWN,
    (VisitState.REQUESTED, Step.CHANGE_NUMBERS): VisitState.REQUESTED,
    (VisitState.REQUESTED, Step.SWITCH): VisitState.REQUESTED,
    (VisitState.REQUESTED, Step.SLOT_CHANGED): VisitState.REQUESTED,
    (VisitState.REQUESTED, Step.CANCEL_BY_HOST): VisitState.DECLINED,
    (VisitState.PROPOSED, Step.CHOOSE): VisitState.CONFIRMED,
    (VisitState.PROPOSED, Step.DECLINE): VisitState.DECLINED,
    (VisitState.PROPOSED, Step.EXPIRE): VisitState.EXPIRED,
    (VisitState.PROPOSED, Step.WITHDRAW): VisitState.WITHDRAWN,
    (VisitState.PROPOSED, Step.CANCEL_BY_HOST): VisitState.DECLINED,
    (VisitState.CONFIRMED, Step.CHANGE_NUMBERS): VisitState.CONFIRMED,
    (VisitState.CONFIRMED, Step.SLOT_CHANGED): VisitState.CONFIRMED,
    (VisitState.CONFIRMED, Step.ASK_MOVE): VisitState.MOVING,
    (VisitState.CONFIRMED, Step.MOVE_AT_ONCE): VisitState.CONFIRMED,
    (VisitState.CONFIRMED, Step.CANCEL_BY_SCHOOL): VisitState.CANCELLED_BY_SCHOOL,
    (VisitState.CONFIRMED, Step.CANCEL_BY_HOST): VisitState.CANCELLED_BY_HOST,
    (VisitState.CONFIRMED, Step.COMPLETE): VisitState.DONE,
    (VisitState.MOVING, Step.ACCEPT): VisitState.CONFIRMED,
    (VisitState.MOVING, Step.DECLINE): VisitState.CONFIRMED,
    (VisitState.MOVING, Step.EXPIRE): VisitState.CONFIRMED,
    (VisitState.MOVING, Step.WITHDRAW): VisitState.CONFIRMED,
    (VisitState.MOVING, Step.SLOT_CHANGED): VisitState.MOVING,
    (VisitState.MOVING, Step.CANCEL_BY_SCHOOL): VisitState.CANCELLED_BY_SCHOOL,
    (VisitState.MOVING, Step.CANCEL_BY_HOST): VisitState.CANCELLED_BY_HOST,
    (VisitState.MOVING, Step.COMPLETE): VisitState.DONE,
    (VisitState.CANCELLED_BY_SCHOOL, Step.ASK_AGAIN): VisitState.REQUESTED,
    (VisitState.CANCELLED_BY_HOST, Step.OFFER_AGAIN): VisitState.PROPOSED,
}

HOLDS_SEATS = frozenset({VisitState.REQUESTED, VisitState.CONFIRMED, VisitState.MOVING})
INVITED = frozenset({VisitState.CONFIRMED, VisitState.MOVING})
WAITS_FOR_HOST = frozenset({VisitState.REQUESTED, VisitState.MOVING})
USES_CAP = HOLDS_SEATS | {VisitState.DONE}
ENDED = frozenset(VisitState) - HOLDS_SEATS - {VisitState.PROPOSED}


class CancelReason(StrEnum):
    """Typed and short (DOMAIN 2.2). ``other`` needs one line."""

    TIME = "time"
    STAFF_ABSENT = "staff_absent"
    PRODUCTION_RUSH = "production_rush"
    ACCIDENT = "accident"
    SECURITY = "security"
    TRANSPORT = "transport"
    COST = "cost"
    TIMETABLE = "timetable"
    TOO_FEW_STUDENTS = "too_few_students"
    WEATHER = "weather"
    DUPLICATE = "duplicate"
    OTHER = "other"


class DeclineReason(StrEnum):
    """Why a host says no (DOMAIN section 5)."""

    NO_TIME = "no_time"
    NO_STAFF = "no_staff"
    PRODUCTION_RUSH = "production_rush"
    SAFETY = "safety"
    CONFIDENTIALITY = "confidentiality"
    DATE = "date"
    GROUP_TOO_BIG = "group_too_big"
    LEVEL = "level"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """``revision`` rises with every change that somebody must learn of."""

    id: int
    state: VisitState
    slot_id: int
    party: Party
    wanted_slot_id: int | None = None
    revision: int = 0
    reason: str | None = None
    note: str = ""
    late: bool = False


def after(visit: Visit, step: Step) -> VisitState:
    """The state the step leads to; raises ``WrongState`` if it is not in the table."""
    try:
        return AFTER[visit.state, step]
    except KeyError:
        raise WrongState(state=visit.state.value, step=step.value) from None


def may(visit: Visit, step: Step) -> bool:
    """Whether the table knows the step: what a page may offer as a button."""
    return (visit.state, step) in AFTER


def _next(visit: Visit, step: Step, **changes: object) -> Visit:
    state = after(visit, step)
    return replace(visit, state=state, revision=visit.revision + 1, **changes)  # type: ignore[arg-type]


def accept(visit: Visit) -> Visit:
    """The host says yes, to the request or to the move that was asked."""
    slot_id = visit.wanted_slot_id or visit.slot_id
    return _next(visit, Step.ACCEPT, slot_id=slot_id, wanted_slot_id=None)


def decline(visit: Visit, *, reason: DeclineReason, note: str) -> Visit:
    """The host says no; a declined move leaves the visit where it was."""
    _need_note(reason is DeclineReason.OTHER, note)
    if visit.state is VisitState.MOVING:
        return _next(visit, Step.DECLINE, wanted_slot_id=None)
    return _next(visit, Step.DECLINE, reason=reason.value, note=note)


def propose(visit: Visit, *, note: str) -> Visit:
    """The host offers other slots; the seats of this one are free again."""
    return _next(visit, Step.PROPOSE, note=note)


def choose(visit: Visit, *, slot_id: int) -> Visit:
    """The teacher takes a proposed slot: the host has said yes to it already."""
    return _next(visit, Step.CHOOSE, slot_id=slot_id, note="")


def expire(visit: Visit) -> Visit:
    """Nobody answered in time; an unanswered move leaves the visit where it was."""
    return _next(visit, Step.EXPIRE, wanted_slot_id=None)


def withdraw(visit: Visit) -> Visit:
    """The teacher takes the request, or the wish to move, back."""
    return _next(visit, Step.WITHDRAW, wanted_slot_id=None)


def change_numbers(visit: Visit, *, party: Party) -> Visit:
    """Other numbers for the same slot."""
    return _next(visit, Step.CHANGE_NUMBERS, party=party)


def switch(visit: Visit, *, slot_id: int) -> Visit:
    """A request that nobody has answered yet goes to another slot."""
    if slot_id == visit.slot_id:
        raise SameSlot
    return _next(visit, Step.SWITCH, slot_id=slot_id)


def ask_move(visit: Visit, *, slot_id: int) -> Visit:
    """Ask the host for another slot; the old date stands until the answer."""
    if slot_id == visit.slot_id:
        raise SameSlot
    return _next(visit, Step.ASK_MOVE, wanted_slot_id=slot_id)


def move_at_once(visit: Visit, *, slot_id: int) -> Visit:
    """The offer confirms by itself: the visit is on the other slot now."""
    if slot_id == visit.slot_id:
        raise SameSlot
    return _next(visit, Step.MOVE_AT_ONCE, slot_id=slot_id)


def slot_changed(visit: Visit) -> Visit:
    """The host changed the slot's time or place under the visit."""
    return _next(visit, Step.SLOT_CHANGED)


def cancel_by_school(
    visit: Visit, *, reason: CancelReason, note: str, late: bool
) -> Visit:
    """The school calls it off. Late ones are counted, never a sanction (2.1)."""
    _need_note(reason is CancelReason.OTHER, note)
    return _next(
        visit,
        Step.CANCEL_BY_SCHOOL,
        reason=reason.value,
        note=note,
        late=late,
        wanted_slot_id=None,
    )


def cancel_by_host(
    visit: Visit, *, reason: CancelReason, note: str, late: bool
) -> Visit:
    """The host calls it off, or cancels the slot that was asked for or offered."""
    _need_note(reason is CancelReason.OTHER, note)
    return _next(
        visit,
        Step.CANCEL_BY_HOST,
        reason=reason.value,
        note=note,
        late=late,
        wanted_slot_id=None,
    )


def ask_again(visit: Visit) -> Visit:
    """The school wants the visit after all; nobody at the host waits for it now."""
    return _next(visit, Step.ASK_AGAIN, reason=None, note="", late=False)


def offer_again(visit: Visit, *, note: str) -> Visit:
    """The host can receive the class after all; the teacher may have no coach now."""
    return _next(visit, Step.OFFER_AGAIN, reason=None, note=note, late=False)


def complete(visit: Visit) -> Visit:
    """The day is over."""
    return replace(visit, state=after(visit, Step.COMPLETE), wanted_slot_id=None)


def _need_note(needed: bool, note: str) -> None:  # noqa: FBT001 - a private guard
    if needed and not note.strip():
        raise ReasonMissing


def is_late(
    starts_at: datetime, *, now: datetime, calendar: SchoolCalendar, policy: Policy
) -> bool:
    """Whether cancelling now is past the last free day (DOMAIN 2.1, D-7)."""
    last_free = calendar.open_days_before(
        local_day(starts_at), policy.free_cancellation_days
    )
    return local_day(now) > last_free


@dataclass(frozen=True, kw_only=True)
class AnswerTimes:
    """When an unanswered request is reminded, reported and given up."""

    remind_at: datetime
    alert_at: datetime
    due_at: datetime


def answer_times(
    *, asked_at: datetime, starts_at: datetime, calendar: SchoolCalendar, policy: Policy
) -> AnswerTimes:
    """Days when the school is open after the request, never later than just before it.

    DOMAIN 2.1: reminder on day 4, coordinator on day 7, back to the pool on day 10.
    """
    asked_on = local_day(asked_at)
    latest = calendar.open_days_before(
        local_day(starts_at), policy.answer_days_before_visit
    )

    def evening(days: int) -> datetime:
        day = min(calendar.open_days_after(asked_on, days), latest)
        return max(
            instant(day, policy.answer_due_time),
            min(asked_at + timedelta(hours=2), starts_at),
        )

    return AnswerTimes(
        remind_at=evening(policy.remind_host_after_days),
        alert_at=evening(policy.alert_coordinator_after_days),
        due_at=evening(policy.request_expires_after_days),
    )


def reminder_times(
    starts_at: datetime, *, calendar: SchoolCalendar, policy: Policy
) -> tuple[datetime, datetime]:
    """When the D-7 (08:00) and D-1 (17:00) reminders are due, by local time."""
    day = local_day(starts_at)
    week = day - timedelta(days=policy.reminder_days)
    eve = day - timedelta(days=1)
    return (
        instant(calendar.last_open(week), time(8, 0)),
        instant(calendar.last_open(eve), policy.eve_reminder_time),
    )
