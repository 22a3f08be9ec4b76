"""What comes back by mail: read, judged, acted upon at most once, and kept.

    octets ──read──▶ mail ──▶ invitation ──judge──▶ verdict ──act + keep──▶ one commit

Out of a mailbox several are taken together, with one look at the database for all of
them and one commit. What decides something or comes from a mail server is taken alone;
and when one of several breaks, nothing of them stays and each is taken alone.

A message that was seen before, as the same octets or by the Message-ID of one that
changed something, changes nothing again. A message that breaks is set aside, so that
the next one is read. Nothing is ever mailed to the sender of a received message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.answers import AnswerWay, Effect
from scheduler.domain.inbound import CalendarAnswer, ReceivedMail, UnreadableAnswer
from scheduler.domain.refusals import Refusal
from scheduler.domain.verdict import KnownInvitation, Verdict, judge
from scheduler.ical.answer import read_answer
from scheduler.mail.mailboxes import Arrived, Mailbox, Unreadable
from scheduler.mail.received import read_mail
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)
from scheduler.persistence.queries import received as queries
from scheduler.persistence.sealed import BrokenSeal, seal_of
from scheduler.services import headcount, outbox
from scheduler.services.house import house_of
from scheduler.services.rsvp import Said, decides, lock_all, note_answer, take_answer
from scheduler.services.transaction import rehearsal, transaction
from scheduler.wording import clean_line, clean_text

READ_ALREADY = "already_read"
BROKEN = "broken"
EXCERPT_LIMIT = 1000
COMMENT_LIMIT = 500
MESSAGE_ID_LIMIT = 500
UID_LIMIT = 255
LARGEST_NUMBER = 2**31 - 1
TOGETHER = 100
OCTETS_TOGETHER = 5_000_000
# A slow mail server must not keep what was fetched already from being read.
A_MOMENT = timedelta(seconds=1)

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


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message as it was read; the database has not been asked anything."""

    mail: ReceivedMail
    answer: Answer
    size: int

    @property
    def uid(self) -> str:
        """The UID that it names. One that cannot be ours is not even asked for."""
        uid = "" if self.answer is None else self.answer.uid
        plain = len(uid) <= UID_LIMIT and uid.isascii() and uid.isprintable()
        return uid if plain else ""


@dataclass(kw_only=True)
class Around:
    """What is known of some letters, their visits locked; and what they change.

    ``read``: what was kept before, by its octets; ``acted``: the Message-IDs of what
    changed something; ``kept``: the rows to store; ``answered``: visits to count again.
    """

    read: dict[str, queries.Seen]
    acted: set[str]
    found: dict[str, tuple[InvitationRow, VisitRow, datetime]]
    kept: list[queries.Kept] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)


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
    for part in _in_parts(mailbox, now=now, stopping=stopping):
        receive_all(session, [(each.octets, each.size) for each in part], now=now())
        for each in part:
            each.put_away()
        count += len(part)
    return count


def _in_parts(
    mailbox: Mailbox, *, now: Callable[[], datetime], stopping: Callable[[], bool]
) -> Iterator[list[Arrived]]:
    """What has arrived, as many together as were fetched in a moment."""
    part: list[Arrived] = []
    began, octets = now(), 0
    try:
        for arrived in mailbox.arrived():
            part.append(arrived)
            octets += len(arrived.octets)
            enough = len(part) >= TOGETHER or octets >= OCTETS_TOGETHER
            # The connection ends after the last one, and with it what puts away.
            if enough or arrived.last or now() - began >= A_MOMENT or stopping():
                yield part
                part, began, octets = [], now(), 0
            if stopping():
                return
    except Unreadable:
        # What was fetched before the connection broke is good all the same.
        if part:
            yield part
        raise
    if part:
        yield part


def receive_all(
    session: Session, arrived: Sequence[tuple[bytes, int]], *, now: datetime
) -> list[Outcome]:
    """Read some messages, octets and size each, in their order."""
    outcomes: list[Outcome] = []
    while len(outcomes) < len(arrived):
        waiting = arrived[len(outcomes) :]
        try:
            outcomes += _received_together(session, waiting, now=now)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is found and told below
            return [
                *outcomes,
                *(receive(session, each, now=now, size=size) for each, size in waiting),
            ]
        if len(outcomes) < len(arrived):
            octets, size = arrived[len(outcomes)]
            outcomes.append(receive(session, octets, now=now, size=size))
    return outcomes


