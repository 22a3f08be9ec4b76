"""From rows to a case for the rules: what has to be read to decide about a slot.

One class against many slots costs the same few queries as against one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.classes import SchoolClass
from scheduler.domain.fit import Case, CapUse, Held
from scheduler.domain.localtime import local_day, school_year, school_year_bounds
from scheduler.domain.parties import Party, Seats
from scheduler.domain.policy import Policy
from scheduler.domain.schooldays import Closure, SchoolCalendar
from scheduler.domain.travel import Place, Trip, away, trip
from scheduler.domain.visits import HOLDS_SEATS
from scheduler.persistence.models.network import (
    OrganisationRow,
    SchoolClassRow,
    SchoolRow,
)
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import visits
from scheduler.services.house import house_of


def place_of(organisation: OrganisationRow) -> Place:
    """Its own coordinates, else its commune's."""
    if organisation.lat is not None and organisation.lon is not None:
        return Place(organisation.lat, organisation.lon)
    commune = organisation.commune
    return Place(commune.lat, commune.lon, approximate=commune.approximate)


def calendar_of(school: SchoolRow) -> SchoolCalendar:
    """What is known of the school's year; those with their own keep public holidays."""
    return school.calendar.as_domain()


def class_of(row: SchoolClassRow) -> SchoolClass:
    """The class as the rules see it."""
    school = row.school
    return SchoolClass(
        id=row.id,
        school_id=row.school_id,
        grade_rank=row.level.grade_rank,
        youngest_age=row.youngest_age,
        is_college=school.kind.is_college,
        exam_block=row.level.exam_block,
        wednesday_afternoons=school.wednesday_afternoons,
        back_by=school.back_by,
        min_adults=school.min_adults,
        place=place_of(school.organisation),
        calendar=calendar_of(school),
        absences=tuple(
            Closure(each.first_on, each.last_on, "absence", each.reason)
            for each in row.absences
        ),
    )


def way_between(school_class: SchoolClassRow, slot: SlotRow, policy: Policy) -> Trip:
    """The estimated way from the school to the host."""
    return trip(
        place_of(school_class.school.organisation),
        place_of(slot.offer.host.organisation),
        policy=policy,
    )


def cases(
    session: Session,
    school_class: SchoolClassRow,
    slots: Sequence[SlotRow],
    *,
    organiser_id: int | None,
    party: Party | None = None,
    besides: VisitRow | None = None,
) -> list[Case]:
    """One case for each slot, in order. ``besides``: a visit that is being changed."""
    policy = house_of(session).policy
    mine = besides.id if besides else None
    klass = class_of(school_class)
    holds = tuple(
        held
        for each in visits.held_by_class(session, school_class.id, besides=mine)
        for held in _held(each, policy)
    )
    organiser_holds: tuple[Held, ...] = ()
    if organiser_id is not None:
        organiser_holds = tuple(
            held
            for each in visits.held_by_organiser(session, organiser_id, besides=mine)
            for held in _held(each, policy)
        )
    uses = _cap_uses(session, slots, besides=mine)
    made = []
    for slot in slots:
        taken = slot.taken
        if besides is not None and slot.id in {besides.slot_id, besides.wanted_slot_id}:
            taken = _without(slot, besides)
        made.append(
            Case(
                slot=slot.as_domain(),
                rules=slot.offer.as_domain(),
                school_class=klass,
                taken=taken,
                way=way_between(school_class, slot, policy),
                host_closed=tuple(
                    Closure(each.first_on, each.last_on, "host", each.reason)
                    for each in slot.offer.host.closed_days
                ),
                cap_use=uses(slot),
                class_holds=holds,
                organiser_holds=organiser_holds,
                party=party,
            )
        )
    return made


def _held(row: VisitRow, policy: Policy) -> Iterator[Held]:
    """The slot it is on and the one it wants: either may become the visit's."""
    for slot in (row.slot, row.wanted_slot):
        if slot is not None:
            yield Held(
                starts_at=slot.starts_at,
                away=away(
                    slot.starts_at,
                    slot.ends_at,
                    way_between(row.school_class, slot, policy),
                ),
                organiser_name=row.organiser.name,
                host_name=slot.offer.host.organisation.name,
            )


def _without(slot: SlotRow, visit: VisitRow) -> Seats:
    """The seats that others hold: the visit's own do not stand in its way."""
    if visit.state not in HOLDS_SEATS:
        return slot.taken
    return Seats(
        students=slot.students_taken - visit.students,
        people=slot.people_taken - visit.party.people,
        groups=slot.groups_taken - 1,
    )


def _cap_uses(
    session: Session, slots: Sequence[SlotRow], *, besides: int | None
) -> Callable[[SlotRow], CapUse]:
    if not slots:
        return lambda _slot: CapUse()
    starts = [local_day(slot.starts_at) for slot in slots]
    held: dict[int, list[datetime]] = {}
    for host_id, starts_at in visits.times_held_by_host(
        session,
        {slot.offer.host_id for slot in slots},
        start=school_year_bounds(min(starts))[0],
        end=school_year_bounds(max(starts))[1],
        besides=besides,
    ):
        held.setdefault(host_id, []).append(starts_at)

    def use(slot: SlotRow) -> CapUse:
        day = local_day(slot.starts_at)
        others = [local_day(at) for at in held.get(slot.offer.host_id, [])]
        return CapUse(
            day=sum(other == day for other in others),
            month=sum((o.year, o.month) == (day.year, day.month) for o in others),
            year=sum(school_year(other) == school_year(day) for other in others),
        )

    return use
