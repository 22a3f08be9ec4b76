"""After publication: a repair leaves alone what holds; a second round moves nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.campaigns import PinKind, RunPurpose, RunState
from scheduler.domain.visits import DeclineReason, VisitState
from scheduler.domain.wishes import Splitting, Wish
from scheduler.persistence.models.campaigns import OutcomeRow, PlaceRow, RunRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services import (
    answers,
    publishing,
    requests,
    run_work,
    runs,
    waiting_list,
)
from scheduler.services.runs import Wanted
from tests import campaigns
from tests.rows import NOW

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def campaign(session, world) -> int:
    """Two classes of one school and one of another; all wish the first host."""
    number = campaigns.store_campaign(session)
    for school_class, teacher in (
        (world.school_class, world.teacher),
        (world.second_class, world.colleague),
        (world.other_class, world.other_teacher),
    ):
        campaigns.store_wishes(
            session,
            number,
            school_class,
            Wish(host_id=world.host),
            teacher=teacher.id,
            split=Splitting.SAME_HOST,
            max_parts=2,
        )
    return number


def publish(session, world, campaign, plan) -> None:
    run = campaigns.store_run(session, campaign, plan)
    publishing.publish(session, run, by=world.coordinator.actor, now=NOW)
    place_all(session, now=NOW)


def place_all(session, *, now) -> None:
    while publishing.place_due(session, now=now):
        pass
    session.rollback()


def compute(session, world, campaign, purpose) -> int:
    run = runs.ask_for_run(
        session,
        campaign,
        Wanted(purpose=purpose, seconds=20),
        by=world.coordinator.actor,
        now=LATER,
    )
    assert run_work.work(session, run, now=lambda: LATER, beat_seconds=0.05)
    stored = session.get_one(RunRow, run, populate_existing=True)
    assert (stored.state, stored.error) == (RunState.DONE, "")
    session.rollback()
    return run


def places(session, run) -> set[tuple[int, int]]:
    found = session.scalars(select(PlaceRow).where(PlaceRow.run_id == run)).all()
    session.rollback()
    return {(each.class_id, each.slot_id) for each in found}


def known(session, run) -> set[int]:
    found = set(
        session.scalars(select(OutcomeRow.class_id).where(OutcomeRow.run_id == run))
    )
    session.rollback()
    return found


def visit_of(session, school_class) -> int:
    found = session.scalars(
        select(VisitRow.id)
        .where(VisitRow.class_id == school_class)
        .order_by(VisitRow.id.desc())
    ).first()
    session.rollback()
    return found


def decline(session, world, school_class) -> None:
    answers.decline_visit(
        session,
        visit_of(session, school_class),
        reason=DeclineReason.DATE,
        note="",
        by=world.contact.actor,
        now=LATER,
    )


def forbid(session, campaign, school_class, slot) -> None:
    campaigns.store_pin(session, campaign, school_class, slot, PinKind.FORBID)


def test_a_repair_gives_who_lost_a_visit_another_and_moves_nobody(
    session, world, campaign
):
    first, second, third = world.slots
    publish(
        session,
        world,
        campaign,
        {world.school_class: [(first, 24)], world.second_class: [(second, 24)]},
    )
    decline(session, world, world.school_class)
    for one in (world.second_class, world.other_class):
        forbid(session, campaign, one, first)

    run = compute(session, world, campaign, RunPurpose.REPAIR)

    found = places(session, run)
    assert (world.second_class, second) in found
    assert {slot for _, slot in found} == {second, third}
    publishing.publish(session, run, by=world.coordinator.actor, now=LATER)
    place_all(session, now=LATER)
    states = session.scalars(select(VisitRow.state).order_by(VisitRow.id)).all()
    assert states == [
        VisitState.DECLINED,
        VisitState.REQUESTED,
        VisitState.REQUESTED,
    ]


def test_what_a_company_has_accepted_is_no_part_of_a_repair(session, world, campaign):
    first, second, _ = world.slots
    publish(
        session,
        world,
        campaign,
        {world.school_class: [(first, 24)], world.second_class: [(second, 24)]},
    )
    visit = visit_of(session, world.school_class)
    answers.accept_visit(session, visit, by=world.contact.actor, now=LATER)
    decline(session, world, world.second_class)

    run = compute(session, world, campaign, RunPurpose.REPAIR)

    assert world.school_class not in known(session, run)
    assert first not in {slot for _, slot in places(session, run)}
    publishing.publish(session, run, by=world.coordinator.actor, now=LATER)
    place_all(session, now=LATER)
    assert session.get_one(VisitRow, visit).state is VisitState.CONFIRMED


def test_a_visit_that_the_rules_would_not_give_again_stays(session, world, campaign):
    """Its notice is over by now, or its slot was closed to others."""
    first, second, _ = world.slots
    publish(
        session,
        world,
        campaign,
        {world.school_class: [(first, 24)], world.second_class: [(second, 24)]},
    )
    session.get_one(SlotRow, first).state = "closed"
    session.commit()

    run = compute(session, world, campaign, RunPurpose.REPAIR)

    assert world.school_class not in known(session, run)
    publishing.publish(session, run, by=world.coordinator.actor, now=LATER)
    place_all(session, now=LATER)
    stored = session.get_one(VisitRow, visit_of(session, world.school_class))
    assert (stored.state, stored.slot_id) == (VisitState.REQUESTED, first)


def test_half_a_visit_is_given_up_for_a_whole_one(session, world, campaign):
    session.get_one(OfferRow, world.offer).max_students = 30
    session.commit()
    first, second, third = world.slots
    publish(session, world, campaign, {world.school_class: [(first, 12), (second, 12)]})
    decline(session, world, world.school_class)

    run = compute(session, world, campaign, RunPurpose.REPAIR)

    mine = {slot for one, slot in places(session, run) if one == world.school_class}
    assert len(mine) == 1
    publishing.publish(session, run, by=world.coordinator.actor, now=LATER)
    place_all(session, now=LATER)
    visits = session.scalars(
        select(VisitRow).where(VisitRow.class_id == world.school_class)
    ).all()
    assert sorted(each.state.value for each in visits) == [
        "declined",
        "requested",
        "withdrawn",
    ]
    assert third in {slot for _, slot in places(session, run)}


def test_who_withdrew_is_given_nothing_again(session, world, campaign):
    publish(session, world, campaign, {world.school_class: [(world.slots[0], 24)]})
    requests.withdraw_visit(
        session,
        visit_of(session, world.school_class),
        by=world.teacher.actor,
        now=LATER,
    )

    run = compute(session, world, campaign, RunPurpose.REPAIR)

    assert known(session, run) == {world.second_class, world.other_class}


def test_a_second_round_gives_what_is_left_to_who_has_nothing(session, world, campaign):
    first, second, third = world.slots
    publish(
        session,
        world,
        campaign,
        {
            world.school_class: [(first, 24)],
            world.second_class: "capacity_taken",
            world.other_class: "capacity_taken",
        },
    )

    run = compute(session, world, campaign, RunPurpose.SECOND_ROUND)

    assert known(session, run) == {world.second_class, world.other_class}
    assert {slot for _, slot in places(session, run)} == {second, third}


def test_a_yes_in_between_makes_the_repair_outdated(session, world, campaign):
    first, _, third = world.slots
    publish(session, world, campaign, {world.school_class: [(first, 24)]})
    repair = campaigns.store_run(
        session,
        campaign,
        {world.school_class: [(third, 24)]},
        purpose=RunPurpose.REPAIR,
        now=LATER,
    )
    visit = visit_of(session, world.school_class)
    answers.accept_visit(session, visit, by=world.contact.actor, now=LATER)

    with pytest.raises(publishing.Refusal) as refusal:
        publishing.publish(session, repair, by=world.coordinator.actor, now=LATER)

    assert refusal.value.code == "plan_outdated"


def test_a_freed_place_is_offered_to_one_class_a_day(session, world, campaign, outbox):
    first, second, third = world.slots
    publish(
        session,
        world,
        campaign,
        {
            world.school_class: [(first, 24)],
            world.second_class: "capacity_taken",
            world.other_class: "capacity_taken",
        },
    )
    for slot in (second, third):
        session.get_one(SlotRow, slot).state = "closed"
    session.commit()
    outbox.news()
    assert waiting_list.offer_freed(session, now=LATER) == 0
    requests.withdraw_visit(
        session,
        visit_of(session, world.school_class),
        by=world.teacher.actor,
        now=LATER,
    )
    outbox.news()

    times = [LATER, LATER + timedelta(hours=1), LATER + timedelta(hours=25)]
    counts = [waiting_list.offer_freed(session, now=at) for at in times]

    told = outbox.news()
    assert counts == [1, 0, 1]
    assert {each.kind for each in told} == {"campaign_place_free"}
    assert {each.to for each in told} == {"yannick@example.org", "karim@example.org"}
    places = [each.payload["campaign"]["place"]["slot_id"] for each in told]
    assert places == [first, first]
