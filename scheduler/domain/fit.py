"""Whether a class fits a slot: every rule that speaks, asked in one place.

The search page shows the answers as reasons, the request form shows them before
anything is sent (TE-M3), and the service raises them: one list, three uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from scheduler.domain import slots
from scheduler.domain.classes import SchoolClass
from scheduler.domain.localtime import (
    SCHOOL_YEAR_STARTS,
    half_day,
    is_wednesday_afternoon,
    local,
    local_day,
)
from scheduler.domain.offers import OfferState, Rules
from scheduler.domain.parties import Party, Seats, number_refusals, seat_refusals
from scheduler.domain.policy import Policy
from scheduler.domain.refusals import (
    AfterExam,
    ClassAbsent,
    ClassBusy,
    HostCapReached,
    HostClosed,
    KindNotBookable,
    LevelTooLow,
    NoticeTooShort,
    OfferNotPublished,
    OrganiserBusy,
    Refusal,
    ReturnTooLate,
    TooYoung,
    WednesdayAfternoon,
)
from scheduler.domain.schooldays import Closure, covering, deadline
from scheduler.domain.slots import Slot
from scheduler.domain.travel import Away, Trip, away

BREAKS_A_PROMISE = frozenset(
    {
        "slot_full",
        "group_too_big",
        "class_busy",
        "organiser_busy",
        "host_cap_reached",
        "too_late",
    }
)
WAIVED_BY_MOVING_THE_SLOT = frozenset(
    {"notice_too_short", "slot_not_open", "host_closed"}
)


@dataclass(frozen=True, kw_only=True)
class Held:
    """Another visit that a class or a teacher holds, with the time away for it."""

    starts_at: datetime
    away: Away
    organiser_name: str = ""
    host_name: str = ""


@dataclass(frozen=True, kw_only=True)
class CapUse:
    """Visits that already count for the host on the day, in the month, in the year."""

    day: int = 0
    month: int = 0
    year: int = 0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One class, one slot, and all that was read for the decision.

    ``group_holds``: other parts of the same visit for the same half-group.
    """

    slot: Slot
    rules: Rules
    school_class: SchoolClass
    taken: Seats
    way: Trip | None = None
    host_closed: tuple[Closure, ...] = ()
    cap_use: CapUse = CapUse()
    class_holds: tuple[Held, ...] = ()
    organiser_holds: tuple[Held, ...] = ()
    group_holds: tuple[Held, ...] = ()
    party: Party | None = None

    @property
    def day(self) -> date:
        return local_day(self.slot.starts_at)

    @property
    def away(self) -> Away:
        return away(self.slot.starts_at, self.slot.ends_at, self.way)


def refusals(case: Case, *, now: datetime, policy: Policy) -> list[Refusal]:
    """Every rule that says no, the one to tell first in front; empty if none."""
    return [
        *who_refusals(case),
        *when_refusals(case, now=now, policy=policy),
        *seats_refusals(case),
    ]


def acceptance_refusals(case: Case, *, now: datetime, policy: Policy) -> list[Refusal]:
    """What a host cannot say yes to.

    It may pass over its own rules and the calendar's; only what would break a promise
    (P1, P2) stands in the way. A closed slot does not: who had asked before may come,
    and a cancelled one has nobody left to say yes to.
    """
    return [
        each
        for each in refusals(case, now=now, policy=policy)
        if each.code in BREAKS_A_PROMISE
    ]


def proposal_refusals(case: Case, *, now: datetime, policy: Policy) -> list[Refusal]:
    """Why a slot that the host itself proposes cannot be the visit's.

    It need not keep its own notice, and a pause is for new requests only.
    """
    paused = case.rules.state is OfferState.PAUSED
    waived = {"notice_too_short"} | ({"offer_not_published"} if paused else set())
    return [
        each
        for each in refusals(case, now=now, policy=policy)
        if each.code not in waived
    ]


def following_refusals(case: Case, *, now: datetime, policy: Policy) -> list[Refusal]:
    """Why a class cannot follow the slot that it is on to another time."""
    return [
        each
        for each in when_refusals(case, now=now, policy=policy)
        if each.code not in WAIVED_BY_MOVING_THE_SLOT
    ]


def who_refusals(case: Case) -> list[Refusal]:
    """Rules about the offer and the class, whatever the day."""
    return [each for check in (_offer, _grade, _age) for each in check(case)]


def when_refusals(case: Case, *, now: datetime, policy: Policy) -> list[Refusal]:
    """Rules about the day and the hour."""
    found = list(_slot(case, now=now))
    for check in (_school_day, _absent, _wednesday, _busy, _host_day, _caps):
        found += check(case)
    found += _exam(case, policy=policy)
    found += _back(case)
    found += _notice(case, now=now, policy=policy)
    return found


def seats_refusals(case: Case) -> list[Refusal]:
    """Rules about numbers; nothing to say while no numbers are given."""
    if case.party is None:
        return []
    return [
        *number_refusals(
            case.party,
            subgroup_size=case.rules.subgroup_size,
            school_minimum=case.school_class.min_adults,
        ),
        *seat_refusals(case.party, offered=case.slot.seats, taken=case.taken),
    ]


