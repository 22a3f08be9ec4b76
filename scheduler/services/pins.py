"""A coordinator's hand in a plan: this class there, or never there, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, need
from scheduler.domain.campaigns import PinKind
from scheduler.domain.refusals import NotFound, ReasonMissing
from scheduler.persistence.models.campaigns import PinRow
from scheduler.persistence.queries import run_pages as queries, runs
from scheduler.services import journal
from scheduler.services.transaction import transaction


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """A class and a slot. ``reason``: in words, for whoever asks later."""

    class_id: int
    slot_id: int
    kind: PinKind
    reason: str


def fix(
    session: Session, campaign_id: int, fixed: Fixed, *, by: Actor, now: datetime
) -> None:
    """From the next run on; what was fixed for class and slot before is replaced."""
    need(by.is_coordinator)
    if not fixed.reason.strip():
        raise ReasonMissing
    with transaction(session):
        if runs.campaign_to_run(session, campaign_id) is None:
            raise NotFound
        if not queries.has_list(session, campaign_id, fixed.class_id):
            raise NotFound
        if queries.slot_choice(session, fixed.slot_id) is None:
            raise NotFound
        row = queries.pin_on(session, campaign_id, fixed.class_id, fixed.slot_id)
        if row is None:
            row = PinRow(
                campaign_id=campaign_id,
                class_id=fixed.class_id,
                slot_id=fixed.slot_id,
            )
            session.add(row)
        row.kind, row.reason = fixed.kind, fixed.reason
        row.by_id, row.created_at = by.person_id, now
        journal.note_campaign(
            session,
            campaign_id,
            fixed.kind.value,
            by=by,
            now=now,
            school_class=fixed.class_id,
            slot=fixed.slot_id,
            reason=fixed.reason,
        )


def release(session: Session, pin_id: int, *, by: Actor, now: datetime) -> int:
    """Leave it to the engine again; the campaign's id."""
    need(by.is_coordinator)
    with transaction(session):
        row = queries.pin(session, pin_id)
        if row is None:
            raise NotFound
        campaign_id = row.campaign_id
        journal.note_campaign(
            session,
            campaign_id,
            "unpinned",
            by=by,
            now=now,
            school_class=row.class_id,
            slot=row.slot_id,
        )
        session.delete(row)
        return campaign_id
