"""A host's dated slots: one by one, by a weekly rule, changed, closed, cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy.orm import Session

from scheduler.domain import fit, visits as rules
from scheduler.domain.actors import Actor, for_host, need
from scheduler.domain.announcements import Change
from scheduler.domain.localtime import instant
from scheduler.domain.offers import check_limits
from scheduler.domain.refusals import (
    HostClosed,
    NoSuchTime,
    NotFound,
    Refused,
    SlotInUse,
    SlotsOverlap,
    WrongState,
)
from scheduler.domain.schooldays import Closure, SchoolCalendar, covering
from scheduler.domain.slots import SlotState, check_times
from scheduler.domain.visits import INVITED, WAITS_FOR_HOST, CancelReason, VisitState
from scheduler.ical.recurrence import weekly_dates
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import offers, visits
from scheduler.services import answers, fitting, journal, schedule, seats
from scheduler.services.announce import announce, truth
from scheduler.services.house import house_of
from scheduler.services.offers import offer_to_change
from scheduler.services.transaction import transaction

MOST_SLOTS_AT_ONCE = 120


@dataclass(frozen=True, kw_only=True)
class SlotTimes:
    """When and where, as a host types it. ``place`` empty: the host's own address."""

    day: date
    starts: time
    ends: time
    place: str = ""

    def instants(self) -> tuple[datetime, datetime]:
        """UTC; raises ``NoSuchTime`` for the hour skipped in March."""
        return instant(self.day, self.starts), instant(self.day, self.ends)


@dataclass(frozen=True, kw_only=True)
class SeatsWanted:
    """Seats of a slot; ``None`` takes the offer's own numbers."""

    students: int | None = None
    people: int | None = None
    groups: int | None = None

    def check(self) -> None:
        """Raise ``LimitTooLow`` for a slot on which nobody could come."""
        check_limits(students=self.students, people=self.people, groups=self.groups)


@dataclass(frozen=True)
class LeftOut:
    """A day that the weekly rule skipped, and the code of why."""

    day: date
    code: str
    name: str = ""


@dataclass(frozen=True)
class WeeklyPlan:
    """What a weekly rule gives: the days taken and the days left out, in order."""

    days: tuple[date, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, kw_only=True)
class WeeklyRule:
    """``rrule``: RFC 5545 text such as ``FREQ=WEEKLY;BYDAY=TU,TH``."""

    rrule: str
    first_on: date
    last_on: date
    starts: time
    ends: time
    place: str = ""


def add_slot(
    session: Session,
    offer_id: int,
    times: SlotTimes,
    *,
    wanted: SeatsWanted,
    by: Actor,
    now: datetime,
) -> int:
    """One dated slot. Returns its id.

    Raises ``LimitTooLow``, ``SlotsOverlap``, ``HostClosed`` and what ``check_times``
    refuses.
    """
    with transaction(session):
        offer = offer_to_change(session, offer_id, by)
        return put_slot(session, offer, times, wanted=wanted, by=by, now=now)


def put_slot(
    session: Session,
    offer: OfferRow,
    times: SlotTimes,
    *,
    wanted: SeatsWanted,
    by: Actor,
    now: datetime,
) -> int:
    """One dated slot inside the caller's transaction; the host is locked."""
    starts_at, ends_at = times.instants()
    check_times(starts_at, ends_at, now=now)
    _check_free(session, offer, starts_at, ends_at)
    if covering(closures_of(offer), times.day) is not None:
        raise HostClosed(on=times.day.isoformat())
    row = _new_slot(offer, starts_at, ends_at, place=times.place, wanted=wanted)
    session.add(row)
    session.flush()
    _note(session, offer, "slot_added", by=by, now=now, slot=row.id)
    return row.id


