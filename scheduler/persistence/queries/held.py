"""Times that classes and teachers hold (rule 7): one light query."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.orm import Session, aliased

from scheduler.domain.visits import HOLDS_SEATS
from scheduler.persistence.models.network import (
    OrganisationRow,
    SchoolClassRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.reference import CommuneRow
from scheduler.persistence.models.visits import VisitRow


class HeldSlot(NamedTuple):
    """A slot that a visit is on or wants, and the two ends of the way to it."""

    class_id: int
    organiser_id: int
    starts_at: datetime
    ends_at: datetime
    organiser_name: str
    host_name: str
    school_lat: float
    school_lon: float
    host_lat: float
    host_lon: float
    placement_id: int | None
    group_no: int | None


def coordinates(
    organisation: type[OrganisationRow], town: type[CommuneRow]
) -> list[ColumnElement[Any]]:
    """The organisation's own coordinates, else its commune's."""
    known = and_(organisation.lat.is_not(None), organisation.lon.is_not(None))
    return [
        case((known, organisation.lat), else_=town.lat),
        case((known, organisation.lon), else_=town.lon),
    ]


_SCHOOL, _SCHOOL_TOWN = aliased(OrganisationRow), aliased(CommuneRow)
_HOST, _HOST_TOWN = aliased(OrganisationRow), aliased(CommuneRow)
BOTH_ENDS = (*coordinates(_SCHOOL, _SCHOOL_TOWN), *coordinates(_HOST, _HOST_TOWN))
"""Where the school is, and where the host: latitude and longitude of each."""


def with_both_ends(query: Select[Any]) -> Select[Any]:
    """Visits that hold seats, with slot, wanted slot and both ends of the way."""
    return (
        query.join_from(
            VisitRow,
            SlotRow,
            or_(SlotRow.id == VisitRow.slot_id, SlotRow.id == VisitRow.wanted_slot_id),
        )
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(_HOST, _HOST.id == OfferRow.host_id)
        .join(_HOST_TOWN, _HOST_TOWN.insee == _HOST.commune_insee)
        .join(SchoolClassRow, SchoolClassRow.id == VisitRow.class_id)
        .join(_SCHOOL, _SCHOOL.id == SchoolClassRow.school_id)
        .join(_SCHOOL_TOWN, _SCHOOL_TOWN.insee == _SCHOOL.commune_insee)
        .where(VisitRow.state.in_(HOLDS_SEATS))
        .order_by(SlotRow.starts_at, VisitRow.id)
    )


# Built once: putting it together takes as long as asking the database.
_HELD = with_both_ends(
    select(
        VisitRow.class_id,
        VisitRow.organiser_id,
        SlotRow.starts_at,
        SlotRow.ends_at,
        PersonRow.name,
        _HOST.name,
        *BOTH_ENDS,
        VisitRow.placement_id,
        VisitRow.group_no,
    )
).join(PersonRow, PersonRow.id == VisitRow.organiser_id)


def slots_held(
    session: Session, *, class_id: int, organiser_id: int | None, besides: int | None
) -> list[HeldSlot]:
    """What the class or the teacher holds, by start.

    A visit that wants to move comes twice: either slot may become the visit's.
    """
    query = _HELD.where(
        or_(VisitRow.class_id == class_id, VisitRow.organiser_id == organiser_id),
        VisitRow.id.is_distinct_from(besides),
    )
    return [HeldSlot(*row) for row in session.execute(query)]
