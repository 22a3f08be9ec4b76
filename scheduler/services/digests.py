"""One mail in the morning instead of many: the news of a day, and how answers stand.

The daily mail and what it takes the place of are one transaction. A crash before it
leaves everything waiting, a second run after it finds nothing: no news is lost, none
is told twice (P3).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.answers import Answer
from scheduler.domain.manners import DIGEST, last_morning
from scheduler.domain.troubles import LASTING, trouble
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.people import MailRhythm, PersonRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import (
    access,
    digests as queries,
    mail_choices,
    received,
)
from scheduler.persistence.sealed import seal_of
from scheduler.services import outbox
from scheduler.services.delivery import PAST
from scheduler.services.snapshot import snapshot
from scheduler.services.topics import is_past_news
from scheduler.services.transaction import transaction
from scheduler.services.unsubscribing import Subject, target

IN_DIGEST = "in_digest"

log = structlog.get_logger()


def send_digests(session: Session, *, now: datetime) -> int:
    """Write to everybody whose morning has come; how many mails were recorded.

    May run at any time and as often as it likes: what is told was recorded before half
    past seven of the last morning.
    """
    morning = last_morning(now)
    readers = queries.readers_due(session, morning=morning, now=now)
    session.rollback()
    written = 0
    for person_id in readers:
        try:
            with transaction(session):
                written += _write_to(session, person_id, morning=morning, now=now)
        except Exception:
            log.exception("digest_failed", person=person_id)
    return written


def _write_to(
    session: Session, person_id: int, *, morning: datetime, now: datetime
) -> bool:
    person = mail_choices.person_to_change(session, person_id)
    if person is None or person.blocked or _is_dead(session, person):
        return False
    if person.mail_rhythm is not MailRhythm.DAILY:
        # Recorded in the very moment in which the daily mail was ended.
        mail_choices.let_go(session, person_id, now=now)
    waiting = queries.news_for(session, person_id, now=now)
    news = [row for row in waiting if not is_past_news(row.kind, row.payload, now=now)]
    standings = _standings(session, person, morning=morning, now=now)
    person.digested_at = max(morning, person.digested_at or morning)
    for row in waiting:
        row.state = MessageState.SUPERSEDED
        row.error = IN_DIGEST if row in news else PAST
    if not news and not standings:
        return False
    outbox.record(
        session,
        kind=DIGEST,
        locale=person.locale,
        name=person.name,
        address=person.email,
        payload={
            "audience": None,
            "link": None,
            "unsubscribe": target(Subject.DIGEST, person.id),
            "digest": {"groups": _by_visit(news), "standings": standings},
        },
        now=now,
        person_id=person.id,
    )
    return True


def _is_dead(session: Session, person: PersonRow) -> bool:
    """Whether nothing arrives there until somebody corrects the address."""
    last = queries.last_tried(session, person.id)
    if last is None or last.state is not MessageState.DEAD:
        return False
    if trouble(last.error, bounce_status=last.bounce_status) not in LASTING:
        return False
    return seal_of(session).open(last.address) == person.email


def _by_visit(news: Sequence[MessageRow]) -> list[dict[str, Any]]:
    """The news of one visit together, in the order in which they happened."""
    groups: dict[tuple[int | None, str], list[MessageRow]] = {}
    for row in news:
        audience = row.audience.value if row.audience else ""
        groups.setdefault((row.visit_id, audience), []).append(row)
    found = [
        {
            "audience": audience,
            # What is true now is in the latest of them.
            "visit": rows[-1].payload["visit"],
            "messages": [{"kind": row.kind, "payload": row.payload} for row in rows],
        }
        for (_visit_id, audience), rows in groups.items()
    ]
    return sorted(found, key=lambda group: str(group["visit"]["starts_at"]))


def _standings(
    session: Session, person: PersonRow, *, morning: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Of a host's visits those in which somebody answered since the last mail."""
    if not person.summaries:
        return []
    visits = queries.visits_answered(session, person.id, morning=morning, now=now)
    counts = received.answers_of_students(session, [row.id for row in visits])
    return [
        {
            "audience": Audience.HOST.value,
            "visit": _facts(session, row, locale=person.locale),
            "coming": counts[row.id].get(Answer.ACCEPTED, 0),
            "maybe": counts[row.id].get(Answer.TENTATIVE, 0),
            "not_coming": counts[row.id].get(Answer.DECLINED, 0),
            "silent": counts[row.id].get(None, 0),
        }
        for row in visits
        if counts[row.id]
    ]


def _facts(session: Session, row: VisitRow, *, locale: str) -> dict[str, Any]:
    contacts = access.contacts_of(session, row.slot.offer.host_id)
    return snapshot(session, row, locale=locale, contacts=contacts)