def weekly_plan(
    rule: WeeklyRule,
    *,
    calendar: SchoolCalendar,
    closed: Sequence[Closure],
    taken: Sequence[tuple[datetime, datetime]],
    now: datetime,
) -> WeeklyPlan:
    """The days of the rule without holidays, closed days, past and taken times.

    Raises ``ValueError`` for a rule that is no weekly RRULE.
    """
    days, left_out = [], []
    for day in weekly_dates(rule.rrule, rule.first_on, rule.last_on):
        closure = calendar.closure_on(day)
        own = covering(closed, day)
        if closure is not None:
            left_out.append(LeftOut(day, "school_closed", closure.name))
            continue
        if own is not None:
            left_out.append(LeftOut(day, "host_closed", own.name))
            continue
        try:
            starts_at, ends_at = instant(day, rule.starts), instant(day, rule.ends)
        except NoSuchTime as refusal:
            left_out.append(LeftOut(day, refusal.code))
            continue
        if starts_at <= now:
            left_out.append(LeftOut(day, "too_late"))
        elif any(starts_at < end and start < ends_at for start, end in taken):
            left_out.append(LeftOut(day, "slots_overlap"))
        else:
            days.append(day)
    return WeeklyPlan(
        tuple(days[:MOST_SLOTS_AT_ONCE]),
        tuple(
            left_out + [LeftOut(day, "too_many") for day in days[MOST_SLOTS_AT_ONCE:]]
        ),
    )


def plan_for(
    session: Session, offer_id: int, rule: WeeklyRule, *, by: Actor, now: datetime
) -> WeeklyPlan:
    """The plan of a rule for this offer, to be shown before it is stored."""
    offer = offers.offer_whole(session, offer_id)
    if offer is None:
        raise NotFound
    need(for_host(by, offer.host_id))
    calendar = offers.zone_calendar(session)
    return weekly_plan(
        rule,
        calendar=calendar.as_domain() if calendar else SchoolCalendar(),
        closed=closures_of(offer),
        taken=offers.slot_times(session, offer_id),
        now=now,
    )


def add_weekly_slots(
    session: Session,
    offer_id: int,
    rule: WeeklyRule,
    *,
    wanted: SeatsWanted,
    by: Actor,
    now: datetime,
) -> WeeklyPlan:
    """Slots for every day of the plan, all or none."""
    with transaction(session):
        offer = offer_to_change(session, offer_id, by)
        return put_weekly_slots(session, offer, rule, wanted=wanted, by=by, now=now)


def put_weekly_slots(
    session: Session,
    offer: OfferRow,
    rule: WeeklyRule,
    *,
    wanted: SeatsWanted,
    by: Actor,
    now: datetime,
) -> WeeklyPlan:
    """The slots of the plan inside the caller's transaction; the host is locked."""
    plan = plan_for(session, offer.id, rule, by=by, now=now)
    for day in plan.days:
        starts_at, ends_at = instant(day, rule.starts), instant(day, rule.ends)
        check_times(starts_at, ends_at, now=now)
        session.add(
            _new_slot(offer, starts_at, ends_at, place=rule.place, wanted=wanted)
        )
    _note(session, offer, "slots_added", by=by, now=now, days=len(plan.days))
    return plan


def change_slot(
    session: Session,
    slot_id: int,
    times: SlotTimes,
    *,
    wanted: SeatsWanted,
    by: Actor,
    now: datetime,
) -> None:
    """Another time or place; every visit on the slot and its calendars follow.

    A visit that only wants to move here asked for the old time, and stays where it is.
    Raises ``Refused`` when a class that comes cannot come then, ``SlotInUse`` when
    fewer seats are left than are held.
    """
    with transaction(session):
        put_times(session, slot_id, times, wanted=wanted, by=by, now=now)


