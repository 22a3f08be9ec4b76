"""Places that became free after a campaign was published, and who was told of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import CampaignState
from scheduler.domain.localtime import day_bounds
from scheduler.domain.slots import SlotState
from scheduler.domain.visits import ENDED, VisitState
from scheduler.persistence.models.campaigns import CampaignRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.visits import VisitRow


def published_campaigns(session: Session) -> Sequence[int]:
    """Campaigns whose places are given and that have not ended."""
    return session.scalars(
        select(CampaignRow.id)
        .where(CampaignRow.state == CampaignState.PUBLISHED)
        .order_by(CampaignRow.id)
    ).all()


def freed_slots(
    session: Session, campaign_id: int, *, since: datetime, now: datetime
) -> Sequence[int]:
    """Open slots of the campaign's term that lost a visit since then."""
    row = session.get_one(CampaignRow, campaign_id)
    return session.scalars(
        select(SlotRow.id)
        .join(VisitRow, VisitRow.slot_id == SlotRow.id)
        .where(
            VisitRow.state.in_(ENDED - {VisitState.DONE}),
            VisitRow.updated_at >= since,
            SlotRow.state == SlotState.OPEN,
            SlotRow.starts_at > now,
            SlotRow.starts_at >= day_bounds(row.first_visit_on)[0],
            SlotRow.starts_at < day_bounds(row.last_visit_on)[1],
            SlotRow.groups_taken < SlotRow.max_groups,
        )
        .distinct()
        .order_by(SlotRow.id)
    ).all()


class Offered(NamedTuple):
    slot_id: int
    class_id: int
    at: datetime


def offered(session: Session, kind: str, *, since: datetime) -> list[Offered]:
    """Places that teachers were told of since then."""
    rows = session.execute(
        select(MessageRow.payload, MessageRow.created_at).where(
            MessageRow.kind == kind, MessageRow.created_at >= since
        )
    )
    found = [(payload.get("campaign", {}).get("place"), at) for payload, at in rows]
    return [
        Offered(place["slot_id"], place["class_id"], at) for place, at in found if place
    ]
