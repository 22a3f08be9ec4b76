"""What the pages of teachers show, each list in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler.domain.offers import OfferState
from scheduler.domain.slots import SlotState
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.network import (
    HostRow,
    OrganisationRow,
    SchoolClassRow,
    SchoolRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.reference import (
    CommuneRow,
    LevelRow,
    OfferKindRow,
)
from scheduler.persistence.models.visits import (
    AddresseeRow,
    InvitationRow,
    VisitRow,
)
from scheduler.persistence.queries.delivery_pages import failed_about_visit
from scheduler.persistence.queries.visits import (
    calendar_whole,
    class_whole,
    slot_whole,
)


class ClassLine(NamedTuple):
    """A class in a list or a menu."""

    id: int
    label: str
    level_fr: str
    level_en: str
    grade_rank: int
    specialty: str
    students: int
    girls: int | None
    boys: int | None
    youngest_age: int | None
    oldest_age: int | None
    school_id: int
    school_name: str
    level_code: str


def classes_of(session: Session, school_ids: Collection[int]) -> list[ClassLine]:
    """The classes in use of these schools, by school and grade."""
    rows = session.execute(
        select(
            SchoolClassRow.id,
            SchoolClassRow.label,
            LevelRow.label_fr,
            LevelRow.label_en,
            LevelRow.grade_rank,
            SchoolClassRow.specialty,
            SchoolClassRow.students,
            SchoolClassRow.girls,
            SchoolClassRow.boys,
            SchoolClassRow.youngest_age,
            SchoolClassRow.oldest_age,
            SchoolClassRow.school_id,
            OrganisationRow.name,
            SchoolClassRow.level_code,
        )
        .join(LevelRow, LevelRow.code == SchoolClassRow.level_code)
        .join(OrganisationRow, OrganisationRow.id == SchoolClassRow.school_id)
        .where(SchoolClassRow.school_id.in_(school_ids), SchoolClassRow.active)
        .order_by(OrganisationRow.name, LevelRow.position, SchoolClassRow.label)
    )
    return [ClassLine._make(row) for row in rows]


class AbsenceLine(NamedTuple):
    """Days on which a class is away, both ends included."""

    id: int
    first_on: date
    last_on: date
    reason: str


class ClassCard(NamedTuple):
    """A class with everything that its own page changes."""

    id: int
    school_id: int
    school_name: str
    label: str
    level_code: str
    specialty: str
    students: int
    girls: int | None
    boys: int | None
    youngest_age: int | None
    oldest_age: int | None
    remark: str
    feed_generation: int
    absences: tuple[AbsenceLine, ...]


def class_card(session: Session, class_id: int) -> ClassCard | None:
    """One class with its absences."""
    row = session.scalars(
        select(SchoolClassRow)
        .where(SchoolClassRow.id == class_id, SchoolClassRow.active)
        .options(
            joinedload(SchoolClassRow.school).joinedload(SchoolRow.organisation),
            selectinload(SchoolClassRow.absences),
        )
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    return ClassCard(
        id=row.id,
        school_id=row.school_id,
        school_name=row.school.organisation.name,
        label=row.label,
        level_code=row.level_code,
        specialty=row.specialty,
        students=row.students,
        girls=row.girls,
        boys=row.boys,
        youngest_age=row.youngest_age,
        oldest_age=row.oldest_age,
        remark=row.remark,
        feed_generation=row.feed_generation,
        absences=tuple(
            AbsenceLine(each.id, each.first_on, each.last_on, each.reason)
            for each in row.absences
        ),
    )


class SchoolLine(NamedTuple):
    """A school of the reader."""

    id: int
    name: str
    commune: str


def schools_of(session: Session, school_ids: Collection[int]) -> list[SchoolLine]:
    """These schools by name."""
    rows = session.execute(
        select(SchoolRow.id, OrganisationRow.name, CommuneRow.name)
        .join(OrganisationRow, OrganisationRow.id == SchoolRow.id)
        .join(CommuneRow, CommuneRow.insee == OrganisationRow.commune_insee)
        .where(SchoolRow.id.in_(school_ids))
        .order_by(OrganisationRow.name)
    )
    return [SchoolLine._make(row) for row in rows]


class VisitLine(NamedTuple):
    """A visit in a list."""

    id: int
    state: VisitState
    starts_at: datetime
    ends_at: datetime
    host: str
    commune: str
    title: str
    class_label: str
    students: int
    organiser_id: int
    organiser: str
    answer_due_at: datetime | None
    late: bool
    below_minimum_at: datetime | None
    failed: int


def visits_of(
    session: Session, school_ids: Collection[int], *, organiser_id: int | None
) -> list[VisitLine]:
    """The visits of these schools' classes, or one teacher's, the earliest first."""
    query = (
        select(
            VisitRow.id,
            VisitRow.state,
            SlotRow.starts_at,
            SlotRow.ends_at,
            OrganisationRow.name,
            CommuneRow.name,
            OfferRow.title,
            SchoolClassRow.label,
            VisitRow.students,
            VisitRow.organiser_id,
            PersonRow.name,
            VisitRow.answer_due_at,
            VisitRow.late,
            VisitRow.below_minimum_at,
            failed_about_visit(),
        )
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(OrganisationRow, OrganisationRow.id == OfferRow.host_id)
        .join(CommuneRow, CommuneRow.insee == OrganisationRow.commune_insee)
        .join(SchoolClassRow, SchoolClassRow.id == VisitRow.class_id)
        .join(PersonRow, PersonRow.id == VisitRow.organiser_id)
        .where(SchoolClassRow.school_id.in_(school_ids))
        .order_by(SlotRow.starts_at, VisitRow.id)
    )
    if organiser_id is not None:
        query = query.where(VisitRow.organiser_id == organiser_id)
    return [VisitLine._make(row) for row in session.execute(query)]


# Rows for services that ask the rules


def school_whole(session: Session, school_id: int) -> SchoolRow | None:
    """The school with place, kind and calendar."""
    school = joinedload(SchoolRow.organisation)
    return session.scalars(
        select(SchoolRow)
        .where(SchoolRow.id == school_id)
        .options(
            school.joinedload(OrganisationRow.commune),
            joinedload(SchoolRow.kind),
            joinedload(SchoolRow.calendar).options(*calendar_whole()),
        )
    ).one_or_none()


def slots_to_search(
    session: Session, *, after: datetime, before: datetime
) -> Sequence[SlotRow]:
    """Open slots of published offers that are asked for by slot, the earliest first."""
    return session.scalars(
        select(SlotRow)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(OfferKindRow, OfferKindRow.code == OfferRow.kind_code)
        .where(
            OfferRow.state == OfferState.PUBLISHED,
            OfferKindRow.bookable,
            SlotRow.state == SlotState.OPEN,
            SlotRow.starts_at > after,
            SlotRow.starts_at < before,
        )
        .options(*slot_whole(), joinedload(SlotRow.offer).selectinload(OfferRow.fields))
        .order_by(SlotRow.starts_at, SlotRow.id)
    ).all()


def slots_of_offer(
    session: Session, offer_id: int, *, after: datetime
) -> Sequence[SlotRow]:
    """What lies ahead of one offer and is not called off, the earliest first."""
    return session.scalars(
        select(SlotRow)
        .where(
            SlotRow.offer_id == offer_id,
            SlotRow.state != SlotState.CANCELLED,
            SlotRow.starts_at > after,
        )
        .options(*slot_whole())
        .order_by(SlotRow.starts_at, SlotRow.id)
    ).all()


def slots_of_host(
    session: Session, host_id: int, *, after: datetime, besides: Collection[int]
) -> Sequence[SlotRow]:
    """The host's other open slots, to move a visit to."""
    return session.scalars(
        select(SlotRow)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(
            OfferRow.host_id == host_id,
            OfferRow.state == OfferState.PUBLISHED,
            SlotRow.state == SlotState.OPEN,
            SlotRow.starts_at > after,
            SlotRow.id.not_in(besides),
        )
        .options(*slot_whole())
        .order_by(SlotRow.starts_at, SlotRow.id)
    ).all()


