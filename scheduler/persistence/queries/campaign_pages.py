"""Campaigns as pages show them: in a list, and one with its figures."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from scheduler.domain.wishes import WishListState
from scheduler.persistence.models.campaigns import CampaignRow, RunRow, WishListRow
from scheduler.persistence.models.network import SchoolClassRow


class Figures(NamedTuple):
    """What came in so far; wish lists that were withdrawn do not count."""

    classes: int = 0
    schools: int = 0
    students: int = 0
    runs: int = 0


class CampaignLine(NamedTuple):
    campaign: CampaignRow
    figures: Figures


def campaign_lines(session: Session) -> list[CampaignLine]:
    """Every campaign, the one with the latest visits first."""
    rows = session.scalars(
        select(CampaignRow).order_by(
            CampaignRow.first_visit_on.desc(), CampaignRow.id.desc()
        )
    ).all()
    counted = _figures(session)
    return [CampaignLine(row, counted.get(row.id, Figures())) for row in rows]


def campaign_line(session: Session, campaign_id: int) -> CampaignLine | None:
    """One campaign with its figures."""
    row = session.get(CampaignRow, campaign_id)
    if row is None:
        return None
    return CampaignLine(row, _figures(session).get(campaign_id, Figures()))


def _figures(session: Session) -> dict[int, Figures]:
    lists = session.execute(
        select(
            WishListRow.campaign_id,
            func.count(WishListRow.id),
            func.count(distinct(SchoolClassRow.school_id)),
            func.sum(WishListRow.students),
        )
        .join(SchoolClassRow, SchoolClassRow.id == WishListRow.class_id)
        .where(WishListRow.state == WishListState.SUBMITTED)
        .group_by(WishListRow.campaign_id)
    )
    found = {
        campaign_id: Figures(classes=classes, schools=schools, students=students)
        for campaign_id, classes, schools, students in lists
    }
    runs = session.execute(
        select(RunRow.campaign_id, func.count(RunRow.id)).group_by(RunRow.campaign_id)
    )
    for campaign_id, number in runs:
        found[campaign_id] = found.get(campaign_id, Figures())._replace(runs=number)
    return found
