"""Who speaks for a company: added, removed, put first.

Every visit that lies ahead follows: the entry comes into a new contact's calendar,
leaves the calendar of one who is gone, and names the contact of the day who is first
from now on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import LOOP, Actor, Role, for_host, need
from scheduler.domain.announcements import Change
from scheduler.domain.refusals import ContactKnown, LastContact, NotFound
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import access, visits
from scheduler.persistence.queries.outbox import first_message_id
from scheduler.services import directory, journal
from scheduler.services.announce import announce, truth
from scheduler.services.transaction import transaction

Ahead = Callable[[], list[VisitRow]]


def add_contact(
    session: Session,
    host_id: int,
    *,
    name: str,
    email: str,
    phone: str = "",
    by: Actor,
    now: datetime,
) -> None:
    """One more contact, told of every visit ahead. Raises ``BadAddress``."""
    with transaction(session):
        ahead = _ahead(session, host_id, by, now=now)
        contacts = access.contacts_of(session, host_id)
        if any(each.person.email == email.strip().lower() for each in contacts):
            raise ContactKnown(name=name)
        added = directory.put_person(
            session,
            name=name,
            email=email,
            phone=phone,
            works_at={host_id: Role.HOST_CONTACT},
            position=len(contacts),
            now=now,
        )
        person = session.get_one(PersonRow, added.person_id)
        for row in ahead():
            announce(
                session,
                row,
                Change.CONTACT_ADDED,
                by=by,
                now=now,
                only=[person.email],
            )
        journal.note_organisation(
            session, host_id, "contact_added", by=by, now=now, person=person.id
        )


def import_people(
    session: Session, lines: Iterable[directory.Line], *, now: datetime
) -> int:
    """The table of ``directory.import_people``, and what follows from it.

    Contacts of a company are told of the visits ahead, as when a colleague adds them.
    A second import of the same table tells whoever a crash left out, and nobody twice.
    """
    told = list(lines)
    done = directory.import_people(session, told, now=now)
    for host_id in directory.hosts_of_contacts(session, told):
        _welcome(session, host_id, now=now)
    return done


def _welcome(session: Session, host_id: int, *, now: datetime) -> None:
    """Tell contacts of visits ahead that they have never heard of."""
    with transaction(session):
        ahead = _locked_ahead(session, host_id, now=now)
        for row in ahead():
            for each in access.contacts_of(session, host_id):
                heard = first_message_id(session, row.id, person_id=each.person_id)
                if heard or each.person.blocked:
                    continue
                announce(
                    session,
                    row,
                    Change.CONTACT_ADDED,
                    by=LOOP,
                    now=now,
                    only=[each.person.email],
                )


def remove_contact(
    session: Session, host_id: int, person_id: int, *, by: Actor, now: datetime
) -> None:
    """Who is gone gets a CANCEL for every visit ahead. Raises ``LastContact``."""
    with transaction(session):
        ahead = _ahead(session, host_id, by, now=now)
        contacts = list(access.contacts_of(session, host_id))
        gone = _one_of(contacts, person_id)
        if len(contacts) == 1:
            raise LastContact(name=gone.person.name)
        with _contact_of_the_day(session, ahead, by=by, now=now):
            for row in ahead():
                announce(
                    session,
                    row,
                    Change.CONTACT_REMOVED,
                    by=by,
                    now=now,
                    only=[gone.person.email],
                )
            session.delete(gone)
            contacts.remove(gone)
            _number(contacts)
            session.flush()
        journal.note_organisation(
            session, host_id, "contact_removed", by=by, now=now, person=person_id
        )


def put_first(
    session: Session, host_id: int, person_id: int, *, by: Actor, now: datetime
) -> None:
    """The contact of the day from now on, named in the entries of teacher and host."""
    with transaction(session):
        ahead = _ahead(session, host_id, by, now=now)
        contacts = list(access.contacts_of(session, host_id))
        first = _one_of(contacts, person_id)
        if contacts[0] is first:
            return
        with _contact_of_the_day(session, ahead, by=by, now=now):
            contacts.remove(first)
            _number([first, *contacts])
            session.flush()
        journal.note_organisation(
            session, host_id, "contact_first", by=by, now=now, person=person_id
        )


@contextmanager
def _contact_of_the_day(
    session: Session, ahead: Ahead, *, by: Actor, now: datetime
) -> Iterator[None]:
    """Tell who holds an entry that names another contact afterwards."""
    before = {row.id: truth(session, row) for row in ahead()}
    yield
    for row in ahead():
        old, new = before[row.id], truth(session, row)
        names = ("contact_name", "contact_phone")
        if any(old[name] != new[name] for name in names):
            announce(session, row, Change.CONTACT_CHANGED, by=by, now=now, before=old)


def _ahead(session: Session, host_id: int, by: Actor, *, now: datetime) -> Ahead:
    """The host's visits that lie ahead, everything they contend for locked.

    A function: each visit is read again after what was done to its people.
    """
    need(for_host(by, host_id))
    return _locked_ahead(session, host_id, now=now)


def _locked_ahead(session: Session, host_id: int, *, now: datetime) -> Ahead:
    """The same, for whoever may ask for it."""
    visits.lock(session, host_ids=[host_id])
    keys = visits.ahead_at(session, host_id, now=now)
    visits.lock(
        session,
        class_ids=[class_id for _, class_id, _ in keys],
        person_ids=[person_id for _, _, person_id in keys],
    )

    def rows() -> list[VisitRow]:
        found = (visits.visit_to_change(session, visit_id) for visit_id, _, _ in keys)
        return [row for row in found if row is not None]

    return rows


def _one_of(contacts: Sequence[MembershipRow], person_id: int) -> MembershipRow:
    for each in contacts:
        if each.person_id == person_id:
            return each
    raise NotFound


def _number(contacts: Sequence[MembershipRow]) -> None:
    for position, each in enumerate(contacts):
        each.position = position
