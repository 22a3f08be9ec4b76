"""Another time that was proposed from a calendar: a person of the other side decides.

A COUNTER changes nothing by itself. Confirmed, the slot takes the new time if nobody
else is on it; otherwise a slot of that time is made and the visit goes there. Every
rule of the two ways applies, and what they refuse changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain import fit, visits as rules
from scheduler.domain.actors import Actor, for_host, for_school, need
from scheduler.domain.announcements import Audience, Change
from scheduler.domain.localtime import local
from scheduler.domain.refusals import (
    BadTimes,
    NotFound,
    ProposerGone,
    WrongState,
)
from scheduler.domain.slots import LONGEST
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)
from scheduler.persistence.queries import offers, received, visits
from scheduler.services import answers, fitting, journal, schedule, seats
from scheduler.services.announce import tell, truth
from scheduler.services.rsvp import contact_of
from scheduler.services.slots import SeatsWanted, SlotTimes, put_slot, put_times
from scheduler.services.transaction import transaction

COUNTER = "counter"
OPEN_TO_A_PROPOSAL = frozenset({VisitState.REQUESTED, VisitState.CONFIRMED})


def confirm_proposal(
    session: Session, visit_id: int, received_id: int, *, by: Actor, now: datetime
) -> None:
    """Take the proposed time; everybody's calendar follows."""
    with transaction(session):
        visit, row, invitation = _mine(session, visit_id, received_id, by)
        if visit.state not in OPEN_TO_A_PROPOSAL:
            raise WrongState(state=visit.state.value, step="confirm_proposal")
        host = _for_the_host(session, visit, invitation, by=by)
        was_request = visit.state is VisitState.REQUESTED
        times = _times(row, place=visit.slot.place)
        _settle(row, by=by, now=now)
        if _is_alone(session, visit):
            slot_id = visit.slot_id
            put_times(session, slot_id, times, wanted=SeatsWanted(), by=host, now=now)
        else:
            _go_elsewhere(session, visit, times, host=host, by=by, now=now)
        if was_request:
            answers.say_yes(session, visit_id, by=host, now=now)


def dismiss_proposal(
    session: Session, visit_id: int, received_id: int, *, by: Actor, now: datetime
) -> None:
    """Keep the time as it is. Nobody is mailed; the proposal is gone from the page."""
    with transaction(session):
        visit, row, _invitation = _mine(session, visit_id, received_id, by)
        _settle(row, by=by, now=now)
        journal.note_visit(
            session,
            visit,
            "proposal_dismissed",
            by=by,
            now=now,
            before=visit.state.value,
        )


def _mine(
    session: Session, visit_id: int, received_id: int, by: Actor
) -> tuple[VisitRow, ReceivedRow, InvitationRow]:
    """The proposal, if the actor is of the side that did not make it."""
    visit = visits.visit_to_change(session, visit_id)
    row = received.received_to_settle(session, received_id)
    if visit is None or row is None or row.invitation_id is None:
        raise NotFound
    invitation = session.get_one(InvitationRow, row.invitation_id)
    school = visit.school_class.school_id
    host = visit.slot.offer.host_id
    need(row.visit_id == visit_id and row.code == COUNTER)
    if invitation.audience is Audience.HOST:
        need(for_school(by, school))
    else:
        need(invitation.audience is Audience.TEACHER and for_host(by, host))
    if row.settled_at is not None or row.proposed_starts_at is None:
        raise WrongState(state=visit.state.value, step="settle_proposal")
    return visit, row, invitation


def _for_the_host(
    session: Session, visit: VisitRow, invitation: InvitationRow, *, by: Actor
) -> Actor:
    """Who changes the slot: the contact that proposed, or the one that confirms.

    Raises ``ProposerGone`` where who proposed has no part in the visit any more.
    """
    if invitation.state is not InvitationState.INVITED:
        raise ProposerGone
    if invitation.audience is not Audience.HOST:
        return replace(by, visit_id=None)
    try:
        contact = replace(contact_of(session, invitation), visit_id=None)
        need(for_host(contact, visit.slot.offer.host_id))
    except NotFound as gone:
        raise ProposerGone from gone
    return contact


def _times(row: ReceivedRow, *, place: str) -> SlotTimes:
    """The proposed time as a host would type it; the place stays where it was."""
    if row.proposed_starts_at is None or row.proposed_ends_at is None:
        raise NotFound
    starts, ends = local(row.proposed_starts_at), local(row.proposed_ends_at)
    if starts.date() != ends.date():
        hours = int(LONGEST.total_seconds() // 3600)
        raise BadTimes(wrong="too_long", hours=hours)
    return SlotTimes(
        day=starts.date(), starts=starts.time(), ends=ends.time(), place=place
    )


def _settle(row: ReceivedRow, *, by: Actor, now: datetime) -> None:
    row.settled_at, row.settled_by_id = now, by.person_id


def _is_alone(session: Session, visit: VisitRow) -> bool:
    """Whether a change of the slot concerns this visit only."""
    on_it = [each.id for each in visits.on_slot(session, visit.slot_id)]
    return on_it == [visit.id] and not visits.offered_to(session, visit.slot_id)


def _go_elsewhere(
    session: Session,
    visit: VisitRow,
    times: SlotTimes,
    *,
    host: Actor,
    by: Actor,
    now: datetime,
) -> None:
    """A slot of that time on the same offer, and the visit moved onto it."""
    offer = offers.offer_whole(session, visit.slot.offer_id)
    if offer is None:
        raise NotFound
    slot_id = put_slot(session, offer, times, wanted=SeatsWanted(), by=host, now=now)
    slot = visits.slot_to_take(session, slot_id)
    if slot is None:
        raise NotFound
    fitting.demand(session, visit, slot, judge=fit.proposal_refusals, now=now)
    before, state, old = truth(session, visit), visit.state, visit.slot
    if state is VisitState.REQUESTED:
        moved, change = rules.switch(visit.as_domain(), slot_id=slot_id), None
    else:
        moved = rules.move_at_once(visit.as_domain(), slot_id=slot_id)
        change = Change.MOVED
    visit.take(moved, now=now)
    session.flush()
    there = visits.visit_to_change(session, visit.id)
    if there is None:
        raise NotFound
    seats.recount(session, old, slot)
    if change is None:
        # A request: the confirmation that follows tells everybody the time.
        return
    schedule.confirmed(session, there, now=now)
    tell(
        session,
        there,
        change,
        by=by,
        now=now,
        before=before,
        to=slot.starts_at.isoformat(),
    )
