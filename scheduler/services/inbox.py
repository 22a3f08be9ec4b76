"""What comes back by mail: read, judged, acted upon at most once, and kept.

    octets ──read──▶ mail ──▶ invitation ──judge──▶ verdict ──act + keep──▶ one commit

A message that was seen before, as the same octets or by the Message-ID of one that
changed something, changes nothing again. A message that breaks is set aside, so that
the next one is read. Nothing is ever mailed to the sender of a received message.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.answers import AnswerWay, Effect
from scheduler.domain.inbound import CalendarAnswer, ReceivedMail, UnreadableAnswer
from scheduler.domain.refusals import Refusal
from scheduler.domain.verdict import KnownInvitation, Verdict, judge
from scheduler.ical.answer import read_answer
from scheduler.mail.mailboxes import Mailbox
from scheduler.mail.received import read_mail
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)
from scheduler.persistence.queries import received as queries
from scheduler.persistence.sealed import BrokenSeal, seal_of
from scheduler.services import outbox
from scheduler.services.house import house_of
from scheduler.services.rsvp import Said, lock_visit, take_answer
from scheduler.services.transaction import rehearsal, transaction
from scheduler.wording import clean_line, clean_text

READ_ALREADY = "already_read"
BROKEN = "broken"
EXCERPT_LIMIT = 1000
COMMENT_LIMIT = 500
MESSAGE_ID_LIMIT = 500
UID_LIMIT = 255
LARGEST_NUMBER = 2**31 - 1

Room = Callable[[Session], AbstractContextManager[None]]
Answer = CalendarAnswer | UnreadableAnswer | None

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a message. ``person``: the address that was invited."""

    effect: Effect
    code: str
    visit_id: int | None = None
    invitation_id: int | None = None
    audience: Audience | None = None
    person: str = ""
    sequence: int | None = None
    dtstamp: datetime | None = None
    proposed: tuple[datetime, datetime] | None = None
    for_person: bool = False


def receive(
    session: Session, octets: bytes, *, now: datetime, size: int | None = None
) -> Outcome:
    """Read one message, act on it, keep its verdict. Never raises for its contents.

    ``size``: of the whole message, where only its beginning was fetched.
    """
    return _received(session, octets, room=transaction, now=now, size=size)


def rehearse(
    session: Session, octets: bytes, *, now: datetime, size: int | None = None
) -> Outcome:
    """The same to the last step, and then nothing of it stays."""
    return _received(session, octets, room=rehearsal, now=now, size=size)


