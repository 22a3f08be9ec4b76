"""A coordinator computes plans, looks at them, fixes, tries and compares."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from scheduler.domain.campaigns import CampaignState, PinKind, RunState
from scheduler.domain.wishes import Wish
from scheduler.persistence.models.campaigns import PinRow, PlaceRow, RunRow
from scheduler.services import run_work, runs
from scheduler.services.runs import Wanted
from tests.campaigns import store_campaign, store_pin, store_wishes
from tests.rows import NOW


@pytest.fixture
def browser(signed_in):
    return signed_in("coordinator")


@pytest.fixture
def campaign(session, world):
    """Two classes want the first slot; a third one is too far from everything."""
    campaign = store_campaign(session)
    for school_class, teacher in (
        (world.school_class, world.teacher),
        (world.second_class, world.colleague),
    ):
        store_wishes(
            session,
            campaign,
            school_class,
            Wish(slot_id=world.slots[0]),
            teacher=teacher.id,
        )
    store_wishes(
        session,
        campaign,
        world.other_class,
        Wish(host_id=world.other_host),
        teacher=world.other_teacher.id,
        max_km=1,
    )
    return campaign


def asked(session, world, campaign, **more):
    return runs.ask_for_run(
        session, campaign, Wanted(**more), by=world.coordinator.actor, now=NOW
    )


def computed(session, world, campaign, **more):
    run = asked(session, world, campaign, **more)
    assert run_work.work(session, run, now=lambda: NOW, beat_seconds=0.02)
    return run


@pytest.fixture
def plan(session, world, campaign):
    return computed(session, world, campaign)


def test_a_plan_is_asked_for_and_waits(browser, session, campaign):
    empty = browser.get(f"/coordinator/campaigns/{campaign}/runs")
    sent = browser.post(
        f"/coordinator/campaigns/{campaign}/runs",
        data={"label": "Premier essai", "seconds": "300"},
    )
    page = browser.get(sent.location)

    row = session.scalars(select(RunRow)).one()
    assert "Aucun plan n’a encore été calculé." in empty.text
    assert sent.status_code == 303
    assert (row.label, row.seconds, row.state) == (
        "Premier essai",
        300,
        RunState.QUEUED,
    )
    assert 'http-equiv="refresh"' in page.text
    assert 'hx-trigger="every 2s"' in page.text
    assert "Il commence dans quelques secondes." in page.text


def test_a_second_plan_waits_for_the_first(browser, session, campaign):
    browser.post(f"/coordinator/campaigns/{campaign}/runs", data={"seconds": "60"})

    again = browser.post(
        f"/coordinator/campaigns/{campaign}/runs", data={"seconds": "60"}
    )

    assert again.status_code == 422
    assert "Un calcul de cette campagne est en cours" in again.text


def test_a_draft_has_no_plan(browser, session, world):
    campaign = store_campaign(session, state=CampaignState.DRAFT)

    page = browser.get(f"/coordinator/campaigns/{campaign}/runs")

    assert page.status_code == 200
    assert "Calculer un plan" not in page.text


def test_progress_is_shown_and_can_be_stopped(browser, session, world, campaign):
    run = asked(session, world, campaign)
    runs.claim(session, run, engine="1", now=NOW)
    told = {
        "stage": "served",
        "level": "served",
        "best": {"served": 41},
        "bound": {"served": 43},
        "seconds": 12.0,
        "of": 60.0,
        "done": 1,
        "steps": 6,
    }
    runs.beat(session, run, told, now=NOW)

    page = browser.get(f"/coordinator/runs/{run}")
    sent = browser.post(f"/coordinator/runs/{run}/stop")
    later = browser.get(sent.location)

    assert "Meilleur plan jusqu’ici" in page.text
    assert "41" in page.text
    assert "43" in page.text
    assert "48" in page.text
    assert "On lui a demandé de s’arrêter." in later.text


def test_what_was_interrupted_begins_again(browser, session, world, campaign):
    run = asked(session, world, campaign)
    runs.claim(session, run, engine="1", now=NOW)
    runs.find_interrupted(session, now=NOW + timedelta(minutes=2))

    page = browser.get(f"/coordinator/runs/{run}")
    sent = browser.post(f"/coordinator/runs/{run}/restart")
    twice = browser.post(f"/coordinator/runs/{run}/restart")

    assert "Le calcul a été interrompu" in page.text
    assert sent.status_code == 303
    assert twice.status_code == 422


def test_a_plan_is_shown_beside_the_queue(browser, session, world, campaign):
    run = computed(session, world, campaign)

    page = browser.get(f"/coordinator/runs/{run}")

    assert page.status_code == 200
    assert "À côté du premier arrivé, premier servi" in page.text
    assert "prouvé" in page.text
    assert "D’autres classes ont les places souhaitées" in page.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 3),
        ("?show=served", 1),
        ("?show=without", 2),
        ("?show=without&reason=too_far", 1),
        ("?show=without&reason=nonsense", 2),
        ("?q=sources", 1),
        ("?q=nobody", 0),
        ("?page=99", 3),
        ("?page=x", 3),
    ],
)
def test_classes_are_listed_by_result(browser, plan, query, expected):
    run = plan

    page = browser.get(f"/coordinator/runs/{run}/classes{query}")

    assert page.status_code == 200
    assert page.text.count(f"/coordinator/runs/{run}/classes/") == expected


def test_a_class_without_a_visit_is_told_why(browser, session, world, campaign):
    run = computed(session, world, campaign)

    page = browser.get(f"/coordinator/runs/{run}/classes/{world.other_class}")

    assert "Pas de visite dans ce plan" in page.text
    assert "Une visite aurait été possible" in page.text or "aurait eu" in page.text


def test_a_place_is_fixed_and_released(browser, session, world, campaign):
    run = computed(session, world, campaign)
    here = f"/coordinator/runs/{run}/classes/{world.second_class}"

    nothing = browser.post(here, data={})
    sent = browser.post(
        here,
        data={"kind": "forbid", "slot": world.slots[0], "reason": "Travaux."},
    )
    pin = session.scalars(select(PinRow)).one()
    session.expunge(pin)
    listed = browser.get(f"/coordinator/campaigns/{campaign}/runs")
    released = browser.post(f"/coordinator/pins/{pin.id}/release")

    assert nothing.status_code == 422
    assert sent.status_code == 303
    assert (pin.kind, pin.reason, pin.by_id) == (
        PinKind.FORBID,
        "Travaux.",
        world.coordinator.id,
    )
    assert "Travaux." in listed.text
    assert released.status_code == 303
    session.rollback()
    assert session.scalars(select(PinRow)).all() == []


def test_pins_that_cannot_be_are_named(browser, session, world, campaign):
    store_pin(session, campaign, world.school_class, world.slots[1], PinKind.PIN)
    run = computed(session, world, campaign)

    page = browser.get(f"/coordinator/runs/{run}")

    assert "Ce qui est fixé à la main ne peut pas être tenu" in page.text
    assert "la classe ne l’a pas souhaité" in page.text


def test_slots_show_what_the_plan_adds(browser, session, world, campaign):
    run = computed(session, world, campaign)

    page = browser.get(f"/coordinator/runs/{run}/slots")
    found = browser.get(f"/coordinator/runs/{run}/slots?q=Boutavent")

    assert page.text.count("what-if/slots/") == 4
    assert "24 places prises sur 30" in page.text
    assert found.text.count("what-if/slots/") == 1


def test_what_if_a_company_opened_a_slot(browser, session, world, campaign):
    before = computed(session, world, campaign)
    searched = browser.get(f"/coordinator/campaigns/{campaign}/what-if?q=usinage")
    here = f"/coordinator/campaigns/{campaign}/what-if/offers/{world.offer}"
    blank = browser.get(here)
    wrong = browser.post(here, data={"first": ""})
    sent = browser.post(
        here,
        data={
            "first": "2027-03-16",
            "second": "2027-03-18",
            "start": "09:00",
            "minutes": "120",
            "students": "30",
            "groups": "1",
        },
    )
    run = session.scalars(select(RunRow).order_by(RunRow.id.desc())).first()
    assert run_work.work(session, run.id, now=lambda: NOW, beat_seconds=0.02)
    page = browser.get(sent.location)

    assert here in searched.text
    assert (blank.status_code, wrong.status_code) == (200, 422)
    assert sent.status_code == 303
    assert (run.based_on_id, len(run.added)) == (before, 2)
    assert "Personne ne l’a encore ouvert" in page.text


def test_what_if_a_slot_were_wider(browser, session, world, campaign):
    computed(session, world, campaign)
    here = f"/coordinator/campaigns/{campaign}/what-if/slots/{world.slots[0]}"

    blank = browser.get(here)
    wrong = browser.post(here, data={"students": "-1", "groups": "1"})
    sent = browser.post(here, data={"students": "30", "groups": "1"})
    run = session.scalars(select(RunRow).order_by(RunRow.id.desc())).first()
    run_work.work(session, run.id, now=lambda: NOW, beat_seconds=0.02)
    page = browser.get(sent.location)

    assert (blank.status_code, wrong.status_code) == (200, 422)
    assert "+1" in page.text


def test_two_plans_side_by_side(browser, session, world, campaign):
    one = computed(session, world, campaign, label="Avant")
    rivals = {world.school_class, world.second_class}
    served = session.scalars(
        select(PlaceRow.class_id).where(PlaceRow.run_id == one)
    ).one()
    store_pin(session, campaign, (rivals - {served}).pop(), world.slots[0], PinKind.PIN)
    other = computed(session, world, campaign, label="Après")

    page = browser.get(
        f"/coordinator/campaigns/{campaign}/compare?one={one}&other={other}"
    )
    listed = browser.get(f"/coordinator/campaigns/{campaign}/runs")

    assert page.status_code == 200
    assert "1 classe a plus dans Après" in page.text
    assert "1 classe a moins dans Après" in page.text
    assert "Comparer deux plans" in listed.text


@pytest.mark.parametrize("query", ["", "?one=1", "?one=x&other=1", "?one=1&other=99"])
def test_plans_that_do_not_exist_are_not_compared(
    browser, session, world, campaign, query
):
    computed(session, world, campaign)

    page = browser.get(f"/coordinator/campaigns/{campaign}/compare{query}")

    assert page.status_code == 404


def test_a_list_of_classes_costs_the_same_queries_whatever_its_length(
    browser, session, world, campaign, app
):
    run = computed(session, world, campaign)
    counted = []

    def count(*_about):
        counted.append(1)

    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", count)
    browser.get(f"/coordinator/runs/{run}/classes?q=sources")
    few = len(counted)
    browser.get(f"/coordinator/runs/{run}/classes")
    event.remove(engine, "before_cursor_execute", count)

    assert len(counted) - few == few


@pytest.mark.parametrize("who", ["teacher", "contact"])
def test_only_coordinators_see_plans(signed_in, session, world, campaign, who):
    run = computed(session, world, campaign)
    browser = signed_in(who)

    codes = {
        browser.get(f"/coordinator/runs/{run}").status_code,
        browser.get(f"/coordinator/campaigns/{campaign}/runs").status_code,
        browser.post(f"/coordinator/runs/{run}/stop").status_code,
    }

    assert codes == {404}


def test_a_run_that_does_not_exist(browser, world):
    assert browser.get("/coordinator/runs/99").status_code == 404
    assert browser.get("/coordinator/runs/99/classes").status_code == 404
    assert browser.post("/coordinator/runs/99/stop").status_code == 404
