"""Publishing in the browser: what will happen, the answers, results for everybody."""

from __future__ import annotations

import pytest

from scheduler.domain.campaigns import RunPurpose
from scheduler.domain.visits import DeclineReason
from scheduler.domain.wishes import Wish
from scheduler.persistence.models.visits import VisitRow
from scheduler.services import answers, publishing
from tests import campaigns
from tests.rows import NOW


@pytest.fixture
def plan(session, world) -> tuple[int, int]:
    """A campaign with a plan: one class gets a visit, one nothing."""
    campaign = campaigns.store_campaign(session)
    for school_class, teacher in (
        (world.school_class, world.teacher),
        (world.other_class, world.other_teacher),
    ):
        campaigns.store_wishes(
            session,
            campaign,
            school_class,
            Wish(host_id=world.host),
            teacher=teacher.id,
        )
    run = campaigns.store_run(
        session,
        campaign,
        {world.school_class: [(world.slots[0], 24)], world.other_class: "too_far"},
        facts={world.other_class: {"needs": {"max_m": 51_300, "serves": True}}},
    )
    return campaign, run


def place_all(session) -> None:
    while publishing.place_due(session, now=NOW):
        pass
    session.rollback()


def test_a_coordinator_sees_what_will_happen_and_publishes(session, signed_in, plan):
    campaign, run = plan
    claire = signed_in("coordinator")

    before = claire.get(f"/coordinator/runs/{run}/publish")
    assert "prévenir 2 enseignants" in before.text
    done = claire.post(f"/coordinator/runs/{run}/publish")
    again = claire.post(f"/coordinator/runs/{run}/publish")
    under_way = claire.get(f"/coordinator/campaigns/{campaign}/publication")
    place_all(session)
    after = claire.get(f"/coordinator/campaigns/{campaign}/publication")

    assert (done.status_code, again.status_code) == (303, 422)
    assert done.location == f"/coordinator/campaigns/{campaign}/publication"
    assert "Claire Coordonne" in again.text
    assert "0 sur 1" in under_way.text
    assert "Férembois Usinage" in after.text


def test_teachers_and_hosts_find_their_results(session, signed_in, plan, world):
    campaign, run = plan
    early = signed_in("teacher").get(f"/teacher/campaigns/{campaign}/result")
    publishing.publish(session, run, by=world.coordinator.actor, now=NOW)
    place_all(session)

    mine = signed_in("teacher").get(f"/teacher/campaigns/{campaign}/result")
    theirs = signed_in("other_teacher").get(f"/teacher/campaigns/{campaign}/result")
    host = signed_in("contact").get(f"/host/campaigns/{campaign}")
    stranger = signed_in("other_contact").get(f"/host/campaigns/{campaign}")

    assert early.status_code == stranger.status_code == 404
    assert "premier vœu" in mine.text
    assert "3e B" not in mine.text
    assert "avec un trajet allant jusqu’à 52" in theirs.text
    assert "1re MELEC" in host.text


def test_a_repair_says_why_to_those_whose_other_half_it_cancels(
    session, signed_in, world
):
    campaign = campaigns.store_campaign(session)
    campaigns.store_wishes(
        session,
        campaign,
        world.school_class,
        Wish(host_id=world.host),
        teacher=world.teacher.id,
    )
    run = campaigns.store_run(
        session,
        campaign,
        {world.school_class: [(world.slots[0], 12), (world.slots[1], 12)]},
    )
    publishing.publish(session, run, by=world.coordinator.actor, now=NOW)
    place_all(session)
    kept, lost = [each.id for each in session.query(VisitRow).order_by(VisitRow.id)]
    by = world.contact.actor
    answers.accept_visit(session, kept, by=by, now=NOW)
    answers.decline_visit(
        session, lost, reason=DeclineReason.DATE, note="", by=by, now=NOW
    )
    repair = campaigns.store_run(
        session,
        campaign,
        {world.school_class: [(world.slots[2], 24)]},
        purpose=RunPurpose.REPAIR,
    )
    claire = signed_in("coordinator")

    silent = claire.post(f"/coordinator/runs/{repair}/publish")
    said = claire.post(f"/coordinator/runs/{repair}/publish", data={"note": "Travaux"})
    place_all(session)

    assert (silent.status_code, said.status_code) == (422, 303)
    stored = session.get_one(VisitRow, kept, populate_existing=True)
    assert (stored.state.value, stored.note) == ("cancelled_by_school", "Travaux")


def test_a_repair_and_a_second_round_are_computed_first(
    session, signed_in, plan, world
):
    campaign, run = plan
    publishing.publish(session, run, by=world.coordinator.actor, now=NOW)
    place_all(session)
    answers.decline_visit(
        session,
        session.query(VisitRow).one().id,
        reason=DeclineReason.DATE,
        note="",
        by=world.contact.actor,
        now=NOW,
    )
    claire = signed_in("coordinator")

    page = claire.get(f"/coordinator/campaigns/{campaign}/publication?show=lost")
    asked = claire.post(f"/coordinator/campaigns/{campaign}/repair")
    twice = claire.post(f"/coordinator/campaigns/{campaign}/second-round")

    assert "Proposer une réparation" in page.text
    assert asked.status_code == 303
    assert twice.status_code == 422
