"""A plan becomes visits: same ledger, all parts or none, one letter for each reader."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.campaigns import (
    CampaignState,
    PlacementState,
    RunPurpose,
    RunState,
)
from scheduler.domain.localtime import instant
from scheduler.domain.offers import Confirmation
from scheduler.domain.parties import Part
from scheduler.domain.visits import VisitState
from scheduler.domain.wishes import Splitting, Wish, WishListState
from scheduler.persistence.models.campaigns import (
    CampaignLetterRow,
    CampaignRow,
    PlacementRow,
    RunRow,
    WishListRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services import answers, publishing, requests
from tests import campaigns, rows
from tests.rows import NOW
from tests.services.mailbox import refused

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def campaign(session, world) -> int:
    """Three classes wish the first host; the last one another."""
    number = campaigns.store_campaign(session)
    for school_class, teacher in (
        (world.school_class, world.teacher),
        (world.second_class, world.teacher),
        (world.other_class, world.other_teacher),
    ):
        campaigns.store_wishes(
            session,
            number,
            school_class,
            Wish(host_id=world.host),
            teacher=teacher.id,
            adults=3,
            split=Splitting.SAME_HOST,
            max_parts=2,
            arrangements="1 fauteuil roulant",
        )
    return number


def publish(session, world, run, *, now=NOW) -> None:
    publishing.publish(session, run, by=world.coordinator.actor, now=now)


def place_all(session, *, now=LATER) -> None:
    """The loop, until nothing is left to do."""
    while publishing.place_due(session, now=now):
        pass
    session.rollback()


def state_of(session, campaign) -> CampaignState:
    state = session.get_one(CampaignRow, campaign, populate_existing=True).state
    session.rollback()
    return state


def placements(session) -> list[tuple[int, str, list[str]]]:
    found = session.scalars(
        select(PlacementRow)
        .order_by(PlacementRow.id)
        .execution_options(populate_existing=True)
    ).all()
    lines = [(each.class_id, each.state.value, each.refusals) for each in found]
    session.rollback()
    return lines


def visits(session, **wanted) -> list[VisitRow]:
    return list(
        session.scalars(
            select(VisitRow)
            .filter_by(**wanted)
            .order_by(VisitRow.id)
            .execution_options(populate_existing=True)
        )
    )


# ------------------------------------------------------------------ placing


def test_a_plan_becomes_requests_that_hold_seats(session, world, campaign, outbox):
    run = campaigns.store_run(
        session,
        campaign,
        {
            world.school_class: [(world.slots[0], 24)],
            world.second_class: "capacity_taken",
            world.other_class: [(world.slots[1], 24)],
        },
    )

    publish(session, world, run)

    assert state_of(session, campaign) is CampaignState.PUBLISHING
    assert visits(session) == []
    place_all(session)
    assert state_of(session, campaign) is CampaignState.PUBLISHED
    one, _ = visits(session)
    assert (one.state, one.class_id, one.slot_id, one.organiser_id) == (
        VisitState.REQUESTED,
        world.school_class,
        world.slots[0],
        world.teacher.id,
    )
    assert (one.students, one.adults, one.part) == (24, 3, Part.WHOLE)
    assert (one.arrangements, one.group_no) == ("1 fauteuil roulant", 1)
    assert one.answer_due_at is not None
    assert session.get_one(SlotRow, world.slots[0]).students_taken == 24
    session.rollback()
    assert [each[:2] for each in placements(session)] == [
        (world.school_class, "placed"),
        (world.other_class, "placed"),
    ]
    # One letter each: no mail for each visit.
    assert sorted(each.line for each in outbox.news()) == [
        ("campaign_requests", "gerard@example.org", None, None),
        ("campaign_requests", "maud@example.org", None, None),
        ("campaign_result", "helene@example.org", None, None),
        ("campaign_result", "karim@example.org", None, None),
    ]


def test_parts_of_one_placement_do_not_stand_in_each_others_way(
    session, world, campaign
):
    elsewhere = rows.store_slot(session, world.other_offer, rows.TUESDAY)
    run = campaigns.store_run(
        session,
        campaign,
        {world.school_class: [(world.slots[0], 12), (elsewhere, 12)]},
    )

    publish(session, world, run)
    place_all(session)

    assert placements(session) == [(world.school_class, "placed", [])]
    first, second = visits(session, class_id=world.school_class)
    assert (first.part, first.group_no, second.group_no) == (Part.HALF, 1, 2)
    assert first.adults + second.adults >= 3
    # The host says yes although the other half is away at the same hour.
    answers.accept_visit(session, first.id, by=world.contact.actor, now=LATER)
    answers.accept_visit(session, second.id, by=world.other_contact.actor, now=LATER)
    assert {each.state for each in visits(session, class_id=world.school_class)} == {
        VisitState.CONFIRMED
    }


def test_a_teacher_of_two_classes_is_at_one_place_at_a_time(session, world, campaign):
    elsewhere = rows.store_slot(session, world.other_offer, rows.TUESDAY)
    run = campaigns.store_run(
        session,
        campaign,
        {
            world.school_class: [(world.slots[0], 24)],
            world.second_class: [(elsewhere, 24)],
        },
    )

    publish(session, world, run)
    place_all(session)

    assert [each[1:] for each in placements(session)] == [
        ("placed", []),
        ("refused", ["organiser_busy"]),
    ]


def test_a_group_of_a_rotation_is_at_one_place_at_a_time(session, world, campaign):
    overlapping = rows.store_slot(
        session, world.other_offer, rows.TUESDAY + timedelta(hours=1)
    )
    run = campaigns.store_run(
        session, campaign, {world.school_class: [(world.slots[0], 12)]}
    )
    session.add(
        campaigns.PlaceRow(
            run_id=run,
            class_id=world.school_class,
            slot_id=overlapping,
            group_no=1,
            students=12,
        )
    )
    session.commit()

    publish(session, world, run)
    place_all(session)

    assert placements(session) == [(world.school_class, "refused", ["class_busy"])]
    assert visits(session) == []


def test_all_parts_or_none_and_the_rest_goes_on(session, world, campaign):
    """The second slot was closed after the plan was made."""
    run = campaigns.store_run(
        session,
        campaign,
        {
            world.school_class: [(world.slots[0], 12), (world.slots[1], 12)],
            world.other_class: [(world.slots[2], 24)],
        },
    )
    rows.ask(
        session,
        world,
        slot=world.slots[1],
        school_class=world.second_class,
        by=world.colleague,
    )

    publish(session, world, run)
    place_all(session)

    assert placements(session) == [
        (world.school_class, "refused", ["slot_full"]),
        (world.other_class, "placed", []),
    ]
    assert session.get_one(SlotRow, world.slots[0]).students_taken == 0
    assert state_of(session, campaign) is CampaignState.PUBLISHED


def test_wishes_taken_back_meanwhile_are_not_placed(session, world, campaign):
    run = campaigns.store_run(
        session, campaign, {world.school_class: [(world.slots[0], 24)]}
    )
    wishes = session.scalars(
        select(WishListRow).filter_by(class_id=world.school_class)
    ).one()
    wishes.state = WishListState.WITHDRAWN
    session.commit()

    publish(session, world, run)
    place_all(session)

    assert placements(session) == [(world.school_class, "refused", ["wish_withdrawn"])]


def test_a_surprise_refuses_one_placement_and_holds_up_no_other(
    session, world, campaign, monkeypatch
):
    run = campaigns.store_run(
        session,
        campaign,
        {
            world.school_class: [(world.slots[0], 24)],
            world.other_class: [(world.slots[2], 24)],
        },
    )
    hold, calls = publishing.hold, []

    def broken_once(*given, **more):
        calls.append(given)
        if len(calls) == 1:
            raise RuntimeError("broken")
        return hold(*given, **more)

    monkeypatch.setattr(publishing, "hold", broken_once)

    publish(session, world, run)
    place_all(session)

    assert [each[1:] for each in placements(session)] == [
        ("refused", ["failed"]),
        ("placed", []),
    ]


def test_an_offer_that_confirms_by_itself_does_so(session, world, campaign, outbox):
    session.get_one(OfferRow, world.offer).confirmation = Confirmation.AUTOMATIC
    session.commit()
    run = campaigns.store_run(
        session, campaign, {world.school_class: [(world.slots[0], 24)]}
    )

    publish(session, world, run)
    place_all(session)

    (visit,) = visits(session)
    assert visit.state is VisitState.CONFIRMED
    session.rollback()
    kinds = [each.kind for each in outbox.news()]
    assert sorted(kinds) == [
        *["campaign_requests"] * 2,
        "campaign_result",
        *["visit_confirmed"] * 3,
    ]


# ------------------------------------------------------------------ who may, when


def test_only_a_finished_plan_of_closed_wishes_is_published(session, world, campaign):
    plan = {world.school_class: [(world.slots[0], 24)]}
    by = world.coordinator.actor
    early = campaigns.store_run(
        session, campaign, plan, started_at=NOW - timedelta(days=2)
    )
    running = campaigns.store_run(session, campaign, plan, state=RunState.RUNNING)
    what_if = campaigns.store_run(session, campaign, plan, purpose=RunPurpose.WHAT_IF)
    repair = campaigns.store_run(session, campaign, plan, purpose=RunPurpose.REPAIR)
    good = campaigns.store_run(session, campaign, plan)

    for run, code in (
        (early, "plan_outdated"),
        (running, "nothing_to_publish"),
        (what_if, "nothing_to_publish"),
        (repair, "wrong_state"),
    ):
        with refused(session, code):
            publishing.publish(session, run, by=by, now=NOW)
    with refused(session, "not_found"):
        publishing.publish(session, 99, by=by, now=NOW)
    with refused(session, "not_found"):
        publishing.publish(session, good, by=world.teacher.actor, now=NOW)
    session.get_one(CampaignRow, campaign).closes_at = NOW + timedelta(days=1)
    session.commit()
    with refused(session, "wishes_still_open"):
        publishing.publish(session, good, by=by, now=NOW)


def test_a_second_coordinator_is_told_who_was_first(session, world, campaign):
    plan = {world.school_class: [(world.slots[0], 24)]}
    first = campaigns.store_run(session, campaign, plan)
    second = campaigns.store_run(session, campaign, plan)
    publish(session, world, first)

    with refused(session, "published_already"):
        publish(session, world, second)
    with refused(session, "published_already"):
        publish(session, world, first)
    place_all(session)
    with refused(session, "published_already"):
        publish(session, world, second)

    assert len(visits(session)) == 1


# ------------------------------------------------------------------ restartable


def test_a_stop_leaves_the_rest_for_the_next_turn(session, world, campaign, outbox):
    run = campaigns.store_run(
        session,
        campaign,
        {
            world.school_class: [(world.slots[0], 24)],
            world.other_class: [(world.slots[2], 24)],
        },
    )
    publish(session, world, run)

    for _turn in range(20):
        asked = []

        def after_one(asked=asked) -> bool:
            asked.append(1)
            return len(asked) > 1

        publishing.place_due(session, now=LATER, stopping=after_one)
    place_all(session)

    assert state_of(session, campaign) is CampaignState.PUBLISHED
    assert len(visits(session)) == 2
    session.rollback()
    assert len([each.line for each in outbox.news()]) == 4
    assert len(session.scalars(select(CampaignLetterRow)).all()) == 4


# ------------------------------------------------------------------ afterwards


def published(session, world, campaign) -> int:
    """The first class on Tuesday, the other school's on Friday, one has nothing."""
    run = campaigns.store_run(
        session,
        campaign,
        {
            world.school_class: [(world.slots[0], 24)],
            world.second_class: "capacity_taken",
            world.other_class: [(world.slots[2], 24)],
        },
    )
    publish(session, world, run)
    place_all(session)
    return run


