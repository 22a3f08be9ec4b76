"""Two ways to a seat, one ledger: what a request and a placement of a campaign share.

Both ask the same rules, hold the same seats and confirm by themselves where the offer
does (DESIGN, position 10). Always inside the caller's transaction, under its locks.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain import fit, visits as rules
from scheduler.domain.actors import Actor
from scheduler.domain.announcements import Change
from scheduler.domain.offers import Confirmation
from scheduler.domain.parties import Party
from scheduler.domain.refusals import NotFound, Refusal, Refused
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.network import SchoolClassRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import visits
from scheduler.services import fitting, schedule, seats
from scheduler.services.announce import tell
from scheduler.services.fitting import PartOf
from scheduler.services.house import house_of

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 6


@dataclass(frozen=True, kw_only=True)
class Booking:
    """A group of a class on a slot. ``part``: where a campaign placed it."""

    class_id: int
    slot_id: int
    organiser_id: int
    party: Party
    arrangements: str = ""
    message: str = ""
    part: PartOf | None = None


def hold(
    session: Session, booking: Booking, *, asked: Change, by: Actor, now: datetime
) -> VisitRow:
    """The new visit: its seats are held from now on, and whoever must know is told.

    Confirmed at once where the offer confirms by itself; else ``asked`` is told.
    """
    row = VisitRow(
        state=VisitState.REQUESTED,
        class_id=booking.class_id,
        organiser_id=booking.organiser_id,
        slot_id=booking.slot_id,
        arrangements=booking.arrangements,
        message=booking.message,
        placement_id=booking.part.placement_id if booking.part else None,
        group_no=booking.part.group_no if booking.part else None,
        class_code=_new_code(session),
        requested_at=now,
        updated_at=now,
    )
    row.take_party(booking.party)
    session.add(row)
    session.flush()
    stored = visits.visit_to_change(session, row.id)
    if stored is None:
        raise NotFound
    schedule.expect_answer(session, stored, now=now)
    change = asked
    if stored.slot.offer.confirmation is Confirmation.AUTOMATIC:
        stored.take(rules.accept(stored.as_domain()), now=now)
        schedule.confirmed(session, stored, now=now)
        change = Change.CONFIRMED
    seats.recount(session, stored.slot)
    tell(session, stored, change, by=by, now=now)
    return stored


def demand_fit(
    session: Session,
    klass: SchoolClassRow,
    slot: SlotRow,
    *,
    organiser_id: int,
    party: Party,
    now: datetime,
    besides: VisitRow | None = None,
    part: PartOf | None = None,
    judge: Callable[..., list[Refusal]] = fit.refusals,
) -> None:
    """Raise ``Refused`` unless the class fits the slot, by the rules of ``judge``."""
    case = fitting.cases(
        session,
        klass,
        [slot],
        organiser_id=organiser_id,
        party=party,
        besides=besides,
        part=part,
    )[0]
    found = judge(case, now=now, policy=house_of(session).policy)
    if found:
        raise Refused(*found)


def _new_code(session: Session) -> str:
    """A class code nobody has: short, without look-alikes, worth a throttle."""
    while True:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if not visits.class_code_taken(session, code):
            return code
