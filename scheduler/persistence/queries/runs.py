"""Runs of the engine: locked to be changed, due to be started, and what came out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session, undefer

from scheduler.domain.campaigns import RUN_ENDED, RunState
from scheduler.persistence.models.campaigns import (
    CampaignRow,
    OutcomeRow,
    PlaceRow,
    RunRow,
)

AT_ONCE = 2000
"""Rows of one statement: a plan for a region has ten thousand classes."""


def run(session: Session, run_id: int) -> RunRow | None:
    """The run without its files."""
    return session.scalars(
        select(RunRow)
        .where(RunRow.id == run_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def run_with_files(session: Session, run_id: int) -> RunRow | None:
    """The run with problem and plans."""
    return session.scalars(
        select(RunRow)
        .where(RunRow.id == run_id)
        .options(
            undefer(RunRow.problem), undefer(RunRow.plan), undefer(RunRow.queue_plan)
        )
        .execution_options(populate_existing=True)
    ).one_or_none()


def run_to_change(session: Session, run_id: int) -> RunRow | None:
    """The run, locked."""
    return session.scalars(
        select(RunRow)
        .where(RunRow.id == run_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def campaign_to_run(session: Session, campaign_id: int) -> CampaignRow | None:
    """The campaign, locked: of two who ask for a run one waits."""
    return session.scalars(
        select(CampaignRow)
        .where(CampaignRow.id == campaign_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def under_way(session: Session, campaign_id: int) -> int | None:
    """The run of the campaign that waits or computes."""
    return session.scalar(
        select(RunRow.id)
        .where(RunRow.campaign_id == campaign_id, RunRow.state.not_in(RUN_ENDED))
        .order_by(RunRow.id)
        .limit(1)
    )


def queued(session: Session) -> Sequence[int]:
    """Runs that wait for a process, the oldest first."""
    return session.scalars(
        select(RunRow.id)
        .where(RunRow.state == RunState.QUEUED)
        .order_by(RunRow.asked_at, RunRow.id)
    ).all()


def claim(session: Session, run_id: int, *, engine: str, now: datetime) -> bool:
    """Make a waiting run ours; whether it was."""
    done = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.state == RunState.QUEUED)
        .values(
            state=RunState.RUNNING,
            started_at=now,
            heartbeat_at=now,
            engine=engine,
            progress={"stage": "reading"},
        )
        .returning(RunRow.id)
    )
    return done.first() is not None


def beat(
    session: Session, run_id: int, progress: Mapping[str, Any], *, now: datetime
) -> tuple[bool, bool]:
    """Say that it computes. Returns whether it still may, and whether to stop."""
    row = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.state == RunState.RUNNING)
        .values(heartbeat_at=now, progress=dict(progress))
        .returning(RunRow.stop_asked_at)
    ).first()
    return row is not None, row is not None and row[0] is not None


def silent(session: Session, *, since: datetime) -> Sequence[int]:
    """Computing runs that nobody has heard of since then."""
    return session.scalars(
        select(RunRow.id)
        .where(RunRow.state == RunState.RUNNING, RunRow.heartbeat_at < since)
        .order_by(RunRow.id)
    ).all()


def interrupt(session: Session, run_ids: Iterable[int], *, now: datetime) -> list[int]:
    """Those of the runs that had not ended are interrupted; their ids."""
    return list(
        session.scalars(
            update(RunRow)
            .where(RunRow.id.in_(list(run_ids)), RunRow.state.not_in(RUN_ENDED))
            .values(state=RunState.INTERRUPTED, finished_at=now)
            .returning(RunRow.id)
        )
    )


def store_outcome(
    session: Session,
    run_id: int,
    outcomes: Sequence[dict[str, Any]],
    places: Sequence[dict[str, Any]],
) -> None:
    """What each class gets, in rows; whatever the run had before is gone."""
    for table, rows in ((OutcomeRow, outcomes), (PlaceRow, places)):
        session.execute(delete(table).where(table.run_id == run_id))
        for first in range(0, len(rows), AT_ONCE):
            part = rows[first : first + AT_ONCE]
            session.execute(
                insert(table), [{"run_id": run_id, **each} for each in part]
            )
