"""Offers and slots for those who keep them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler.domain.offers import OfferState
from scheduler.domain.slots import SlotState
from scheduler.persistence.models.calendars import CalendarRow
from scheduler.persistence.models.network import HostRow, OrganisationRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.visits import ProposalRow
from scheduler.persistence.queries.visits import calendar_whole

ZONE = "ZONE_B"


def offer_whole(session: Session, offer_id: int) -> OfferRow | None:
    """The offer with host, kind, fields and witnesses."""
    host = joinedload(OfferRow.host)
    return session.scalars(
        select(OfferRow)
        .where(OfferRow.id == offer_id)
        .options(
            joinedload(OfferRow.kind),
            selectinload(OfferRow.fields),
            selectinload(OfferRow.witnesses),
            host.joinedload(HostRow.organisation).joinedload(OrganisationRow.commune),
            host.selectinload(HostRow.closed_days),
        )
        .execution_options(populate_existing=True)
    ).one_or_none()


def offers_made_since(
    session: Session, host_id: int, since: datetime
) -> Sequence[OfferRow]:
    """What the host has put into the service from that moment on, the newest first."""
    return session.scalars(
        select(OfferRow)
        .where(OfferRow.host_id == host_id, OfferRow.created_at >= since)
        .order_by(OfferRow.id.desc())
    ).all()


def host_of_offer(session: Session, offer_id: int) -> int | None:
    """The host's id, to lock it before the offer is read."""
    return session.scalar(select(OfferRow.host_id).where(OfferRow.id == offer_id))


def host_whole(session: Session, host_id: int) -> HostRow | None:
    """The host with its organisation, commune and closed days."""
    return session.scalars(
        select(HostRow)
        .where(HostRow.id == host_id)
        .options(
            joinedload(HostRow.organisation).joinedload(OrganisationRow.commune),
            selectinload(HostRow.closed_days),
        )
        .execution_options(populate_existing=True)
    ).one_or_none()


def slot_times(
    session: Session, offer_id: int, *, besides: int | None = None
) -> Sequence[tuple[datetime, datetime]]:
    """Start and end of every slot of the offer that is not cancelled."""
    rows = session.execute(
        select(SlotRow.starts_at, SlotRow.ends_at).where(
            SlotRow.offer_id == offer_id,
            SlotRow.state != SlotState.CANCELLED,
            SlotRow.id.is_distinct_from(besides),
        )
    )
    return [(row.starts_at, row.ends_at) for row in rows]


def zone_calendar(session: Session) -> CalendarRow | None:
    """The school calendar of the campus's zone."""
    return session.scalars(
        select(CalendarRow).where(CalendarRow.code == ZONE).options(*calendar_whole())
    ).one_or_none()


def drop_proposals_of(session: Session, slot_id: int) -> None:
    """A cancelled slot is proposed to nobody any more."""
    session.execute(delete(ProposalRow).where(ProposalRow.slot_id == slot_id))


def pauses_over(session: Session, *, today: date) -> Sequence[OfferRow]:
    """Paused offers whose pause has an end that is over."""
    return session.scalars(
        select(OfferRow)
        .where(OfferRow.state == OfferState.PAUSED, OfferRow.paused_until <= today)
        .execution_options(populate_existing=True)
    ).all()
