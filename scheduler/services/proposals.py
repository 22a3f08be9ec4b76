"""Other dates for a visit: which of the host's slots would do, and one made for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain import fit
from scheduler.domain.actors import Actor, for_host, need
from scheduler.domain.refusals import NotFound
from scheduler.persistence.queries import host_pages, offers, visits
from scheduler.services import fitting
from scheduler.services.answers import offer_instead
from scheduler.services.house import house_of
from scheduler.services.slots import SeatsWanted, SlotTimes, put_slot
from scheduler.services.transaction import transaction

MOST_OFFERED = 6


def slots_that_fit(
    session: Session, visit_id: int, *, by: Actor, now: datetime
) -> list[host_pages.SlotLine]:
    """The host's open slots that the class could take, those around its date."""
    visit = visits.visit_to_show(session, visit_id)
    if visit is None:
        raise NotFound
    host_id = visit.slot.offer.host_id
    need(for_host(by, host_id, visit_id=visit_id))
    slots = host_pages.open_slots(session, host_id, besides=visit.slot_id, now=now)
    found = fitting.cases(
        session,
        visit.school_class,
        slots,
        organiser_id=visit.organiser_id,
        party=visit.party,
        besides=visit,
    )
    policy = house_of(session).policy
    wished = visit.slot.starts_at
    fitting_ones = [
        host_pages.slot_line(slot)
        for slot, case in zip(slots, found, strict=True)
        if not fit.proposal_refusals(case, now=now, policy=policy)
    ]
    nearest = sorted(fitting_ones, key=lambda slot: abs(slot.starts_at - wished))
    return sorted(nearest[:MOST_OFFERED], key=lambda slot: slot.starts_at)


def propose_new_time(
    session: Session,
    visit_id: int,
    times: SlotTimes,
    slot_ids: Sequence[int],
    *,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """Make a slot for this class and propose it; nothing is kept if it cannot be."""
    with transaction(session):
        row = visits.visit_to_change(session, visit_id)
        if row is None:
            raise NotFound
        host_id = row.slot.offer.host_id
        need(for_host(by, host_id, visit_id=visit_id))
        offer = offers.offer_whole(session, row.slot.offer_id)
        if offer is None:
            raise NotFound
        slot_id = put_slot(session, offer, times, wanted=SeatsWanted(), by=by, now=now)
        offer_instead(session, row, [*slot_ids, slot_id], note=note, by=by, now=now)
