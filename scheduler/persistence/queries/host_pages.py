"""What the pages of a host show: values of plain facts, made by few queries each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from scheduler.domain.offers import OfferState
from scheduler.domain.slots import SlotState
from scheduler.domain.visits import INVITED, USES_CAP, WAITS_FOR_HOST, VisitState
from scheduler.persistence.models.calendars import CalendarRow, ClosureRow
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.network import OrganisationRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.persistence.queries import access, offers, reference
from scheduler.persistence.queries.access import contacts_of
from scheduler.persistence.queries.offers import ZONE
from scheduler.persistence.queries.visits import slot_whole, visit_whole

MOST_CANDIDATES = 60
MOST_PAST = 50


@dataclass(frozen=True, kw_only=True)
class Name:
    """An entry to choose from."""

    id: int
    words: str


@dataclass(frozen=True, kw_only=True)
class SlotLine:
    """One slot in a list. ``state`` is what a person calls it: "full" is a state."""

    id: int
    host_id: int
    offer_id: int
    offer_title: str
    starts_at: datetime
    ends_at: datetime
    place: str
    state: str
    taken: int
    seats: int
    groups_taken: int
    max_groups: int

    @property
    def has_visits(self) -> bool:
        return self.groups_taken > 0


@dataclass(frozen=True, kw_only=True)
class VisitLine:
    """One visit in a list."""

    id: int
    state: str
    slot_id: int
    starts_at: datetime
    ends_at: datetime
    wanted_starts_at: datetime | None
    school: str
    town: str
    class_label: str
    level: str
    students: int
    adults: int
    taken: int
    seats: int
    offer_title: str
    answer_due_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class OfferLine:
    """One offer in a list, with its next slot."""

    id: int
    title: str
    state: str
    paused_until: date | None
    open_slots: int
    next_starts_at: datetime | None
    meeting_point: str
    arrival: str


@dataclass(frozen=True, kw_only=True)
class ClosedDays:
    id: int
    first_on: date
    last_on: date
    reason: str


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """The company itself: its address and its limits."""

    id: int
    name: str
    street: str
    town: str
    phone: str
    cap_per_day: int | None
    cap_per_month: int | None
    cap_per_year: int | None
    closed_days: tuple[ClosedDays, ...]
    contacts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WitnessFacts:
    first_name: str
    job: str
    path: str
    gender: str


@dataclass(frozen=True, kw_only=True)
class OfferFacts:
    """Everything a host has said about an offer, as a form wants it."""

    id: int
    host_id: int
    host_name: str
    state: str
    paused_until: date | None
    bookable: bool
    kind_code: str
    title: str
    summary: str
    field_codes: tuple[str, ...]
    see: tuple[str, ...]
    wear: str
    bring: str
    ppe: tuple[dict[str, str], ...]
    people_met: str
    witnesses: tuple[WitnessFacts, ...]
    women_witnesses: int
    street: str
    arrival: str
    meeting_point: str
    wheelchair: str
    wheelchair_note: str
    vehicle_access: str
    phone_rule: str
    photo_rule: str
    max_students: int
    min_students: int
    max_people: int | None
    max_groups: int
    subgroup_size: int
    min_grade_rank: int
    min_age: int | None
    min_notice_days: int
    name_list_days: int
    duration_minutes: int
    confirmation: str
    note: str


@dataclass(frozen=True, kw_only=True)
class SlotFacts:
    """One slot as its own page shows it."""

    line: SlotLine
    own_place: str
    max_people: int | None
    people_taken: int
    visits: tuple[VisitLine, ...]


@dataclass(frozen=True, kw_only=True)
class Happening:
    """A line of a visit's history. ``what`` is a code."""

    at: datetime
    what: str
    who: str
    person_id: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Closed:
    """Days without school, and how they are called in each language."""

    first_on: date
    last_on: date
    name_fr: str
    name_en: str


# ------------------------------------------------------------------ the company


def hosts_named(session: Session, host_ids: Iterable[int]) -> list[Name]:
    """The companies, by name, for whoever speaks for several."""
    rows = session.execute(
        select(OrganisationRow.id, OrganisationRow.name)
        .where(OrganisationRow.id.in_(sorted(host_ids)))
        .order_by(OrganisationRow.name)
    )
    return [Name(id=row.id, words=row.name) for row in rows]


