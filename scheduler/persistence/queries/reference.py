"""Reference lists as the services and the pages need them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.persistence.models.reference import (
    CommuneRow,
    FieldRow,
    LevelRow,
    OfferKindRow,
    OrganisationKindRow,
    PpeRow,
    SchoolKindRow,
    TrainingPathRow,
)


def fields(session: Session) -> Sequence[FieldRow]:
    """Fields in use, in their order."""
    return session.scalars(
        select(FieldRow).where(FieldRow.active).order_by(FieldRow.position)
    ).all()


def levels(session: Session) -> Sequence[LevelRow]:
    """Levels in use, in their order."""
    return session.scalars(
        select(LevelRow).where(LevelRow.active).order_by(LevelRow.position)
    ).all()


def school_kinds(session: Session) -> Sequence[SchoolKindRow]:
    """Kinds of school in use."""
    return session.scalars(
        select(SchoolKindRow)
        .where(SchoolKindRow.active)
        .order_by(SchoolKindRow.position)
    ).all()


def organisation_kinds(session: Session) -> Sequence[OrganisationKindRow]:
    """Kinds of organisation in use."""
    return session.scalars(
        select(OrganisationKindRow)
        .where(OrganisationKindRow.active)
        .order_by(OrganisationKindRow.position)
    ).all()


def offer_kinds(session: Session) -> Sequence[OfferKindRow]:
    """Kinds of offer in use."""
    return session.scalars(
        select(OfferKindRow).where(OfferKindRow.active).order_by(OfferKindRow.position)
    ).all()


def ppe(session: Session) -> dict[str, PpeRow]:
    """Protective equipment by code, retired entries included."""
    rows = session.scalars(select(PpeRow).order_by(PpeRow.position))
    return {row.code: row for row in rows}


def paths_for(
    session: Session, field_codes: Sequence[str]
) -> Sequence[TrainingPathRow]:
    """Training paths that lead to the fields, in their order."""
    return session.scalars(
        select(TrainingPathRow)
        .where(TrainingPathRow.field_code.in_(field_codes), TrainingPathRow.active)
        .order_by(TrainingPathRow.position, TrainingPathRow.code)
    ).all()


def commune(session: Session, insee: str) -> CommuneRow | None:
    """The commune with that INSEE code."""
    return session.get(CommuneRow, insee)
