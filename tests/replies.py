"""Answers as calendars write them, to the invitations that a test finds stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.demo.replies import Client, Invited, Reply, written
from scheduler.domain.announcements import Audience
from scheduler.persistence.models.visits import InvitationRow
from scheduler.persistence.sealed import seal_of
from scheduler.services.house import house_of
from tests.rows import NOW, TUESDAY, TWO_HOURS

LATER = NOW + timedelta(hours=1)


def invited(
    session: Session, visit: int, address: str, *, audience: str = "student"
) -> Invited:
    """What the invitation of that address says."""
    session.rollback()
    row = invitation(session, visit, address, audience=audience)
    return Invited(
        uid=row.uid,
        sequence=row.sequence,
        summary="Visite : Férembois Usinage, Derval",
        starts_at=TUESDAY,
        ends_at=TUESDAY + TWO_HOURS,
        organizer=house_of(session).organizer,
        attendee=address,
    )


def invitation(
    session: Session, visit: int, address: str, *, audience: str = "student"
) -> InvitationRow:
    digest = seal_of(session).digest(address)
    return session.scalars(
        select(InvitationRow)
        .where(
            InvitationRow.visit_id == visit,
            InvitationRow.address_digest == digest,
            InvitationRow.audience == Audience(audience),
        )
        .execution_options(populate_existing=True)
    ).one()


def reply(
    session: Session,
    visit: int,
    address: str,
    said: Reply = Reply.ACCEPT,
    client: Client = Client.OUTLOOK,
    *,
    audience: str = "student",
    comment: str = "",
    at: datetime = LATER,
) -> bytes:
    about = invited(session, visit, address, audience=audience)
    return written(about, said, client, comment=comment, now=at)
