"""One letter to each teacher and one to each contact of a host, about a whole plan.

A teacher reads what each class obtained and why this one, or the true reason and what
would have helped; a host reads of all classes that would like to come, each with its
own link to answer. Both read what happens next. Nobody gets a mail for each visit on
top; a host's calendar holds a visit from its yes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.campaigns import CampaignState, RunPurpose
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.access import LinkPurpose
from scheduler.persistence.models.campaigns import OutcomeRow, RunRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import access, publishing as queries
from scheduler.services import links, outbox
from scheduler.services.reasons import reasons, whys
from scheduler.services.snapshot import snapshot
from scheduler.services.transaction import transaction

TO_TEACHER = "campaign_result"
TO_HOST = "campaign_requests"


def tell(
    session: Session,
    run_id: int,
    *,
    limit: int,
    now: datetime,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Write to those who have no letter about the run yet; how many were written."""
    run = session.get_one(RunRow, run_id)
    only = _only(session, run)
    due = [
        (Audience.TEACHER, each)
        for each in queries.teachers_to_tell(session, run, only=only, limit=limit)
    ]
    due += [
        (Audience.HOST, each)
        for each in queries.contacts_to_tell(session, run, limit=limit)
    ]
    session.rollback()
    told = 0
    for audience, person_id in due[:limit]:
        if stopping():
            break
        with transaction(session):
            _tell(session, run_id, audience, person_id, only=only, now=now)
        told += 1
    return told


def _only(session: Session, run: RunRow) -> set[int] | None:
    """A repair is told to those whose visits it changes, any other run to all."""
    if run.purpose is RunPurpose.REPAIR:
        return queries.touched_classes(session, run)
    return None


def _tell(
    session: Session,
    run_id: int,
    audience: Audience,
    person_id: int,
    *,
    only: set[int] | None,
    now: datetime,
) -> None:
    run = queries.run_to_publish(session, run_id)
    if run is None or run.campaign.state is not CampaignState.PUBLISHING:
        return
    if not queries.note_letter(session, run_id, person_id, audience, now=now):
        return
    person = session.get_one(PersonRow, person_id)
    write = _to_teacher if audience is Audience.TEACHER else _to_host
    result = write(session, run, person, only=only, now=now)
    outbox.record(
        session,
        kind=TO_TEACHER if audience is Audience.TEACHER else TO_HOST,
        audience=audience,
        locale=person.locale,
        name=person.name,
        address=person.email,
        payload={
            "audience": audience.value,
            "campaign": {
                "id": run.campaign_id,
                "name": run.campaign.name,
                "purpose": run.purpose.value,
                **result,
            },
        },
        now=now,
        person_id=person.id,
    )


# ---------------------------------------------------------------- to a teacher


def _to_teacher(
    session: Session,
    run: RunRow,
    person: PersonRow,
    *,
    only: set[int] | None,
    now: datetime,  # noqa: ARG001 - a teacher's letter has no link of its own
) -> dict[str, Any]:
    outcomes = queries.outcomes_of_teacher(session, run, person.id, only=only)
    class_ids = [each.class_id for each in outcomes]
    visits = _by_class(queries.visits_of_classes(session, run.campaign_id, class_ids))
    refused = dict(queries.refused_of_classes(session, run.campaign_id, class_ids))
    why_not = reasons(session, run.campaign_id, outcomes, locale=person.locale)
    classes = []
    for each in outcomes:
        reason = why_not.get(each.class_id)
        classes.append(
            {
                "label": each.school_class.label,
                "visits": [
                    _shown(session, visit, locale=person.locale)
                    for visit in visits[each.class_id]
                    if visit.state in queries.STANDS
                ],
                "refused": refused.get(each.class_id, []) if _meant(each) else [],
                "why": whys(each).as_json(),
                "reason": reason.as_json() if reason else None,
            }
        )
    return {"classes": classes}


def _meant(outcome: OutcomeRow) -> bool:
    """The plan had a visit for the class."""
    return outcome.visits > 0


def _by_class(visits: Iterable[VisitRow]) -> dict[int, list[VisitRow]]:
    found: dict[int, list[VisitRow]] = defaultdict(list)
    for each in visits:
        found[each.class_id].append(each)
    return found


# ---------------------------------------------------------------- to a host


def _to_host(
    session: Session,
    run: RunRow,
    person: PersonRow,
    *,
    only: set[int] | None,  # noqa: ARG001 - a host reads of what is asked of it
    now: datetime,
) -> dict[str, Any]:
    asked = []
    for visit in queries.visits_for_contact(session, run, person.id):
        link = None
        if visit.state is VisitState.REQUESTED:
            row = links.mint(
                session,
                LinkPurpose.ANSWER_VISIT,
                person_id=person.id,
                visit_id=visit.id,
                expires_at=visit.slot.starts_at,
                now=now,
            )
            link = {"purpose": LinkPurpose.ANSWER_VISIT.value, "id": row.id}
        shown = _shown(session, visit, locale=person.locale)
        asked.append({"visit": shown, "link": link})
    return {"asked": asked}


def _shown(session: Session, visit: VisitRow, *, locale: str) -> dict[str, Any]:
    contacts = access.contacts_of(session, visit.slot.offer.host_id)
    return snapshot(session, visit, locale=locale, contacts=contacts)
