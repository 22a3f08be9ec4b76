"""What is destroyed, and how much of it there was (DOMAIN 3.8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CursorResult,
    Select,
    Text,
    and_,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from scheduler.domain.actors import Role
from scheduler.domain.announcements import Audience
from scheduler.domain.visits import ENDED, VisitState
from scheduler.persistence.models.access import FeedRow, LinkRow, SessionRow
from scheduler.persistence.models.campaigns import CampaignRow, WishListRow
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.network import AbsenceRow, SchoolClassRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import (
    AddresseeRow,
    InvitationRow,
    VisitRow,
)

FORGOTTEN = "–"

CAMPAIGN_LETTERS = ("campaign_result", "campaign_requests")


def _count(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0


TAKEN_UP_AGAIN = frozenset(
    {VisitState.CANCELLED_BY_SCHOOL, VisitState.CANCELLED_BY_HOST}
)


def student_addresses(
    session: Session, *, before: datetime, now: datetime
) -> dict[str, int]:
    """Addresses of visits that lie back long enough, or ended with all mail out.

    A visit that was called off may be taken up again until its day; whoever was
    invited then is invited again, so the addresses stay until it would have begun.
    """
    over = _over(before=before, now=now)
    students = Audience.STUDENT
    return {
        "addressees": _count(
            session.execute(delete(AddresseeRow).where(AddresseeRow.visit_id.in_(over)))
        ),
        "invitations": _count(
            session.execute(
                update(InvitationRow)
                .where(
                    InvitationRow.visit_id.in_(over),
                    InvitationRow.audience == students,
                    InvitationRow.address != "",
                )
                .values(address="")
            )
        ),
        "messages": _count(
            session.execute(
                update(MessageRow)
                .where(
                    MessageRow.visit_id.in_(over),
                    MessageRow.audience == students,
                    MessageRow.address != "",
                    MessageRow.state.not_in(
                        [MessageState.WAITING, MessageState.SENDING]
                    ),
                )
                .values(address="")
            )
        ),
    }


def _over(*, before: datetime, now: datetime) -> Select[int]:
    """Visits that nobody writes to a student about any more."""
    for_good = or_(
        VisitRow.state.in_(ENDED - {VisitState.DONE} - TAKEN_UP_AGAIN),
        and_(VisitRow.state.in_(TAKEN_UP_AGAIN), SlotRow.starts_at <= now),
    )
    unsent = (
        select(MessageRow.id)
        .where(
            MessageRow.visit_id == VisitRow.id,
            MessageRow.state.in_([MessageState.WAITING, MessageState.SENDING]),
        )
        .exists()
    )
    return (
        select(VisitRow.id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(or_(SlotRow.ends_at <= before, and_(for_good, ~unsent)))
    )


def needs(session: Session, *, before: datetime) -> dict[str, int]:
    """Arrangements, words and telephone numbers of visits that lie back."""
    over = (
        select(VisitRow.id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(SlotRow.ends_at <= before)
    )
    return {
        "needs": _count(
            session.execute(
                update(VisitRow)
                .where(
                    VisitRow.id.in_(over),
                    or_(VisitRow.arrangements != "", VisitRow.message != ""),
                )
                .values(arrangements="", message="")
            )
        ),
        "payloads": _count(
            session.execute(
                update(MessageRow)
                .where(
                    MessageRow.visit_id.in_(over),
                    MessageRow.state.not_in(
                        [MessageState.WAITING, MessageState.SENDING]
                    ),
                    cast(MessageRow.payload, Text) != "{}",
                )
                .values(payload={})
            )
        ),
        "wishes": _campaign_needs(session, before=before),
    }


def _campaign_needs(session: Session, *, before: datetime) -> int:
    """The same of wish lists and of letters about whole campaigns that lie back."""
    ahead = CampaignRow.last_visit_on >= before.date()
    over = select(CampaignRow.id).where(~ahead)
    first_ahead = session.scalar(select(func.min(CampaignRow.created_at)).where(ahead))
    session.execute(
        update(MessageRow)
        .where(
            MessageRow.kind.in_(CAMPAIGN_LETTERS),
            MessageRow.created_at < min(first_ahead or before, before),
            MessageRow.state.not_in([MessageState.WAITING, MessageState.SENDING]),
            cast(MessageRow.payload, Text) != "{}",
        )
        .values(payload={})
    )
    return _count(
        session.execute(
            update(WishListRow)
            .where(
                WishListRow.campaign_id.in_(over),
                or_(WishListRow.arrangements != "", WishListRow.message != ""),
            )
            .values(arrangements="", message="")
        )
    )


def old_classes(session: Session, *, school_year: int) -> int:
    """Classes before that school year keep their numbers, nothing else."""
    old = select(SchoolClassRow.id).where(
        SchoolClassRow.school_year < school_year, SchoolClassRow.label != FORGOTTEN
    )
    session.execute(delete(AbsenceRow).where(AbsenceRow.class_id.in_(old)))
    return _count(
        session.execute(
            update(SchoolClassRow)
            .where(SchoolClassRow.id.in_(old))
            .values(label=FORGOTTEN, specialty="", remark="", active=False)
        )
    )


def people_gone(session: Session, *, before: datetime) -> int:
    """Adults with no activity since: name, address and telephone are erased.

    Activity is a sign-in, a line in the history (an answer by link is one), a visit
    as its organiser, or a slot of a host for whom one speaks. Coordinators stay.
    """
    speaks_for_a_host = (
        select(MembershipRow.id)
        .join(OfferRow, OfferRow.host_id == MembershipRow.organisation_id)
        .join(SlotRow, SlotRow.offer_id == OfferRow.id)
        .where(MembershipRow.person_id == PersonRow.id, SlotRow.ends_at >= before)
        .exists()
    )
    coordinates = (
        select(MembershipRow.id)
        .where(
            MembershipRow.person_id == PersonRow.id,
            MembershipRow.role == Role.COORDINATOR,
        )
        .exists()
    )
    acted = (
        select(JournalRow.id)
        .where(JournalRow.person_id == PersonRow.id, JournalRow.at >= before)
        .exists()
    )
    organises = (
        select(VisitRow.id)
        .where(VisitRow.organiser_id == PersonRow.id, VisitRow.updated_at >= before)
        .exists()
    )
    gone = session.scalars(
        select(PersonRow).where(
            func.coalesce(PersonRow.last_seen_at, PersonRow.created_at) < before,
            PersonRow.name != FORGOTTEN,
            ~speaks_for_a_host,
            ~coordinates,
            ~acted,
            ~organises,
        )
    ).all()
    for person in gone:
        person.name = FORGOTTEN
        person.email = f"forgotten-{person.id}@invalid"
        person.phone = ""
        person.blocked = True
    session.flush()
    ids = [person.id for person in gone]
    session.execute(delete(MembershipRow).where(MembershipRow.person_id.in_(ids)))
    session.execute(delete(FeedRow).where(FeedRow.person_id.in_(ids)))
    session.execute(
        update(InvitationRow)
        .where(InvitationRow.person_id.in_(ids), InvitationRow.address != "")
        .values(address="")
    )
    return len(ids)


def comments(session: Session, *, before: datetime, now: datetime) -> int:
    """What people wrote beside their answers, with the students' addresses (P9)."""
    over = _over(before=before, now=now)
    return sum(
        _count(session.execute(change))
        for change in (
            update(InvitationRow)
            .where(InvitationRow.visit_id.in_(over), InvitationRow.answer_comment != "")
            .values(answer_comment=""),
            update(ReceivedRow)
            .where(ReceivedRow.visit_id.in_(over), ReceivedRow.comment != "")
            .values(comment=""),
        )
    )