def put_times(
    session: Session,
    slot_id: int,
    times: SlotTimes,
    *,
    wanted: SeatsWanted,
    by: Actor,
    now: datetime,
) -> None:
    """The same inside the caller's transaction (also for a time that was proposed)."""
    starts_at, ends_at = times.instants()
    check_times(starts_at, ends_at, now=now)
    slot = _my_slot(session, slot_id, by)
    if slot.state is SlotState.CANCELLED or slot.starts_at <= now:
        raise WrongState(state=slot.state.value, step="change_slot")
    _check_free(session, slot.offer, starts_at, ends_at, besides=slot.id)
    told = visits.on_slot(session, slot.id)
    moved = (starts_at, ends_at, times.place) != (
        slot.starts_at,
        slot.ends_at,
        slot.place,
    )
    same_time = (starts_at, ends_at) == (slot.starts_at, slot.ends_at)
    before = {row.id: truth(session, row) for row in told}
    slot.starts_at, slot.ends_at, slot.place = starts_at, ends_at, times.place
    _resize(slot, wanted)
    session.flush()
    if moved:
        for row in told:
            if row.slot_id == slot.id or same_time:
                _follow(session, row, slot, before[row.id], by=by, now=now)
            else:
                _drop_move(session, row, by=by, now=now)
    _note(session, slot.offer, "slot_changed", by=by, now=now, slot=slot.id)


def close_slot(session: Session, slot_id: int, *, by: Actor, now: datetime) -> None:
    """No new requests; who is on it stays."""
    _set_state(session, slot_id, SlotState.OPEN, SlotState.CLOSED, by=by, now=now)


def reopen_slot(session: Session, slot_id: int, *, by: Actor, now: datetime) -> None:
    """Requests are welcome again."""
    _set_state(session, slot_id, SlotState.CLOSED, SlotState.OPEN, by=by, now=now)


def cancel_slot(
    session: Session,
    slot_id: int,
    *,
    reason: CancelReason,
    note: str,
    by: Actor,
    now: datetime,
) -> int:
    """The slot is gone, with every visit on it. How many visits were called off.

    A visit that could choose nothing but this slot ends with it.
    """
    with transaction(session):
        slot = _my_slot(session, slot_id, by)
        if slot.state is SlotState.CANCELLED or slot.starts_at <= now:
            raise WrongState(state=slot.state.value, step="cancel_slot")
        called_off = 0
        for row in visits.on_slot(session, slot.id):
            if row.slot_id != slot.id:
                _drop_move(session, row, by=by, now=now)
            elif row.state is not VisitState.PROPOSED:
                answers.call_off(session, row, reason=reason, note=note, by=by, now=now)
                called_off += 1
        slot.state = SlotState.CANCELLED
        offered_to = visits.offered_to(session, slot.id)
        offers.drop_proposals_of(session, slot.id)
        for row in offered_to:
            if not visits.proposals_for(session, row.id):
                answers.call_off(session, row, reason=reason, note=note, by=by, now=now)
        _note(session, slot.offer, "slot_cancelled", by=by, now=now, slot=slot.id)
        return called_off


def closures_of(offer: OfferRow) -> tuple[Closure, ...]:
    """The host's own closed days."""
    return tuple(
        Closure(each.first_on, each.last_on, "host", each.reason)
        for each in offer.host.closed_days
    )


def _drop_move(session: Session, row: VisitRow, *, by: Actor, now: datetime) -> None:
    """A visit that only wanted to move here stays where it is."""
    visit = visits.visit_to_change(session, row.id)
    if visit is None:
        return
    before, wanted = truth(session, visit), visit.wanted_slot
    visit.take(
        rules.decline(visit.as_domain(), reason=rules.DeclineReason.DATE, note=""),
        now=now,
    )
    schedule.answered(visit, now=now)
    seats.recount(session, visit.slot, wanted)
    announce(session, visit, Change.MOVE_DECLINED, by=by, now=now, before=before)
    journal.note_visit(
        session, visit, Change.MOVE_DECLINED.value, by=by, now=now, before="moving"
    )


