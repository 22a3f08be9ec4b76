"""A coordinator writes the rules of a campaign, announces them, ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import CampaignState, Criterion, Timing
from scheduler.domain.refusals import (
    CampaignFixed,
    CampaignInUse,
    NotFound,
    Refused,
    WrongState,
)
from scheduler.persistence.models.campaigns import CampaignRow
from scheduler.persistence.models.journal import JournalRow
from scheduler.services import campaigns
from scheduler.services.campaigns import Rules
from tests.rows import NOW, World

RULES = Rules(
    name="Second term",
    timing=Timing(
        opens_at=NOW,
        closes_at=NOW + timedelta(days=10),
        allocation_on=date(2026, 12, 8),
        first_visit_on=date(2027, 1, 11),
        last_visit_on=date(2027, 4, 16),
    ),
    level_codes=("TROISIEME",),
    points={Criterion.RURAL: 3},
)


def created(session: Session, world: World, wanted: Rules = RULES) -> int:
    return campaigns.create_campaign(
        session, wanted, by=world.coordinator.actor, now=NOW
    )


def stored(session: Session, campaign_id: int) -> CampaignRow:
    session.rollback()
    row = session.get(CampaignRow, campaign_id)
    assert row is not None
    return row


def test_a_draft_keeps_what_was_written_and_draws_a_seed(
    session: Session, world: World
) -> None:
    campaign_id = created(session, world)
    campaign = stored(session, campaign_id).as_domain()
    assert campaign.state is CampaignState.DRAFT
    assert campaign.timing == RULES.timing
    assert campaign.points == {Criterion.RURAL: 3}
    assert campaign.level_codes == {"TROISIEME"}
    assert 0 <= campaign.seed < campaigns.HIGHEST_SEED


def test_announced_rules_stay_as_they_are(session: Session, world: World) -> None:
    campaign_id = created(session, world)
    by = world.coordinator.actor
    campaigns.edit_campaign(
        session, campaign_id, replace(RULES, school_quota=2), by=by, now=NOW
    )
    campaigns.announce_campaign(session, campaign_id, by=by, now=NOW)
    campaigns.announce_campaign(session, campaign_id, by=by, now=NOW)
    with pytest.raises(CampaignFixed):
        campaigns.edit_campaign(session, campaign_id, RULES, by=by, now=NOW)
    row = stored(session, campaign_id)
    assert (row.state, row.school_quota) == (CampaignState.ANNOUNCED, 2)
    assert row.announced_at == NOW


def test_days_out_of_order_change_nothing(session: Session, world: World) -> None:
    campaign_id = created(session, world)
    backwards = replace(RULES.timing, last_visit_on=date(2027, 1, 1))
    with pytest.raises(Refused) as refused:
        campaigns.edit_campaign(
            session,
            campaign_id,
            replace(RULES, name="Other", timing=backwards),
            by=world.coordinator.actor,
            now=NOW,
        )
    assert refused.value.code == "campaign_dates"
    assert stored(session, campaign_id).name == RULES.name


def test_only_a_coordinator_may(session: Session, world: World) -> None:
    with pytest.raises(NotFound):
        campaigns.create_campaign(session, RULES, by=world.teacher.actor, now=NOW)
    campaign_id = created(session, world)
    with pytest.raises(NotFound):
        campaigns.announce_campaign(
            session, campaign_id, by=world.teacher.actor, now=NOW
        )


def test_more_time_for_wishes_opens_them_again(session: Session, world: World) -> None:
    campaign_id = created(session, world)
    by = world.coordinator.actor
    campaigns.announce_campaign(session, campaign_id, by=by, now=NOW)
    later = RULES.timing.closes_at + timedelta(days=2)
    campaigns.postpone_closing(
        session,
        campaign_id,
        closes_at=later,
        allocation_on=date(2026, 12, 10),
        by=by,
        now=RULES.timing.closes_at + timedelta(hours=1),
    )
    assert stored(session, campaign_id).closes_at == later


def test_a_draft_can_be_dropped_and_an_announced_one_ended(
    session: Session, world: World
) -> None:
    by = world.coordinator.actor
    draft, announced = created(session, world), created(session, world)
    campaigns.announce_campaign(session, announced, by=by, now=NOW)
    with pytest.raises(CampaignInUse):
        campaigns.drop_draft(session, announced, by=by, now=NOW)
    campaigns.drop_draft(session, draft, by=by, now=NOW)
    with pytest.raises(NotFound):
        campaigns.end_campaign(session, draft, by=by, now=NOW)
    campaigns.end_campaign(session, announced, by=by, now=NOW)
    campaigns.end_campaign(session, announced, by=by, now=NOW)
    assert stored(session, announced).state is CampaignState.ENDED
    with pytest.raises(WrongState):
        campaigns.postpone_closing(
            session,
            announced,
            closes_at=NOW + timedelta(days=20),
            allocation_on=date(2026, 12, 20),
            by=by,
            now=NOW,
        )


def test_the_journal_says_who_announced(session: Session, world: World) -> None:
    campaign_id = created(session, world)
    campaigns.announce_campaign(
        session, campaign_id, by=world.coordinator.actor, now=NOW
    )
    noted = session.scalars(
        select(JournalRow)
        .where(JournalRow.what.startswith("campaign_"))
        .order_by(JournalRow.id)
    ).all()
    assert [each.what for each in noted] == ["campaign_created", "campaign_announced"]
    assert {each.person_id for each in noted} == {world.coordinator.id}
