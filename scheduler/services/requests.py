"""What a teacher does: ask, change numbers, withdraw, choose, move, cancel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain import fit, visits as rules
from scheduler.domain.actors import Actor, for_school, need
from scheduler.domain.announcements import Change
from scheduler.domain.offers import Confirmation
from scheduler.domain.parties import Party
from scheduler.domain.refusals import (
    NotFound,
    OtherHost,
    Refused,
    SlotNotOpen,
    WrongState,
)
from scheduler.domain.slots import SlotState
from scheduler.domain.visits import ENDED, HOLDS_SEATS, CancelReason, VisitState
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import visits
from scheduler.services import fitting, headcount, journal, schedule, seats
from scheduler.services.announce import announce, tell, truth
from scheduler.services.booking import Booking, demand_fit, hold
from scheduler.services.house import house_of
from scheduler.services.transaction import transaction


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a teacher sends. ``arrangements`` are counts, never a diagnosis."""

    slot_id: int
    class_id: int
    party: Party
    arrangements: str = ""
    message: str = ""


def request_visit(
    session: Session, request: Request, *, by: Actor, now: datetime
) -> int:
    """Ask for a slot for a class; seats are held from now on. Returns the visit's id.

    Raises ``Refused`` with every rule that says no. Where the offer confirms by
    itself the visit is confirmed at once.
    """
    with transaction(session):
        host_id = visits.host_of_slot(session, request.slot_id)
        if host_id is None or by.person_id is None:
            raise NotFound
        visits.lock(
            session,
            host_ids=[host_id],
            class_ids=[request.class_id],
            person_ids=[by.person_id],
        )
        klass = visits.class_to_ask_for(session, request.class_id)
        slot = visits.slot_to_take(session, request.slot_id)
        if klass is None or slot is None:
            raise NotFound
        need(for_school(by, klass.school_id) and klass.active)
        demand_fit(
            session,
            klass,
            slot,
            organiser_id=by.person_id,
            party=request.party,
            now=now,
        )
        row = hold(
            session,
            Booking(
                class_id=klass.id,
                slot_id=slot.id,
                organiser_id=by.person_id,
                party=request.party,
                arrangements=request.arrangements,
                message=request.message,
            ),
            asked=Change.REQUESTED,
            by=by,
            now=now,
        )
        return row.id


def change_numbers(
    session: Session,
    visit_id: int,
    party: Party,
    *,
    arrangements: str,
    by: Actor,
    now: datetime,
) -> None:
    """Other numbers or arrangements; the seats are counted again."""
    with transaction(session):
        row = _mine(session, visit_id, by)
        if row.party == party and row.arrangements == arrangements:
            return
        before = truth(session, row)
        changed = rules.change_numbers(row.as_domain(), party=party)
        found = fit.seats_refusals(
            fitting.cases(
                session,
                row.school_class,
                [row.slot],
                organiser_id=None,
                party=party,
                besides=row,
            )[0]
        )
        if found:
            raise Refused(*found)
        row.take(changed, now=now)
        row.arrangements = arrangements
        seats.recount(session, row.slot)
        tell(
            session,
            row,
            Change.NUMBERS_CHANGED,
            by=by,
            now=now,
            before=before,
            students=[before["students"], party.students],
        )
        headcount.watch(session, row.id, now=now)


def withdraw_visit(
    session: Session, visit_id: int, *, by: Actor, now: datetime
) -> None:
    """Take a request back, or the wish to move: the visit then stays where it is."""
    with transaction(session):
        row = _mine(session, visit_id, by)
        before, state = truth(session, row), row.state
        wanted = row.wanted_slot
        row.take(rules.withdraw(row.as_domain()), now=now)
        if state is VisitState.MOVING:
            schedule.answered(row, now=now)
            change = Change.MOVE_WITHDRAWN
        else:
            schedule.ended(session, row, now=now)
            change = Change.WITHDRAWN
        seats.recount(session, row.slot, wanted)
        tell(session, row, change, by=by, now=now, before=before)


def choose_slot(
    session: Session, visit_id: int, slot_id: int, *, by: Actor, now: datetime
) -> None:
    """Take one of the slots that the host proposed: confirmed at once."""
    with transaction(session):
        row = _mine(session, visit_id, by)
        chosen = rules.choose(row.as_domain(), slot_id=slot_id)
        offered = {each.slot_id for each in visits.proposals_for(session, row.id)}
        if slot_id not in offered:
            raise SlotNotOpen(state=SlotState.CANCELLED.value)
        slot = _slot_of_host(session, slot_id, row.slot.offer.host_id)
        demand_fit(
            session,
            row.school_class,
            slot,
            organiser_id=row.organiser_id,
            party=row.party,
            now=now,
            besides=row,
            judge=fit.proposal_refusals,
        )
        before, old = truth(session, row), row.slot
        row.take(chosen, now=now)
        row = _reload(session, row)
        schedule.confirmed(session, row, now=now)
        seats.recount(session, old, slot)
        tell(session, row, Change.CONFIRMED, by=by, now=now, before=before)