def test_a_repair_moves_what_it_must_and_leaves_the_rest(
    session, world, campaign, outbox
):
    published(session, world, campaign)
    first, other = visits(session)
    session.rollback()
    outbox.news()
    thursday = world.slots[1]
    repair = campaigns.store_run(
        session,
        campaign,
        {
            world.school_class: [(thursday, 24)],
            world.second_class: [(world.slots[0], 24)],
            world.other_class: [(world.slots[2], 24)],
        },
        purpose=RunPurpose.REPAIR,
        now=LATER + timedelta(minutes=1),
    )

    publish(session, world, repair, now=LATER + timedelta(minutes=2))
    place_all(session, now=LATER + timedelta(minutes=3))

    stored = {each.id: each for each in visits(session)}
    assert stored[first.id].state is VisitState.WITHDRAWN
    assert stored[other.id].state is VisitState.REQUESTED
    assert [each.slot_id for each in list(stored.values())[2:]] == [
        thursday,
        world.slots[0],
    ]
    assert [each[1] for each in placements(session)] == [
        "replaced",
        "placed",
        "placed",
        "placed",
    ]
    assert sorted(each.line[:2] for each in outbox.news()) == [
        ("campaign_requests", "gerard@example.org"),
        ("campaign_requests", "maud@example.org"),
        ("campaign_result", "helene@example.org"),
        ("visit_withdrawn", "gerard@example.org"),
        ("visit_withdrawn", "maud@example.org"),
    ]