def _received_together(
    session: Session, arrived: Sequence[tuple[bytes, int]], *, now: datetime
) -> list[Outcome]:
    """The first of them, in one transaction, up to one that is to be taken alone."""
    letters = [_read(session, octets, size) for octets, size in arrived]
    outcomes = []
    with transaction(session):
        around = _around(session, letters)
        for letter in letters:
            if _is_alone(letter, around):
                break
            outcomes.append(_take(session, letter, around, now=now))
        _store(session, around, now=now)
    for outcome in outcomes:
        _say(outcome)
    return outcomes


def _is_alone(letter: Letter, around: Around) -> bool:
    """Whether more may follow from it than an answer that is kept and counted."""
    found = around.found.get(letter.uid)
    return letter.mail.report is not None or (
        found is not None and decides(found[0], found[1])
    )


def _received(
    session: Session, octets: bytes, *, room: Room, now: datetime, size: int | None
) -> Outcome:
    letter = _read(session, octets, size)
    try:
        with room(session):
            around = _around(session, [letter])
            outcome = _take(session, letter, around, now=now)
            _store(session, around, now=now)
    except (OperationalError, InterfaceError):
        # The database, not the message: it stays where it is and is read again.
        raise
    except Refusal as refused:
        outcome = _set_aside(session, letter, refused.code, room=room, now=now)
    except Exception as wrong:
        if isinstance(wrong, IntegrityError):
            # Perhaps another process was faster with the same message.
            known = queries.seen(session, [letter.mail.digest], [])
            if known:
                return _known_already(known[0])
        log.exception("received_mail_broke", digest=letter.mail.digest)
        outcome = _set_aside(session, letter, BROKEN, room=room, now=now)
    _say(outcome)
    return outcome


def _say(outcome: Outcome) -> None:
    log.info(
        "mail_received",
        effect=outcome.effect.value,
        code=outcome.code,
        visit=outcome.visit_id,
        invitation=outcome.invitation_id,
    )


def _read(session: Session, octets: bytes, size: int | None) -> Letter:
    """Neither of the two readers ever raises."""
    mail = read_mail(octets, authserv_id=house_of(session).authserv_id)
    return Letter(
        mail=mail, answer=_answer_in(mail), size=mail.size if size is None else size
    )


def _answer_in(mail: ReceivedMail) -> Answer:
    if mail.calendar is None or mail.problem:
        return None
    return read_answer(mail.calendar, method_parameter=mail.calendar_method)


def _around(session: Session, letters: Sequence[Letter]) -> Around:
    """What is true now of all of them: the visits are locked before they are read."""
    uids = {letter.uid for letter in letters} - {""}
    if uids:
        lock_all(session, queries.keys_of_uids(session, uids))
    seen = queries.seen(
        session,
        [letter.mail.digest for letter in letters],
        [_bare(letter.mail.message_id) for letter in letters],
    )
    return Around(
        read={each.digest: each for each in seen},
        acted={each.message_id for each in seen if each.acted},
        found=queries.invitations_by_uid(session, uids) if uids else {},
    )


def _take(
    session: Session, letter: Letter, around: Around, *, now: datetime
) -> Outcome:
    """One message inside the transaction: judged by what is true now."""
    mail = letter.mail
    if mail.digest in around.read:
        return _known_already(around.read[mail.digest])
    found = around.found.get(letter.uid)
    bounced = _letter_of(session, mail)
    about = _known(session, *found, now=now) if found else None
    verdict = judge(mail, letter.answer, about, now=now, bounced=bounced is not None)
    if verdict.effect in queries.ACTS and _bare(mail.message_id) in around.acted:
        verdict = Verdict(effect=Effect.IGNORE, code=READ_ALREADY)
    row = _keep(session, letter, verdict, around, now=now)
    if found is not None and about is not None:
        row.invitation_id, row.visit_id = found[0].id, found[0].visit_id
    person, audience = "", None
    if verdict.effect is Effect.BOUNCE and bounced is not None and mail.report:
        row.bounced_id, row.visit_id = bounced.id, bounced.visit_id
        outbox.note_bounce(
            session,
            bounced.id,
            status=mail.report.status,
            permanent=mail.report.permanent,
            now=now,
        )
        person = _open(session, bounced.address)
    elif found is not None and about is not None:
        person, audience = about.address, found[0].audience
        _act(session, found[0], found[1], verdict, around, now=now)
    _remember(around, row)
    return _outcome(row, verdict, person=person, audience=audience)


