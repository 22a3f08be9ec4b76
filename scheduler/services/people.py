"""An adult's address was wrong: it is corrected, and what did not arrive follows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, need
from scheduler.domain.announcements import Audience, Change
from scheduler.domain.refusals import AddressTaken, BadAddress, SameAddress
from scheduler.domain.visits import INVITED
from scheduler.persistence.models.outbox import MessageState
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.queries import access, outbox as messages, visits
from scheduler.persistence.sealed import seal_of
from scheduler.services import outbox
from scheduler.services.announce import announce
from scheduler.services.students import checked_addresses
from scheduler.services.transaction import transaction


def correct_address(
    session: Session, person_id: int, address: str, *, by: Actor, now: datetime
) -> None:
    """The same person at another address; nothing of the history is lost (OP-M2).

    Each invitation that lies ahead moves to the new address and is sent afresh; other
    mail that did not arrive is sent again.
    """
    need(by.is_coordinator)
    wanted = checked_addresses([address])
    if not wanted:
        raise BadAddress(line=1, text="")
    email = wanted[0]
    with transaction(session):
        person = session.get(PersonRow, person_id)
        need(person is not None)
        if person is None or person.email == email:
            raise SameAddress
        if access.person_by_email(session, email) is not None:
            raise AddressTaken
        person.email = email
        session.flush()
        _move_messages(session, person_id, email, now=now)
        for visit_id, audience in messages.invited_ahead(session, person_id, now=now):
            visit = visits.visit_to_change(session, visit_id)
            _move_invitation(session, visit_id, audience, person_id, email)
            if visit is not None and visit.state in INVITED:
                announce(session, visit, Change.CONFIRMED, by=by, now=now, only=[email])


def _move_messages(
    session: Session, person_id: int, email: str, *, now: datetime
) -> None:
    """What waits or did not arrive goes to the new address."""
    sealed = seal_of(session).close(email)
    for row in messages.unsent_to(session, person_id):
        row.address = sealed
        row.domain_digest = outbox.domain_digest(session, email)
        replaced = messages.with_newer(session, [row.id])
        if row.state is MessageState.DEAD and not replaced:
            outbox.start_again(row, now=now)
    session.flush()


def _move_invitation(
    session: Session, visit_id: int, audience: Audience, person_id: int, email: str
) -> None:
    """The entry stays the same one, in another mailbox."""
    seal = seal_of(session)
    taken = messages.invitation_for(
        session, visit_id, audience=audience, address_digest=seal.digest(email)
    )
    if taken is not None:
        return
    for row in visits.invitations_of(session, visit_id):
        if row.person_id == person_id and row.audience is audience:
            row.address = seal.close(email)
            row.address_digest = seal.digest(email)
    session.flush()
