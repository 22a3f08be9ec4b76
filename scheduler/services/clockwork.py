"""What time itself does to visits: reminders, expiry, completion, purge.

Every function asks the database what is due, may run twice, and may be skipped once.
Each visit is a transaction of its own: a broken one holds up no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from scheduler.domain import visits as rules
from scheduler.domain.actors import LOOP
from scheduler.domain.announcements import Change
from scheduler.domain.localtime import local_day, school_year
from scheduler.domain.visits import INVITED, WAITS_FOR_HOST, VisitState
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import access, purge, visits
from scheduler.services import journal, offers, schedule, seats
from scheduler.services.announce import announce, tell, truth
from scheduler.services.house import house_of
from scheduler.services.transaction import transaction

# A person has had time to look at them by then.
RECEIVED_TEXTS = timedelta(days=30)

log = structlog.get_logger()


def remind_hosts(session: Session, *, now: datetime) -> int:
    """Hosts that have not answered are reminded once."""
    due = visits.host_reminders_due(session, now=now)
    return _each(session, due, _remind_host, now=now)


def expire_requests(session: Session, *, now: datetime) -> int:
    """Unanswered requests end, unanswered moves fall back; seats are free again."""
    due = visits.answers_overdue(session, now=now)
    return _each(session, due, _expire, now=now)


def remind_week_before(session: Session, *, now: datetime) -> int:
    """D-7."""
    due = visits.week_reminders_due(session, now=now)
    return _each(session, due, _week_before, now=now)


def remind_eve(session: Session, *, now: datetime) -> int:
    """D-1, 17:00."""
    due = visits.eve_reminders_due(session, now=now)
    return _each(session, due, _eve, now=now)


def complete_visits(session: Session, *, now: datetime) -> int:
    """Visits whose day is over are done."""
    due = visits.visits_over(session, now=now)
    return _each(session, due, _complete, now=now)


def resume_offers(session: Session, *, now: datetime) -> int:
    """Pauses with an end."""
    return offers.resume_paused(session, today=local_day(now), by=LOOP, now=now)


def purge_personal_data(session: Session, *, now: datetime) -> dict[str, int]:
    """Destroy what is kept no longer; returns counts (DOMAIN 3.8, rule 15)."""
    policy = house_of(session).policy
    with transaction(session):
        counts = purge.student_addresses(
            session,
            before=now - timedelta(days=policy.student_addresses_days),
            now=now,
        )
        counts |= purge.needs(session, before=now - timedelta(days=policy.needs_days))
        counts["classes"] = purge.old_classes(
            session, school_year=school_year(local_day(now)) - 1
        )
        counts["people"] = purge.people_gone(
            session, before=now - timedelta(days=policy.people_days)
        )
        counts["comments"] = purge.comments(
            session,
            before=now - timedelta(days=policy.student_addresses_days),
            now=now,
        )
        counts["received"] = purge.received(
            session,
            texts=now - RECEIVED_TEXTS,
            rows=now - timedelta(days=policy.people_days),
        )
        counts["letters"] = purge.letters(
            session,
            sign_ins=now - timedelta(days=policy.needs_days),
            others=now - timedelta(days=policy.people_days),
        )
        counts["history"] = purge.history(
            session, before=now - timedelta(days=policy.history_days)
        )
        counts["links"] = purge.spent_links(session, before=now - timedelta(days=90))
        counts["sessions"] = purge.dead_sessions(session, before=now)
        access.forget_tries_before(session, now - timedelta(days=1))
    log.info("purged", **counts)
    return counts


def _each(
    session: Session,
    visit_ids: Sequence[int],
    step: Callable[..., bool],
    *,
    now: datetime,
) -> int:
    done = 0
    session.rollback()
    for visit_id in visit_ids:
        try:
            with transaction(session):
                row = visits.visit_to_change(session, visit_id)
                done += row is not None and step(session, row, now=now)
        except Exception:
            log.exception("visit_failed", visit=visit_id, step=step.__name__)
    return done


def _is_due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _remind_host(session: Session, row: VisitRow, *, now: datetime) -> bool:
    """Nobody is asked to hurry for what expires in the same minute."""
    if row.state not in WAITS_FOR_HOST or not _is_due(row.remind_at, now):
        return False
    row.remind_at = None
    if _is_due(row.answer_due_at, now):
        return False
    announce(session, row, Change.ANSWER_OVERDUE, by=LOOP, now=now)
    return True


def _expire(session: Session, row: VisitRow, *, now: datetime) -> bool:
    if not _is_due(row.answer_due_at, now) or not rules.may(
        row.as_domain(), rules.Step.EXPIRE
    ):
        return False
    state, wanted, before = row.state, row.wanted_slot, truth(session, row)
    row.take(rules.expire(row.as_domain()), now=now)
    if state is VisitState.MOVING:
        schedule.answered(row, now=now)
        change = Change.MOVE_EXPIRED
    else:
        schedule.ended(session, row, now=now)
        change = Change.EXPIRED
    seats.recount(session, row.slot, wanted)
    tell(session, row, change, by=LOOP, now=now, before=before)
    return True


def _week_before(session: Session, row: VisitRow, *, now: datetime) -> bool:
    if row.state not in INVITED or not _is_due(row.week_reminder_at, now):
        return False
    row.week_reminder_at = None
    # After a long stop the eve may have come: one reminder is enough, and the true one.
    if row.slot.starts_at <= now or _is_due(row.eve_reminder_at, now):
        return False
    announce(session, row, Change.WEEK_BEFORE, by=LOOP, now=now)
    return True


def _eve(session: Session, row: VisitRow, *, now: datetime) -> bool:
    if row.state not in INVITED or not _is_due(row.eve_reminder_at, now):
        return False
    row.eve_reminder_at = row.week_reminder_at = None
    if row.slot.starts_at <= now:
        return False
    announce(session, row, Change.EVE, by=LOOP, now=now)
    return True


def _complete(session: Session, row: VisitRow, *, now: datetime) -> bool:
    if row.state not in INVITED or row.slot.ends_at > now:
        return False
    before, wanted = row.state.value, row.wanted_slot
    row.take(rules.complete(row.as_domain()), now=now)
    schedule.ended(session, row, now=now)
    seats.recount(session, row.slot, wanted)
    journal.note_visit(session, row, "done", by=LOOP, now=now, before=before)
    return True
