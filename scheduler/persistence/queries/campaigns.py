"""Campaigns: locked to be changed, and what hangs on them."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from scheduler.persistence.models.campaigns import CampaignRow, RunRow, WishListRow


def campaign(session: Session, campaign_id: int) -> CampaignRow | None:
    """One campaign, as it is."""
    return session.get(CampaignRow, campaign_id)


def campaign_to_change(session: Session, campaign_id: int) -> CampaignRow | None:
    """One campaign, locked: whoever changes it or files wishes waits in turn."""
    return session.scalar(
        select(CampaignRow).where(CampaignRow.id == campaign_id).with_for_update()
    )


def is_used(session: Session, campaign_id: int) -> bool:
    """Whether somebody filed wishes or asked for a plan."""
    return bool(
        session.scalar(
            select(
                exists().where(WishListRow.campaign_id == campaign_id)
                | exists().where(RunRow.campaign_id == campaign_id)
            )
        )
    )