def move_visit(
    session: Session, visit_id: int, slot_id: int, *, by: Actor, now: datetime
) -> None:
    """Ask for another slot of the same host.

    An unanswered request simply goes there. A confirmed visit goes there at once when
    the offer confirms by itself; else the host is asked and the old date stands.
    """
    with transaction(session):
        row = _mine(session, visit_id, by)
        slot = _slot_of_host(session, slot_id, row.slot.offer.host_id)
        visit = row.as_domain()
        automatic = slot.offer.confirmation is Confirmation.AUTOMATIC
        if visit.state is VisitState.REQUESTED:
            moved = rules.switch(visit, slot_id=slot_id)
            change = Change.REQUEST_SWITCHED
        elif automatic:
            moved = rules.move_at_once(visit, slot_id=slot_id)
            change = Change.MOVED
        else:
            moved = rules.ask_move(visit, slot_id=slot_id)
            change = Change.MOVE_ASKED
        demand_fit(
            session,
            row.school_class,
            slot,
            organiser_id=row.organiser_id,
            party=row.party,
            now=now,
            besides=row,
        )
        before, old = truth(session, row), row.slot
        row.take(moved, now=now)
        row = _reload(session, row)
        if change is Change.MOVED:
            schedule.confirmed(session, row, now=now)
        else:
            schedule.expect_answer(session, row, now=now)
        seats.recount(session, old, slot)
        tell(
            session,
            row,
            change,
            by=by,
            now=now,
            before=before,
            to=slot.starts_at.isoformat(),
        )


def cancel_by_school(
    session: Session,
    visit_id: int,
    *,
    reason: CancelReason,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """Call a confirmed visit off, with a typed reason."""
    with transaction(session):
        row = _mine(session, visit_id, by)
        before, wanted = truth(session, row), row.wanted_slot
        late = rules.is_late(
            row.slot.starts_at,
            now=now,
            calendar=fitting.calendar_of(row.school_class.school),
            policy=house_of(session).policy,
        )
        row.take(
            rules.cancel_by_school(
                row.as_domain(), reason=reason, note=note, late=late
            ),
            now=now,
        )
        schedule.ended(session, row, now=now)
        seats.recount(session, row.slot, wanted)
        tell(
            session,
            row,
            Change.CANCELLED,
            by=by,
            now=now,
            before=before,
            reason=reason.value,
            late=late,
        )


def ask_again(session: Session, visit_id: int, *, by: Actor, now: datetime) -> None:
    """Want a visit after all that the school had called off: asked for again.

    Every rule is asked as for a first request. Where the offer confirms by itself the
    visit is confirmed at once; else its host answers.
    """
    with transaction(session):
        row = _mine(session, visit_id, by)
        asked = rules.ask_again(row.as_domain())
        slot = _slot_of_host(session, row.slot_id, row.slot.offer.host_id)
        demand_fit(
            session,
            row.school_class,
            slot,
            organiser_id=row.organiser_id,
            party=row.party,
            now=now,
            besides=row,
        )
        before = truth(session, row)
        row.take(asked, now=now)
        schedule.expect_answer(session, row, now=now)
        change = Change.REQUESTED_AGAIN
        if slot.offer.confirmation is Confirmation.AUTOMATIC:
            row.take(rules.accept(row.as_domain()), now=now)
            schedule.confirmed(session, row, now=now)
            change = Change.CONFIRMED
        seats.recount(session, slot)
        tell(session, row, change, by=by, now=now, before=before)


def hand_over(
    session: Session, visit_id: int, person_id: int, *, by: Actor, now: datetime
) -> None:
    """A colleague of the same school organises the visit from now on.

    The entry leaves one calendar and comes into the other; everybody else's names the
    new teacher. Refused when the colleague is away with another class then.
    """
    with transaction(session):
        row = _mine(session, visit_id, by, with_people=[person_id])
        need(person_id in visits.teachers_of(session, row.school_class.school_id))
        if row.state in ENDED or row.slot.ends_at <= now:
            raise WrongState(state=row.state.value, step="hand_over")
        if person_id == row.organiser_id:
            return
        _demand_free(session, row, person_id)
        before = truth(session, row)
        announce(session, row, Change.ORGANISER_LEFT, by=by, now=now)
        row.organiser_id = person_id
        row.revision += 1
        row.updated_at = now
        row = _reload(session, row)
        announce(session, row, Change.ORGANISER_JOINED, by=by, now=now, before=before)
        journal.note_visit(
            session, row, "handed_over", by=by, now=now, before=row.state.value
        )


def _demand_free(session: Session, row: VisitRow, person_id: int) -> None:
    """Raise ``Refused`` if that person is with another class at one of the times."""
    slots = [each for each in (row.slot, row.wanted_slot) if each is not None]
    for case in fitting.cases(
        session, row.school_class, slots, organiser_id=person_id, besides=row
    ):
        found = fit.organiser_refusals(case)
        if found and row.state in HOLDS_SEATS:
            raise Refused(*found)


def _to_change(
    session: Session, visit_id: int, *, with_people: Iterable[int] = ()
) -> VisitRow:
    row = visits.visit_to_change(session, visit_id, with_people=with_people)
    if row is None:
        raise NotFound
    return row


def _mine(
    session: Session, visit_id: int, by: Actor, *, with_people: Iterable[int] = ()
) -> VisitRow:
    """The visit, locked, if the actor may act for its school."""
    row = _to_change(session, visit_id, with_people=with_people)
    need(for_school(by, row.school_class.school_id))
    return row


def _reload(session: Session, row: VisitRow) -> VisitRow:
    """The same row with the slots that it points to now."""
    session.flush()
    return _to_change(session, row.id)


def _slot_of_host(session: Session, slot_id: int, host_id: int) -> SlotRow:
    slot = visits.slot_to_take(session, slot_id)
    if slot is None:
        raise NotFound
    if slot.offer.host_id != host_id:
        raise OtherHost
    return slot
