"""What would be answered to a request before it is sent; nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from scheduler.domain import fit
from scheduler.domain.actors import Actor, for_school, need
from scheduler.domain.agreement import Agreement, agreement
from scheduler.domain.fit import Case
from scheduler.domain.localtime import local_day
from scheduler.domain.offers import Confirmation
from scheduler.domain.parties import Advice, Party, adults_needed, advice, subgroups
from scheduler.domain.refusals import NotFound, Refusal
from scheduler.domain.slots import SlotState
from scheduler.domain.travel import Trip
from scheduler.persistence.models.network import SchoolClassRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import teacher_pages, visits
from scheduler.services import fitting, search
from scheduler.services.house import house_of


@dataclass(frozen=True, kw_only=True)
class SlotCard:
    """A slot as the request form names it."""

    id: int
    offer_id: int
    title: str
    host: str
    commune: str
    place: str
    starts_at: datetime
    ends_at: datetime
    seats: int
    taken: int
    most_people: int | None
    subgroup_size: int
    automatic: bool
    name_list_days: int
    wheelchair: str
    wheelchair_note: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The answer of the rules, and what the school should plan with."""

    refusals: tuple[Refusal, ...]
    advice: tuple[Advice, ...]
    agreement: Agreement
    students: int
    adults_needed: int
    subgroups: int
    way: Trip | None
    approximate: bool
    leaves_at: datetime
    back_at: datetime
    automatic: bool
    name_list_days: int
    next_fitting: tuple[SlotLine, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SlotLine:
    """A slot in a list, with what stands in the way of the group."""

    id: int
    starts_at: datetime
    ends_at: datetime
    place: str
    seats: int
    taken: int
    open: bool
    refusals: tuple[Refusal, ...]
    in_halves: bool = False

    @property
    def fits(self) -> bool:
        return not self.refusals

    @property
    def full(self) -> bool:
        return self.taken >= self.seats


def slot_card(session: Session, slot_id: int) -> SlotCard:
    """The slot of a published offer; raises ``NotFound``."""
    row = visits.slot_to_take(session, slot_id)
    if row is None or teacher_pages.offer_to_read(session, row.offer_id) is None:
        raise NotFound
    offer = row.offer
    return SlotCard(
        id=row.id,
        offer_id=offer.id,
        title=offer.title,
        host=offer.host.organisation.name,
        commune=offer.host.organisation.commune.name,
        place=row.address,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        seats=row.max_students,
        taken=row.students_taken,
        most_people=row.max_people,
        subgroup_size=offer.subgroup_size,
        automatic=offer.confirmation is Confirmation.AUTOMATIC,
        name_list_days=offer.name_list_days,
        wheelchair=offer.wheelchair.value,
        wheelchair_note=offer.wheelchair_note,
    )


def preview_request(
    session: Session,
    *,
    slot_id: int,
    class_id: int,
    party: Party,
    by: Actor,
    now: datetime,
) -> Preview:
    """What ``request_visit`` would say to the same numbers."""
    klass = teacher_pages.class_to_read(session, class_id)
    slot = visits.slot_to_take(session, slot_id)
    if klass is None or slot is None:
        raise NotFound
    need(for_school(by, klass.school_id))
    case = _case(session, klass, slot, party=party, organiser_id=by.person_id)
    policy = house_of(session).policy
    refusals = fit.refusals(case, now=now, policy=policy)
    others: tuple[SlotLine, ...] = ()
    if refusals:
        ahead = teacher_pages.slots_of_offer(session, slot.offer_id, after=now)
        lines = _lines(session, klass, ahead, party=party, by=by, now=now)
        others = tuple(each for each in lines if each.fits)[:3]
    away = case.away
    return Preview(
        refusals=tuple(refusals),
        advice=tuple(
            advice(party, is_college=case.school_class.is_college, policy=policy)
        ),
        agreement=agreement(
            is_college=case.school_class.is_college,
            youngest_age=case.school_class.youngest_age,
        ),
        students=party.students,
        adults_needed=adults_needed(
            party.students,
            subgroup_size=case.rules.subgroup_size,
            school_minimum=case.school_class.min_adults,
        ),
        subgroups=subgroups(party.students, size=case.rules.subgroup_size),
        way=case.way,
        approximate=_approximate(slot, klass),
        leaves_at=away.leaves_at,
        back_at=away.back_at,
        automatic=case.rules.confirmation is Confirmation.AUTOMATIC,
        name_list_days=slot.offer.name_list_days,
        next_fitting=others,
    )


def offer_slots(
    session: Session,
    offer_id: int,
    *,
    class_id: int | None,
    students: int | None,
    by: Actor,
    now: datetime,
) -> list[SlotLine]:
    """The slots ahead of an offer, judged for a group of that size of the class."""
    ahead = teacher_pages.slots_of_offer(session, offer_id, after=now)
    klass = None
    if class_id is not None:
        klass = teacher_pages.class_to_read(session, class_id)
    if klass is None or not ahead:
        return [_line(slot, (), in_halves=False) for slot in ahead]
    need(for_school(by, klass.school_id))
    cases = fitting.cases(session, klass, ahead, organiser_id=by.person_id)
    policy = house_of(session).policy
    found = []
    for slot, case in zip(ahead, cases, strict=True):
        refusals, in_halves = search.judge(
            case, students or klass.students, now=now, policy=policy
        )
        found.append(_line(slot, refusals, in_halves=in_halves))
    return found


def slots_to_move_to(
    session: Session, visit: VisitRow, *, by: Actor, now: datetime
) -> list[SlotLine]:
    """Other slots of the same host, judged for the visit as it is."""
    besides = {visit.slot_id, visit.wanted_slot_id or visit.slot_id}
    ahead = teacher_pages.slots_of_host(
        session, visit.slot.offer.host_id, after=now, besides=besides
    )
    return _lines(
        session,
        visit.school_class,
        ahead,
        party=visit.party,
        by=by,
        now=now,
        visit=visit,
    )


def _lines(
    session: Session,
    klass: SchoolClassRow,
    ahead: Sequence[SlotRow],
    *,
    party: Party,
    by: Actor,
    now: datetime,
    visit: VisitRow | None = None,
) -> list[SlotLine]:
    if not ahead:
        return []
    organiser_id = visit.organiser_id if visit else by.person_id
    cases = fitting.cases(
        session, klass, ahead, organiser_id=organiser_id, party=party, besides=visit
    )
    policy = house_of(session).policy
    return [
        _line(slot, tuple(fit.refusals(case, now=now, policy=policy)), in_halves=False)
        for slot, case in zip(ahead, cases, strict=True)
    ]


def _case(
    session: Session,
    klass: SchoolClassRow,
    slot: SlotRow,
    *,
    party: Party,
    organiser_id: int | None,
) -> Case:
    case = fitting.cases(session, klass, [slot], organiser_id=organiser_id)[0]
    return replace(case, party=party)


def _line(slot: SlotRow, refusals: tuple[Refusal, ...], *, in_halves: bool) -> SlotLine:
    return SlotLine(
        id=slot.id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        place=slot.place,
        seats=slot.max_students,
        taken=slot.students_taken,
        open=slot.state is SlotState.OPEN,
        refusals=refusals,
        in_halves=in_halves,
    )


def _approximate(slot: SlotRow, klass: SchoolClassRow) -> bool:
    places = (
        fitting.place_of(klass.school.organisation),
        fitting.place_of(slot.offer.host.organisation),
    )
    return any(each.approximate for each in places)


def first_of_month(day: date) -> date:
    """What slots of one month share."""
    return day.replace(day=1)


def by_month(slots: Sequence[SlotLine]) -> list[tuple[date, list[SlotLine]]]:
    """The slots under the first day of their month, in order."""
    months: dict[date, list[SlotLine]] = {}
    for slot in slots:
        months.setdefault(first_of_month(local_day(slot.starts_at)), []).append(slot)
    return list(months.items())