def _act(
    session: Session,
    invitation: InvitationRow,
    visit: VisitRow,
    verdict: Verdict,
    around: Around,
    *,
    now: datetime,
) -> None:
    """The host's decision at once; of students' answers all are counted at the end."""
    if verdict.answer is None or verdict.sequence is None or verdict.dtstamp is None:
        return
    said = Said(
        answer=verdict.answer,
        way=AnswerWay.MAIL,
        sequence=verdict.sequence,
        dtstamp=verdict.dtstamp,
        comment=verdict.comment,
    )
    if decides(invitation, visit):
        take_answer(session, invitation, visit, said, now=now)
        return
    note_answer(session, invitation, said, now=now)
    if invitation.audience is Audience.STUDENT:
        around.answered.add(visit.id)


def _remember(around: Around, row: queries.Kept) -> None:
    """A second copy may be among the same letters."""
    acted = row.effect in queries.ACTS
    around.read[row.octets_digest] = queries.Seen(
        digest=row.octets_digest,
        message_id=row.message_id,
        acted=acted,
        visit_id=row.visit_id,
        invitation_id=row.invitation_id,
        sequence=row.sequence,
    )
    if acted and row.message_id:
        around.acted.add(row.message_id)


def _store(session: Session, around: Around, *, now: datetime) -> None:
    """Write what was kept, and count again.

    Always in one order: of two processes with the same messages one waits for the
    other, and never both.
    """
    session.flush()
    queries.store(session, sorted(around.kept, key=lambda row: row.octets_digest))
    if around.answered:
        headcount.watch(session, *around.answered, now=now)


def _known(
    session: Session,
    invitation: InvitationRow,
    visit: VisitRow,
    ends_at: datetime,
    *,
    now: datetime,
) -> KnownInvitation | None:
    """What the rules need to know of the invitation; nothing once it is purged."""
    address = _open(session, invitation.address)
    if not address:
        return None
    last = None
    if invitation.answer_sequence is not None and invitation.answer_dtstamp is not None:
        last = invitation.answer_sequence, invitation.answer_dtstamp
    asked = invitation.audience is not Audience.STUDENT or visit.students_answer
    return KnownInvitation(
        uid=invitation.uid,
        address=address,
        organizer=house_of(session).organizer,
        sequence=invitation.sequence,
        cancelled=invitation.state is not InvitationState.INVITED,
        asked=asked and not invitation.shared,
        over=ends_at <= now,
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
    letter: Letter,
    verdict: Verdict,
    around: Around,
    *,
    now: datetime,
) -> queries.Kept:
    """The message and its verdict. Its words are kept only for a person to read."""
    seal, mail = seal_of(session), letter.mail
    row = queries.Kept(
        octets_digest=mail.digest,
        message_id=_bare(mail.message_id),
        received_at=now,
        size=letter.size,
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
    around.kept.append(row)
    return row


def _set_aside(
    session: Session, letter: Letter, code: str, *, room: Room, now: datetime
) -> Outcome:
    """Keep a message that could not be acted upon, for a person to look at."""
    verdict = Verdict(effect=Effect.IGNORE, code=code, for_person=True)
    with room(session):
        around = _around(session, [letter])
        if letter.mail.digest in around.read:
            return _known_already(around.read[letter.mail.digest])
        row = _keep(session, letter, verdict, around, now=now)
        found = around.found.get(letter.uid)
        if found is None or code == BROKEN:
            _store(session, around, now=now)
            return _outcome(row, verdict)
        invitation = found[0]
        row.invitation_id, row.visit_id = invitation.id, invitation.visit_id
        _store(session, around, now=now)
        person = _open(session, invitation.address)
        return _outcome(row, verdict, person=person, audience=invitation.audience)


def _known_already(row: queries.Seen) -> Outcome:
    return Outcome(
        effect=Effect.IGNORE,
        code=READ_ALREADY,
        visit_id=row.visit_id,
        invitation_id=row.invitation_id,
        sequence=row.sequence,
    )


def _outcome(
    row: queries.Kept,
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
