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
from scheduler.domain.announcements import TELLINGS, Audience, Change, Method, Telling
from scheduler.domain.visits import INVITED
from scheduler.ical.identity import new_uid, next_dtstamp, next_sequence
from scheduler.persistence.models.access import LinkPurpose
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.visits import (
    InvitationRow,
    InvitationState,
    VisitRow,
)
from scheduler.persistence.queries import access, outbox as messages, visits
from scheduler.persistence.sealed import seal_of
from scheduler.services import links, outbox
from scheduler.services.house import house_of
from scheduler.services.snapshot import actor_side, snapshot

STUDENT_LOCALE = "fr"
ASKS_FOR_ANSWER = frozenset(
    {
        Change.REQUESTED,
        Change.REQUEST_SWITCHED,
        Change.ANSWER_OVERDUE,
        Change.MOVE_ASKED,
    }
)


@dataclass(frozen=True)
class Recipient:
    """One reader. A student has no name and no person, only an address."""

    audience: Audience
    name: str
    address: str
    locale: str
    person_id: int | None = None


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
    audience = telling.audience
    if telling.method is Method.CANCEL:
        invited = _invited(session, visit, audience)
        if invited or audience is Audience.STUDENT:
            return invited
    if audience is Audience.TEACHER:
        return [_adult(audience, visit.organiser)]
    if audience is Audience.HOST:
        return [_adult(audience, each.person) for each in contacts]
    if visit.state not in INVITED:
        # Students hear of a visit once it is confirmed, not of a request that changes.
        return []
    seal = seal_of(session)
    return [
        Recipient(audience, "", seal.open(each.address), STUDENT_LOCALE)
        for each in visits.addressees_of(session, visit.id)
    ]


def _adult(audience: Audience, person: PersonRow) -> Recipient:
    return Recipient(audience, person.name, person.email, person.locale, person.id)


def _invited(session: Session, visit: VisitRow, audience: Audience) -> list[Recipient]:
    """Whoever still has the visit in a calendar: each gets the CANCEL (P4)."""
    seal = seal_of(session)
    found = []
    for row in visits.invitations_of(session, visit.id):
        if row.audience is not audience:
            continue
        person = session.get(PersonRow, row.person_id) if row.person_id else None
        found.append(
            Recipient(
                audience,
                person.name if person else "",
                seal.open(row.address),
                person.locale if person else STUDENT_LOCALE,
                row.person_id,
            )
        )
    return found


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
    invitation = _invitation(session, visit, telling, recipient, now=now)
    payload: dict[str, Any] = {
        "visit": {**facts[recipient.locale], "actor": actor_side(by, visit)},
        "audience": recipient.audience.value,
        "change": change.value,
        "link": _link(session, visit, change, recipient, now=now),
    }
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
        method=telling.method if invitation else None,
    )


def _invitation(
    session: Session,
    visit: VisitRow,
    telling: Telling,
    recipient: Recipient,
    *,
    now: datetime,
) -> InvitationRow | None:
    """The recipient's calendar entry, moved on to its next SEQUENCE and DTSTAMP."""
    if telling.method is None:
        return None
    digest = seal_of(session).digest(recipient.address)
    row = messages.invitation_for(
        session, visit.id, audience=recipient.audience, address_digest=digest
    )
    if telling.method is Method.CANCEL:
        if row is None or row.state is not InvitationState.INVITED:
            return None
        row.state = InvitationState.CANCELLED
    elif visit.state not in INVITED:
        return None
    if row is None:
        row = InvitationRow(
            visit_id=visit.id,
            audience=recipient.audience,
            person_id=recipient.person_id,
            address=seal_of(session).close(recipient.address),
            address_digest=digest,
            uid=new_uid(house_of(session).mail_domain),
            sequence=next_sequence(None),
            dtstamp=next_dtstamp(None, now=now),
            created_at=now,
        )
        session.add(row)
        session.flush()
        return row
    if telling.method is Method.REQUEST:
        row.state = InvitationState.INVITED
    row.sequence = next_sequence(row.sequence)
    row.dtstamp = next_dtstamp(row.dtstamp, now=now)
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
