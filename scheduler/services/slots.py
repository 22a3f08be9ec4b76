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
    NotFound,
    SlotInUse,
    SlotsOverlap,
    WrongState,
)
from scheduler.domain.schooldays import SchoolCalendar, covering
from scheduler.domain.slots import SlotState, check_times
from scheduler.domain.visits import INVITED, WAITS_FOR_HOST, CancelReason, VisitState
from scheduler.domain.weekly import WeeklyPlan, WeeklyRule, weekly_plan
from scheduler.ical.recurrence import weekly_dates
from scheduler.persistence.models.network import HostRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import offers, visits
from scheduler.services import answers, fitting, journal, schedule, seats
from scheduler.services.announce import announce, tell, truth
from scheduler.services.fitting import closures_of
from scheduler.services.offers import offer_to_change
from scheduler.services.transaction import transaction


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
    if covering(closures_of(offer.host), times.day) is not None:
        raise HostClosed(on=times.day.isoformat())
    row = _new_slot(offer, starts_at, ends_at, place=times.place, wanted=wanted)
    session.add(row)
    session.flush()
    _note(session, offer, "slot_added", by=by, now=now, slot=row.id)
    return row.id


def plan_for(
    session: Session, offer_id: int, rule: WeeklyRule, *, by: Actor, now: datetime
) -> WeeklyPlan:
    """The plan of a rule for this offer, to be shown before it is stored."""
    offer = offers.offer_whole(session, offer_id)
    if offer is None:
        raise NotFound
    need(for_host(by, offer.host_id))
    taken = offers.slot_times(session, offer_id)
    return plan_at(session, offer.host, rule, taken=taken, now=now)


def plan_at(
    session: Session,
    host: HostRow,
    rule: WeeklyRule,
    *,
    taken: Sequence[tuple[datetime, datetime]] = (),
    now: datetime,
) -> WeeklyPlan:
    """What the rule gives at the host, besides the times that are taken."""
    calendar = offers.zone_calendar(session)
    return weekly_plan(
        rule,
        weekly_dates(rule.rrule, rule.first_on, rule.last_on),
        calendar=calendar.as_domain() if calendar else SchoolCalendar(),
        closed=closures_of(host),
        taken=taken,
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
    tell(session, visit, Change.MOVE_DECLINED, by=by, now=now, before=before)


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
    fitting.demand(session, visit, slot, judge=fit.following_refusals, now=now)
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
