"""A visit as its school sees it: facts, what may be done, history, mail."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain import visits as rules
from scheduler.domain.actors import Actor, for_school, need
from scheduler.domain.agreement import Agreement, agreement
from scheduler.domain.localtime import local_day
from scheduler.domain.offers import Confirmation
from scheduler.domain.parties import Advice, Party, advice, most_addresses
from scheduler.domain.refusals import NotFound
from scheduler.domain.schooldays import Deadline, deadline
from scheduler.domain.slots import SlotState
from scheduler.domain.travel import Away, Trip, away
from scheduler.domain.troubles import Trouble, trouble
from scheduler.domain.visits import ENDED, INVITED, Step, VisitState
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import (
    access,
    delivery_pages,
    teacher_pages,
    visits,
)
from scheduler.persistence.queries.delivery_pages import Counts
from scheduler.persistence.queries.teacher_pages import (
    EntryIdentity,
    HistoryLine,
    MailLine,
)
from scheduler.persistence.sealed import BrokenSeal, seal_of
from scheduler.services import fitting, preview
from scheduler.services.health import health
from scheduler.services.house import house_of
from scheduler.services.preview import SlotLine
from scheduler.services.snapshot import snapshot

STEPS = {
    "change_numbers": Step.CHANGE_NUMBERS,
    "withdraw": Step.WITHDRAW,
    "choose": Step.CHOOSE,
    "cancel": Step.CANCEL_BY_SCHOOL,
}


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A slot that the host offers instead."""

    slot_id: int
    starts_at: datetime
    ends_at: datetime
    place: str


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A mail that did not arrive: to whom, and why. Read by this school alone."""

    id: int
    kind: str
    audience: str
    to: str
    why: Trouble


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """``facts`` are those of the letters. ``may`` names the steps that are possible."""

    id: int
    state: str
    school_id: int
    class_id: int
    offer_id: int
    organiser_id: int
    starts_at: datetime
    ends_at: datetime
    wanted_starts_at: datetime | None
    wanted_ends_at: datetime | None
    answer_due_at: datetime | None
    facts: Mapping[str, Any]
    contacts: tuple[tuple[str, str, str], ...]
    proposals: tuple[Proposal, ...]
    may: frozenset[str]
    ended: bool
    confirmed: bool
    late: bool
    would_be_late: bool
    automatic: bool
    requested_at: datetime
    party: Party
    advice: tuple[Advice, ...]
    agreement: Agreement
    name_list: Deadline | None
    way: Trip
    approximate: bool
    away: Away
    history: tuple[HistoryLine, ...]
    mail: tuple[MailLine, ...]
    addresses: int
    students_answer: bool
    offered_again: bool
    colleagues: Mapping[int, str]
    most_addresses: int
    counts: Counts
    failed: tuple[Failed, ...]
    stalled: bool


def dossier(
    session: Session, visit_id: int, *, by: Actor, locale: str, now: datetime
) -> Dossier:
    """Everything about a visit of the actor's school; raises ``NotFound``."""
    row = _mine(session, visit_id, by)
    policy = house_of(session).policy
    contacts = access.contacts_of(session, row.slot.offer.host_id)
    facts = snapshot(session, row, locale=locale, contacts=contacts)
    klass = fitting.class_of(row.school_class)
    way = fitting.way_between(row.school_class, row.slot, policy)
    places = (klass.place, fitting.place_of(row.slot.offer.host.organisation))
    visit, wanted = row.as_domain(), row.wanted_slot
    return Dossier(
        id=row.id,
        state=row.state.value,
        school_id=row.school_class.school_id,
        class_id=row.class_id,
        offer_id=row.slot.offer_id,
        organiser_id=row.organiser_id,
        starts_at=row.slot.starts_at,
        ends_at=row.slot.ends_at,
        wanted_starts_at=wanted.starts_at if wanted else None,
        wanted_ends_at=wanted.ends_at if wanted else None,
        answer_due_at=row.answer_due_at,
        facts=facts,
        contacts=tuple(
            (each.person.name, each.person.phone, each.person.email)
            for each in contacts
        ),
        proposals=tuple(
            Proposal(
                slot_id=each["id"],
                starts_at=datetime.fromisoformat(each["starts_at"]),
                ends_at=datetime.fromisoformat(each["ends_at"]),
                place=each["place"],
            )
            for each in facts["proposals"]
        ),
        may=_may(visit, row, now=now),
        ended=row.state in ENDED,
        confirmed=row.state in INVITED,
        late=row.late,
        would_be_late=rules.is_late(
            row.slot.starts_at, now=now, calendar=klass.calendar, policy=policy
        ),
        automatic=row.slot.offer.confirmation is Confirmation.AUTOMATIC,
        requested_at=row.requested_at,
        party=row.party,
        advice=tuple(advice(row.party, is_college=klass.is_college, policy=policy)),
        agreement=agreement(
            is_college=klass.is_college, youngest_age=klass.youngest_age
        ),
        name_list=_name_list(row),
        way=way,
        approximate=any(each is not None and each.approximate for each in places),
        away=away(row.slot.starts_at, row.slot.ends_at, way),
        history=tuple(teacher_pages.history_of(session, row.id)),
        mail=tuple(teacher_pages.mail_about(session, row.id)),
        students_answer=row.students_answer,
        offered_again=row.state is VisitState.PROPOSED
        and any(each["id"] == row.slot_id for each in facts["proposals"]),
        colleagues=_colleagues(session, row),
        addresses=teacher_pages.addresses_number(session, row.id),
        most_addresses=most_addresses(row.party, policy=policy),
        counts=delivery_pages.counts_of(session, row.id),
        failed=tuple(_failed(session, row.id)),
        stalled=health(session, now=now).stalled,
    )


