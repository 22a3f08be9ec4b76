"""Students' addresses for one visit: given by the teacher, sealed, used, destroyed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, for_school, need
from scheduler.domain.announcements import Audience, Change
from scheduler.domain.parties import most_addresses
from scheduler.domain.refusals import (
    BadAddress,
    BadListAddress,
    NotFound,
    Refused,
    SameAddress,
    TooManyAddresses,
    WrongState,
)
from scheduler.domain.visits import ENDED, INVITED
from scheduler.persistence.models.outbox import MessageState
from scheduler.persistence.models.visits import (
    AddresseeRow,
    InvitationState,
    VisitRow,
)
from scheduler.persistence.queries import delivery_pages, outbox as messages, visits
from scheduler.persistence.sealed import seal_of
from scheduler.services import headcount, journal
from scheduler.services.announce import announce
from scheduler.services.house import house_of
from scheduler.services.transaction import transaction


def checked_addresses(lines: Iterable[str]) -> list[str]:
    """The addresses without blanks and doubles, in order.

    Raises ``Refused`` naming every line that is no address (the first 40 characters,
    for the teacher's own form; nothing of it is logged).
    """
    seen: dict[str, None] = {}
    wrong = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        try:
            found = validate_email(
                text, check_deliverability=False, allow_smtputf8=False
            )
        except EmailNotValidError:
            wrong.append(BadAddress(line=number, text=text[:40]))
            continue
        seen.setdefault(found.normalized.lower())
    if wrong:
        raise Refused(*wrong)
    return list(seen)


def checked_address(text: str) -> str:
    """The one address of a field of its own. Raises ``BadAddress`` without a line."""
    try:
        found = checked_addresses([text])
    except Refused as refused:
        raise BadAddress(line=0, text=text.strip()[:40]) from refused
    if not found:
        raise BadAddress(line=0, text="")
    return found[0]


def _checked_list(text: str) -> set[str]:
    """The address of the class's mailing list, if it has one."""
    try:
        return {checked_address(text)} if text.strip() else set()
    except BadAddress as wrong:
        raise BadListAddress(**wrong.facts) from wrong


def set_addresses(
    session: Session,
    visit_id: int,
    lines: Iterable[str],
    *,
    list_address: str = "",
    students_answer: bool = True,
    by: Actor,
    now: datetime,
) -> None:
    """The whole list: who is new is invited, who is gone gets a CANCEL.

    ``list_address``: a mailing list of the class. It is told by PUBLISH and asked
    nothing, for nobody knows who reads it. ``students_answer``: whether the others are
    asked to say that they come.
    """
    shared = _checked_list(list_address)
    alone = [each for each in checked_addresses(lines) if each not in shared]
    with transaction(session):
        row = visits.visit_to_change(session, visit_id)
        if row is None:
            raise NotFound
        need(for_school(by, row.school_class.school_id))
        if row.state in ENDED:
            raise WrongState(state=row.state.value, step="set_addresses")
        most = most_addresses(row.party, policy=house_of(session).policy)
        if len(alone) > most:
            raise TooManyAddresses(most=most, given=len(alone))
        row.students_answer = students_answer
        seal = seal_of(session)
        wanted = {
            (seal.digest(address), address in shared): address
            for address in [*shared, *alone]
        }
        held = {
            (each.address_digest, each.shared): each
            for each in visits.addressees_of(session, row.id)
        }
        added = [wanted[key] for key in wanted if key not in held]
        removed = [
            seal.open(each.address) for key, each in held.items() if key not in wanted
        ]
        if row.state in INVITED and removed:
            announce(session, row, Change.STUDENT_REMOVED, by=by, now=now, only=removed)
        for key, each in held.items():
            if key not in wanted:
                session.delete(each)
        session.flush()
        for address in added:
            session.add(
                AddresseeRow(
                    visit_id=row.id,
                    address=seal.close(address),
                    address_digest=seal.digest(address),
                    shared=address in shared,
                    created_at=now,
                )
            )
        session.flush()
        if row.state in INVITED and added:
            announce(session, row, Change.STUDENT_ADDED, by=by, now=now, only=added)
        if added or removed:
            headcount.watch(session, row.id, now=now)
            journal.note_visit(
                session,
                row,
                "addresses",
                by=by,
                now=now,
                before=row.state.value,
                added=len(added),
                removed=len(removed),
            )


def correct_address(
    session: Session,
    visit_id: int,
    message_id: int,
    address: str,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """A mail did not arrive: its address becomes another one, which is invited.

    Who reads mail at the old one and had got the invitation is told that it is off.
    """
    wanted = [checked_address(address)]
    with transaction(session):
        row = visits.visit_to_change(session, visit_id)
        if row is None:
            raise NotFound
        need(for_school(by, row.school_class.school_id))
        if row.state in ENDED:
            raise WrongState(state=row.state.value, step="correct_address")
        message = messages.message_to_change(session, message_id)
        need(
            message is not None
            and message.visit_id == visit_id
            and message.audience is Audience.STUDENT
            and bool(message.address)
        )
        seal = seal_of(session)
        old = seal.open(message.address) if message else ""
        if old == wanted[0]:
            raise SameAddress
        held = {
            each.address_digest: each for each in visits.addressees_of(session, row.id)
        }
        gone = held.get(seal.digest(old))
        need(gone is not None)
        shared = gone is not None and gone.shared
        _withdraw(session, row, old, by=by, now=now)
        session.delete(gone)
        if seal.digest(wanted[0]) not in held:
            session.add(
                AddresseeRow(
                    visit_id=row.id,
                    address=seal.close(wanted[0]),
                    address_digest=seal.digest(wanted[0]),
                    shared=shared,
                    created_at=now,
                )
            )
            session.flush()
            if row.state in INVITED:
                announce(
                    session, row, Change.STUDENT_ADDED, by=by, now=now, only=wanted
                )
        headcount.watch(session, row.id, now=now)
        journal.note_visit(
            session,
            row,
            "addresses",
            by=by,
            now=now,
            before=row.state.value,
            added=1,
            removed=1,
        )


def _withdraw(
    session: Session, row: VisitRow, address: str, *, by: Actor, now: datetime
) -> None:
    """End the invitation of an address: by a CANCEL only if one ever got there."""
    invitation = messages.invitation_for(
        session,
        row.id,
        audience=Audience.STUDENT,
        address_digest=seal_of(session).digest(address),
    )
    seal = seal_of(session)
    for each in delivery_pages.failed_of(session, row.id):
        if each.address and seal.open(each.address) == address:
            each.state = MessageState.SUPERSEDED
    if invitation is None:
        return
    if messages.has_arrived(session, invitation.id):
        announce(session, row, Change.STUDENT_REMOVED, by=by, now=now, only=[address])
    else:
        invitation.state = InvitationState.CANCELLED
    messages.set_aside(session, invitation.id)