def discreet(found: Iterable[Refusal]) -> list[Refusal]:
    """The same for a host: where else a class goes is none of its business (P6)."""
    elsewhere = (ClassBusy, OrganiserBusy)
    return [
        type(each)(starts_at=each.facts["starts_at"], host="")
        if isinstance(each, elsewhere)
        else each
        for each in found
    ]


def _offer(case: Case) -> Iterator[Refusal]:
    if case.rules.state is not OfferState.PUBLISHED:
        yield OfferNotPublished(state=case.rules.state.value)
    if not case.rules.bookable:
        yield KindNotBookable()


def _grade(case: Case) -> Iterator[Refusal]:
    rank = case.school_class.grade_rank
    if rank < case.rules.min_grade_rank:
        yield LevelTooLow(min_grade_rank=case.rules.min_grade_rank, grade_rank=rank)


def _age(case: Case) -> Iterator[Refusal]:
    least, youngest = case.rules.min_age, case.school_class.youngest_age
    if least is not None and youngest is not None and youngest < least:
        yield TooYoung(min_age=least, youngest=youngest)


def _slot(case: Case, *, now: datetime) -> Iterator[Refusal]:
    try:
        slots.check_open(case.slot, now=now)
    except Refusal as refusal:
        yield refusal


def _school_day(case: Case) -> Iterator[Refusal]:
    refusal = case.school_class.calendar.refusal_on(case.day)
    if refusal is not None:
        yield refusal


def _absent(case: Case) -> Iterator[Refusal]:
    period = covering(case.school_class.absences, case.day)
    if period is not None:
        yield ClassAbsent(
            first_on=period.first_on.isoformat(),
            last_on=period.last_on.isoformat(),
            reason=period.name,
        )


def _wednesday(case: Case) -> Iterator[Refusal]:
    klass = case.school_class
    if (
        klass.is_college
        and not klass.wednesday_afternoons
        and is_wednesday_afternoon(case.slot.starts_at)
    ):
        yield WednesdayAfternoon()


def _exam(case: Case, *, policy: Policy) -> Iterator[Refusal]:
    exam_on = policy.exam_on(day=case.day)
    in_spring = case.day.month < SCHOOL_YEAR_STARTS
    if case.school_class.exam_block and in_spring and case.day > exam_on:
        yield AfterExam(exam_on=exam_on.isoformat())


def _back(case: Case) -> Iterator[Refusal]:
    limit = case.school_class.back_by
    if limit is None:
        return
    back = local(case.away.back_at)
    if back.time() > limit or back.date() > case.day:
        yield ReturnTooLate(
            back_at=back.strftime("%H:%M"), back_by=limit.strftime("%H:%M")
        )


def _busy(case: Case) -> Iterator[Refusal]:
    here = half_day(case.slot.starts_at)
    for held in case.class_holds:
        same_half_day = (
            local_day(held.starts_at) == case.day and half_day(held.starts_at) is here
        )
        if same_half_day or held.away.overlaps(case.away):
            yield _class_busy(held)
            return
    on_site = away(case.slot.starts_at, case.slot.ends_at, None)
    for held in case.group_holds:
        if held.away.overlaps(on_site):
            yield _class_busy(held)
            return
    for held in case.organiser_holds:
        if held.away.overlaps(case.away):
            yield OrganiserBusy(
                starts_at=held.starts_at.isoformat(), host=held.host_name
            )
            return


def _class_busy(held: Held) -> ClassBusy:
    return ClassBusy(
        starts_at=held.starts_at.isoformat(),
        organiser=held.organiser_name,
        host=held.host_name,
    )


def organiser_refusals(case: Case) -> list[Refusal]:
    """Why this teacher cannot be away then; whatever the class does."""
    found: list[Refusal] = [
        OrganiserBusy(starts_at=held.starts_at.isoformat(), host=held.host_name)
        for held in case.organiser_holds
        if held.away.overlaps(case.away)
    ]
    return found[:1]


def _host_day(case: Case) -> Iterator[Refusal]:
    if covering(case.host_closed, case.day) is not None:
        yield HostClosed(on=case.day.isoformat())


def _caps(case: Case) -> Iterator[Refusal]:
    for period, used, cap in (
        ("day", case.cap_use.day, case.rules.cap_per_day),
        ("month", case.cap_use.month, case.rules.cap_per_month),
        ("year", case.cap_use.year, case.rules.cap_per_year),
    ):
        if cap is not None and used >= cap:
            yield HostCapReached(period=period, cap=cap, on=case.day.isoformat())


def _notice(case: Case, *, now: datetime, policy: Policy) -> Iterator[Refusal]:
    due = deadline(
        case.day,
        days=case.rules.min_notice_days,
        created_on=date.min,
        calendar=case.school_class.calendar,
        calendar_days_from=policy.calendar_days_from,
    )
    if local_day(now) > due.on:
        yield NoticeTooShort(
            notice_days=case.rules.min_notice_days, due_on=due.on.isoformat()
        )
