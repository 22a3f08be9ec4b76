"""A run of the engine: asked for, computed elsewhere, stopped, found dead, begun again.

    queued ──claim──▶ running ──finish──▶ done · stopped (keeps the best plan so far)
       │                 ├──fail─────────▶ failed
       └── (nobody) ─────┴── (silence) ──▶ interrupted ──restart──▶ queued

A campaign has one run that waits or computes. The problem is read when the computing
begins: wishes that change afterwards belong to the next run. Until it ends a run has
written nothing but its progress, so a process that dies leaves nothing behind.

``progress``: stage, level, best and bound by level, seconds, of. ``summary``:
objective, bound and proof by level, seconds, memory, and figures of the plan beside
two queues.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, need
from scheduler.domain.campaigns import RUN_ENDED, Phase, RunPurpose, RunState, phase
from scheduler.domain.refusals import NotFound, RunUnderway, WrongState
from scheduler.persistence.models.campaigns import RunRow
from scheduler.persistence.queries import runs as queries
from scheduler.services.transaction import transaction

SILENCE = timedelta(seconds=60)
"""A run beats every second or two; after so long its process is dead."""
MAY_RUN = frozenset({Phase.WISHING, Phase.CLOSED, Phase.PUBLISHED})


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a coordinator asks for. ``added``: slots nobody opened, and wider ones."""

    seconds: int = 60
    label: str = ""
    purpose: RunPurpose = RunPurpose.PLAN
    based_on_id: int | None = None
    added: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run found: rows for pages, files to compute it again."""

    state: RunState
    summary: Mapping[str, Any]
    problem: Mapping[str, Any]
    plan: Mapping[str, Any]
    queue_plan: Mapping[str, Any]
    outcomes: Sequence[dict[str, Any]]
    places: Sequence[dict[str, Any]]


def ask_for_run(
    session: Session, campaign_id: int, wanted: Wanted, *, by: Actor, now: datetime
) -> int:
    """A run that the loop will start; its id.

    Raises ``RunUnderway`` while another one of the campaign has not ended.
    """
    need(by.is_coordinator)
    with transaction(session):
        campaign = queries.campaign_to_run(session, campaign_id)
        if campaign is None:
            raise NotFound
        standing = phase(campaign.as_domain(), now=now)
        if standing not in MAY_RUN:
            raise WrongState(state=standing.value, step="run")
        _demand_none_under_way(session, campaign_id)
        row = RunRow(
            campaign_id=campaign_id,
            based_on_id=wanted.based_on_id,
            purpose=wanted.purpose,
            label=wanted.label,
            seed=campaign.seed,
            seconds=wanted.seconds,
            added=list(wanted.added),
            asked_by_id=by.person_id,
            asked_at=now,
        )
        session.add(row)
        session.flush()
        return row.id


def ask_stop(session: Session, run_id: int, *, by: Actor, now: datetime) -> None:
    """End the search; the best plan so far stays. A waiting run ends without one."""
    need(by.is_coordinator)
    with transaction(session):
        row = _to_change(session, run_id)
        if row.state is RunState.QUEUED:
            row.state, row.finished_at = RunState.INTERRUPTED, now
        elif row.state is RunState.RUNNING:
            row.stop_asked_at = row.stop_asked_at or now


def restart(session: Session, run_id: int, *, by: Actor, now: datetime) -> None:
    """Begin an interrupted or failed run again, with the wishes as they are now."""
    need(by.is_coordinator)
    with transaction(session):
        row = _to_change(session, run_id)
        if row.state not in {RunState.INTERRUPTED, RunState.FAILED}:
            raise WrongState(state=row.state.value, step="restart")
        queries.campaign_to_run(session, row.campaign_id)
        _demand_none_under_way(session, row.campaign_id)
        row.state, row.asked_at, row.progress, row.error = RunState.QUEUED, now, {}, ""
        row.started_at = row.heartbeat_at = row.finished_at = row.stop_asked_at = None


def claim(session: Session, run_id: int, *, engine: str, now: datetime) -> bool:
    """Begin to compute; False if another process has it, or it was called off."""
    with transaction(session):
        return queries.claim(session, run_id, engine=engine, now=now)


def beat(
    session: Session, run_id: int, progress: Mapping[str, Any], *, now: datetime
) -> bool:
    """Say how far it is; whether to stop. Raises ``WrongState`` if it is over."""
    with transaction(session):
        goes_on, stop = queries.beat(session, run_id, progress, now=now)
    if not goes_on:
        raise WrongState(state="over", step="beat")
    return stop


def finish(session: Session, run_id: int, result: Result, *, now: datetime) -> None:
    """Store plan, outcomes and figures, all at once."""
    with transaction(session):
        _keep(session, _running(session, run_id), result, now=now)


def _keep(session: Session, row: RunRow, result: Result, *, now: datetime) -> None:
    row.state, row.finished_at = result.state, now
    row.heartbeat_at = now
    row.summary = dict(result.summary)
    row.problem = packed(result.problem)
    row.plan = packed(result.plan)
    row.queue_plan = packed(result.queue_plan)
    queries.store_outcome(session, row.id, result.outcomes, result.places)


def store_made(
    session: Session,
    campaign_id: int,
    result: Result,
    *,
    label: str,
    engine: str,
    now: datetime,
) -> int:
    """A plan that was made elsewhere, as a run of its own; its id."""
    with transaction(session):
        campaign = queries.campaign_to_run(session, campaign_id)
        if campaign is None:
            raise NotFound
        row = RunRow(
            campaign_id=campaign_id,
            label=label,
            seed=campaign.seed,
            engine=engine,
            asked_at=now,
            started_at=now,
        )
        session.add(row)
        session.flush()
        _keep(session, row, result, now=now)
        return row.id


def fail(
    session: Session,
    run_id: int,
    error: str,
    *,
    summary: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """It cannot be computed: a code, and facts that say why."""
    with transaction(session):
        row = _running(session, run_id)
        row.state, row.finished_at = RunState.FAILED, now
        row.error, row.summary = error, dict(summary or {})


def interrupt(session: Session, run_id: int, *, now: datetime) -> None:
    """Its process ends before the run has."""
    with transaction(session):
        queries.interrupt(session, [run_id], now=now)


def queued(session: Session) -> list[int]:
    """Runs that wait for a process, the oldest first."""
    found = list(queries.queued(session))
    session.rollback()
    return found


def find_interrupted(session: Session, *, now: datetime) -> int:
    """Runs whose process has died are told so; how many."""
    silent = queries.silent(session, since=now - SILENCE)
    if not silent:
        return 0
    with transaction(session):
        return len(queries.interrupt(session, silent, now=now))


def _demand_none_under_way(session: Session, campaign_id: int) -> None:
    other = queries.under_way(session, campaign_id)
    if other is not None:
        raise RunUnderway(run=other)


def _to_change(session: Session, run_id: int) -> RunRow:
    row = queries.run_to_change(session, run_id)
    if row is None:
        raise NotFound
    return row


def _running(session: Session, run_id: int) -> RunRow:
    """The run as long as it is ours: whoever was given up for dead writes nothing."""
    row = _to_change(session, run_id)
    if row.state in RUN_ENDED:
        raise WrongState(state=row.state.value, step="finish")
    return row


# ---------------------------------------------------------------- files


def packed(data: Mapping[str, Any]) -> bytes:
    """JSON, compressed; the same data gives the same bytes."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return gzip.compress(text.encode(), mtime=0)


def unpacked(octets: bytes) -> Any:
    """The data of ``packed``."""
    return json.loads(gzip.decompress(octets))
