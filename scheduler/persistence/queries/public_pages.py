"""The few figures that anybody may see."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from scheduler.domain.offers import OfferState
from scheduler.domain.slots import SlotState
from scheduler.persistence.models.network import OrganisationRow
from scheduler.persistence.models.offers import OfferRow, SlotRow, offer_field
from scheduler.persistence.models.outbox import LeaseRow


class Figures(NamedTuple):
    """What is open to classes now; nothing that says who asked."""

    hosts: int
    communes: int
    fields: int
    slots: int


def figures(session: Session, *, now: datetime) -> Figures:
    """Counted on published offers and slots that lie ahead."""
    published = OfferRow.state == OfferState.PUBLISHED
    hosts, communes = session.execute(
        select(
            func.count(distinct(OfferRow.host_id)),
            func.count(distinct(OrganisationRow.commune_insee)),
        )
        .join(OrganisationRow, OrganisationRow.id == OfferRow.host_id)
        .where(published)
    ).one()
    fields = session.scalar(
        select(func.count(distinct(offer_field.c.field_code)))
        .join(OfferRow, OfferRow.id == offer_field.c.offer_id)
        .where(published)
    )
    slots = session.scalar(
        select(func.count(SlotRow.id))
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(published, SlotRow.state == SlotState.OPEN, SlotRow.starts_at > now)
    )
    return Figures(hosts=hosts, communes=communes, fields=fields or 0, slots=slots or 0)


def beats(session: Session) -> dict[str, datetime]:
    """When the loop, and the reading of answers, were last seen alive."""
    rows = session.execute(select(LeaseRow.name, LeaseRow.beat_at))
    return {row[0]: row[1] for row in rows}
