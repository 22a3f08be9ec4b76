"""Turn a change into messages, inside the transaction of the change (P3, P4).

``domain.announcements.TELLINGS`` says who is told and how; here each recipient gets a
row of the outbox with everything frozen: facts, UID, SEQUENCE, DTSTAMP, Message-ID.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor
from scheduler.domain.announcements import (
    TELLINGS,
    Audience,
    Change,
    Method,
    Telling,
    standing,
)
from scheduler.domain.invitations import Revision, reached, revised
from scheduler.domain.manners import REMINDERS
from scheduler.domain.visits import WAITS_FOR_HOST
from scheduler.ical.identity import new_uid
from scheduler.persistence.models.access import LinkPurpose
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.persistence.queries import access, outbox as messages, visits
from scheduler.persistence.sealed import seal_of
from scheduler.services import journal, links, outbox
from scheduler.services.house import house_of
from scheduler.services.reminders import reminder_to
from scheduler.services.snapshot import actor_side, snapshot

STUDENT_LOCALE = "fr"
ASKS_FOR_ANSWER = frozenset(
    {
        Change.REQUESTED,
        Change.REQUESTED_AGAIN,
        Change.REQUEST_SWITCHED,
        Change.CONTACT_ADDED,
        Change.ANSWER_OVERDUE,
        Change.MOVE_ASKED,
    }
)


@dataclass(frozen=True)
class Recipient:
    """One reader. A student has no name and no person, only an address.

    ``shared``: the address of a mailing list, behind which there are many readers.
    """

    audience: Audience
    name: str
    address: str
    locale: str
    person_id: int | None = None
    shared: bool = False


def announce(
    session: Session,
    visit: VisitRow,
    change: Change,
    *,
    by: Actor,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    only: Iterable[str] | None = None,
    said: Mapping[str, Any] | None = None,
) -> None:
    """Record what everybody concerned must learn.

    ``before``: what was true until now (``snapshot``), for "old → new".
    ``said``: a reason and a note that are not kept on the visit itself.
    ``only``: addresses, where the change concerns some recipients alone.
    """
    session.flush()
    contacts = access.contacts_of(session, visit.slot.offer.host_id)
    facts = {
        locale: {
            **snapshot(session, visit, locale=locale, contacts=contacts, before=before),
            **(said or {}),
        }
        for locale in ("fr", "en")
    }
    wanted = None if only is None else set(only)
    for telling in TELLINGS[change]:
        for recipient in _recipients(session, visit, telling, contacts):
            if wanted is None or recipient.address in wanted:
                _tell(
                    session,
                    visit,
                    change,
                    telling,
                    recipient,
                    facts=facts,
                    by=by,
                    now=now,
                )


def tell(
    session: Session,
    visit: VisitRow,
    change: Change,
    *,
    by: Actor,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    said: Mapping[str, Any] | None = None,
    **details: object,
) -> None:
    """Announce the change and sign it in the visit's history, with the details."""
    announce(session, visit, change, by=by, now=now, before=before, said=said)
    journal.note_visit(
        session,
        visit,
        change.value,
        by=by,
        now=now,
        before=str(before["state"]) if before else "",
        **details,
    )


def truth(session: Session, visit: VisitRow) -> dict[str, Any]:
    """The facts before a change, to be handed to ``announce`` after it."""
    contacts = access.contacts_of(session, visit.slot.offer.host_id)
    return snapshot(session, visit, locale="fr", contacts=contacts)


def _recipients(
    session: Session,
    visit: VisitRow,
    telling: Telling,
    contacts: Iterable[MembershipRow],
) -> list[Recipient]:
    """Who is told, each once: a CANCEL finds everybody who still has the visit."""
    audience = telling.audience
    return reached(
        telling,
        current=_current(session, visit, audience, contacts),
        holders=_holders(session, visit, audience) if telling.method else (),
    )


def _current(
    session: Session,
    visit: VisitRow,
    audience: Audience,
    contacts: Iterable[MembershipRow],
) -> list[Recipient]:
    """Who belongs to the visit now."""
    if audience is Audience.TEACHER:
        return [_adult(audience, visit.organiser)]
    if audience is Audience.HOST:
        return [_adult(audience, each.person) for each in contacts]
    if standing(visit.state, audience) is None:
        # Students hear of a visit once it is confirmed, not of a request that changes.
        return []
    seal = seal_of(session)
    return [
        Recipient(
            audience, "", seal.open(each.address), STUDENT_LOCALE, shared=each.shared
        )
        for each in visits.addressees_of(session, visit.id)
    ]


def _adult(audience: Audience, person: PersonRow) -> Recipient:
    return Recipient(audience, person.name, person.email, person.locale, person.id)