def read_mailbox(
    session: Session,
    mailbox: Mailbox,
    *,
    now: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Everything that has arrived, each message once. How many were read.

    A message is put away after its commit: a crash in between reads it again, and
    finds that it is known.
    """
    count = 0
    for arrived in mailbox.arrived():
        receive(session, arrived.octets, now=now(), size=arrived.size)
        arrived.put_away()
        count += 1
        if stopping():
            break
    return count


def _received(
    session: Session, octets: bytes, *, room: Room, now: datetime, size: int | None
) -> Outcome:
    mail = read_mail(octets, authserv_id=house_of(session).authserv_id)
    size = mail.size if size is None else size
    try:
        answer = _answer_in(mail)
        with room(session):
            outcome = _take(session, mail, answer, size=size, now=now)
    except (OperationalError, InterfaceError):
        # The database, not the message: it stays where it is and is read again.
        raise
    except Refusal as refused:
        outcome = _set_aside(session, mail, refused.code, room=room, size=size, now=now)
    except Exception as wrong:
        if isinstance(wrong, IntegrityError):
            # Perhaps another process was faster with the same message.
            known = queries.by_digest(session, mail.digest)
            if known is not None:
                return _known_already(known)
        log.exception("received_mail_broke", digest=mail.digest)
        outcome = _set_aside(session, mail, BROKEN, room=room, size=size, now=now)
    log.info(
        "mail_received",
        effect=outcome.effect.value,
        code=outcome.code,
        visit=outcome.visit_id,
        invitation=outcome.invitation_id,
    )
    return outcome


def _answer_in(mail: ReceivedMail) -> Answer:
    if mail.calendar is None or mail.problem:
        return None
    return read_answer(mail.calendar, method_parameter=mail.calendar_method)


def _take(
    session: Session, mail: ReceivedMail, answer: Answer, *, size: int, now: datetime
) -> Outcome:
    """One message inside the transaction: judged by what is true now."""
    known = queries.by_digest(session, mail.digest)
    if known is not None:
        return _known_already(known)
    found = _invitation_of(session, answer)
    bounced = _letter_of(session, mail)
    about = _known(session, *found, now=now) if found else None
    verdict = judge(mail, answer, about, now=now, bounced=bounced is not None)
    if verdict.effect in queries.ACTS and queries.acted_upon(
        session, _bare(mail.message_id)
    ):
        verdict = Verdict(effect=Effect.IGNORE, code=READ_ALREADY)
    row = _keep(session, mail, verdict, size=size, now=now)
    if found is not None and about is not None:
        row.invitation_id, row.visit_id = found[0].id, found[0].visit_id
    session.flush()
    if verdict.effect is Effect.BOUNCE and bounced is not None and mail.report:
        row.bounced_id, row.visit_id = bounced.id, bounced.visit_id
        outbox.note_bounce(
            session,
            bounced.id,
            status=mail.report.status,
            permanent=mail.report.permanent,
            now=now,
        )
        return _outcome(row, verdict, person=_open(session, bounced.address))
    if found is None or about is None:
        return _outcome(row, verdict)
    invitation, visit = found
    audience = invitation.audience
    if verdict.answer is not None and verdict.sequence is not None and verdict.dtstamp:
        take_answer(
            session,
            invitation,
            visit,
            Said(
                answer=verdict.answer,
                way=AnswerWay.MAIL,
                sequence=verdict.sequence,
                dtstamp=verdict.dtstamp,
                comment=verdict.comment,
            ),
            now=now,
        )
    return _outcome(row, verdict, person=about.address, audience=audience)


def _invitation_of(
    session: Session, answer: Answer
) -> tuple[InvitationRow, VisitRow] | None:
    """The invitation that the answer names, its visit locked before it is read."""
    uid = "" if answer is None else answer.uid
    # An UID of ours is short and plain; another one is not even asked for.
    plain = 0 < len(uid) <= UID_LIMIT and uid.isascii() and uid.isprintable()
    visit_id = queries.visit_of_uid(session, uid) if plain else None
    if visit_id is None or not lock_visit(session, visit_id):
        return None
    invitation = queries.invitation_by_uid(session, uid)
    brief = queries.visit_in_brief(session, visit_id)
    if invitation is None or brief is None:
        return None
    return invitation, brief[0]


def _known(
    session: Session, invitation: InvitationRow, visit: VisitRow, *, now: datetime
) -> KnownInvitation | None:
    """What the rules need to know of the invitation; nothing once it is purged."""
    address = _open(session, invitation.address)
    brief = queries.visit_in_brief(session, visit.id)
    if not address or brief is None:
        return None
    last = None
    if invitation.answer_sequence is not None and invitation.answer_dtstamp is not None:
        last = invitation.answer_sequence, invitation.answer_dtstamp
    asked = invitation.audience is not Audience.STUDENT or visit.students_answer
    slot = brief[1]
    return KnownInvitation(
        uid=invitation.uid,
        address=address,
        organizer=house_of(session).organizer,
        sequence=invitation.sequence,
        cancelled=invitation.state is not InvitationState.INVITED,
        asked=asked and not invitation.shared,
        over=slot.ends_at <= now,
        last=last,
    )


def _letter_of(session: Session, mail: ReceivedMail) -> MessageRow | None:
    """The letter that a report is about: by its return address, else by its id."""
    report = mail.report
    if report is None:
        return None
    for claimed in (*mail.recipients, report.envelope_id):
        row = outbox.message_by_bounce_token(session, claimed) if claimed else None
        if row is not None:
            return row
    if not report.message_id:
        return None
    return outbox.message_by_message_id(session, report.message_id)


def _keep(
    session: Session,
    mail: ReceivedMail,
    verdict: Verdict,
    *,
    size: int,
    now: datetime,
) -> ReceivedRow:
    """The message and its verdict. Its words are kept only for a person to read."""
    seal = seal_of(session)
    row = ReceivedRow(
        octets_digest=mail.digest,
        message_id=_bare(mail.message_id),
        received_at=now,
        size=size,
        effect=verdict.effect,
        code=verdict.code,
        sequence=_storable(verdict.sequence),
        dtstamp=verdict.dtstamp,
        for_person=verdict.for_person,
    )
    if verdict.for_person:
        row.sender = seal.close(clean_line(", ".join(mail.from_addresses)))
        row.subject = seal.close(clean_line(mail.subject))
        row.excerpt = seal.close(clean_text(mail.excerpt, EXCERPT_LIMIT))
    comment = clean_text(verdict.comment, COMMENT_LIMIT)
    row.comment = seal.close(comment) if comment else ""
    if verdict.proposed is not None:
        row.proposed_starts_at, row.proposed_ends_at = verdict.proposed
    session.add(row)
    return row


def _set_aside(
    session: Session,
    mail: ReceivedMail,
    code: str,
    *,
    room: Room,
    size: int,
    now: datetime,
) -> Outcome:
    """Keep a message that could not be acted upon, for a person to look at."""
    verdict = Verdict(effect=Effect.IGNORE, code=code, for_person=True)
    with room(session):
        known = queries.by_digest(session, mail.digest)
        if known is not None:
            return _known_already(known)
        row = _keep(session, mail, verdict, size=size, now=now)
        found = _invitation_of(session, _answer_in(mail) if code != BROKEN else None)
        if found is None:
            session.flush()
            return _outcome(row, verdict)
        invitation = found[0]
        row.invitation_id, row.visit_id = invitation.id, invitation.visit_id
        session.flush()
        person = _open(session, invitation.address)
        return _outcome(row, verdict, person=person, audience=invitation.audience)


def _known_already(row: ReceivedRow) -> Outcome:
    return Outcome(
        effect=Effect.IGNORE,
        code=READ_ALREADY,
        visit_id=row.visit_id,
        invitation_id=row.invitation_id,
        sequence=row.sequence,
    )


def _outcome(
    row: ReceivedRow,
    verdict: Verdict,
    *,
    person: str = "",
    audience: Audience | None = None,
) -> Outcome:
    return Outcome(
        effect=verdict.effect,
        code=verdict.code,
        visit_id=row.visit_id,
        invitation_id=row.invitation_id,
        audience=audience,
        person=person,
        sequence=verdict.sequence,
        dtstamp=verdict.dtstamp,
        proposed=verdict.proposed,
        for_person=verdict.for_person,
    )


def _open(session: Session, sealed: str) -> str:
    """The text, or nothing if it was purged or its key is gone."""
    try:
        return seal_of(session).open(sealed) if sealed else ""
    except BrokenSeal:
        return ""


def _bare(message_id: str) -> str:
    return clean_line(message_id, MESSAGE_ID_LIMIT).strip("<>").strip()


def _storable(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= LARGEST_NUMBER else None