def test_a_repair_takes_the_other_half_back_when_one_was_declined(
    session, world, campaign
):
    run = campaigns.store_run(
        session,
        campaign,
        {world.school_class: [(world.slots[0], 12), (world.slots[1], 12)]},
    )
    publish(session, world, run)
    place_all(session)
    one, other = visits(session)
    answers.decline_visit(
        session,
        one.id,
        reason=answers.DeclineReason.DATE,
        note="",
        by=world.contact.actor,
        now=LATER,
    )
    answers.accept_visit(session, other.id, by=world.contact.actor, now=LATER)
    repair = campaigns.store_run(
        session,
        campaign,
        {world.school_class: [(world.slots[2], 24)]},
        purpose=RunPurpose.REPAIR,
        now=LATER + timedelta(minutes=1),
    )

    publishing.publish(
        session,
        repair,
        note="L’autre groupe ne peut pas venir.",
        by=world.coordinator.actor,
        now=LATER + timedelta(minutes=2),
    )
    place_all(session, now=LATER + timedelta(minutes=3))

    assert [(each.state, each.note) for each in visits(session)] == [
        (VisitState.DECLINED, ""),
        (VisitState.CANCELLED_BY_SCHOOL, "L’autre groupe ne peut pas venir."),
        (VisitState.REQUESTED, ""),
    ]


