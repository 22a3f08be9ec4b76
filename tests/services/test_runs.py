"""A run of the engine, from asking to rows; on both databases."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import CampaignState, PinKind, RunState
from scheduler.domain.refusals import NotFound, RunUnderway, WrongState
from scheduler.domain.wishes import Splitting, Wish, WishListState
from scheduler.matching.plan import read_plan
from scheduler.matching.problem import read_problem
from scheduler.matching.verify import verify
from scheduler.persistence.models.campaigns import (
    OutcomeRow,
    PlaceRow,
    RunRow,
    WishListRow,
)
from scheduler.persistence.queries import runs as queries
from scheduler.services import run_work, runs
from scheduler.services.runs import Wanted, unpacked
from tests import rows
from tests.campaigns import store_campaign, store_pin, store_wishes
from tests.region import store_region
from tests.rows import NOW


@pytest.fixture
def campaign(session: Session, world: rows.World) -> int:
    """Three classes wish the same first slot; two of them know another way."""
    campaign = store_campaign(session)
    first, second, third = world.slots
    store_wishes(
        session,
        campaign,
        world.school_class,
        Wish(slot_id=first),
        teacher=world.teacher.id,
    )
    store_wishes(
        session,
        campaign,
        world.second_class,
        Wish(slot_id=first),
        Wish(host_id=world.other_host),
        teacher=world.colleague.id,
    )
    store_wishes(
        session,
        campaign,
        world.other_class,
        Wish(slot_id=first),
        Wish(slot_id=second),
        Wish(slot_id=third),
        teacher=world.other_teacher.id,
    )
    return campaign


def ask(session: Session, world: rows.World, campaign: int, **more: Any) -> int:
    return runs.ask_for_run(
        session, campaign, Wanted(**more), by=world.coordinator.actor, now=NOW
    )


def compute(session: Session, run: int) -> RunRow:
    assert run_work.work(session, run, now=lambda: NOW, beat_seconds=0.02)
    found = queries.run_with_files(session, run)
    assert found is not None
    return found


def outcomes(session: Session, run: int) -> dict[int, OutcomeRow]:
    found = session.scalars(select(OutcomeRow).where(OutcomeRow.run_id == run))
    return {each.class_id: each for each in found}


def places(session: Session, run: int) -> dict[int, list[int | None]]:
    found: dict[int, list[int | None]] = {}
    for each in session.scalars(
        select(PlaceRow).where(PlaceRow.run_id == run).order_by(PlaceRow.id)
    ):
        found.setdefault(each.class_id, []).append(each.slot_id)
    return found


def test_a_run_gives_each_class_its_place(session, world, campaign):
    run = ask(session, world, campaign)

    done = compute(session, run)

    assert done.state is RunState.DONE
    assert done.summary["proven"]["served"]
    assert done.summary["objective"]["served"] == 3
    assert done.summary["figures"]["plan"]["served"] == 3
    assert done.summary["figures"]["plan"]["classes"] == 3
    assert places(session, run)[world.school_class] == [world.slots[0]]
    assert outcomes(session, run)[world.school_class].rank == 1
    assert outcomes(session, run)[world.school_class].facts["points"] == {
        "school_nothing": 2,
        "class_nothing": 1,
        "far_from_hosts": 1,
    }


def test_the_stored_plan_is_valid_for_the_stored_problem(session, world, campaign):
    done = compute(session, ask(session, world, campaign))

    problem = read_problem(unpacked(done.problem or b""))
    for blob in (done.plan, done.queue_plan):
        assert verify(problem, read_plan(unpacked(blob or b""))).is_valid


def test_who_gets_nothing_has_a_reason(session, world, campaign):
    store_wishes(
        session,
        campaign,
        rows.store_class(session, world.school, "1re B", students=28),
        Wish(slot_id=world.slots[0]),
        teacher=world.teacher.id,
    )

    run = ask(session, world, campaign)
    compute(session, run)

    without = [each for each in outcomes(session, run).values() if not each.visits]
    assert [(each.code, each.rank) for each in without] == [("capacity_taken", None)]
    assert without[0].facts["blockers"]


def test_the_obstacles_of_forbidden_slots_are_told(session, world, campaign):
    run = ask(session, world, campaign)
    store_pin(session, campaign, world.school_class, world.slots[0], PinKind.FORBID)

    compute(session, run)

    mine = outcomes(session, run)[world.school_class]
    assert mine.code == "no_date"
    assert mine.facts["forbidden"] == {"pinned_away": 1}


def test_a_class_in_half_groups_has_a_place_for_each(session, world):
    campaign = store_campaign(session)
    for slot_at in (rows.TUESDAY, rows.TUESDAY + timedelta(hours=2, minutes=15)):
        rows.store_slot(session, world.other_offer, slot_at, max_students=14)
    store_wishes(
        session,
        campaign,
        world.school_class,
        Wish(field_codes=("ELECTRICITY",), last_on=rows.TUESDAY.date()),
        teacher=world.teacher.id,
        split=Splitting.SAME_HOST,
        max_parts=2,
    )
    run = ask(session, world, campaign)

    compute(session, run)

    assert len(places(session, run)[world.school_class]) == 2


def test_a_pin_is_kept(session, world, campaign):
    store_pin(session, campaign, world.other_class, world.slots[0], PinKind.PIN)
    run = ask(session, world, campaign)

    compute(session, run)

    assert places(session, run)[world.other_class] == [world.slots[0]]
    assert outcomes(session, run)[world.school_class].visits == 0


def test_pins_that_cannot_be_are_named(session, world, campaign):
    store_pin(session, campaign, world.school_class, world.slots[1], PinKind.PIN)
    run = ask(session, world, campaign)

    failed = compute(session, run)

    assert (failed.state, failed.error) == (RunState.FAILED, "pins_refused")
    assert failed.summary["pins"] == [
        {
            "class": f"C{world.school_class}",
            "slot": f"S{world.slots[1]}",
            "why": "no_wish_match",
        }
    ]


def test_what_if_a_slot_were_added(session, world, campaign):
    big = rows.store_class(session, world.school, "1re B", students=40)
    store_wishes(
        session,
        campaign,
        big,
        Wish(host_id=world.host),
        teacher=world.teacher.id,
    )
    opened = {
        "offer": world.offer,
        "day": "2027-03-16",
        "start": "09:00",
        "minutes": 120,
        "students": 45,
    }
    without = compute(session, ask(session, world, campaign))
    before = without.summary["objective"]["served"]

    run = ask(session, world, campaign, added=(opened, {"slot": 0, "students": 5}))
    more = compute(session, run)

    assert more.summary["objective"]["served"] == before + 1
    assert places(session, run)[big] == [None]


# ------------------------------------------------------------------ asking


def test_one_run_at_a_time(session, world, campaign):
    run = ask(session, world, campaign)

    with pytest.raises(RunUnderway) as refusal:
        ask(session, world, campaign)

    assert refusal.value.facts == {"run": run}


def test_a_draft_is_not_run(session, world):
    campaign = store_campaign(session, state=CampaignState.DRAFT)

    with pytest.raises(WrongState):
        ask(session, world, campaign)


def test_only_coordinators_run(session, world, campaign):
    with pytest.raises(NotFound):
        runs.ask_for_run(session, campaign, Wanted(), by=world.teacher.actor, now=NOW)


# ------------------------------------------------------------------ the life of a run


def test_a_run_is_claimed_once(session, world, campaign):
    run = ask(session, world, campaign)

    first = runs.claim(session, run, engine="1", now=NOW)
    second = run_work.work(session, run, now=lambda: NOW)

    assert (first, second) == (True, False)


def test_a_silent_run_is_interrupted_and_begun_again(session, world, campaign):
    run = ask(session, world, campaign)
    runs.claim(session, run, engine="1", now=NOW)

    early = runs.find_interrupted(session, now=NOW + timedelta(seconds=59))
    late = runs.find_interrupted(session, now=NOW + timedelta(seconds=61))
    runs.restart(session, run, by=world.coordinator.actor, now=NOW)
    again = compute(session, run)

    assert (early, late) == (0, 1)
    assert again.state is RunState.DONE


def test_whoever_was_given_up_writes_nothing(session, world, campaign):
    run = ask(session, world, campaign)
    runs.claim(session, run, engine="1", now=NOW)
    runs.find_interrupted(session, now=NOW + timedelta(minutes=5))

    with pytest.raises(WrongState):
        runs.beat(session, run, {}, now=NOW)
    with pytest.raises(WrongState):
        runs.fail(session, run, "late", now=NOW)

    assert outcomes(session, run) == {}


def test_a_stop_is_heard_with_the_next_beat(session, world, campaign):
    run = ask(session, world, campaign)
    runs.claim(session, run, engine="1", now=NOW)

    before = runs.beat(session, run, {"stage": "start"}, now=NOW)
    runs.ask_stop(session, run, by=world.coordinator.actor, now=NOW)
    after = runs.beat(session, run, {"stage": "start"}, now=NOW)

    assert (before, after) == (False, True)


def test_a_waiting_run_is_called_off(session, world, campaign):
    run = ask(session, world, campaign)

    runs.ask_stop(session, run, by=world.coordinator.actor, now=NOW)

    assert not run_work.work(session, run, now=lambda: NOW)
    assert ask(session, world, campaign) != run


def test_a_finished_run_is_not_restarted(session, world, campaign):
    run = ask(session, world, campaign)
    compute(session, run)

    with pytest.raises(WrongState):
        runs.restart(session, run, by=world.coordinator.actor, now=NOW)


def test_wishes_that_change_during_a_run_belong_to_the_next(
    session, world, campaign, monkeypatch
):
    """The plan is that of the wishes at the start; the next run knows better."""
    run = ask(session, world, campaign)
    search = run_work.Search.run

    def withdrawn_meanwhile(self, taken):
        mine = WishListRow.class_id == world.school_class
        with Session(session.get_bind()) as other:
            other.execute(
                update(WishListRow).where(mine).values(state=WishListState.WITHDRAWN)
            )
            other.commit()
        search(self, taken)

    monkeypatch.setattr(run_work.Search, "run", withdrawn_meanwhile)
    compute(session, run)
    monkeypatch.undo()
    later = ask(session, world, campaign)
    compute(session, later)

    assert world.school_class in outcomes(session, run)
    assert world.school_class not in outcomes(session, later)


def test_a_fault_is_told_and_nothing_is_stored(session, world, campaign, monkeypatch):
    run = ask(session, world, campaign)

    def broken(*_args, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(run_work, "verify", broken)
    with pytest.raises(ZeroDivisionError):
        run_work.work(session, run, now=lambda: NOW, beat_seconds=0.02)

    found = queries.run(session, run)
    assert found is not None
    assert (found.state, found.error) == (RunState.FAILED, "ZeroDivisionError")
    assert outcomes(session, run) == {}


def test_a_stopped_run_keeps_a_valid_plan(session, world, monkeypatch):
    region = store_region(session, 60)
    run = ask(session, world, region.campaign, seconds=600)
    search = run_work.Search.run

    def stopped_at_once(self, taken):
        with Session(session.get_bind()) as other:
            runs.ask_stop(other, run, by=world.coordinator.actor, now=NOW)
        until = time.monotonic() + 60
        while not self.stop.is_set():
            assert time.monotonic() < until
            time.sleep(0.01)
        search(self, taken)

    monkeypatch.setattr(run_work.Search, "run", stopped_at_once)
    stopped = compute(session, run)

    problem = read_problem(unpacked(stopped.problem or b""))
    plan = read_plan(unpacked(stopped.plan or b""))
    assert stopped.state is RunState.STOPPED
    assert stopped.summary["seconds"] < 60
    assert verify(problem, plan).is_valid
    assert len(outcomes(session, run)) == 60
