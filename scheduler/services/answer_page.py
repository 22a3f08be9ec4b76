"""Three buttons behind a link: the way to answer that needs no calendar program.

The address is derived from the invitation with a key that the database does not hold;
there is no row for it. It works as long as the invitation stands and the visit is not
over, and looking at it changes nothing (P5).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.answers import Answer, AnswerWay
from scheduler.domain.refusals import LinkSpent, WrongState
from scheduler.domain.visits import ENDED, VisitState
from scheduler.persistence.models.access import LinkPurpose
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)
from scheduler.persistence.queries import access, visits
from scheduler.persistence.sealed import seal_of
from scheduler.services import links
from scheduler.services.accounts import TRIES_PER_MACHINE, count_try, throttle
from scheduler.services.house import house_of
from scheduler.services.rsvp import Said, lock_visit, take_answer
from scheduler.services.transaction import transaction

LARGEST_ID = 2**31 - 1
ANSWERS_IN_A_WINDOW = 30


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the page asks. ``answer``: the one that counts now, if there is one.

    ``request_token``: a host's request has an answer page of its own, where a yes is a
    decision.
    """

    student: bool
    host: bool
    locale: str
    host_name: str
    offer_title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    answer: str
    answered_at: datetime | None
    class_code: str
    request_token: str | None


def question(session: Session, secret: str, *, machine: str, now: datetime) -> Question:
    """What the holder of the link is asked. Raises ``LinkSpent``, ``TooManyTries``."""
    invitation, visit = _opened(session, secret, machine=machine, now=now)
    person = (
        access.person_with_roles(session, invitation.person_id)
        if invitation.person_id
        else None
    )
    slot = visit.slot
    return Question(
        student=invitation.audience is Audience.STUDENT,
        host=invitation.audience is Audience.HOST,
        locale=person.locale if person else "fr",
        host_name=slot.offer.host.organisation.name,
        offer_title=slot.offer.title,
        place=slot.address,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        answer=invitation.answer.value if invitation.answer else "",
        answered_at=invitation.answered_at,
        class_code=visit.class_code,
        request_token=_request_token(session, invitation, visit),
    )


def say(
    session: Session, secret: str, answer: Answer, *, machine: str, now: datetime
) -> None:
    """Keep the answer that was pressed; the last one counts."""
    found, _visit = _opened(session, secret, machine=machine, now=now)
    invitation_id, visit_id = found.id, found.visit_id
    with transaction(session):
        count_try(session, f"answer:{invitation_id}", ANSWERS_IN_A_WINDOW, now=now)
        lock_visit(session, visit_id)
        invitation, visit = _opened(session, secret, machine=machine, now=now)
        if _is_request(invitation, visit):
            raise WrongState(state=visit.state.value, step="say")
        take_answer(
            session,
            invitation,
            visit,
            Said(
                answer=answer,
                way=AnswerWay.PAGE,
                sequence=invitation.sequence,
                dtstamp=now,
                comment=_comment_kept(session, invitation),
            ),
            now=now,
        )


def _opened(
    session: Session, secret: str, *, machine: str, now: datetime
) -> tuple[InvitationRow, VisitRow]:
    number, _, _rest = secret.partition(".")
    right = number.isascii() and number.isdecimal() and 0 < int(number) <= LARGEST_ID
    key = house_of(session).link_key
    wanted = links.answer_token(int(number), key=key) if right else ""
    if not hmac.compare_digest(secret.encode(), wanted.encode()):
        throttle(
            session, f"answer-page-from:{machine}", most=TRIES_PER_MACHINE, now=now
        )
        raise LinkSpent(purpose=links.ANSWER_PAGE)
    invitation = session.get(InvitationRow, int(number), populate_existing=True)
    visit = visits.visit_to_show(session, invitation.visit_id) if invitation else None
    if (
        invitation is None
        or visit is None
        or invitation.state is not InvitationState.INVITED
        or not _is_asked(session, invitation, visit)
        or visit.state in ENDED
        or visit.slot.ends_at <= now
    ):
        raise LinkSpent(purpose=links.ANSWER_PAGE)
    return invitation, visit


def _is_asked(session: Session, invitation: InvitationRow, visit: VisitRow) -> bool:
    """Whether this reader's answer counts; the same for an answer by mail."""
    if invitation.shared:
        return False
    if invitation.audience is Audience.STUDENT:
        return visit.students_answer
    number = invitation.person_id
    reader = session.get(PersonRow, number) if number is not None else None
    return reader is not None and not reader.blocked


def _is_request(invitation: InvitationRow, visit: VisitRow) -> bool:
    return invitation.audience is Audience.HOST and visit.state is VisitState.REQUESTED


def _request_token(
    session: Session, invitation: InvitationRow, visit: VisitRow
) -> str | None:
    """The link of the request that this contact was sent."""
    if not _is_request(invitation, visit):
        return None
    for row in access.links_for_visit(session, visit.id, LinkPurpose.ANSWER_VISIT):
        if row.person_id == invitation.person_id:
            return links.token(row.id, key=house_of(session).link_key)
    raise LinkSpent(purpose=links.ANSWER_PAGE)


def _comment_kept(session: Session, invitation: InvitationRow) -> str:
    """What was said before in a calendar stays with the person's answer."""
    sealed = invitation.answer_comment
    return seal_of(session).open(sealed) if sealed else ""
