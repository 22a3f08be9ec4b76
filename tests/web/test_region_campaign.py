"""A campaign of many classes: pages show a part of it, whatever its size.

`./run bench campaign` does the same with nine thousand classes and measures it.
"""

from __future__ import annotations

import re

import pytest

from scheduler.domain.campaigns import HAS_PLAN
from scheduler.persistence.models.campaigns import RunRow
from scheduler.services import run_work, runs
from scheduler.services.runs import Wanted
from scheduler.web.coordinator.run_pages import PER_PAGE
from tests.region import store_region
from tests.rows import NOW

CLASSES = 240
LARGEST_PAGE = 120_000


@pytest.fixture
def region(session, world):
    return store_region(session, CLASSES)


@pytest.fixture
def run(session, world, region):
    run = runs.ask_for_run(
        session,
        region.campaign,
        Wanted(seconds=1),
        by=world.coordinator.actor,
        now=NOW,
    )
    assert run_work.work(session, run, now=lambda: NOW, beat_seconds=0.1)
    return run


def test_long_lists_are_paged_and_the_search_keeps_its_time(
    signed_in, session, run, region
):
    browser = signed_in("coordinator")
    done = session.get_one(RunRow, run)
    here = f"/coordinator/runs/{run}"

    first = browser.get(f"{here}/classes").text
    last = browser.get(f"{here}/classes?page=9999").text
    slots = browser.get(f"{here}/slots").text
    whole = browser.get(here).text

    assert done.state in HAS_PLAN
    assert done.summary["figures"]["plan"]["classes"] == CLASSES
    assert done.summary["objective"]["served"] > CLASSES / 2
    pages = -(-CLASSES // PER_PAGE)
    assert len(set(re.findall(rf"{here}/classes/\d+", first))) == PER_PAGE
    assert len(set(re.findall(rf"{here}/classes/\d+", last))) == (
        CLASSES - (pages - 1) * PER_PAGE
    )
    assert slots.count("what-if/slots/") == PER_PAGE
    assert max(map(len, (first, last, slots, whole))) < LARGEST_PAGE
