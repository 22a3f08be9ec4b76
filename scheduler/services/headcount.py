"""How many come to a visit, and the one mail when they are too few."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.headcount import Headcount, headcount, most_who_come, too_few
from scheduler.domain.visits import INVITED
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import access, received, visits
from scheduler.services import outbox
from scheduler.services.snapshot import snapshot

TOO_FEW = "too_few_come"


def count_of(session: Session, visit_id: int) -> Headcount:
    """The students' answers so far."""
    return headcount(received.answers_of_students(session, [visit_id])[visit_id])


def watch(session: Session, *visit_ids: int, now: datetime) -> None:
    """Tell the teacher when the group falls under the host's minimum, once per fall.

    Inside the caller's transaction, after whatever changed the count.
    """
    counts = received.answers_of_students(session, visit_ids)
    for visit, minimum in received.visits_in_brief(session, visit_ids):
        if visit.state not in INVITED:
            continue
        counted = headcount(counts[visit.id])
        if not too_few(counted, students=visit.students, minimum=minimum):
            visit.below_minimum_at = None
        elif visit.below_minimum_at is None:
            visit.below_minimum_at = now
            whole = visits.visit_to_show(session, visit.id)
            if whole is not None:
                _tell(session, whole, counted, minimum=minimum, now=now)


def _tell(
    session: Session,
    visit: VisitRow,
    counted: Headcount,
    *,
    minimum: int,
    now: datetime,
) -> None:
    organiser = visit.organiser
    contacts = access.contacts_of(session, visit.slot.offer.host_id)
    outbox.record(
        session,
        kind=TOO_FEW,
        audience=Audience.TEACHER,
        locale=organiser.locale,
        name=organiser.name,
        address=organiser.email,
        payload={
            "visit": {
                **snapshot(session, visit, locale=organiser.locale, contacts=contacts),
                "actor": "system",
            },
            "audience": Audience.TEACHER.value,
            "count": {
                "at_most": most_who_come(counted, students=visit.students),
                "minimum": minimum,
                "not_coming": counted.not_coming,
            },
            "link": None,
        },
        now=now,
        visit_id=visit.id,
        person_id=organiser.id,
    )