def offer_to_read(session: Session, offer_id: int) -> OfferRow | None:
    """An offer that teachers may read, with everything around it."""
    host = joinedload(OfferRow.host)
    return session.scalars(
        select(OfferRow)
        .where(
            OfferRow.id == offer_id,
            OfferRow.state.in_({OfferState.PUBLISHED, OfferState.PAUSED}),
        )
        .options(
            joinedload(OfferRow.kind),
            selectinload(OfferRow.fields),
            selectinload(OfferRow.witnesses),
            host.joinedload(HostRow.organisation).joinedload(OrganisationRow.commune),
            host.selectinload(HostRow.closed_days),
        )
    ).one_or_none()


def class_to_read(session: Session, class_id: int) -> SchoolClassRow | None:
    """The class with what the rules need."""
    return session.scalars(
        select(SchoolClassRow)
        .where(SchoolClassRow.id == class_id, SchoolClassRow.active)
        .options(*class_whole())
    ).one_or_none()


def last_class_of(
    session: Session, person_id: int, school_ids: Collection[int]
) -> int | None:
    """The class that the teacher asked for last: the one in mind, most likely."""
    return session.scalar(
        select(VisitRow.class_id)
        .join(SchoolClassRow, SchoolClassRow.id == VisitRow.class_id)
        .where(
            VisitRow.organiser_id == person_id,
            SchoolClassRow.school_id.in_(school_ids),
            SchoolClassRow.active,
        )
        .order_by(VisitRow.requested_at.desc(), VisitRow.id.desc())
        .limit(1)
    )


