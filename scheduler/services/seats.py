"""The ledger of seats: recounted from the visits whenever one of them changes (P1)."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.domain.refusals import SlotFull
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.queries import visits

GUARDS = ("ck_slot_students", "ck_slot_people", "ck_slot_groups")


def recount(session: Session, *slots: SlotRow | None) -> None:
    """Store what is taken on each slot; raises ``SlotFull`` if a CHECK says no.

    The rules have counted before, under the same locks; the CHECKs are the last guard.
    """
    session.flush()
    for slot in slots:
        if slot is None:
            continue
        taken = visits.taken_on(session, slot.id)
        slot.students_taken, slot.people_taken, slot.groups_taken = taken
    try:
        session.flush()
    except IntegrityError as error:
        if any(guard in str(error.orig) for guard in GUARDS):
            raise SlotFull(unit="students", left=0, asked=0) from error
        raise
