"""Two coordinators, two loops, and kill -9: each visit is asked for once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import closing
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import CampaignState
from scheduler.domain.wishes import Wish
from scheduler.persistence.engine import make_engine
from scheduler.persistence.models.campaigns import CampaignRow, PlacementRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services import campaign_letters, publishing
from tests import campaigns, rows
from tests.concurrency import race
from tests.rows import NOW

PLACED, TOLD = 3, 4
"""Three visits; two teachers and the two contacts of one host are written to."""


@pytest.fixture
def plan(session: Session, world: rows.World) -> tuple[int, int]:
    """A campaign, and a run that gives three classes a visit."""
    campaign = campaigns.store_campaign(session)
    given = {}
    for school_class, teacher, slot in (
        (world.school_class, world.teacher, world.slots[0]),
        (world.second_class, world.teacher, world.slots[1]),
        (world.other_class, world.other_teacher, world.slots[2]),
    ):
        campaigns.store_wishes(
            session,
            campaign,
            school_class,
            Wish(host_id=world.host),
            teacher=teacher.id,
        )
        given[school_class] = [(slot, 24)]
    return campaign, campaigns.store_run(session, campaign, given)


def place(session: Session) -> int:
    return publishing.place_due(session, now=NOW)


def place_all(session: Session) -> None:
    while place(session):
        pass
    session.rollback()


def check(session: Session, campaign: int) -> None:
    """Everything was done, and once."""
    assert session.get_one(CampaignRow, campaign).state is CampaignState.PUBLISHED
    visits = session.scalars(select(VisitRow)).all()
    assert len({each.class_id for each in visits}) == len(visits) == PLACED
    letters = session.scalars(select(MessageRow)).all()
    assert len({each.person_id for each in letters}) == len(letters) == TOLD
    session.rollback()


def test_of_two_coordinators_who_publish_at_once_one_wins(
    engine: Engine, session: Session, world: rows.World, plan: tuple[int, int]
):
    campaign, first = plan
    second = campaigns.store_run(
        session, campaign, {world.school_class: [(world.slots[2], 24)]}
    )
    session.rollback()

    def publish(mine: Session, run: int) -> None:
        publishing.publish(mine, run, by=world.coordinator.actor, now=NOW)

    outcomes = race.with_threads(
        engine, *(partial(publish, run=each) for each in (first, second))
    )

    assert sorted(code for code, _ in outcomes) == [race.DONE, "published_already"]
    runs = set(session.scalars(select(PlacementRow.run_id)))
    assert len(runs) == 1


def test_two_loops_place_a_plan_once(
    engine: Engine, session: Session, world: rows.World, plan: tuple[int, int]
):
    campaign, run = plan
    publishing.publish(session, run, by=world.coordinator.actor, now=NOW)
    session.rollback()

    outcomes = race.with_threads(engine, place, place)

    assert [code for code, _ in outcomes] == [race.DONE, race.DONE]
    place_all(session)
    check(session, campaign)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def place_and_die(url: str, *, placed: int, told: int) -> None:
    """In a process of its own: kill -9 in the middle of what comes after so much."""
    engine = make_engine(url)
    hold, record, counts = publishing.hold, campaign_letters.outbox.record, [0, 0]

    def dying_hold(*given, **more):
        counts[0] += 1
        row = hold(*given, **more)
        if counts[0] > placed:
            die()
        return row

    def dying_record(*given, **more):
        counts[1] += 1
        row = record(*given, **more)
        if counts[1] > told:
            die()
        return row

    publishing.hold = dying_hold  # type: ignore[assignment]
    campaign_letters.outbox.record = dying_record  # type: ignore[assignment]
    with closing(race.session_on(engine)) as session:
        place_all(session)


def test_kill_9_in_the_middle_of_publishing(
    session: Session, world: rows.World, plan: tuple[int, int], database_url: str
):
    campaign, run = plan
    publishing.publish(session, run, by=world.coordinator.actor, now=NOW)
    session.rollback()
    spawn = multiprocessing.get_context("spawn")

    for placed, told in ((1, 0), (9, 1)):
        process = spawn.Process(
            target=place_and_die,
            args=(database_url,),
            kwargs={"placed": placed, "told": told},
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL

    assert len(session.scalars(select(VisitRow)).all()) == PLACED
    assert len(session.scalars(select(MessageRow)).all()) == 1
    session.rollback()
    place_all(session)
    check(session, campaign)
