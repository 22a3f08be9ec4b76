"""Teachers file wishes for a class, change them until the closing, take them back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import CampaignState
from scheduler.domain.refusals import NotFound, Refused, WrongState
from scheduler.domain.wishes import Days, Splitting, Wish, WishList, WishListState
from scheduler.persistence.models.campaigns import WishListRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.queries.wishes import list_to_change
from scheduler.services import wish_preview, wishes
from scheduler.services.wish_preview import Change
from tests import rows
from tests.rows import NOW, World


def wanted(world: World, **changes: object) -> WishList:
    """The world's first slot, then its host, then anything in the term."""
    usual = WishList(
        students=24,
        adults=2,
        max_km=80,
        wishes=(
            Wish(slot_id=world.slots[0]),
            Wish(host_id=world.host),
            Wish(first_on=date(2027, 1, 11), last_on=date(2027, 2, 28)),
        ),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def file(
    session: Session, world: World, campaign_id: int, asked: WishList, **given: object
) -> int:
    settings = {"by": world.teacher.actor, "now": NOW} | given
    return wishes.file_wishes(
        session,
        campaign_id,
        world.school_class,
        asked,
        **settings,  # type: ignore[arg-type]
    )


def stored(session: Session, world: World, campaign_id: int) -> WishListRow:
    session.rollback()
    row = list_to_change(session, campaign_id, world.school_class)
    assert row is not None
    return row


@pytest.fixture
def campaign(session: Session, world: World) -> int:
    return rows.store_campaign(session)


def test_a_list_is_kept_as_it_was_filed(
    session: Session, world: World, campaign: int
) -> None:
    asked = wanted(
        world,
        split=Splitting.NEARBY,
        max_parts=2,
        absent=(Days(date(2027, 1, 18), date(2027, 1, 22)),),
        leave_from=time(8, 0),
        back_by=time(17, 0),
        message="Une classe curieuse",
    )
    file(session, world, campaign, asked)
    row = stored(session, world, campaign)
    assert row.as_domain() == asked
    assert (row.arrival, row.teacher_id) == (1, world.teacher.id)


def test_changed_wishes_keep_their_place_and_the_last_word_counts(
    session: Session, world: World, campaign: int
) -> None:
    file(session, world, campaign, wanted(world))
    file(
        session,
        world,
        campaign,
        wanted(world, wishes=(Wish(host_id=world.host), Wish(slot_id=world.slots[0]))),
        by=world.colleague.actor,
        now=NOW + timedelta(hours=1),
    )
    row = stored(session, world, campaign)
    assert [each.position for each in row.wishes] == [1, 2]
    assert row.wishes[0].host_id == world.host
    assert (row.arrival, row.teacher_id) == (1, world.colleague.id)


def test_a_copy_goes_to_the_teacher_once_for_each_change(
    session: Session, world: World, campaign: int
) -> None:
    for _ in range(2):
        file(session, world, campaign, wanted(world))
    session.rollback()
    copies = session.scalars(
        select(MessageRow).where(MessageRow.kind == wishes.COPY)
    ).all()
    assert [each.person_id for each in copies] == [world.teacher.id]
    told = copies[0].payload["wishes"]
    assert told["lines"][0]["starts_at"] == rows.TUESDAY.isoformat()
    assert len(told["lines"]) == 3


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"wishes": ()}, ["no_wish"]),
        ({"students": 0}, ["no_students"]),
        ({"wishes": (Wish(slot_id=99_999),)}, ["wrong_wish"]),
        ({"wishes": (Wish(host_id=99_999),)}, ["wrong_wish"]),
        (
            {"wishes": tuple(Wish(max_km=number) for number in range(1, 12))},
            ["too_many_wishes"],
        ),
        (
            {"wishes": (Wish(first_on=date(2027, 3, 2), last_on=date(2027, 3, 1)),)},
            ["wrong_wish"],
        ),
        ({"wishes": (Wish(max_km=9), Wish(max_km=9))}, ["wrong_wish"]),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    session: Session,
    world: World,
    campaign: int,
    changes: dict[str, object],
    codes: list[str],
) -> None:
    file(session, world, campaign, wanted(world))
    with pytest.raises(Refused) as refused:
        file(session, world, campaign, wanted(world, **changes))
    assert [each.code for each in refused.value.refusals] == codes
    assert stored(session, world, campaign).as_domain() == wanted(world)


@pytest.mark.parametrize("moment", [-timedelta(days=2), timedelta(days=10)])
def test_before_the_opening_and_after_the_closing_nothing_is_taken(
    session: Session, world: World, campaign: int, moment: timedelta
) -> None:
    with pytest.raises(Refused) as refused:
        file(session, world, campaign, wanted(world), now=NOW + moment)
    assert refused.value.code == "wishes_not_open"


