"""A coordinator writes a campaign's rules in the browser; nobody else can."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import CampaignState, Criterion
from scheduler.persistence.models.campaigns import CampaignRow
from tests.rows import NOW

TYPED = {
    "name": "Visites du deuxième trimestre",
    "opens_on": "2026-11-24",
    "opens": "08:00",
    "closes_on": "2026-12-04",
    "closes": "18:00",
    "allocation_on": "2026-12-08",
    "first_visit_on": "2027-01-11",
    "last_visit_on": "2027-04-16",
    "levels": ["TROISIEME"],
    "visits_per_class": "1",
    "most_wishes": "8",
    "points_school_nothing": "2",
    "points_class_nothing": "1",
    "points_rural": "1",
    "points_far_from_hosts": "1",
    "points_late_cancellations": "0",
    "far_km": "40",
    "min_group": "6",
    "near_m": "1500",
    "seed": "4217",
}
NEW = "/coordinator/campaigns/new"


@pytest.fixture
def coordinator(signed_in):
    return signed_in("coordinator")


def only_campaign(session: Session) -> CampaignRow:
    session.rollback()
    return session.query(CampaignRow).one()


def post(client, url, data=None):
    return client.post(url, data=data or {})


def test_the_form_comes_with_days_that_fit_together(coordinator, session):
    page = coordinator.get(NEW).get_data(as_text=True)
    assert 'name="points_rural"' in page
    # What it proposes is taken as it is, but for the name.
    fields = {
        key: value
        for key, value in TYPED.items()
        if key not in {"opens_on", "closes_on", "allocation_on"}
    }
    for name in ("opens_on", "closes_on", "allocation_on"):
        fields[name] = page.split(f'name="{name}"')[1].split('value="')[1][:10]
    assert post(coordinator, NEW, fields).status_code == 303


def test_a_draft_is_written_and_announced(coordinator, session):
    made = post(coordinator, NEW, TYPED)
    assert made.status_code == 303
    row = only_campaign(session)
    assert (row.state, row.seed, row.level_codes) == (
        CampaignState.DRAFT,
        4217,
        ["TROISIEME"],
    )
    assert row.points[Criterion.SCHOOL_NOTHING.value] == 2
    there = f"/coordinator/campaigns/{row.id}"
    assert made.headers["Location"] == there
    assert "4217" in coordinator.get(there).get_data(as_text=True)
    assert post(coordinator, f"{there}/announce").status_code == 303
    assert only_campaign(session).state is CampaignState.ANNOUNCED
    refused = post(coordinator, f"{there}/edit", {**TYPED, "name": "Autre"})
    assert refused.status_code == 422
    assert only_campaign(session).name == TYPED["name"]


def test_wrong_days_keep_what_was_typed(coordinator, session):
    wrong = {**TYPED, "closes_on": "2026-11-20", "note": "À lire"}
    answer = post(coordinator, NEW, wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Les vœux fermeraient avant d’ouvrir" in page
    assert "2026-11-20" in page
    assert "À lire" in page
    assert session.query(CampaignRow).count() == 0


def test_more_time_opens_wishes_again(coordinator, session, wall_clock):
    post(coordinator, NEW, TYPED)
    there = f"/coordinator/campaigns/{only_campaign(session).id}"
    post(coordinator, f"{there}/announce")
    wall_clock.at = NOW + timedelta(days=13)
    later = {"later_on": "2026-12-08", "later": "18:00", "given_on": "2026-12-10"}
    earlier = {**later, "later_on": "2026-12-01"}
    assert post(coordinator, f"{there}/postpone", earlier).status_code == 422
    assert post(coordinator, f"{there}/postpone", later).status_code == 303
    page = coordinator.get(there).get_data(as_text=True)
    assert "Vœux ouverts" in page


def test_a_draft_is_removed(coordinator, session):
    post(coordinator, NEW, TYPED)
    row = only_campaign(session)
    answer = post(coordinator, f"/coordinator/campaigns/{row.id}/drop")
    assert answer.headers["Location"] == "/coordinator/campaigns"
    session.rollback()
    assert session.query(CampaignRow).count() == 0


@pytest.mark.parametrize("who", ["teacher", "contact"])
def test_nobody_else_sees_campaigns(signed_in, who):
    assert signed_in(who).get("/coordinator/campaigns").status_code == 404


def test_a_campaign_that_does_not_exist_is_not_found(coordinator):
    assert coordinator.get("/coordinator/campaigns/9").status_code == 404
    assert post(coordinator, "/coordinator/campaigns/9/end").status_code == 404
