"""Wish lists: to be changed, to be shown, and what may be wished."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler.domain.campaigns import CampaignState
from scheduler.domain.offers import OfferState
from scheduler.domain.slots import SlotState
from scheduler.domain.travel import Place
from scheduler.domain.wishes import WishListState
from scheduler.persistence.models.campaigns import CampaignRow, WishListRow
from scheduler.persistence.models.network import (
    HostRow,
    OrganisationRow,
    SchoolClassRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.reference import CommuneRow, OfferKindRow
from scheduler.persistence.queries.held import coordinates


class SlotChoice(NamedTuple):
    """A slot that may be wished, in one line."""

    id: int
    host_id: int
    host: str
    commune: str
    title: str
    starts_at: datetime
    ends_at: datetime


class HostChoice(NamedTuple):
    id: int
    name: str
    commune: str


class Filed(NamedTuple):
    """Where a class stands with its list in a campaign."""

    campaign_id: int
    class_id: int
    state: WishListState
    wishes: int
    updated_at: datetime
    teacher: str


def list_to_change(
    session: Session, campaign_id: int, class_id: int
) -> WishListRow | None:
    """The list of a class with its wishes; the campaign is locked by then."""
    return session.scalar(
        select(WishListRow)
        .where(WishListRow.campaign_id == campaign_id, WishListRow.class_id == class_id)
        .options(selectinload(WishListRow.wishes), joinedload(WishListRow.teacher))
        .execution_options(populate_existing=True)
    )


def next_arrival(session: Session, campaign_id: int) -> int:
    """The rank of the list that comes now."""
    last = session.scalar(
        select(func.max(WishListRow.arrival)).where(
            WishListRow.campaign_id == campaign_id
        )
    )
    return (last or 0) + 1


def slots_to_wish(
    session: Session, *, start: datetime, end: datetime, ids: Collection[int] | None
) -> list[SlotChoice]:
    """Open slots of published offers in the time; ``ids``: only these."""
    query = (
        select(
            SlotRow.id,
            OfferRow.host_id,
            OrganisationRow.name,
            CommuneRow.name,
            OfferRow.title,
            SlotRow.starts_at,
            SlotRow.ends_at,
        )
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(OfferKindRow, OfferKindRow.code == OfferRow.kind_code)
        .join(OrganisationRow, OrganisationRow.id == OfferRow.host_id)
        .join(CommuneRow, CommuneRow.insee == OrganisationRow.commune_insee)
        .where(
            SlotRow.state == SlotState.OPEN,
            SlotRow.starts_at >= start,
            SlotRow.starts_at < end,
            OfferRow.state == OfferState.PUBLISHED,
            OfferKindRow.bookable.is_(True),
        )
        .order_by(SlotRow.starts_at, OrganisationRow.name, SlotRow.id)
    )
    if ids is not None:
        query = query.where(SlotRow.id.in_(ids))
    return [SlotChoice._make(row) for row in session.execute(query)]


def hosts_to_wish(session: Session) -> list[HostChoice]:
    """Companies with a published offer that a class can come to, by name."""
    query = (
        select(HostRow.id, OrganisationRow.name, CommuneRow.name)
        .join(OrganisationRow, OrganisationRow.id == HostRow.id)
        .join(CommuneRow, CommuneRow.insee == OrganisationRow.commune_insee)
        .where(
            HostRow.id.in_(
                select(OfferRow.host_id)
                .join(OfferKindRow, OfferKindRow.code == OfferRow.kind_code)
                .where(
                    OfferRow.state == OfferState.PUBLISHED,
                    OfferKindRow.bookable.is_(True),
                )
            )
        )
        .order_by(OrganisationRow.name, HostRow.id)
    )
    return [HostChoice._make(row) for row in session.execute(query)]


def campaigns_for_teachers(session: Session) -> list[CampaignRow]:
    """Those that are announced, under way or done, the latest visits first."""
    hidden = {CampaignState.DRAFT, CampaignState.ENDED}
    return list(
        session.scalars(
            select(CampaignRow)
            .where(CampaignRow.state.not_in(hidden))
            .order_by(CampaignRow.first_visit_on.desc(), CampaignRow.id.desc())
        )
    )


def filed(session: Session, school_ids: Collection[int]) -> list[Filed]:
    """The lists of classes of these schools, withdrawn ones too."""
    query = (
        select(WishListRow)
        .join(SchoolClassRow, SchoolClassRow.id == WishListRow.class_id)
        .join(PersonRow, PersonRow.id == WishListRow.teacher_id)
        .where(SchoolClassRow.school_id.in_(school_ids))
        .options(selectinload(WishListRow.wishes), joinedload(WishListRow.teacher))
    )
    return [
        Filed(
            campaign_id=row.campaign_id,
            class_id=row.class_id,
            state=row.state,
            wishes=len(row.wishes),
            updated_at=row.updated_at,
            teacher=row.teacher.name,
        )
        for row in session.scalars(query)
    ]


def list_to_show(
    session: Session, campaign_id: int, class_id: int
) -> WishListRow | None:
    """The list of a class that counts, with its wishes."""
    row = list_to_change(session, campaign_id, class_id)
    return row if row and row.state is WishListState.SUBMITTED else None


def campaign_to_show(session: Session, campaign_id: int) -> CampaignRow | None:
    """A campaign that is no draft any more."""
    row = session.get(CampaignRow, campaign_id)
    return row if row and row.state is not CampaignState.DRAFT else None


def places_of_hosts(session: Session) -> dict[int, Place]:
    """Host → where it is: its own coordinates, else its commune's."""
    query = (
        select(HostRow.id, *coordinates(OrganisationRow, CommuneRow))
        .join(OrganisationRow, OrganisationRow.id == HostRow.id)
        .join(CommuneRow, CommuneRow.insee == OrganisationRow.commune_insee)
    )
    return {host_id: Place(lat, lon) for host_id, lat, lon in session.execute(query)}