def received(session: Session, *, texts: datetime, rows: datetime) -> int:
    """The words of received mail soon, the verdicts much later."""
    old = ReceivedRow.received_at < texts
    blanked = _count(
        session.execute(
            update(ReceivedRow)
            .where(old, ReceivedRow.sender != "")
            .values(sender="", subject="", excerpt="", for_person=False)
        )
    )
    gone = session.execute(delete(ReceivedRow).where(ReceivedRow.received_at < rows))
    return blanked + _count(gone)


def letters(session: Session, *, sign_ins: datetime, others: datetime) -> int:
    """Mail that is over: sign-in links soon, addresses of adults with the people."""
    over = MessageRow.state.not_in([MessageState.WAITING, MessageState.SENDING])
    mere = select(MessageRow.id).where(
        MessageRow.visit_id.is_(None), MessageRow.created_at < sign_ins
    )
    session.execute(
        update(ReceivedRow)
        .where(ReceivedRow.bounced_id.in_(mere))
        .values(bounced_id=None)
    )
    gone = _count(
        session.execute(
            delete(MessageRow).where(
                MessageRow.visit_id.is_(None), MessageRow.created_at < sign_ins, over
            )
        )
    )
    old = (MessageRow.created_at < others, MessageRow.address != "", over)
    return gone + _count(
        session.execute(
            update(MessageRow).where(*old).values(address="", recipient_name="")
        )
    )


def history(session: Session, *, before: datetime) -> int:
    """Lines of the journal that are old enough."""
    return _count(session.execute(delete(JournalRow).where(JournalRow.at < before)))


def spent_links(session: Session, *, before: datetime) -> int:
    """Links that ended long ago."""
    return _count(session.execute(delete(LinkRow).where(LinkRow.expires_at < before)))


def dead_sessions(session: Session, *, before: datetime) -> int:
    """Sessions that are over."""
    return _count(
        session.execute(delete(SessionRow).where(SessionRow.expires_at < before))
    )
