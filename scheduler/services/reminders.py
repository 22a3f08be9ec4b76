"""Who still wants reminders, and the one click that ends them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from scheduler.domain.refusals import NotFound
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.queries import mail_choices as queries
from scheduler.persistence.sealed import seal_of
from scheduler.services.unsubscribing import Subject, target


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """``unsubscribe`` goes with the message; ``None``: one would speak for many."""

    wanted: bool
    unsubscribe: dict[str, object] | None


def reminder_to(
    session: Session, visit_id: int, *, person_id: int | None, address: str
) -> Reminder:
    """Whether this reader is reminded of the visit.

    A student has no account: what is refused is kept with the address, for this visit,
    and goes with it. A mailing list has no such click: one reader would decide for all.
    """
    if person_id is not None:
        person = session.get(PersonRow, person_id)
        if person is None:
            raise NotFound
        return Reminder(
            wanted=person.reminders, unsubscribe=target(Subject.REMINDERS, person.id)
        )
    digest = seal_of(session).digest(address)
    row = queries.addressee(session, visit_id, address_digest=digest)
    if row is None:
        return Reminder(wanted=True, unsubscribe=None)
    click = None if row.shared else target(Subject.ADDRESS, row.id)
    return Reminder(wanted=row.reminders, unsubscribe=click)
