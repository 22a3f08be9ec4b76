"""Visits: locked to be changed, counted for the rules, due for the loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload

from scheduler.domain.actors import SCHOOL_ROLES
from scheduler.domain.visits import (
    HOLDS_SEATS,
    INVITED,
    USES_CAP,
    WAITS_FOR_HOST,
    VisitState,
)
from scheduler.persistence.models.calendars import CalendarRow
from scheduler.persistence.models.network import (
    HostRow,
    OrganisationRow,
    SchoolClassRow,
    SchoolRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.visits import (
    AddresseeRow,
    InvitationRow,
    InvitationState,
    ProposalRow,
    VisitRow,
)


def calendar_whole() -> list[Any]:
    """A calendar with its closures and those it builds on."""
    return [
        selectinload(CalendarRow.closures),
        joinedload(CalendarRow.base).selectinload(CalendarRow.closures),
    ]


def class_whole() -> list[Any]:
    """What the rules need of a class, loaded with it."""
    school = joinedload(SchoolClassRow.school)
    organisation = school.joinedload(SchoolRow.organisation)
    return [
        joinedload(SchoolClassRow.level),
        selectinload(SchoolClassRow.absences),
        organisation.joinedload(OrganisationRow.commune),
        school.joinedload(SchoolRow.kind),
        school.joinedload(SchoolRow.calendar).options(*calendar_whole()),
    ]


def slot_whole() -> list[Any]:
    """What the rules and the letters need of a slot, loaded with it."""
    offer = joinedload(SlotRow.offer)
    host = offer.joinedload(OfferRow.host)
    return [
        offer.joinedload(OfferRow.kind),
        offer.selectinload(OfferRow.witnesses),
        host.joinedload(HostRow.organisation).joinedload(OrganisationRow.commune),
        host.selectinload(HostRow.closed_days),
    ]


def visit_whole() -> list[Any]:
    """A visit with class, school, slot, offer, host and organiser."""
    return [
        joinedload(VisitRow.organiser),
        joinedload(VisitRow.school_class).options(*class_whole()),
        joinedload(VisitRow.slot).options(*slot_whole()),
        joinedload(VisitRow.wanted_slot).options(*slot_whole()),
    ]


def lock(
    session: Session,
    *,
    host_ids: Iterable[int] = (),
    class_ids: Iterable[int] = (),
    person_ids: Iterable[int] = (),
) -> None:
    """Lock what different visits contend for, always in this order.

    The host's row stands for its slots and caps, the class and the person for their
    time. NO KEY UPDATE, because a foreign key to a locked person (the journal's, a
    link's) would wait for a full lock, and two teachers who change each other's visits
    would wait for ever. On SQLite the immediate transaction already is the lock.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    for ids, table in (
        (host_ids, HostRow),
        (class_ids, SchoolClassRow),
        (person_ids, PersonRow),
    ):
        wanted = sorted(set(ids))
        if wanted:
            session.execute(
                select(table.id)
                .where(table.id.in_(wanted))
                .order_by(table.id)
                .with_for_update(key_share=True)
            ).all()


def visit_to_change(
    session: Session, visit_id: int, *, with_people: Iterable[int] = ()
) -> VisitRow | None:
    """The visit with everything around it; host, class and organiser are locked.

    ``with_people``: others whose time is contended for, locked in the same turn. The
    organiser is read under the host's lock, for a visit may just have been handed over.
    """
    host_id = session.scalar(
        select(OfferRow.host_id)
        .join(SlotRow, SlotRow.offer_id == OfferRow.id)
        .join(VisitRow, VisitRow.slot_id == SlotRow.id)
        .where(VisitRow.id == visit_id)
    )
    if host_id is None:
        return None
    lock(session, host_ids=[host_id])
    class_id, organiser_id = session.execute(
        select(VisitRow.class_id, VisitRow.organiser_id).where(VisitRow.id == visit_id)
    ).one()
    lock(session, class_ids=[class_id], person_ids=[organiser_id, *with_people])
    return session.scalars(
        select(VisitRow)
        .where(VisitRow.id == visit_id)
        .options(*visit_whole())
        .execution_options(populate_existing=True)
    ).one()


def visit_to_show(session: Session, visit_id: int) -> VisitRow | None:
    """The visit with everything around it, nothing locked."""
    return session.scalars(
        select(VisitRow).where(VisitRow.id == visit_id).options(*visit_whole())
    ).one_or_none()


def visit_by_code(session: Session, code: str) -> VisitRow | None:
    """The visit behind a class code."""
    return session.scalars(
        select(VisitRow).where(VisitRow.class_code == code).options(*visit_whole())
    ).one_or_none()


def class_code_taken(session: Session, code: str) -> bool:
    """Whether the code is given to some visit."""
    return (
        session.scalar(select(VisitRow.id).where(VisitRow.class_code == code))
        is not None
    )


def class_to_ask_for(session: Session, class_id: int) -> SchoolClassRow | None:
    """The class with level, absences, school and its calendar."""
    return session.scalars(
        select(SchoolClassRow)
        .where(SchoolClassRow.id == class_id)
        .options(*class_whole())
        .execution_options(populate_existing=True)
    ).one_or_none()


def slot_to_take(session: Session, slot_id: int) -> SlotRow | None:
    """The slot with its offer and host."""
    return session.scalars(
        select(SlotRow)
        .where(SlotRow.id == slot_id)
        .options(*slot_whole())
        .execution_options(populate_existing=True)
    ).one_or_none()


def host_of_slot(session: Session, slot_id: int) -> int | None:
    """The host's id, to lock it before the slot is read."""
    return session.scalar(
        select(OfferRow.host_id)
        .join(SlotRow, SlotRow.offer_id == OfferRow.id)
        .where(SlotRow.id == slot_id)
    )


def on_slot(session: Session, slot_id: int) -> Sequence[VisitRow]:
    """Visits that hold seats on the slot, or wait for their teacher's choice."""
    return session.scalars(
        select(VisitRow)
        .where(
            or_(VisitRow.slot_id == slot_id, VisitRow.wanted_slot_id == slot_id),
            VisitRow.state.in_(HOLDS_SEATS | {VisitState.PROPOSED}),
        )
        .options(*visit_whole())
        .order_by(VisitRow.id)
        .execution_options(populate_existing=True)
    ).all()


def offered_to(session: Session, slot_id: int) -> Sequence[VisitRow]:
    """Visits whose teacher may choose the slot."""
    return session.scalars(
        select(VisitRow)
        .where(
            VisitRow.state == VisitState.PROPOSED,
            VisitRow.id.in_(
                select(ProposalRow.visit_id).where(ProposalRow.slot_id == slot_id)
            ),
        )
        .options(*visit_whole())
        .order_by(VisitRow.id)
        .execution_options(populate_existing=True)
    ).all()


def keys_on_slot(session: Session, slot_id: int) -> list[tuple[int, int]]:
    """(class, organiser) of each visit on the slot or offered it, to lock them."""
    offered = select(ProposalRow.visit_id).where(ProposalRow.slot_id == slot_id)
    return [
        (row.class_id, row.organiser_id)
        for row in session.execute(
            select(VisitRow.class_id, VisitRow.organiser_id).where(
                or_(
                    VisitRow.slot_id == slot_id,
                    VisitRow.wanted_slot_id == slot_id,
                    VisitRow.id.in_(offered),
                ),
                VisitRow.state.in_(HOLDS_SEATS | {VisitState.PROPOSED}),
            )
        )
    ]


def taken_on(session: Session, slot_id: int) -> tuple[int, int, int]:
    """Students, people and groups held on the slot, counted from the visits.

    Visits that took place count: a slot that lies back stays as full as it was.
    """
    row = session.execute(
        select(
            func.coalesce(func.sum(VisitRow.students), 0),
            func.coalesce(
                func.sum(
                    VisitRow.students + VisitRow.adults + VisitRow.support_assistants
                ),
                0,
            ),
            func.count(VisitRow.id),
        ).where(
            or_(VisitRow.slot_id == slot_id, VisitRow.wanted_slot_id == slot_id),
            VisitRow.state.in_(USES_CAP),
        )
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


def times_held_by_host(
    session: Session,
    host_ids: Iterable[int],
    *,
    start: datetime,
    end: datetime,
    besides: int | None,
) -> list[tuple[int, int, datetime]]:
    """(host, visit, start) of what uses a cap; late cancellations still do.

    A visit that wants to move comes twice, once for each of its slots.
    """
    counts = or_(
        VisitRow.state.in_(USES_CAP),
        and_(VisitRow.state == VisitState.CANCELLED_BY_SCHOOL, VisitRow.late.is_(True)),
    )
    held: list[tuple[int, int, datetime]] = []
    for slot_key, state in (
        (VisitRow.slot_id, counts),
        (VisitRow.wanted_slot_id, VisitRow.state == VisitState.MOVING),
    ):
        query = (
            select(OfferRow.host_id, VisitRow.id, SlotRow.starts_at)
            .join(SlotRow, SlotRow.offer_id == OfferRow.id)
            .join(VisitRow, slot_key == SlotRow.id)
            .where(
                OfferRow.host_id.in_(list(host_ids)),
                SlotRow.starts_at >= start,
                SlotRow.starts_at < end,
                state,
            )
        )
        if besides is not None:
            query = query.where(VisitRow.id != besides)
        held += [(row[0], row[1], row[2]) for row in session.execute(query)]
    return held


def proposals_for(session: Session, visit_id: int) -> Sequence[ProposalRow]:
    """The slots that the host offers instead, the earliest first."""
    return session.scalars(
        select(ProposalRow)
        .join(SlotRow)
        .where(ProposalRow.visit_id == visit_id)
        .options(joinedload(ProposalRow.slot).options(*slot_whole()))
        .order_by(SlotRow.starts_at)
    ).all()


def addressees_of(session: Session, visit_id: int) -> Sequence[AddresseeRow]:
    """The students' sealed addresses."""
    return session.scalars(
        select(AddresseeRow)
        .where(AddresseeRow.visit_id == visit_id)
        .order_by(AddresseeRow.id)
    ).all()


def invitations_of(session: Session, visit_id: int) -> Sequence[InvitationRow]:
    """Every invitation of the visit that still stands in a calendar."""
    return session.scalars(
        select(InvitationRow)
        .where(
            InvitationRow.visit_id == visit_id,
            InvitationRow.state == InvitationState.INVITED,
        )
        .order_by(InvitationRow.id)
    ).all()


def teachers_of(session: Session, school_id: int) -> dict[int, str]:
    """Who can organise a visit of the school: id and name, by name."""
    rows = session.execute(
        select(PersonRow.id, PersonRow.name)
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .where(
            MembershipRow.organisation_id == school_id,
            MembershipRow.role.in_(SCHOOL_ROLES),
            PersonRow.blocked.is_(False),
        )
        .order_by(PersonRow.name, PersonRow.id)
    )
    return {row[0]: row[1] for row in rows}


def ahead_at(
    session: Session, host_id: int, *, offer_id: int | None = None, now: datetime
) -> list[tuple[int, int, int]]:
    """(visit, class, organiser) of what a host, or an offer of it, has before it."""
    query = (
        select(VisitRow.id, VisitRow.class_id, VisitRow.organiser_id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(
            OfferRow.host_id == host_id,
            VisitRow.state.in_(HOLDS_SEATS),
            SlotRow.ends_at > now,
        )
        .order_by(VisitRow.id)
    )
    if offer_id is not None:
        query = query.where(SlotRow.offer_id == offer_id)
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def _due(
    session: Session,
    column: InstrumentedAttribute[datetime | None],
    states: Iterable[VisitState],
    *,
    now: datetime,
) -> Sequence[int]:
    return session.scalars(
        select(VisitRow.id)
        .where(column <= now, VisitRow.state.in_(list(states)))
        .order_by(VisitRow.id)
    ).all()


def host_reminders_due(session: Session, *, now: datetime) -> Sequence[int]:
    """Visits whose host has not answered and is to be reminded."""
    return _due(session, VisitRow.remind_at, WAITS_FOR_HOST, now=now)


def answers_overdue(session: Session, *, now: datetime) -> Sequence[int]:
    """Visits whose time to be answered is over."""
    states = WAITS_FOR_HOST | {VisitState.PROPOSED}
    return _due(session, VisitRow.answer_due_at, states, now=now)


def week_reminders_due(session: Session, *, now: datetime) -> Sequence[int]:
    """Confirmed visits whose D-7 reminder is due."""
    return _due(session, VisitRow.week_reminder_at, INVITED, now=now)


def eve_reminders_due(session: Session, *, now: datetime) -> Sequence[int]:
    """Confirmed visits whose D-1 reminder is due."""
    return _due(session, VisitRow.eve_reminder_at, INVITED, now=now)


def visits_over(session: Session, *, now: datetime) -> Sequence[int]:
    """Confirmed visits whose slot has ended."""
    return session.scalars(
        select(VisitRow.id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(VisitRow.state.in_(INVITED), SlotRow.ends_at <= now)
        .order_by(VisitRow.id)
    ).all()
