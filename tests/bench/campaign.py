"""A campaign of a région through the web pages, its plan computed in the background.

    ./run bench campaign [--classes 9000] [--seconds 300]

Prints, as JSON, how long each page takes while the plan is computed and afterwards, and
what the plan is worth.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from config import Settings
from scheduler import clock
from scheduler.app import create_app
from scheduler.domain.campaigns import RUN_ENDED
from scheduler.jobs.workshop import Workshop
from scheduler.persistence import migrate
from scheduler.persistence.engine import make_engine, make_session
from scheduler.persistence.models.campaigns import RunRow
from scheduler.persistence.sealed import Seal
from scheduler.services import accounts, runs
from scheduler.services.house import House
from scheduler.services.runs import Wanted
from tests import rows
from tests.region import store_region
from tests.rows import NOW

KEY = "a key for the benchmark"
TIMES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=9000)
    parser.add_argument("--seconds", type=int, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = bench(Path(folder), classes=asked.classes, seconds=asked.seconds)
    print(json.dumps(told, indent=2))


def bench(folder: Path, *, classes: int, seconds: int) -> dict[str, Any]:
    """Everything once, in a folder of its own."""
    url = f"sqlite:///{folder / 'region.db'}"
    engine = make_engine(url)
    migrate.upgrade(engine)
    told: dict[str, Any] = {"classes": classes}
    with make_session(engine, Seal((KEY,))) as session:
        session.info["house"] = House(link_key=b"a key")
        world = rows.store_world(session)
        began = time.perf_counter()
        region = store_region(session, classes)
        told["slots"], told["stored_s"] = region.slots, since(began)
        clock.start_at(NOW)
        run = runs.ask_for_run(
            session,
            region.campaign,
            Wanted(seconds=seconds),
            by=world.coordinator.actor,
            now=clock.now(),
        )
        client = signed_in(url, folder, world)
        workshop = Workshop(lambda: environment(url))
        began = time.perf_counter()
        workshop.begin(run)
        during: list[float] = []
        while not is_over(session, run):
            during.append(timed(client, f"/coordinator/runs/{run}"))
            time.sleep(2)
        told["run_s"] = since(began)
        workshop.close()
        told["pages_while_it_computes_ms"] = summary(during)
        told["pages_afterwards_ms"] = pages(client, region.campaign, run)
        row = session.get_one(RunRow, run)
        told |= {"state": row.state.value, "error": row.error}
        if row.summary:
            told |= {
                key: row.summary[key]
                for key in ("objective", "bound", "seconds", "peak_mb", "possible")
            }
            told["figures"] = row.summary["figures"]
    engine.dispose()
    return told


def since(began: float) -> float:
    return round(time.perf_counter() - began, 1)


def environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": url,
        "SECRET_KEY": KEY,
        "SEAL_KEYS": KEY,
        "CLOCK_STARTS_AT": clock.now().isoformat(),
        "LOG_LEVEL": "WARNING",
    }


def signed_in(url: str, folder: Path, world: rows.World) -> FlaskClient:
    """The coordinator's browser, at the real application."""
    app = create_app(
        Settings(
            secret_key=KEY,
            seal_keys=(KEY,),
            database_url=url,
            mailbox_dir=str(folder / "mailbox"),
            clock_starts_at=NOW,
        )
    )
    with app.app_context():
        session = app.extensions["sqlalchemy"].session()
        secret = accounts.open_session(
            session, world.coordinator.id, browser="bench", now=clock.now()
        )
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = secret, True
    return client


def is_over(session: Any, run: int) -> bool:
    session.rollback()
    return session.get_one(RunRow, run, populate_existing=True).state in RUN_ENDED


def timed(client: FlaskClient, path: str) -> float:
    """Milliseconds of one page."""
    began = time.perf_counter()
    reply = client.get(path)
    if reply.status_code != 200:
        raise AssertionError(f"{path}: {reply.status_code}")
    return 1000 * (time.perf_counter() - began)


def pages(client: FlaskClient, campaign: int, run: int) -> dict[str, Any]:
    """Each kind of page, also the last one of the long lists."""
    return {
        path: summary([timed(client, path) for _ in range(TIMES)])
        for path in (
            f"/coordinator/campaigns/{campaign}",
            f"/coordinator/campaigns/{campaign}/runs",
            f"/coordinator/runs/{run}",
            f"/coordinator/runs/{run}/classes",
            f"/coordinator/runs/{run}/classes?page=9999",
            f"/coordinator/runs/{run}/classes?show=without&q=Classe",
            f"/coordinator/runs/{run}/slots",
            f"/coordinator/runs/{run}/slots?page=9999",
            f"/coordinator/campaigns/{campaign}/compare?one={run}&other={run}",
            f"/coordinator/campaigns/{campaign}/what-if",
        )
    }


def summary(times: list[float]) -> dict[str, float]:
    """The median and the worst."""
    if not times:
        return {}
    return {"median": round(statistics.median(times)), "worst": round(max(times))}


if __name__ == "__main__":
    main()