class HistoryLine(NamedTuple):
    """A line of a visit's history."""

    at: datetime
    what: str
    who: str | None
    reason: str | None
    added: int | None
    removed: int | None


def history_of(session: Session, visit_id: int) -> list[HistoryLine]:
    """What happened to a visit, the newest first."""
    rows = session.execute(
        select(JournalRow.at, JournalRow.what, PersonRow.name, JournalRow.details)
        .outerjoin(PersonRow, PersonRow.id == JournalRow.person_id)
        .where(JournalRow.visit_id == visit_id)
        .order_by(JournalRow.at.desc(), JournalRow.id.desc())
    )
    return [
        HistoryLine(
            at,
            what,
            who,
            details.get("reason"),
            details.get("added"),
            details.get("removed"),
        )
        for at, what, who, details in rows
    ]


class MailLine(NamedTuple):
    """Messages of one kind to one side in one state, and the last fault of them."""

    kind: str
    audience: str
    state: str
    number: int
    last_at: datetime
    error: str


def mail_about(session: Session, visit_id: int) -> list[MailLine]:
    """The mail about a visit, summed; nobody's address."""
    rows = session.execute(
        select(
            MessageRow.kind,
            MessageRow.audience,
            MessageRow.state,
            func.count(),
            func.max(func.coalesce(MessageRow.sent_at, MessageRow.created_at)),
            func.max(MessageRow.error),
        )
        .where(MessageRow.visit_id == visit_id)
        .group_by(MessageRow.kind, MessageRow.audience, MessageRow.state)
        .order_by(func.max(MessageRow.id).desc())
    )
    return [
        MailLine(
            kind, audience.value if audience else "", state.value, number, at, error
        )
        for kind, audience, state, number, at, error in rows
    ]


def addresses_number(session: Session, visit_id: int) -> int:
    """How many students' addresses are kept for the visit."""
    return (
        session.scalar(
            select(func.count())
            .select_from(AddresseeRow)
            .where(AddresseeRow.visit_id == visit_id)
        )
        or 0
    )


class EntryIdentity(NamedTuple):
    """What makes a calendar entry the same one again."""

    uid: str
    sequence: int
    dtstamp: datetime


def entry_of(
    session: Session, visit_id: int, *, organiser_id: int
) -> EntryIdentity | None:
    """The organiser's own invitation, so that a downloaded file does not double it."""
    row = session.execute(
        select(InvitationRow.uid, InvitationRow.sequence, InvitationRow.dtstamp)
        .where(
            InvitationRow.visit_id == visit_id,
            InvitationRow.audience == "teacher",
            or_(
                InvitationRow.person_id == organiser_id,
                InvitationRow.person_id.is_(None),
            ),
        )
        .order_by(InvitationRow.id)
        .limit(1)
    ).one_or_none()
    return EntryIdentity._make(row) if row else None