def test_a_class_of_another_level_is_not_meant(session: Session, world: World) -> None:
    campaign = rows.store_campaign(session, level_codes=["BTS1"])
    with pytest.raises(Refused) as refused:
        file(session, world, campaign, wanted(world))
    assert refused.value.code == "level_not_meant"


def test_another_schools_class_and_a_draft_do_not_exist(
    session: Session, world: World, campaign: int
) -> None:
    with pytest.raises(NotFound):
        file(session, world, campaign, wanted(world), by=world.other_teacher.actor)
    draft = rows.store_campaign(session, state=CampaignState.DRAFT)
    with pytest.raises(NotFound):
        file(session, world, draft, wanted(world))


def test_a_list_is_taken_back_and_filed_again(
    session: Session, world: World, campaign: int
) -> None:
    by = world.teacher.actor
    file(session, world, campaign, wanted(world))
    wishes.withdraw_wishes(session, campaign, world.school_class, by=by, now=NOW)
    assert stored(session, world, campaign).state is WishListState.WITHDRAWN
    with pytest.raises(WrongState):
        wishes.withdraw_wishes(session, campaign, world.school_class, by=by, now=NOW)
    file(session, world, campaign, wanted(world))
    assert stored(session, world, campaign).state is WishListState.SUBMITTED
    with pytest.raises(Refused):
        wishes.withdraw_wishes(
            session,
            campaign,
            world.school_class,
            by=by,
            now=NOW + timedelta(days=10),
        )


# ---------------------------------------------------------------- preview


def look(
    session: Session, world: World, campaign_id: int, asked: WishList
) -> wish_preview.Preview:
    return wish_preview.preview(
        session,
        campaign_id,
        world.school_class,
        asked,
        by=world.teacher.actor,
        now=NOW,
    )


def test_a_preview_counts_and_keeps_nothing(
    session: Session, world: World, campaign: int
) -> None:
    found = look(session, world, campaign, wanted(world))
    assert found.slots == sum(found.by_wish) > 0
    session.rollback()
    assert session.scalars(select(WishListRow)).all() == []
    assert session.scalars(select(MessageRow)).all() == []


def gains(found: wish_preview.Preview) -> dict[Change, wish_preview.Gain]:
    return {each.change: each for each in found.gains}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"back_by": time(16, 30)}, Change.BACK_BY),
        ({"leave_from": time(8, 15)}, Change.LEAVE_FROM),
        ({"max_km": 40}, Change.DISTANCE),
        ({"absent": (Days(date(2027, 1, 11), date(2027, 1, 15)),)}, Change.ABSENT),
        ({"wishes": (Wish(last_on=date(2027, 1, 13)),)}, Change.ANYTHING),
    ],
)
def test_each_gain_is_what_that_change_alone_opens(
    session: Session,
    world: World,
    campaign: int,
    changes: dict[str, object],
    expected: Change,
) -> None:
    """Every advice is followed, and opens as many slots as it said."""
    asked = wanted(world, **({"wishes": (Wish(),)} | changes))
    found = look(session, world, campaign, asked)
    assert expected in gains(found)
    for each in found.gains:
        followed = {
            Change.BACK_BY: lambda value: {"back_by": time.fromisoformat(value)},
            Change.LEAVE_FROM: lambda value: {"leave_from": time.fromisoformat(value)},
            Change.DISTANCE: lambda value: {"max_km": int(value)},
            Change.ABSENT: lambda _: {"absent": ()},
            Change.SPLIT: lambda value: {"split": Splitting(value), "max_parts": 3},
            Change.ANYTHING: lambda _: {"wishes": (*asked.wishes, Wish())},
        }[each.change](each.value)
        then = look(session, world, campaign, replace(asked, **followed))
        assert then.slots - found.slots == each.slots, each


def test_nothing_possible_says_what_would_open_something(
    session: Session, world: World, campaign: int
) -> None:
    asked = wanted(world, back_by=time(11, 30), wishes=(Wish(slot_id=world.slots[0]),))
    found = look(session, world, campaign, asked)
    assert found.slots == 0
    assert found.blocks == (("return_too_late", 1),)
    assert gains(found)[Change.BACK_BY].slots == 1


def test_a_preview_is_refused_like_the_list_itself(
    session: Session, world: World, campaign: int
) -> None:
    with pytest.raises(Refused):
        look(session, world, campaign, wanted(world, wishes=()))
