"""Every visit, as the coordinator sees it: in a list, and one at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from scheduler.domain.visits import WAITS_FOR_HOST, VisitState
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.network import (
    HostRow,
    OrganisationRow,
    SchoolClassRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.reference import CommuneRow, LevelRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries.delivery_pages import failed_about_visit

HostOrganisation = aliased(OrganisationRow)
SchoolOrganisation = aliased(OrganisationRow)
WantedSlot = aliased(SlotRow)

MOST_SAID = 200


class VisitLine(NamedTuple):
    """``alert_at``: from then on the answer is late enough for the coordinator."""

    id: int
    state: VisitState
    starts_at: datetime
    ends_at: datetime
    host_name: str
    commune: str
    school_name: str
    class_label: str
    level_fr: str
    level_en: str
    students: int
    adults: int
    organiser_name: str
    requested_at: datetime
    answer_due_at: datetime | None
    alert_at: datetime | None
    dead: int


class Waiting(NamedTuple):
    """``late``: hosts that have not answered when the coordinator should know."""

    for_host: int
    for_teacher: int
    late: int


class VisitWhole(NamedTuple):
    """One visit with everybody around it; no student has a name here."""

    line: VisitLine
    offer_title: str
    place: str
    host_phone: str
    host_id: int
    organiser_email: str
    organiser_phone: str
    girls: int | None
    boys: int | None
    support_assistants: int
    part: str
    arrangements: str
    message: str
    reason: str | None
    note: str
    late: bool
    revision: int
    class_code: str
    wanted_starts_at: datetime | None
    wanted_ends_at: datetime | None


class Event(NamedTuple):
    """A line of the visit's history."""

    at: datetime
    what: str
    who: str | None
    from_state: str
    to_state: str
    details: Mapping[str, Any]


class Letter(NamedTuple):
    """A message and how far it came; never its text, never a student's address."""

    id: int
    kind: str
    audience: str | None
    recipient_name: str
    state: str
    method: str | None
    sequence: int
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    due_at: datetime
    error: str


_LINE: tuple[Any, ...] = (
    VisitRow.id,
    VisitRow.state,
    SlotRow.starts_at,
    SlotRow.ends_at,
    HostOrganisation.name,
    CommuneRow.name,
    SchoolOrganisation.name,
    SchoolClassRow.label,
    LevelRow.label_fr,
    LevelRow.label_en,
    VisitRow.students,
    VisitRow.adults,
    PersonRow.name,
    VisitRow.requested_at,
    VisitRow.answer_due_at,
    VisitRow.alert_at,
)


_LETTER: tuple[Any, ...] = (
    MessageRow.id,
    MessageRow.kind,
    MessageRow.audience,
    MessageRow.recipient_name,
    MessageRow.state,
    MessageRow.method,
    MessageRow.sequence,
    MessageRow.attempts,
    MessageRow.created_at,
    MessageRow.sent_at,
    MessageRow.due_at,
    MessageRow.error,
)


def _around(query: Any) -> Any:
    """Slot, offer, host, class, school, level and organiser of each visit."""
    return (
        query.select_from(VisitRow)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(HostRow, HostRow.id == OfferRow.host_id)
        .join(HostOrganisation, HostOrganisation.id == HostRow.id)
        .join(CommuneRow, CommuneRow.insee == HostOrganisation.commune_insee)
        .join(SchoolClassRow, SchoolClassRow.id == VisitRow.class_id)
        .join(SchoolOrganisation, SchoolOrganisation.id == SchoolClassRow.school_id)
        .join(LevelRow, LevelRow.code == SchoolClassRow.level_code)
        .join(PersonRow, PersonRow.id == VisitRow.organiser_id)
    )


def _spoken_of(words: str) -> list[ColumnElement[bool]]:
    """Every word occurs in the name of host, town, school, class or teacher."""
    places = (
        HostOrganisation.name,
        CommuneRow.name,
        SchoolOrganisation.name,
        SchoolClassRow.label,
        PersonRow.name,
    )
    return [
        or_(*(place.icontains(word, autoescape=True) for place in places))
        for word in words.split()[:5]
    ]


