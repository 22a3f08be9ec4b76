"""What subscribed calendars are made of: whose they are, and their visits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from scheduler.domain.actors import Role
from scheduler.domain.feeds import FeedKind
from scheduler.domain.visits import INVITED, VisitState
from scheduler.persistence.models.access import FeedRow
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.network import OrganisationRow, SchoolClassRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.persistence.queries.visits import visit_whole

CALLED_OFF = frozenset({VisitState.CANCELLED_BY_SCHOOL, VisitState.CANCELLED_BY_HOST})
SHOWN = INVITED | CALLED_OFF | {VisitState.DONE}
OFFER_CHANGED = "offer_changed"
# Another contact is named first from then on.
CONTACTS_CHANGED = frozenset({"contact_added", "contact_first", "contact_removed"})

INSERT: dict[str, Callable[..., Any]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


class FeedOfClass(NamedTuple):
    """``generation`` rises when the class gets another address for its calendar."""

    class_id: int
    label: str
    school_name: str
    generation: int


def feed_of_class(session: Session, class_id: int) -> FeedOfClass | None:
    """What the calendar's name and address depend on."""
    row = session.execute(
        select(
            SchoolClassRow.id,
            SchoolClassRow.label,
            OrganisationRow.name,
            SchoolClassRow.feed_generation,
        )
        .join(OrganisationRow, OrganisationRow.id == SchoolClassRow.school_id)
        .where(SchoolClassRow.id == class_id)
    ).one_or_none()
    return FeedOfClass(*row) if row else None


def feed_by_id(session: Session, feed_id: int) -> FeedRow | None:
    """An adult's calendar, revoked or not."""
    return session.get(FeedRow, feed_id)


def feeds_of(session: Session, person_id: int) -> Sequence[FeedRow]:
    """Every calendar that the person once opened and did not close."""
    return session.scalars(
        select(FeedRow).where(
            FeedRow.person_id == person_id, FeedRow.revoked_at.is_(None)
        )
    ).all()


def add_feed(
    session: Session,
    kind: FeedKind,
    *,
    person_id: int,
    organisation_id: int,
    now: datetime,
) -> None:
    """Make the row unless there is one; of two that try, one does."""
    insert = INSERT[session.get_bind().dialect.name]
    session.execute(
        insert(FeedRow)
        .values(
            kind=kind,
            person_id=person_id,
            organisation_id=organisation_id,
            generation=0,
            created_at=now,
            revoked_at=None,
        )
        .on_conflict_do_nothing()
    )


def feed_to_change(
    session: Session, kind: FeedKind, *, person_id: int, organisation_id: int
) -> FeedRow | None:
    """The calendar of that person for that organisation, locked."""
    return session.scalars(
        select(FeedRow)
        .where(
            FeedRow.kind == kind,
            FeedRow.person_id == person_id,
            FeedRow.organisation_id == organisation_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def organisation_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """The names of organisations."""
    rows = session.execute(
        select(OrganisationRow.id, OrganisationRow.name).where(
            OrganisationRow.id.in_(set(ids))
        )
    )
    return {row[0]: row[1] for row in rows}


def visits_of_class(
    session: Session, class_id: int, *, since: datetime
) -> Sequence[VisitRow]:
    """The class's agreed, finished and cancelled visits that ended after ``since``."""
    return _visits(session, VisitRow.class_id == class_id, since=since)


def visits_followed(
    session: Session,
    kind: FeedKind,
    *,
    person_id: int,
    organisation_id: int,
    since: datetime,
) -> Sequence[VisitRow]:
    """The same for what an adult follows."""
    of_school = VisitRow.class_id.in_(
        select(SchoolClassRow.id).where(SchoolClassRow.school_id == organisation_id)
    )
    wanted: dict[FeedKind, ColumnElement[bool]] = {
        FeedKind.TEACHER: of_school & (VisitRow.organiser_id == person_id),
        FeedKind.SCHOOL: of_school,
        FeedKind.HOST: SlotRow.offer_id.in_(
            select(OfferRow.id).where(OfferRow.host_id == organisation_id)
        ),
        FeedKind.CAMPUS: true(),
    }
    return _visits(session, wanted[kind], since=since)


def _visits(
    session: Session, wanted: ColumnElement[bool], *, since: datetime
) -> Sequence[VisitRow]:
    return session.scalars(
        select(VisitRow)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(wanted, VisitRow.state.in_(SHOWN), SlotRow.ends_at >= since)
        .options(*visit_whole())
        .order_by(SlotRow.starts_at, VisitRow.id)
    ).all()


def invitations_to(session: Session, person_id: int) -> Sequence[InvitationRow]:
    """Every invitation that the person ever got, the latest of a visit last."""
    return session.scalars(
        select(InvitationRow)
        .where(InvitationRow.person_id == person_id)
        .order_by(InvitationRow.id)
    ).all()


def first_contacts(session: Session, host_ids: Iterable[int]) -> dict[int, PersonRow]:
    """Of each host the contact whom a class asks for, not the blocked."""
    rows = session.scalars(
        select(MembershipRow)
        .join(PersonRow)
        .where(
            MembershipRow.organisation_id.in_(set(host_ids)),
            MembershipRow.role == Role.HOST_CONTACT,
            PersonRow.blocked.is_(False),
        )
        .options(joinedload(MembershipRow.person))
        .order_by(MembershipRow.position.desc(), MembershipRow.id.desc())
    )
    return {row.organisation_id: row.person for row in rows}


def host_changes(
    session: Session,
    host_ids: Iterable[int],
    what: Collection[str],
    *,
    since: datetime,
) -> dict[int, list[datetime]]:
    """When each host's offers or people changed: calendars tell of them too."""
    rows = session.execute(
        select(JournalRow.organisation_id, JournalRow.at)
        .where(
            JournalRow.organisation_id.in_(set(host_ids)),
            JournalRow.what.in_(what),
            JournalRow.at >= since,
        )
        .order_by(JournalRow.at)
    )
    found: dict[int, list[datetime]] = {}
    for organisation_id, at in rows:
        if organisation_id is not None:
            found.setdefault(organisation_id, []).append(at)
    return found
