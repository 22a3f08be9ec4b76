"""When the loop has to look at a visit again: answers, reminders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from scheduler.domain import visits as rules
from scheduler.persistence.models.access import LinkPurpose
from scheduler.persistence.models.visits import ProposalRow, VisitRow
from scheduler.persistence.queries import access, visits
from scheduler.services.fitting import calendar_of
from scheduler.services.house import house_of


def expect_answer(session: Session, row: VisitRow, *, now: datetime) -> None:
    """The host has to answer: remind, alert, and give up in time."""
    starts = [slot.starts_at for slot in (row.slot, row.wanted_slot) if slot]
    times = _times(session, row, starts_at=min(starts), now=now)
    row.remind_at = times.remind_at
    row.alert_at = times.alert_at
    row.answer_due_at = times.due_at


def expect_choice(session: Session, row: VisitRow, *, now: datetime) -> None:
    """The teacher has to choose: as long as the last of the offered slots lies ahead.

    The date first asked for says nothing here: the host has said no to it.
    """
    session.flush()
    offered = [each.slot.starts_at for each in visits.proposals_for(session, row.id)]
    times = _times(session, row, starts_at=max(offered), now=now)
    row.remind_at = row.alert_at = None
    row.answer_due_at = times.due_at


def _times(
    session: Session, row: VisitRow, *, starts_at: datetime, now: datetime
) -> rules.AnswerTimes:
    return rules.answer_times(
        asked_at=now,
        starts_at=starts_at,
        calendar=calendar_of(row.school_class.school),
        policy=house_of(session).policy,
    )


def answered(row: VisitRow, *, now: datetime) -> None:
    """Nobody is waited for any more."""
    row.answered_at = now
    row.remind_at = row.alert_at = row.answer_due_at = None


def confirmed(session: Session, row: VisitRow, *, now: datetime) -> None:
    """The date stands: plan the reminders that still lie ahead, drop proposals."""
    answered(row, now=now)
    session.execute(delete(ProposalRow).where(ProposalRow.visit_id == row.id))
    plan_reminders(session, row, now=now)


def plan_reminders(session: Session, row: VisitRow, *, now: datetime) -> None:
    """D-7 and D-1 for the slot the visit is on now."""
    week, eve = rules.reminder_times(
        row.slot.starts_at,
        calendar=calendar_of(row.school_class.school),
        policy=house_of(session).policy,
    )
    row.week_reminder_at = week if week > now else None
    row.eve_reminder_at = eve if eve > now else None


def ended(session: Session, row: VisitRow, *, now: datetime) -> None:
    """Nothing is planned any more, and no link answers any more."""
    answered(row, now=now)
    row.week_reminder_at = row.eve_reminder_at = None
    for link in access.links_for_visit(session, row.id, LinkPurpose.ANSWER_VISIT):
        link.spent_at = now