def _holders(session: Session, visit: VisitRow, audience: Audience) -> list[Recipient]:
    """Whoever still has the visit in a calendar (P4)."""
    return [
        _holder(session, row)
        for row in visits.invitations_of(session, visit.id)
        if row.audience is audience
    ]


def _holder(session: Session, row: InvitationRow) -> Recipient:
    person = session.get(PersonRow, row.person_id) if row.person_id else None
    return Recipient(
        row.audience,
        person.name if person else "",
        seal_of(session).open(row.address),
        person.locale if person else STUDENT_LOCALE,
        row.person_id,
        shared=row.shared,
    )


def _tell(
    session: Session,
    visit: VisitRow,
    change: Change,
    telling: Telling,
    recipient: Recipient,
    *,
    facts: Mapping[str, Mapping[str, Any]],
    by: Actor,
    now: datetime,
) -> None:
    reminder = None
    if telling.mail in REMINDERS:
        reminder = reminder_to(
            session,
            visit.id,
            person_id=recipient.person_id,
            address=recipient.address,
        )
        if not reminder.wanted:
            return
    held = _held(session, visit, recipient)
    revision = revised(
        held.as_domain() if held else None,
        telling,
        standing=standing(visit.state, recipient.audience),
        shared=recipient.shared,
        now=now,
    )
    payload: dict[str, Any] = {
        "visit": {**facts[recipient.locale], "actor": actor_side(by, visit)},
        "audience": recipient.audience.value,
        "change": change.value,
        "link": _link(session, visit, change, recipient, now=now),
    }
    invitation = None
    if revision is not None:
        invitation = _revise(session, visit, recipient, held, revision, now=now)
        payload["entry"] = entry_facts(visit, revision, recipient.audience)
        if revision.method is Method.REQUEST and payload["entry"]["rsvp"]:
            payload["answer_link"] = {"purpose": links.ANSWER_PAGE, "id": invitation.id}
    if reminder is not None:
        payload["unsubscribe"] = reminder.unsubscribe
    outbox.record(
        session,
        kind=telling.mail,
        audience=recipient.audience,
        locale=recipient.locale,
        name=recipient.name,
        address=recipient.address,
        payload=payload,
        now=now,
        visit_id=visit.id,
        invitation=invitation,
        method=revision.method if revision else None,
        person_id=recipient.person_id,
    )


def entry_facts(
    visit: VisitRow, revision: Revision, audience: Audience
) -> dict[str, Any]:
    """What the calendar part says beside the visit itself (``mail.entries``)."""
    invitation = revision.invitation
    asked = visit.students_answer or audience is not Audience.STUDENT
    return {
        "status": revision.status.value,
        "answer": invitation.answer.value if invitation.answer else "",
        "rsvp": asked and not invitation.shared,
        "shared": invitation.shared,
    }


def _held(
    session: Session, visit: VisitRow, recipient: Recipient
) -> InvitationRow | None:
    return messages.invitation_for(
        session,
        visit.id,
        audience=recipient.audience,
        address_digest=seal_of(session).digest(recipient.address),
    )


def _revise(
    session: Session,
    visit: VisitRow,
    recipient: Recipient,
    held: InvitationRow | None,
    revision: Revision,
    *,
    now: datetime,
) -> InvitationRow:
    """Store the recipient's calendar entry as it is told from now on."""
    row = held or InvitationRow(
        visit_id=visit.id,
        audience=recipient.audience,
        person_id=recipient.person_id,
        address_digest=seal_of(session).digest(recipient.address),
        uid=new_uid(house_of(session).mail_domain),
        created_at=now,
    )
    row.take(revision.invitation)
    if held is None:
        row.address = seal_of(session).close(recipient.address)
        session.add(row)
        session.flush()
        return row
    if not row.address:
        # Destroyed with the addresses of a visit that had ended, and given again.
        row.address = seal_of(session).close(recipient.address)
    if revision.asks_again and row.audience is Audience.STUDENT:
        visit.below_minimum_at = None
    messages.supersede(session, row.id)
    return row


def _link(
    session: Session,
    visit: VisitRow,
    change: Change,
    recipient: Recipient,
    *,
    now: datetime,
) -> dict[str, Any] | None:
    """A personal link to answer with, where the mail asks the host for an answer."""
    if (
        recipient.audience is not Audience.HOST
        or change not in ASKS_FOR_ANSWER
        or recipient.person_id is None
        or visit.state not in WAITS_FOR_HOST
    ):
        return None
    slot = visit.wanted_slot or visit.slot
    row = links.mint(
        session,
        LinkPurpose.ANSWER_VISIT,
        person_id=recipient.person_id,
        visit_id=visit.id,
        expires_at=slot.starts_at,
        now=now,
    )
    return {"purpose": LinkPurpose.ANSWER_VISIT.value, "id": row.id}