def test_a_repair_that_is_older_than_the_last_one_is_not_published(
    session, world, campaign
):
    published(session, world, campaign)
    plan = {world.school_class: [(world.slots[1], 24)]}
    old = campaigns.store_run(
        session,
        campaign,
        plan,
        purpose=RunPurpose.REPAIR,
        now=NOW - timedelta(minutes=1),
    )

    with refused(session, "plan_outdated"):
        publish(session, world, old, now=LATER)


def test_a_second_round_only_adds(session, world, campaign, outbox):
    published(session, world, campaign)
    outbox.news()
    second = campaigns.store_run(
        session,
        campaign,
        {world.second_class: [(world.slots[1], 24)]},
        purpose=RunPurpose.SECOND_ROUND,
        now=LATER + timedelta(minutes=1),
    )

    publish(session, world, second, now=LATER + timedelta(minutes=2))
    place_all(session, now=LATER + timedelta(minutes=3))

    assert [each.state.value for each in visits(session)] == ["requested"] * 3
    session.rollback()
    assert sorted(each.line[:2] for each in outbox.news()) == [
        ("campaign_requests", "gerard@example.org"),
        ("campaign_requests", "maud@example.org"),
        ("campaign_result", "helene@example.org"),
    ]
    assert session.get_one(RunRow, second).published_at is not None


# ------------------------------------------------------------------ the letters


def test_a_teacher_reads_of_every_class_and_no_other(session, world, campaign, outbox):
    published(session, world, campaign)

    told = {each.to: each.payload["campaign"] for each in outbox.news()}

    mine = told["helene@example.org"]["classes"]
    assert [each["label"] for each in mine] == ["1re MELEC", "2nde MTNE"]
    assert mine[0]["visits"][0]["host_name"] == "Férembois Usinage"
    assert mine[0]["why"] == {
        "rank": 1,
        "km": 23,
        "points": {"school_nothing": 2, "rural": 1},
    }
    assert (mine[0]["reason"], mine[1]["visits"]) == (None, [])
    assert mine[1]["reason"]["code"] == "capacity_taken"


def test_a_host_reads_of_every_class_with_a_link_for_each(
    session, world, campaign, outbox
):
    published(session, world, campaign)

    told = {each.to: each.payload["campaign"] for each in outbox.news()}

    asked = told["gerard@example.org"]["asked"]
    assert [each["visit"]["class_label"] for each in asked] == ["1re MELEC", "3e B"]
    links = [each["link"]["id"] for each in asked]
    others = [each["link"]["id"] for each in told["maud@example.org"]["asked"]]
    assert len({*links, *others}) == 4


def test_the_hosts_yes_brings_the_calendar_entry(session, world, campaign, outbox):
    published(session, world, campaign)
    outbox.news()

    answers.accept_visit(
        session, visits(session)[0].id, by=world.contact.actor, now=LATER
    )

    assert {each.line for each in outbox.news()} == {
        ("visit_confirmed", each, "REQUEST", 0)
        for each in ("gerard@example.org", "maud@example.org", "helene@example.org")
    }


def test_the_hosts_no_frees_the_seats_and_tells_the_teacher(
    session, world, campaign, outbox
):
    published(session, world, campaign)
    outbox.news()

    answers.decline_visit(
        session,
        visits(session)[0].id,
        reason=answers.DeclineReason.DATE,
        note="",
        by=world.contact.actor,
        now=LATER,
    )

    assert {each.line for each in outbox.news()} == {
        ("visit_declined", "helene@example.org", None, None)
    }
    assert session.get_one(SlotRow, world.slots[0]).students_taken == 0


def test_a_visit_out_of_a_campaign_moves_like_any_other(session, world, campaign):
    published(session, world, campaign)
    first = visits(session)[0].id
    free = rows.store_slot(
        session, world.offer, instant(date(2027, 1, 14), time(9)), max_students=30
    )

    requests.move_visit(session, first, free, by=world.teacher.actor, now=LATER)

    assert visits(session, id=first)[0].slot_id == free
    assert [each[1] for each in placements(session)] == [
        PlacementState.PLACED.value
    ] * 2