def _failed(session: Session, visit_id: int) -> list[Failed]:
    """Adults by name; students' addresses opened, for their own school is reading."""
    seal = seal_of(session)
    found = []
    for each in delivery_pages.failed_of(session, visit_id):
        to = each.recipient_name
        if not to and each.address:
            with suppress(BrokenSeal):
                to = seal.open(each.address)
        found.append(
            Failed(
                id=each.id,
                kind=each.kind,
                audience=each.audience.value if each.audience else "",
                to=to,
                why=trouble(each.error, bounce_status=each.bounce_status),
            )
        )
    return found


def _colleagues(session: Session, row: VisitRow) -> Mapping[int, str]:
    """Who could look after the visit instead of its teacher."""
    school_id = row.school_class.school_id
    found = visits.teachers_of(session, school_id)
    return {id_: name for id_, name in found.items() if id_ != row.organiser_id}


def _may(visit: rules.Visit, row: VisitRow, *, now: datetime) -> frozenset[str]:
    found = {name for name, step in STEPS.items() if rules.may(visit, step)}
    open_ahead = row.slot.state is SlotState.OPEN and row.slot.starts_at > now
    if rules.may(visit, Step.ASK_AGAIN) and open_ahead:
        found.add("ask_again")
    if row.state not in ENDED and row.slot.ends_at > now:
        found.add("hand_over")
    moves = (Step.SWITCH, Step.ASK_MOVE, Step.MOVE_AT_ONCE)
    if any(rules.may(visit, step) for step in moves):
        found.add("move")
    return frozenset(found)


def _name_list(row: VisitRow) -> Deadline | None:
    """When the host wants the list of names for its gate, if it wants one."""
    days = row.slot.offer.name_list_days
    if not days:
        return None
    return deadline(
        local_day(row.slot.starts_at),
        days=days,
        created_on=local_day(row.requested_at),
        calendar=fitting.calendar_of(row.school_class.school),
    )


def other_slots(
    session: Session, visit_id: int, *, by: Actor, now: datetime
) -> list[SlotLine]:
    """Where the visit could move to."""
    row = _mine(session, visit_id, by)
    return preview.slots_to_move_to(session, row, by=by, now=now)


def calendar_entry(
    session: Session, visit_id: int, *, by: Actor, locale: str
) -> tuple[dict[str, Any], EntryIdentity]:
    """What the calendar file of a confirmed visit is made of; else ``NotFound``."""
    row = _mine(session, visit_id, by)
    need(row.state in INVITED)
    contacts = access.contacts_of(session, row.slot.offer.host_id)
    identity = teacher_pages.entry_of(session, row.id, organiser_id=row.organiser_id)
    if identity is None:
        raise NotFound
    return snapshot(session, row, locale=locale, contacts=contacts), identity


def _mine(session: Session, visit_id: int, by: Actor) -> VisitRow:
    row = visits.visit_to_show(session, visit_id)
    if row is None:
        raise NotFound
    need(for_school(by, row.school_class.school_id))
    return row