def counts_by_state(session: Session, *, words: str) -> dict[VisitState, int]:
    """How many visits are in each state, among those that the words speak of."""
    rows = session.execute(
        _around(select(VisitRow.state, func.count(VisitRow.id)))
        .where(*_spoken_of(words))
        .group_by(VisitRow.state)
    )
    return {row[0]: row[1] for row in rows}


def visit_lines(
    session: Session,
    *,
    states: Collection[VisitState],
    words: str,
    now: datetime,
    offset: int,
    limit: int,
) -> list[VisitLine]:
    """A page of visits: what is late first, then those ahead, then the past."""
    late = and_(VisitRow.state.in_(WAITS_FOR_HOST), VisitRow.alert_at <= now)
    over = SlotRow.starts_at <= now
    rows = session.execute(
        _around(select(*_LINE, failed_about_visit()))
        .where(VisitRow.state.in_(states) if states else false(), *_spoken_of(words))
        .order_by(
            case((late, 0), (over, 2), else_=1),
            case((over, None), else_=SlotRow.starts_at),
            SlotRow.starts_at.desc(),
            VisitRow.id,
        )
        .offset(offset)
        .limit(limit)
    )
    return [VisitLine(*row) for row in rows]


def waiting(session: Session, *, now: datetime) -> Waiting:
    """Whose answer is awaited, over all visits."""
    for_host = VisitRow.state.in_(WAITS_FOR_HOST)
    row = session.execute(
        select(
            func.count(case((for_host, 1))),
            func.count(case((VisitRow.state == VisitState.PROPOSED, 1))),
            func.count(case((and_(for_host, VisitRow.alert_at <= now), 1))),
        )
    ).one()
    return Waiting(*row)


def visit_whole(session: Session, visit_id: int) -> VisitWhole | None:
    """One visit; ``None`` if there is none."""
    row = session.execute(
        _around(
            select(
                *_LINE,
                failed_about_visit(),
                OfferRow.title,
                SlotRow.place,
                OfferRow.street,
                HostOrganisation.street,
                HostRow.phone,
                HostRow.id,
                PersonRow.email,
                PersonRow.phone,
                VisitRow.girls,
                VisitRow.boys,
                VisitRow.support_assistants,
                VisitRow.part,
                VisitRow.arrangements,
                VisitRow.message,
                VisitRow.reason,
                VisitRow.note,
                VisitRow.late,
                VisitRow.revision,
                VisitRow.class_code,
                WantedSlot.starts_at,
                WantedSlot.ends_at,
            )
        )
        .outerjoin(WantedSlot, WantedSlot.id == VisitRow.wanted_slot_id)
        .where(VisitRow.id == visit_id)
    ).one_or_none()
    if row is None:
        return None
    end = len(_LINE) + 1
    line = VisitLine(*row[:end])
    title, *streets = row[end : end + 4]
    street = next((each for each in streets if each), "")
    place = ", ".join(part for part in (street, line.commune) if part)
    return VisitWhole(line, title, place, *row[end + 4 :])


def history_of(session: Session, visit_id: int) -> list[Event]:
    """What happened to the visit, the latest first."""
    rows = session.execute(
        select(
            JournalRow.at,
            JournalRow.what,
            PersonRow.name,
            JournalRow.from_state,
            JournalRow.to_state,
            JournalRow.details,
        )
        .outerjoin(PersonRow, PersonRow.id == JournalRow.person_id)
        .where(JournalRow.visit_id == visit_id)
        .order_by(JournalRow.at.desc(), JournalRow.id.desc())
        .limit(MOST_SAID)
    )
    return [Event(*row) for row in rows]


def letters_of(session: Session, visit_id: int) -> list[Letter]:
    """The messages about the visit, the latest first."""
    rows = session.execute(
        select(*_LETTER)
        .where(MessageRow.visit_id == visit_id)
        .order_by(MessageRow.id.desc())
        .limit(MOST_SAID)
    )
    return [Letter(*row) for row in rows]
