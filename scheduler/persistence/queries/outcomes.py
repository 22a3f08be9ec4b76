"""What a reason is about: slots by name, and what the class had wished."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.persistence.models.campaigns import WishListRow
from scheduler.persistence.models.network import OrganisationRow
from scheduler.persistence.models.offers import OfferRow, SlotRow


class NamedSlot(NamedTuple):
    host_name: str
    starts_at: datetime


class Wished(NamedTuple):
    students: int
    max_km: int


def named_slots(session: Session, slot_ids: Iterable[int]) -> dict[int, NamedSlot]:
    """Slot → whose it is and when it begins."""
    rows = session.execute(
        select(SlotRow.id, OrganisationRow.name, SlotRow.starts_at)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(OrganisationRow, OrganisationRow.id == OfferRow.host_id)
        .where(SlotRow.id.in_(list(slot_ids)))
    )
    return {row[0]: NamedSlot(row[1], row[2]) for row in rows}


def named_hosts(session: Session, host_ids: Iterable[int]) -> dict[int, str]:
    """Host → its name."""
    rows = session.execute(
        select(OrganisationRow.id, OrganisationRow.name).where(
            OrganisationRow.id.in_(list(host_ids))
        )
    )
    return {row[0]: row[1] for row in rows}


def wished_by(
    session: Session, campaign_id: int, class_ids: Iterable[int]
) -> dict[int, Wished]:
    """Class → how many students were to come, and how far."""
    rows = session.execute(
        select(WishListRow.class_id, WishListRow.students, WishListRow.max_km).where(
            WishListRow.campaign_id == campaign_id,
            WishListRow.class_id.in_(list(class_ids)),
        )
    )
    return {row[0]: Wished(row[1], row[2]) for row in rows}
