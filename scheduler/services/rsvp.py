"""Whether a person comes: the answer is kept, and what follows from it happens.

An answer is the same by whichever way it came. The host's answer to a request is the
host's decision; everybody else's is a matter of counting.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor
from scheduler.domain.announcements import Audience
from scheduler.domain.answers import Answer, AnswerWay
from scheduler.domain.refusals import NotFound
from scheduler.domain.visits import DeclineReason, VisitState
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.persistence.queries import access, received, visits
from scheduler.persistence.sealed import seal_of
from scheduler.services import answers, headcount
from scheduler.wording import clean_text

COMMENT_LIMIT = 500
# A host who declines in a calendar gives no reason of our list, and often no word.
DECLINED_IN_A_CALENDAR = {
    "fr": "Refusé depuis son agenda, sans autre précision.",
    "en": "Declined in the calendar, without a word.",
}


@dataclass(frozen=True, kw_only=True)
class Said:
    """What somebody answered. SEQUENCE and DTSTAMP put it in order."""

    answer: Answer
    way: AnswerWay
    sequence: int
    dtstamp: datetime
    comment: str = ""


def lock_visit(session: Session, visit_id: int) -> bool:
    """Lock what a change of the visit locks; whether there is such a visit."""
    keys = received.keys_around(session, visit_id)
    if keys is None:
        return False
    lock_all(session, [keys])
    return True


def lock_all(session: Session, keys: Collection[received.Keys]) -> None:
    """The same for several visits at once, in the one order."""
    visits.lock(
        session,
        host_ids=[each.host_id for each in keys],
        class_ids=[each.class_id for each in keys],
        person_ids=[each.organiser_id for each in keys],
    )


def take_answer(
    session: Session,
    invitation: InvitationRow,
    visit: VisitRow,
    said: Said,
    *,
    now: datetime,
) -> None:
    """Keep the answer, inside a transaction that has locked the visit.

    Raises what the rules refuse of a host who accepts.
    """
    note_answer(session, invitation, said, now=now)
    session.flush()
    if invitation.audience is Audience.STUDENT:
        headcount.watch(session, visit.id, now=now)
    elif decides(invitation, visit):
        comment = clean_text(said.comment, COMMENT_LIMIT)
        _decide(session, invitation, visit, said.answer, comment=comment, now=now)


def note_answer(
    session: Session, invitation: InvitationRow, said: Said, *, now: datetime
) -> None:
    """Only keep it; what follows from it is left to the caller."""
    comment = clean_text(said.comment, COMMENT_LIMIT)
    invitation.answer = said.answer
    invitation.answer_way = said.way
    invitation.answered_at = now
    invitation.answer_sequence = said.sequence
    invitation.answer_dtstamp = said.dtstamp
    invitation.answer_comment = seal_of(session).close(comment) if comment else ""


def decides(invitation: InvitationRow, visit: VisitRow) -> bool:
    """Whether the answer of this person is the host's decision."""
    return invitation.audience is Audience.HOST and visit.state is VisitState.REQUESTED


def _decide(
    session: Session,
    invitation: InvitationRow,
    visit: VisitRow,
    answer: Answer,
    *,
    comment: str,
    now: datetime,
) -> None:
    """The host's answer to a request: the same rules as the button. Maybe is a note."""
    if answer is Answer.TENTATIVE:
        return
    contact = contact_of(session, invitation)
    if answer is Answer.ACCEPTED:
        answers.say_yes(session, visit.id, by=contact, now=now)
        return
    organiser = access.person_with_roles(session, visit.organiser_id)
    locale = organiser.locale if organiser else "fr"
    answers.say_no(
        session,
        visit.id,
        reason=DeclineReason.OTHER,
        note=comment
        or DECLINED_IN_A_CALENDAR.get(locale, DECLINED_IN_A_CALENDAR["fr"]),
        by=contact,
        now=now,
    )


def contact_of(session: Session, invitation: InvitationRow) -> Actor:
    """Who was invited, as somebody who acts for this one visit."""
    person = (
        access.person_with_roles(session, invitation.person_id)
        if invitation.person_id
        else None
    )
    if person is None or person.blocked:
        raise NotFound
    return Actor(
        person_id=person.id,
        name=person.name,
        memberships=frozenset(each.as_domain() for each in person.memberships),
        visit_id=invitation.visit_id,
    )
