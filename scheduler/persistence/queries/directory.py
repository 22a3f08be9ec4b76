"""Organisations and people, found by the identifiers that people know them by."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from scheduler.persistence.models.network import HostRow, OrganisationRow, SchoolRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.reference import (
    OrganisationKindRow,
    SchoolKindRow,
)


def organisation_kinds(session: Session) -> set[str]:
    """The kinds of organisation, retired ones included."""
    return set(session.scalars(select(OrganisationKindRow.code)))


def school_kinds(session: Session) -> dict[str, SchoolKindRow]:
    """The kinds of school by code."""
    return {row.code: row for row in session.scalars(select(SchoolKindRow))}


def school_by_uai(session: Session, uai: str) -> SchoolRow | None:
    """The school with that UAI."""
    return session.scalars(select(SchoolRow).where(SchoolRow.uai == uai)).one_or_none()


def host_by_siret(session: Session, siret: str) -> HostRow | None:
    """The host with that SIRET."""
    return session.scalars(select(HostRow).where(HostRow.siret == siret)).one_or_none()


def organisation_named(session: Session, name: str) -> int | None:
    """The organisation with exactly that UAI, SIRET or name; the oldest of several."""
    return session.scalar(
        select(OrganisationRow.id)
        .outerjoin(SchoolRow, SchoolRow.id == OrganisationRow.id)
        .outerjoin(HostRow, HostRow.id == OrganisationRow.id)
        .where(
            or_(
                SchoolRow.uai == name,
                HostRow.siret == name,
                OrganisationRow.name == name,
            )
        )
        .order_by(OrganisationRow.id)
        .limit(1)
    )


def person_by_email(session: Session, email: str) -> PersonRow | None:
    """The person with that address."""
    return session.scalars(
        select(PersonRow).where(PersonRow.email == email)
    ).one_or_none()


def has_role(session: Session, person_id: int, organisation_id: int, role: str) -> bool:
    """Whether the person already has the role there."""
    found = session.scalar(
        select(MembershipRow.id).where(
            MembershipRow.person_id == person_id,
            MembershipRow.organisation_id == organisation_id,
            MembershipRow.role == role,
        )
    )
    return found is not None
