"""One visit as its host may see it, and as a file for the host's calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain import visits as rules
from scheduler.domain.actors import Actor, for_host, need
from scheduler.domain.agreement import Agreement, agreement
from scheduler.domain.localtime import local_day
from scheduler.domain.refusals import NotFound
from scheduler.domain.schooldays import deadline
from scheduler.domain.slots import SlotState
from scheduler.domain.visits import ENDED, INVITED, Step, VisitState
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import access, host_pages, reference, visits
from scheduler.persistence.queries.host_pages import Happening, SlotLine
from scheduler.services import fitting
from scheduler.services.house import house_of
from scheduler.services.snapshot import snapshot
from scheduler.services.student_facts import ppe_phrases

ANSWERS = frozenset(
    {"confirmed", "declined", "proposed", "moved", "move_declined", "cancelled"}
)
SHOWS_TEACHER = INVITED | {VisitState.DONE}


@dataclass(frozen=True, kw_only=True)
class VisitSheet:
    """Everything that matters for the answer, and for the day itself.

    The teacher's phone and address are empty until the visit is confirmed.
    """

    id: int
    state: str
    host_id: int
    host_name: str
    offer_id: int
    offer_title: str
    slot: SlotLine
    wanted: SlotLine | None
    school: str
    town: str
    km: int
    minutes: int
    class_label: str
    level: str
    specialty: str
    youngest_age: int | None
    oldest_age: int | None
    students: int
    girls: int | None
    boys: int | None
    adults: int
    support_assistants: int
    half_group: bool
    arrangements: str
    message: str
    reason: str
    note: str
    late: bool
    requested_at: datetime
    answer_due_at: datetime | None
    organiser: str
    organiser_phone: str
    organiser_email: str
    school_phone: str
    proposals: tuple[SlotLine, ...]
    others: int
    others_students: int
    agreement_needed: bool
    ppe: tuple[str, ...]
    name_list_on: date | None
    answered: Happening | None
    history: tuple[Happening, ...]
    may_answer: bool
    may_propose: bool
    may_cancel: bool
    may_offer_again: bool
    cancelling_is_late: bool
    agreed: bool
    over: bool

    @property
    def target(self) -> SlotLine:
        """The slot that the answer is about."""
        return self.wanted or self.slot


def visit_sheet(
    session: Session, visit_id: int, *, locale: str, by: Actor, now: datetime
) -> VisitSheet:
    """The visit, if the actor speaks for its host. Reads only."""
    row = _mine(session, visit_id, by)
    klass, slot = row.school_class, row.slot
    school, offer = klass.school, slot.offer
    policy = house_of(session).policy
    way = fitting.way_between(klass, slot, policy)
    happened = host_pages.history(session, visit_id)
    visit, agreed = row.as_domain(), row.state in SHOWS_TEACHER
    target = row.wanted_slot or slot
    holds = visit.state in rules.HOLDS_SEATS
    return VisitSheet(
        id=row.id,
        state=row.state.value,
        host_id=offer.host_id,
        host_name=offer.host.organisation.name,
        offer_id=offer.id,
        offer_title=offer.title,
        slot=host_pages.slot_line(slot),
        wanted=host_pages.slot_line(row.wanted_slot) if row.wanted_slot else None,
        school=school.organisation.name,
        town=school.organisation.town,
        km=way.km,
        minutes=way.minutes,
        class_label=klass.label,
        level=klass.level.label_en if locale == "en" else klass.level.label_fr,
        specialty=klass.specialty,
        youngest_age=klass.youngest_age,
        oldest_age=klass.oldest_age,
        students=row.students,
        girls=row.girls,
        boys=row.boys,
        adults=row.adults,
        support_assistants=row.support_assistants,
        half_group=row.part.value == "half",
        arrangements=row.arrangements,
        message=row.message,
        reason=row.reason or "",
        note=row.note,
        late=row.late,
        requested_at=row.requested_at,
        answer_due_at=row.answer_due_at,
        organiser=row.organiser.name,
        organiser_phone=row.organiser.phone if agreed else "",
        organiser_email=row.organiser.email if agreed else "",
        school_phone=school.phone if agreed else "",
        proposals=tuple(
            host_pages.slot_line(each.slot)
            for each in visits.proposals_for(session, visit_id)
        ),
        others=target.groups_taken - holds,
        others_students=target.students_taken - (row.students if holds else 0),
        agreement_needed=agreement(
            is_college=school.kind.is_college, youngest_age=klass.youngest_age
        )
        is Agreement.NEEDED,
        ppe=tuple(ppe_phrases(reference.ppe(session), offer.ppe, locale=locale)),
        name_list_on=_name_list_on(row, now=now),
        answered=next((each for each in happened if each.what in ANSWERS), None),
        history=tuple(happened),
        may_answer=rules.may(visit, Step.ACCEPT) and target.starts_at > now,
        may_propose=rules.may(visit, Step.PROPOSE),
        may_offer_again=rules.may(visit, Step.OFFER_AGAIN)
        and slot.state is SlotState.OPEN
        and slot.starts_at > now,
        may_cancel=row.state in INVITED and slot.starts_at > now,
        cancelling_is_late=rules.is_late(
            slot.starts_at,
            now=now,
            calendar=fitting.calendar_of(school),
            policy=policy,
        ),
        agreed=agreed,
        over=row.state in ENDED,
    )


def calendar_facts(
    session: Session, visit_id: int, *, locale: str, by: Actor
) -> tuple[Mapping[str, Any], tuple[str, int, datetime]]:
    """What the calendar file says, and the identity it shares with the invitation.

    Raises ``NotFound`` for a visit that was never confirmed: there is no date yet.
    """
    row = _mine(session, visit_id, by)
    identity = host_pages.calendar_identity(session, visit_id, by.person_id)
    need(row.state in SHOWS_TEACHER and identity is not None)
    if identity is None:
        raise NotFound
    contacts = access.contacts_of(session, row.slot.offer.host_id)
    return snapshot(session, row, locale=locale, contacts=contacts), identity


def _mine(session: Session, visit_id: int, by: Actor) -> VisitRow:
    row = visits.visit_to_show(session, visit_id)
    if row is None:
        raise NotFound
    need(for_host(by, row.slot.offer.host_id, visit_id=visit_id))
    return row


def _name_list_on(row: VisitRow, *, now: datetime) -> date | None:
    """When the school hands in the names, where the host asks for them."""
    days = row.slot.offer.name_list_days
    if days == 0:
        return None
    return deadline(
        local_day(row.slot.starts_at),
        days=days,
        created_on=local_day(now),
        calendar=fitting.calendar_of(row.school_class.school),
    ).on