def host_facts(session: Session, host_id: int) -> HostFacts | None:
    """The company with its closed days and contacts."""
    host = offers.host_whole(session, host_id)
    if host is None:
        return None
    return HostFacts(
        id=host.id,
        name=host.organisation.name,
        street=host.organisation.street,
        town=host.organisation.town,
        phone=host.phone,
        cap_per_day=host.cap_per_day,
        cap_per_month=host.cap_per_month,
        cap_per_year=host.cap_per_year,
        closed_days=tuple(
            ClosedDays(
                id=each.id,
                first_on=each.first_on,
                last_on=each.last_on,
                reason=each.reason,
            )
            for each in sorted(host.closed_days, key=lambda days: days.first_on)
        ),
        contacts=tuple(
            each.person.name for each in access.contacts_of(session, host_id)
        ),
    )


# ------------------------------------------------------------------ offers


def offer_lines(session: Session, host_id: int, *, now: datetime) -> list[OfferLine]:
    """The company's offers, those in use first."""
    upcoming = (
        select(
            SlotRow.offer_id,
            func.count(SlotRow.id).label("open_slots"),
            func.min(SlotRow.starts_at).label("next_starts_at"),
        )
        .where(SlotRow.state == SlotState.OPEN, SlotRow.starts_at > now)
        .group_by(SlotRow.offer_id)
        .subquery()
    )
    rows = session.execute(
        select(OfferRow, upcoming.c.open_slots, upcoming.c.next_starts_at)
        .outerjoin(upcoming, upcoming.c.offer_id == OfferRow.id)
        .where(OfferRow.host_id == host_id)
        .order_by(OfferRow.state == OfferState.ARCHIVED, OfferRow.id)
    )
    return [
        OfferLine(
            id=row.id,
            title=row.title,
            state=row.state.value,
            paused_until=row.paused_until,
            open_slots=open_slots or 0,
            next_starts_at=next_starts_at,
            meeting_point=row.meeting_point,
            arrival=row.arrival,
        )
        for row, open_slots, next_starts_at in rows
    ]


def offer_facts(session: Session, offer_id: int) -> OfferFacts | None:
    """The offer with all that was said about it."""
    row = offers.offer_whole(session, offer_id)
    if row is None:
        return None
    return OfferFacts(
        id=row.id,
        host_id=row.host_id,
        host_name=row.host.organisation.name,
        state=row.state.value,
        paused_until=row.paused_until,
        bookable=row.kind.bookable,
        kind_code=row.kind_code,
        title=row.title,
        summary=row.summary,
        field_codes=tuple(each.code for each in row.fields),
        see=tuple(row.see),
        wear=row.wear,
        bring=row.bring,
        ppe=tuple(dict(each) for each in row.ppe),
        people_met=row.people_met,
        witnesses=tuple(
            WitnessFacts(
                first_name=each.first_name,
                job=each.job,
                path=each.path,
                gender=each.gender,
            )
            for each in row.witnesses
        ),
        women_witnesses=row.women_witnesses,
        street=row.street,
        arrival=row.arrival,
        meeting_point=row.meeting_point,
        wheelchair=row.wheelchair.value,
        wheelchair_note=row.wheelchair_note,
        vehicle_access=row.vehicle_access.value,
        phone_rule=row.phone_rule.value,
        photo_rule=row.photo_rule.value,
        max_students=row.max_students,
        min_students=row.min_students,
        max_people=row.max_people,
        max_groups=row.max_groups,
        subgroup_size=row.subgroup_size,
        min_grade_rank=row.min_grade_rank,
        min_age=row.min_age,
        min_notice_days=row.min_notice_days,
        name_list_days=row.name_list_days,
        duration_minutes=row.duration_minutes,
        confirmation=row.confirmation.value,
        note=row.note,
    )


def fields_used(session: Session, host_id: int) -> list[str]:
    """The fields that the company has named before: a next offer starts from them."""
    found = session.scalars(
        select(OfferRow)
        .where(OfferRow.host_id == host_id)
        .options(selectinload(OfferRow.fields))
    )
    return sorted({field.code for offer in found for field in offer.fields})


def field_choices(session: Session, locale: str) -> list[tuple[str, str]]:
    """The campus's fields as (code, label)."""
    return [
        (row.code, row.label_en if locale == "en" else row.label_fr)
        for row in reference.fields(session)
    ]


def ppe_choices(session: Session, locale: str) -> list[tuple[str, str]]:
    """Protective equipment as (code, label), without the entry "nothing"."""
    return [
        (row.code, row.label_en if locale == "en" else row.label_fr)
        for row in reference.ppe(session).values()
        if row.active and row.code != "none"
    ]


