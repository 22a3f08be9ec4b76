"""A campaign leaves as a file, and a plan made elsewhere comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler import clock
from scheduler.cli import main
from scheduler.domain.campaigns import RunState
from scheduler.domain.wishes import Wish
from scheduler.persistence.models.campaigns import OutcomeRow, PlaceRow, RunRow
from scheduler.services.house import House
from tests import rows
from tests.campaigns import store_campaign, store_wishes
from tests.conftest import SEAL_KEY
from tests.rows import NOW


@pytest.fixture(autouse=True)
def _same_clock_afterwards() -> Iterator[None]:
    yield
    clock.shift(timedelta(0))


@pytest.fixture
def session(session: Session) -> Session:
    session.info["house"] = House(link_key=b"a key")
    return session


@pytest.fixture
def campaign(session: Session, world: rows.World) -> int:
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
    return campaign


@pytest.fixture
def run(database_url: str):
    env = {
        "DATABASE_URL": database_url,
        "SEAL_KEYS": SEAL_KEY,
        "SECRET_KEY": "a secret for tests",
        "CLOCK_STARTS_AT": NOW.isoformat(),
    }

    def call(*words: object) -> Result:
        return CliRunner().invoke(main, ["match", *map(str, words)], env=env)

    return call


def test_a_campaign_is_solved_elsewhere_and_taken_back(
    session: Session, campaign: int, run, tmp_path: Path
):
    instance, plan = tmp_path / "instance.json", tmp_path / "plan.json"

    out = run("export", campaign, "-o", instance)
    run("solve", instance, "-o", plan)
    back = run("import", campaign, plan)

    session.rollback()
    stored = session.scalars(select(RunRow)).one()
    assert out.output == "2 classes and 4 slots.\n"
    assert back.output == f"Kept as plan {stored.id}: 1 classes served.\n"
    assert (stored.state, stored.label) == (RunState.DONE, "plan")
    assert stored.summary["figures"]["plan"]["served"] == 1
    assert stored.summary["proven"]["served"] is False
    assert len(session.scalars(select(OutcomeRow)).all()) == 2
    assert len(session.scalars(select(PlaceRow)).all()) == 1


def test_a_plan_that_breaks_a_rule_is_not_kept(
    session: Session, world: rows.World, campaign: int, run, tmp_path: Path
):
    wrong = tmp_path / "wrong.json"
    part = {"slot": f"S{world.slots[1]}", "group": 1, "students": 24}
    visit = {"class": f"C{world.school_class}", "parts": [part]}
    wrong.write_text(json.dumps({"visits": [visit]}))

    refused = run("import", campaign, wrong)

    session.rollback()
    assert refused.exit_code == 1
    assert "The plan breaks rules; nothing is kept." in refused.output
    assert session.scalars(select(RunRow)).all() == []


def test_a_campaign_that_does_not_exist(world: rows.World, run, tmp_path: Path):
    plan = tmp_path / "plan.json"
    plan.write_text('{"visits": []}')

    told = [run("export", 99, "-o", tmp_path / "x.json"), run("import", 99, plan)]

    assert [each.exit_code for each in told] == [1, 1]
    assert all("There is no campaign 99." in each.output for each in told)


def test_a_file_that_is_no_plan(campaign: int, run, tmp_path: Path):
    plan = tmp_path / "plan.json"
    plan.write_text("{}")

    told = run("import", campaign, plan)

    assert told.exit_code == 2
    assert "visits" in told.output