def _follow(
    session: Session,
    row: VisitRow,
    slot: SlotRow,
    before: dict[str, object],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Take one visit along: check that the class can come, tell everybody."""
    visit = visits.visit_to_change(session, row.id)
    if visit is None or visit.state is VisitState.PROPOSED:
        return
    case = fitting.cases(
        session,
        visit.school_class,
        [slot],
        organiser_id=visit.organiser_id,
        besides=visit,
    )[0]
    found = fit.following_refusals(case, now=now, policy=house_of(session).policy)
    if found:
        raise Refused(*fit.discreet(found))
    state = visit.state
    visit.take(rules.slot_changed(visit.as_domain()), now=now)
    if state in INVITED and visit.slot_id == slot.id:
        schedule.plan_reminders(session, visit, now=now)
    if state in WAITS_FOR_HOST:
        schedule.expect_answer(session, visit, now=now)
    if visit.slot_id == slot.id:
        announce(session, visit, Change.SLOT_CHANGED, by=by, now=now, before=before)
    else:
        announce(session, visit, Change.MOVE_ASKED, by=by, now=now, before=before)
    journal.note_visit(
        session,
        visit,
        Change.SLOT_CHANGED.value,
        by=by,
        now=now,
        before=state.value,
        to=slot.starts_at.isoformat(),
    )


def _set_state(
    session: Session,
    slot_id: int,
    expected: SlotState,
    wanted: SlotState,
    *,
    by: Actor,
    now: datetime,
) -> None:
    with transaction(session):
        slot = _my_slot(session, slot_id, by)
        if slot.state is not expected:
            raise WrongState(state=slot.state.value, step=f"to_{wanted.value}")
        slot.state = wanted
        _note(session, slot.offer, f"slot_{wanted.value}", by=by, now=now, slot=slot.id)


def _new_slot(
    offer: OfferRow,
    starts_at: datetime,
    ends_at: datetime,
    *,
    place: str,
    wanted: SeatsWanted,
) -> SlotRow:
    wanted.check()
    row = SlotRow(
        offer_id=offer.id,
        starts_at=starts_at,
        ends_at=ends_at,
        place=place,
        max_students=offer.max_students,
        max_people=offer.max_people,
        max_groups=offer.max_groups,
    )
    if wanted.students is not None:
        row.max_students = wanted.students
    if wanted.people is not None:
        row.max_people = wanted.people
    if wanted.groups is not None:
        row.max_groups = wanted.groups
    return row


def _resize(slot: SlotRow, wanted: SeatsWanted) -> None:
    """Other seats, never fewer than are held."""
    wanted.check()
    for unit, value, held in (
        ("students", wanted.students, slot.students_taken),
        ("people", wanted.people, slot.people_taken),
        ("groups", wanted.groups, slot.groups_taken),
    ):
        if value is None:
            continue
        if value < held:
            raise SlotInUse(unit=unit, held=held, wanted=value)
        setattr(slot, f"max_{unit}", value)


def _check_free(
    session: Session,
    offer: OfferRow,
    starts_at: datetime,
    ends_at: datetime,
    *,
    besides: int | None = None,
) -> None:
    for start, end in offers.slot_times(session, offer.id, besides=besides):
        if starts_at < end and start < ends_at:
            raise SlotsOverlap(starts_at=start.isoformat())


def _my_slot(session: Session, slot_id: int, by: Actor) -> SlotRow:
    """The slot, with its host and everybody who is on it locked."""
    host_id = visits.host_of_slot(session, slot_id)
    if host_id is None:
        raise NotFound
    need(for_host(by, host_id))
    visits.lock(session, host_ids=[host_id])
    keys = visits.keys_on_slot(session, slot_id)
    visits.lock(
        session,
        class_ids=[class_id for class_id, _ in keys],
        person_ids=[person_id for _, person_id in keys],
    )
    slot = visits.slot_to_take(session, slot_id)
    if slot is None:
        raise NotFound
    return slot


def _note(
    session: Session,
    offer: OfferRow,
    what: str,
    *,
    by: Actor,
    now: datetime,
    **details: object,
) -> None:
    journal.note_organisation(
        session, offer.host_id, what, by=by, now=now, offer=offer.id, **details
    )
