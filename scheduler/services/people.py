"""An adult's address was wrong: it is corrected, and what did not arrive follows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, need
from scheduler.domain.announcements import Audience, Change
from scheduler.domain.refusals import AddressTaken, SameAddress
from scheduler.domain.sending import WAITED_FOR
from scheduler.persistence.models.outbox import MessageState
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import access, outbox as messages, visits
from scheduler.persistence.sealed import seal_of
from scheduler.services import journal, outbox
from scheduler.services.announce import announce
from scheduler.services.students import checked_address
from scheduler.services.transaction import transaction

LEAVES = {
    Audience.TEACHER: Change.ORGANISER_LEFT,
    Audience.HOST: Change.CONTACT_REMOVED,
}
JOINS = {Audience.TEACHER: Change.CONFIRMED, Audience.HOST: Change.CONTACT_ADDED}


def correct_address(
    session: Session, person_id: int, address: str, *, by: Actor, now: datetime
) -> None:
    """The same person at another address; nothing of the history is lost (OP-M2).

    What lies ahead leaves the calendar behind the old address, if anything arrived
    there (P4), and comes into the one behind the new address; other mail that did not
    arrive is sent again. Raises ``BadAddress``, ``SameAddress``, ``AddressTaken``.
    """
    need(by.is_coordinator)
    email = checked_address(address)
    with transaction(session):
        ahead = _ahead(session, person_id, now=now)
        person = session.get(PersonRow, person_id)
        need(person is not None)
        if person is None or person.email == email:
            raise SameAddress
        if access.person_by_email(session, email) is not None:
            raise AddressTaken
        old = person.email
        _move_messages(session, person_id, email, now=now)
        for each in ahead:
            visit = visits.visit_to_change(session, each.visit_id)
            if visit is not None:
                _leave(session, visit, each.audience, old, email, by=by, now=now)
        person.email = email
        try:
            session.flush()
        except IntegrityError as taken:
            # Somebody else got it between our look and now.
            raise AddressTaken from taken
        for each in ahead:
            visit = visits.visit_to_change(session, each.visit_id)
            if visit is not None:
                change = JOINS[each.audience]
                announce(session, visit, change, by=by, now=now, only=[email])
        journal.note_person(session, person_id, "address_corrected", by=by, now=now)


def _ahead(session: Session, person_id: int, *, now: datetime) -> list[messages.Ahead]:
    """The visits to follow; all that they contend for is locked, in the one order."""
    found = messages.invited_ahead(session, person_id, now=now)
    speaks_for = access.hosts_of(session, person_id)
    visits.lock(session, host_ids=[*speaks_for, *(each.host_id for each in found)])
    found = messages.invited_ahead(session, person_id, now=now)
    visits.lock(
        session,
        class_ids=[each.class_id for each in found],
        person_ids=[person_id, *(each.organiser_id for each in found)],
    )
    return found


def _move_messages(
    session: Session, person_id: int, email: str, *, now: datetime
) -> None:
    """What waits or did not arrive goes to the new address."""
    sealed = seal_of(session).close(email)
    for row in messages.unsent_to(session, person_id):
        dead = row.state is MessageState.DEAD
        # A link to sign in has run out, and what has lost its words says nothing.
        worthless = row.kind in WAITED_FOR or outbox.is_purged(row)
        if dead and (worthless or messages.with_newer(session, [row.id])):
            continue
        row.address = sealed
        row.domain_digest = outbox.domain_digest(session, email)
        if dead:
            outbox.start_again(row, now=now)
    session.flush()


def _leave(
    session: Session,
    visit: VisitRow,
    audience: Audience,
    old: str,
    new: str,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Out of the old calendar; where nothing ever arrived the entry just moves."""
    seal = seal_of(session)
    held = messages.invitation_for(
        session, visit.id, audience=audience, address_digest=seal.digest(old)
    )
    taken = messages.invitation_for(
        session, visit.id, audience=audience, address_digest=seal.digest(new)
    )
    if held is None:
        return
    if taken is not None or messages.has_arrived(session, held.id):
        announce(session, visit, LEAVES[audience], by=by, now=now, only=[old])
        return
    held.address = seal.close(new)
    held.address_digest = seal.digest(new)
    session.flush()
