"""What a host does about a visit: accept, decline, propose other slots, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain import fit, visits as rules
from scheduler.domain.actors import Actor, for_host, need
from scheduler.domain.announcements import Change
from scheduler.domain.refusals import NotFound, SameSlot
from scheduler.domain.visits import CancelReason, DeclineReason, VisitState
from scheduler.persistence.models.visits import ProposalRow, VisitRow
from scheduler.persistence.queries import visits
from scheduler.services import fitting, schedule, seats
from scheduler.services.announce import tell, truth
from scheduler.services.house import house_of
from scheduler.services.transaction import transaction


def accept_visit(session: Session, visit_id: int, *, by: Actor, now: datetime) -> None:
    """The host says yes, to the request or to the move; invitations go out."""
    with transaction(session):
        say_yes(session, visit_id, by=by, now=now)


def say_yes(session: Session, visit_id: int, *, by: Actor, now: datetime) -> None:
    """The same inside the caller's transaction (also for an answer that was mailed)."""
    row = _mine(session, visit_id, by)
    accepted = rules.accept(row.as_domain())
    before, state, old = truth(session, row), row.state, row.slot
    target = row.wanted_slot or row.slot
    fitting.demand(session, row, target, judge=fit.acceptance_refusals, now=now)
    row.take(accepted, now=now)
    session.flush()
    row = _mine(session, visit_id, by)
    schedule.confirmed(session, row, now=now)
    seats.recount(session, old, target)
    moved = state is VisitState.MOVING
    change = Change.MOVED if moved else Change.CONFIRMED
    tell(session, row, change, by=by, now=now, before=before)


def decline_visit(
    session: Session,
    visit_id: int,
    *,
    reason: DeclineReason,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """The host says no, with a typed reason; a declined move changes nothing else."""
    with transaction(session):
        say_no(session, visit_id, reason=reason, note=note, by=by, now=now)


def say_no(
    session: Session,
    visit_id: int,
    *,
    reason: DeclineReason,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """The same inside the caller's transaction (also for an answer that was mailed)."""
    row = _mine(session, visit_id, by)
    state, wanted = row.state, row.wanted_slot
    before = truth(session, row)
    row.take(rules.decline(row.as_domain(), reason=reason, note=note), now=now)
    if state is VisitState.MOVING:
        schedule.answered(row, now=now)
        change = Change.MOVE_DECLINED
    else:
        schedule.ended(session, row, now=now)
        change = Change.DECLINED
    seats.recount(session, row.slot, wanted)
    said = {"reason": reason.value, "note": note}
    tell(
        session,
        row,
        change,
        by=by,
        now=now,
        before=before,
        said=said,
        reason=reason.value,
    )


def propose_slots(
    session: Session,
    visit_id: int,
    slot_ids: Sequence[int],
    *,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """Offer other slots instead; the teacher chooses one of them."""
    with transaction(session):
        row = _mine(session, visit_id, by)
        offer_instead(session, row, slot_ids, note=note, by=by, now=now)


def offer_instead(
    session: Session,
    row: VisitRow,
    slot_ids: Sequence[int],
    *,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """Propose the slots inside the caller's transaction (also one just made)."""
    proposed = rules.propose(row.as_domain(), note=note)
    if not slot_ids:
        raise NotFound
    for slot_id in sorted(set(slot_ids)):
        slot = visits.slot_to_take(session, slot_id)
        if slot is None or slot.offer.host_id != row.slot.offer.host_id:
            raise NotFound
        if slot_id == row.slot_id:
            raise SameSlot
        fitting.demand(session, row, slot, judge=fit.proposal_refusals, now=now)
        session.add(ProposalRow(visit_id=row.id, slot_id=slot_id))
    before = truth(session, row)
    row.take(proposed, now=now)
    schedule.expect_choice(session, row, now=now)
    seats.recount(session, row.slot)
    tell(session, row, Change.PROPOSED, by=by, now=now, before=before)


def cancel_by_host(
    session: Session,
    visit_id: int,
    *,
    reason: CancelReason,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """The host calls a confirmed visit off, with a typed reason."""
    with transaction(session):
        row = _mine(session, visit_id, by)
        call_off(session, row, reason=reason, note=note, by=by, now=now)


def call_off(
    session: Session,
    row: VisitRow,
    *,
    reason: CancelReason,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """Cancel one visit inside the caller's transaction (also for a cancelled slot).

    A request that was never answered is declined by it.
    """
    before, wanted = truth(session, row), row.wanted_slot
    late = rules.is_late(
        row.slot.starts_at,
        now=now,
        calendar=fitting.calendar_of(row.school_class.school),
        policy=house_of(session).policy,
    )
    row.take(
        rules.cancel_by_host(row.as_domain(), reason=reason, note=note, late=late),
        now=now,
    )
    schedule.ended(session, row, now=now)
    seats.recount(session, row.slot, wanted)
    declined = row.state is VisitState.DECLINED
    change = Change.DECLINED if declined else Change.CANCELLED
    tell(
        session,
        row,
        change,
        by=by,
        now=now,
        before=before,
        reason=reason.value,
        late=late,
    )


def offer_again(
    session: Session, visit_id: int, *, note: str, by: Actor, now: datetime
) -> None:
    """The host can receive the class after all, on the day that it called off.

    The teacher, who may have no coach any more, has to choose it. Every rule is asked
    again, and once more when the teacher chooses.
    """
    with transaction(session):
        row = _mine(session, visit_id, by)
        offered = rules.offer_again(row.as_domain(), note=note)
        slot = visits.slot_to_take(session, row.slot_id)
        if slot is None:
            raise NotFound
        fitting.demand(session, row, slot, judge=fit.proposal_refusals, now=now)
        before = truth(session, row)
        row.take(offered, now=now)
        session.add(ProposalRow(visit_id=row.id, slot_id=row.slot_id))
        schedule.expect_choice(session, row, now=now)
        tell(session, row, Change.OFFERED_AGAIN, by=by, now=now, before=before)


def _mine(session: Session, visit_id: int, by: Actor) -> VisitRow:
    """The visit, locked, if the actor speaks for its host."""
    row = visits.visit_to_change(session, visit_id)
    if row is None:
        raise NotFound
    need(for_host(by, row.slot.offer.host_id, visit_id=visit_id))
    return row
