"""A school sends again what could not be delivered about one of its visits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, for_school, need
from scheduler.domain.refusals import LetterPurged, NotFound, WrongState
from scheduler.persistence.models.outbox import MessageState
from scheduler.persistence.queries import outbox as messages, visits
from scheduler.services import outbox


def resend_dead(session: Session, visit_id: int, *, by: Actor, now: datetime) -> int:
    """How many messages go out again.

    One that a newer one replaces, or that has lost its words, stays dead.
    """
    row = visits.visit_to_show(session, visit_id)
    if row is None:
        raise NotFound
    need(for_school(by, row.school_class.school_id))
    dead = [
        each.id
        for each in messages.messages_of(session, visit_id)
        if each.state is MessageState.DEAD
    ]
    sent = 0
    for message_id in dead:
        try:
            outbox.retry(session, message_id, now=now)
        except (LetterPurged, WrongState):
            continue
        sent += 1
    return sent
