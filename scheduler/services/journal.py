"""Who did what, when, in the same transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.visits import VisitRow


def note_visit(
    session: Session,
    visit: VisitRow,
    what: str,
    *,
    by: Actor,
    now: datetime,
    before: str = "",
    **details: object,
) -> None:
    """A line in the history of a visit. Never personal data of students."""
    session.add(
        JournalRow(
            at=now,
            what=what,
            person_id=by.person_id,
            visit_id=visit.id,
            from_state=before,
            to_state=visit.state.value,
            details=details,
        )
    )


def note_organisation(
    session: Session,
    organisation_id: int,
    what: str,
    *,
    by: Actor,
    now: datetime,
    **details: object,
) -> None:
    """A line in the history of a host or a school."""
    session.add(
        JournalRow(
            at=now,
            what=what,
            person_id=by.person_id,
            organisation_id=organisation_id,
            details=details,
        )
    )


def note_person(
    session: Session, person_id: int, what: str, *, by: Actor, now: datetime
) -> None:
    """A line about an adult, by number: names and addresses do not belong here."""
    details: dict[str, object] = {"person": person_id}
    session.add(JournalRow(at=now, what=what, person_id=by.person_id, details=details))


def note_campaign(
    session: Session,
    campaign_id: int,
    what: str,
    *,
    by: Actor,
    now: datetime,
    **details: object,
) -> None:
    """A line in the history of a campaign."""
    session.add(
        JournalRow(
            at=now,
            what=f"campaign_{what}",
            person_id=by.person_id,
            details={"campaign": campaign_id, **details},
        )
    )