# ------------------------------------------------------------------ slots


def open_slots(
    session: Session, host_id: int, *, besides: int, now: datetime
) -> Sequence[SlotRow]:
    """The company's open slots to come, whole, the soonest first."""
    return session.scalars(
        select(SlotRow)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(
            OfferRow.host_id == host_id,
            SlotRow.state == SlotState.OPEN,
            SlotRow.starts_at > now,
            SlotRow.id != besides,
        )
        .options(*slot_whole())
        .order_by(SlotRow.starts_at)
        .limit(MOST_CANDIDATES)
    ).all()


def slot_line(row: SlotRow, *, now: datetime | None = None) -> SlotLine:
    """Needs offer, host and commune loaded."""
    return SlotLine(
        id=row.id,
        host_id=row.offer.host_id,
        offer_id=row.offer_id,
        offer_title=row.offer.title,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        place=row.address,
        state=_slot_state(row, now=now),
        taken=row.students_taken,
        seats=row.max_students,
        groups_taken=row.groups_taken,
        max_groups=row.max_groups,
    )


def slots_between(
    session: Session,
    offer_id: int,
    *,
    start: datetime,
    end: datetime,
    now: datetime,
) -> list[SlotLine]:
    """The offer's slots from ``start`` to ``end`` (excluded), cancelled ones too."""
    rows = session.scalars(
        select(SlotRow)
        .where(
            SlotRow.offer_id == offer_id,
            SlotRow.starts_at >= start,
            SlotRow.starts_at < end,
        )
        .options(*slot_whole())
        .order_by(SlotRow.starts_at)
    )
    return [slot_line(row, now=now) for row in rows]


def next_slot_after(
    session: Session, offer_id: int, *, now: datetime
) -> datetime | None:
    """When the offer's next slot begins: the month to show first."""
    return session.scalar(
        select(func.min(SlotRow.starts_at)).where(
            SlotRow.offer_id == offer_id,
            SlotRow.starts_at > now,
            SlotRow.state != SlotState.CANCELLED,
        )
    )


def slot_facts(
    session: Session, slot_id: int, *, locale: str, now: datetime
) -> SlotFacts | None:
    """The slot with the visits that hold seats on it or want to."""
    row = session.scalars(
        select(SlotRow).where(SlotRow.id == slot_id).options(*slot_whole())
    ).one_or_none()
    if row is None:
        return None
    return SlotFacts(
        line=slot_line(row, now=now),
        own_place=row.place,
        max_people=row.max_people,
        people_taken=row.people_taken,
        visits=tuple(_visits_on(session, slot_id, locale=locale)),
    )


def closed_for_schools(session: Session, *, start: date, end: date) -> list[Closed]:
    """Holidays, bridges and public holidays of the zone that touch those days."""
    base = select(CalendarRow.base_code).where(CalendarRow.code == ZONE)
    rows = session.scalars(
        select(ClosureRow)
        .where(
            or_(
                ClosureRow.calendar_code == ZONE,
                ClosureRow.calendar_code.in_(base.scalar_subquery()),
            ),
            ClosureRow.last_on >= start,
            ClosureRow.first_on <= end,
        )
        .order_by(ClosureRow.first_on)
    )
    return [
        Closed(
            first_on=row.first_on,
            last_on=row.last_on,
            name_fr=row.name_fr,
            name_en=row.name_en,
        )
        for row in rows
    ]


# ------------------------------------------------------------------ visits


def host_of_visit(session: Session, visit_id: int) -> int | None:
    """Whose visit it is."""
    return session.scalar(
        select(OfferRow.host_id)
        .join(SlotRow, SlotRow.offer_id == OfferRow.id)
        .join(VisitRow, VisitRow.slot_id == SlotRow.id)
        .where(VisitRow.id == visit_id)
    )


def visits_waiting(session: Session, host_id: int, *, locale: str) -> list[VisitLine]:
    """Visits that wait for the company's answer, the most urgent first."""
    lines = _lines(session, host_id, VisitRow.state.in_(WAITS_FOR_HOST), locale=locale)
    return sorted(
        lines, key=lambda line: (line.answer_due_at or line.starts_at, line.starts_at)
    )


