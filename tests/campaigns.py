"""Campaigns, wish lists and plans for tests, stored as the pages would store them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain.campaigns import (
    USUAL_POINTS,
    CampaignState,
    PinKind,
    RunPurpose,
    RunState,
)
from scheduler.domain.wishes import Splitting, Wish, WishListState
from scheduler.persistence.models.campaigns import (
    CampaignRow,
    OutcomeRow,
    PinRow,
    PlaceRow,
    RunRow,
    WishListRow,
    WishRow,
)
from scheduler.persistence.models.network import SchoolClassRow
from scheduler.services import publishing
from tests import rows
from tests.rows import NOW


def store_campaign(session: Session, *, now: datetime = NOW, **more: Any) -> int:
    """Announced, wishes closed yesterday, visits from January to April."""
    facts = {
        "name": "Semaine de l’industrie",
        "state": CampaignState.ANNOUNCED,
        "opens_at": now - timedelta(days=30),
        "closes_at": now - timedelta(days=1),
        "allocation_on": now.date(),
        "first_visit_on": date(2027, 1, 4),
        "last_visit_on": date(2027, 4, 30),
        "points": {each.value: number for each, number in USUAL_POINTS.items()},
        "seed": 7,
        "created_at": now,
        "updated_at": now,
        **more,
    }
    row = CampaignRow(**facts)
    session.add(row)
    session.commit()
    return row.id


def store_wishes(
    session: Session,
    campaign: int,
    school_class: int,
    *wishes: Wish,
    teacher: int,
    now: datetime = NOW,
    **more: Any,
) -> int:
    """A submitted wish list; as many students as the class has."""
    facts = {
        "students": session.get_one(SchoolClassRow, school_class).students,
        "adults": 2,
        "max_km": 150,
        "arrival": school_class,
        "split": Splitting.NONE,
        "state": WishListState.SUBMITTED,
        **more,
    }
    row = WishListRow(
        campaign_id=campaign,
        class_id=school_class,
        teacher_id=teacher,
        submitted_at=now,
        updated_at=now,
        **facts,
    )
    row.wishes = [
        WishRow(
            position=position,
            slot_id=wish.slot_id,
            host_id=wish.host_id,
            field_codes=list(wish.field_codes),
            first_on=wish.first_on,
            last_on=wish.last_on,
            max_km=wish.max_km,
        )
        for position, wish in enumerate(wishes, 1)
    ]
    session.add(row)
    session.commit()
    return row.id


def store_pin(
    session: Session, campaign: int, school_class: int, slot: int, kind: PinKind
) -> None:
    session.add(
        PinRow(
            campaign_id=campaign,
            class_id=school_class,
            slot_id=slot,
            kind=kind,
            reason="Le bus passe là.",
            created_at=NOW,
        )
    )
    session.commit()


def store_run(
    session: Session,
    campaign: int,
    plan: dict[int, list[tuple[int, int]] | str],
    *,
    now: datetime = NOW,
    facts: dict[int, dict[str, Any]] | None = None,
    **more: Any,
) -> int:
    """A run that ended. ``plan``: class → (slot, students) of its groups, or why."""
    given = {
        "state": RunState.DONE,
        "purpose": RunPurpose.PLAN,
        "seed": 7,
        "asked_at": now,
        "started_at": now,
        "finished_at": now,
        "engine": "tests",
        **more,
    }
    row = RunRow(campaign_id=campaign, **given)
    session.add(row)
    session.flush()
    for school_class, found in plan.items():
        placed = [] if isinstance(found, str) else found
        session.add(
            OutcomeRow(
                run_id=row.id,
                class_id=school_class,
                visits=1 if placed else 0,
                code="" if placed else str(found),
                priority=3,
                rank=1 if placed else None,
                metres=23_400 if placed else None,
                facts={"points": {"school_nothing": 2, "rural": 1}}
                | (facts or {}).get(school_class, {}),
            )
        )
        for number, (slot, students) in enumerate(placed, 1):
            session.add(
                PlaceRow(
                    run_id=row.id,
                    class_id=school_class,
                    slot_id=slot,
                    visit_no=1,
                    group_no=number,
                    students=students,
                )
            )
    session.commit()
    return row.id


def store_published(session: Session, world: rows.World) -> tuple[int, int]:
    """A published campaign and its run: a class has a visit, another one none."""
    campaign = store_campaign(session)
    for school_class in (world.school_class, world.second_class):
        store_wishes(
            session,
            campaign,
            school_class,
            Wish(host_id=world.host),
            teacher=world.teacher.id,
        )
    run = store_run(
        session,
        campaign,
        {
            world.school_class: [(world.slots[1], 24)],
            world.second_class: "capacity_taken",
        },
    )
    publishing.publish(session, run, by=world.coordinator.actor, now=NOW)
    while publishing.place_due(session, now=NOW):
        pass
    session.rollback()
    return campaign, run
