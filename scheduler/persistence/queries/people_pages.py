"""Everybody who can sign in, for the list of the demo."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler.domain.actors import SCHOOL_ROLES, Role
from scheduler.domain.visits import INVITED, WAITS_FOR_HOST, VisitState
from scheduler.persistence.models.network import OrganisationRow, SchoolClassRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.reference import CommuneRow
from scheduler.persistence.models.visits import VisitRow


class Member(NamedTuple):
    """``waiting``: visits that wait for this person's side; ``ahead``: agreed ones."""

    person_id: int
    name: str
    email: str
    role: Role
    organisation: str
    commune: str
    waiting: int
    ahead: int


def members(session: Session, *, now: datetime) -> list[Member]:
    """Everybody who may sign in, once for each role in each organisation."""
    for_host = _counts(session, by=OfferRow.host_id, states=WAITS_FOR_HOST, now=None)
    host_ahead = _counts(session, by=OfferRow.host_id, states=INVITED, now=now)
    choosing = frozenset({VisitState.PROPOSED})
    for_teacher = _counts(session, by=VisitRow.organiser_id, states=choosing, now=None)
    own_ahead = _counts(session, by=VisitRow.organiser_id, states=INVITED, now=now)
    school_ahead = _counts(
        session, by=SchoolClassRow.school_id, states=INVITED, now=now
    )
    rows = session.execute(
        select(
            PersonRow.id,
            PersonRow.name,
            PersonRow.email,
            MembershipRow.role,
            MembershipRow.organisation_id,
            OrganisationRow.name,
            CommuneRow.name,
        )
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .join(OrganisationRow, OrganisationRow.id == MembershipRow.organisation_id)
        .join(CommuneRow, CommuneRow.insee == OrganisationRow.commune_insee)
        .where(PersonRow.blocked.is_(False))
        .order_by(OrganisationRow.name, MembershipRow.position, PersonRow.name)
    )
    found = []
    for person_id, name, email, role, organisation_id, organisation, commune in rows:
        if role is Role.HOST_CONTACT:
            waits = for_host.get(organisation_id, 0)
            ahead = host_ahead.get(organisation_id, 0)
        elif role is Role.TEACHER:
            waits, ahead = for_teacher.get(person_id, 0), own_ahead.get(person_id, 0)
        elif role in SCHOOL_ROLES:
            waits, ahead = 0, school_ahead.get(organisation_id, 0)
        else:
            waits = ahead = 0
        found.append(
            Member(person_id, name, email, role, organisation, commune, waits, ahead)
        )
    return found


def _counts(
    session: Session,
    *,
    by: object,
    states: frozenset[VisitState],
    now: datetime | None,
) -> dict[int, int]:
    """Visits in the states, by host, school or teacher; only those ahead of ``now``."""
    query = (
        select(by, func.count(VisitRow.id))  # type: ignore[call-overload]
        .select_from(VisitRow)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(SchoolClassRow, SchoolClassRow.id == VisitRow.class_id)
        .where(VisitRow.state.in_(states))
        .group_by(by)
    )
    if now is not None:
        query = query.where(SlotRow.starts_at > now)
    return {row[0]: row[1] for row in session.execute(query)}