def visits_next(
    session: Session, host_id: int, *, locale: str, now: datetime
) -> list[VisitLine]:
    """Visits to come that are agreed, or wait for the teacher's choice."""
    wanted = or_(
        VisitRow.state == VisitState.PROPOSED,
        and_(VisitRow.state.in_(INVITED), SlotRow.ends_at > now),
    )
    lines = _lines(session, host_id, wanted, locale=locale)
    return sorted(lines, key=lambda line: line.starts_at)


def visits_past(
    session: Session, host_id: int, *, locale: str, now: datetime
) -> list[VisitLine]:
    """What took place or came to nothing, the newest first."""
    over = VisitRow.state.not_in(WAITS_FOR_HOST | INVITED | {VisitState.PROPOSED})
    done = (VisitRow.state.in_(INVITED)) & (SlotRow.ends_at <= now)
    lines = _lines(session, host_id, or_(over, done), locale=locale, limit=MOST_PAST)
    return sorted(lines, key=lambda line: line.starts_at, reverse=True)


def history(session: Session, visit_id: int) -> list[Happening]:
    """What happened to the visit, the newest first."""
    rows = session.execute(
        select(JournalRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == JournalRow.person_id)
        .where(JournalRow.visit_id == visit_id)
        .order_by(JournalRow.at.desc(), JournalRow.id.desc())
    )
    return [
        Happening(
            at=row.at,
            what=row.what,
            who=name or "",
            person_id=row.person_id,
            reason=str(row.details.get("reason") or ""),
        )
        for row, name in rows
    ]


def calendar_identity(
    session: Session, visit_id: int, person_id: int | None
) -> tuple[str, int, datetime] | None:
    """UID, SEQUENCE and DTSTAMP of the person's invitation, or of any contact's."""
    row = session.scalars(
        select(InvitationRow)
        .where(InvitationRow.visit_id == visit_id, InvitationRow.audience == "host")
        .order_by((InvitationRow.person_id == person_id).desc(), InvitationRow.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.uid, row.sequence, row.dtstamp)


def visit_line(row: VisitRow, *, locale: str) -> VisitLine:
    """Needs the visit whole."""
    klass, slot, wanted = row.school_class, row.slot, row.wanted_slot
    target = wanted or slot
    return VisitLine(
        id=row.id,
        state=row.state.value,
        slot_id=row.slot_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        wanted_starts_at=wanted.starts_at if wanted else None,
        school=klass.school.organisation.name,
        town=klass.school.organisation.commune.name,
        class_label=klass.label,
        level=klass.level.label_en if locale == "en" else klass.level.label_fr,
        students=row.students,
        adults=row.adults + row.support_assistants,
        taken=target.students_taken,
        seats=target.max_students,
        offer_title=slot.offer.title,
        answer_due_at=row.answer_due_at,
    )


def _slot_state(row: SlotRow, *, now: datetime | None) -> str:
    if row.state is not SlotState.OPEN:
        return row.state.value
    if now is not None and row.starts_at <= now:
        return "past"
    full = row.groups_taken >= row.max_groups or row.students_taken >= row.max_students
    return "full" if full else "open"


def _lines(
    session: Session,
    host_id: int,
    *wanted: object,
    locale: str,
    limit: int | None = None,
) -> list[VisitLine]:
    rows = session.scalars(
        select(VisitRow)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(OfferRow.host_id == host_id, *wanted)  # type: ignore[arg-type]
        .options(*visit_whole())
        .order_by(SlotRow.starts_at.desc(), VisitRow.id)
        .limit(limit)
    )
    return [visit_line(row, locale=locale) for row in rows]


def _visits_on(session: Session, slot_id: int, *, locale: str) -> list[VisitLine]:
    rows = session.scalars(
        select(VisitRow)
        .where(
            or_(VisitRow.slot_id == slot_id, VisitRow.wanted_slot_id == slot_id),
            VisitRow.state.in_(USES_CAP | {VisitState.PROPOSED}),
        )
        .options(*visit_whole())
        .order_by(VisitRow.id)
    )
    return [visit_line(row, locale=locale) for row in rows]


class ContactLine(NamedTuple):
    """A contact; the first one is met on the day."""

    person_id: int
    name: str
    email: str
    phone: str
    first: bool


def contacts_of_host(session: Session, host_id: int) -> list[ContactLine]:
    """The company's contacts, the first one in front."""
    return [
        ContactLine(
            each.person_id,
            each.person.name,
            each.person.email,
            each.person.phone,
            first=number == 0,
        )
        for number, each in enumerate(contacts_of(session, host_id))
    ]
