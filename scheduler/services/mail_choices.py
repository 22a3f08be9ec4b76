"""What somebody chose to be mailed, how often, and in which language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.refusals import NotFound
from scheduler.persistence.models.people import MailRhythm, PersonRow
from scheduler.persistence.queries import mail_choices as queries
from scheduler.services.transaction import transaction


@dataclass(frozen=True, kw_only=True)
class MailChoices:
    """``daily``: news that ask for nothing come together in the morning."""

    daily: bool
    reminders: bool
    summaries: bool
    locale: str


def choices_of(session: Session, person_id: int) -> MailChoices:
    """As they stand."""
    row = session.get(PersonRow, person_id)
    if row is None:
        raise NotFound
    return MailChoices(
        daily=row.mail_rhythm is MailRhythm.DAILY,
        reminders=row.reminders,
        summaries=row.summaries,
        locale=row.locale,
    )


def choose(
    session: Session, person_id: int, wanted: MailChoices, *, now: datetime
) -> None:
    """From now on. What waits for a daily mail that is wanted no more goes out."""
    with transaction(session):
        row = queries.person_to_change(session, person_id)
        if row is None:
            raise NotFound
        row.mail_rhythm = MailRhythm.DAILY if wanted.daily else MailRhythm.AT_ONCE
        row.reminders = wanted.reminders
        row.summaries = wanted.summaries
        row.locale = wanted.locale
        if not wanted.daily:
            queries.let_go(session, person_id, now=now)
