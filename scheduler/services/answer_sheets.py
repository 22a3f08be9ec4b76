"""Who comes, as far as each side may know it: the school by person, the host by number.

Comments are the school's own: a student's may be about health.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, for_host, for_school, need
from scheduler.domain.announcements import Audience
from scheduler.domain.headcount import Headcount, most_who_come, too_few
from scheduler.domain.refusals import NotFound
from scheduler.domain.visits import INVITED, VisitState
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.persistence.queries import received, visits
from scheduler.persistence.sealed import BrokenSeal, seal_of
from scheduler.services.counters import OPEN_TO_A_PROPOSAL
from scheduler.services.headcount import count_of


@dataclass(frozen=True, kw_only=True)
class Said:
    """One person's answer; ``answer`` is empty as long as there is none.

    ``wish``: another time that a student asked for. It is there to be read only.
    """

    who: str
    audience: str
    answer: str
    at: datetime | None
    comment: str
    wish: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, kw_only=True)
class OtherTime:
    """A time that was proposed from a calendar. ``mine``: by the reader's own side."""

    id: int
    who: str
    starts_at: datetime
    ends_at: datetime
    comment: str
    mine: bool


@dataclass(frozen=True, kw_only=True)
class AnswerSheet:
    """``shown``: students were asked, or have said something all the same.

    ``at_most``: how many can still come; ``low``: fewer than the host's minimum.
    """

    visit_id: int
    shown: bool
    count: Headcount
    students: int
    at_most: int
    minimum: int
    low: bool
    adults: tuple[Said, ...] = ()
    pupils: tuple[Said, ...] = ()
    proposals: tuple[OtherTime, ...] = ()


def for_teacher(
    session: Session, visit_id: int, *, by: Actor, now: datetime
) -> AnswerSheet:
    """Everything, for the school of the class."""
    visit = _visit(session, visit_id)
    need(for_school(by, visit.school_class.school_id))
    wishes = received.wishes_of_students(session, visit_id)
    told = [
        _said(session, row, name, wishes.get(row.id))
        for row, name in received.answered_invitations(session, visit_id)
    ]
    student = Audience.STUDENT.value
    return _sheet(
        session,
        visit,
        adults=tuple(each for each in told if each.audience != student and each.answer),
        pupils=tuple(
            each
            for each in told
            if each.audience == student and (each.answer or each.wish)
        ),
        side=Audience.TEACHER,
        now=now,
    )


def for_contact(
    session: Session, visit_id: int, *, by: Actor, now: datetime
) -> AnswerSheet:
    """Numbers only, for the host; its own proposals and those made to it."""
    visit = _visit(session, visit_id)
    need(for_host(by, visit.slot.offer.host_id, visit_id=visit_id))
    return _sheet(session, visit, side=Audience.HOST, now=now)


def _sheet(
    session: Session,
    visit: VisitRow,
    *,
    side: Audience,
    now: datetime,
    adults: tuple[Said, ...] = (),
    pupils: tuple[Said, ...] = (),
) -> AnswerSheet:
    counted = count_of(session, visit.id)
    minimum = visit.slot.offer.min_students
    asked = counted.answered if not visit.students_answer else counted.invited
    return AnswerSheet(
        visit_id=visit.id,
        shown=visit.state in INVITED | {VisitState.DONE} and asked > 0,
        count=counted,
        students=visit.students,
        at_most=most_who_come(counted, students=visit.students),
        minimum=minimum,
        low=too_few(counted, students=visit.students, minimum=minimum),
        adults=adults,
        pupils=pupils,
        proposals=_proposals(session, visit, side=side, now=now),
    )


def _proposals(
    session: Session, visit: VisitRow, *, side: Audience, now: datetime
) -> tuple[OtherTime, ...]:
    """What nobody has settled, as long as it could still be taken."""
    if visit.state not in OPEN_TO_A_PROPOSAL:
        return ()
    names = {
        row.id: (name, row.audience)
        for row, name in received.answered_invitations(session, visit.id)
    }
    found = []
    for row in received.proposals_of(session, visit.id):
        who, audience = names.get(row.invitation_id or 0, ("", None))
        starts_at, ends_at = row.proposed_starts_at, row.proposed_ends_at
        if starts_at is None or ends_at is None or starts_at <= now or audience is None:
            continue
        found.append(
            OtherTime(
                id=row.id,
                who=who,
                starts_at=starts_at,
                ends_at=ends_at,
                comment=_open(session, row.comment),
                mine=audience is side,
            )
        )
    return tuple(found)


def _said(
    session: Session, row: InvitationRow, name: str, asked: ReceivedRow | None
) -> Said:
    """``asked``: the student's latest wish; an answer given after it counts alone."""
    answered = Said(
        who=name or _open(session, row.address),
        audience=row.audience.value,
        answer=row.answer.value if row.answer else "",
        at=row.answered_at,
        comment=_open(session, row.answer_comment),
    )
    if asked is None or (row.answered_at and row.answered_at > asked.received_at):
        return answered
    if asked.proposed_starts_at is None or asked.proposed_ends_at is None:
        return answered
    return replace(
        answered,
        at=asked.received_at,
        comment=_open(session, asked.comment) or answered.comment,
        wish=(asked.proposed_starts_at, asked.proposed_ends_at),
    )


def _visit(session: Session, visit_id: int) -> VisitRow:
    row = visits.visit_to_show(session, visit_id)
    if row is None:
        raise NotFound
    return row


def _open(session: Session, sealed: str) -> str:
    try:
        return seal_of(session).open(sealed) if sealed else ""
    except BrokenSeal:
        return ""
