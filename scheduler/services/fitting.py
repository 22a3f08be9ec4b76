"""From rows to a case for the rules: what has to be read to decide about a slot.

One class against many slots costs the same few queries as against one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from scheduler.domain.classes import SchoolClass
from scheduler.domain.fit import CapUse, Case, Held, discreet
from scheduler.domain.localtime import local_day, school_year, school_year_bounds
from scheduler.domain.parties import Party, Seats
from scheduler.domain.policy import Policy
from scheduler.domain.refusals import Refusal, Refused
from scheduler.domain.schooldays import Closure, SchoolCalendar
from scheduler.domain.travel import Place, Trip, away, trip
from scheduler.domain.visits import HOLDS_SEATS
from scheduler.persistence.models.network import (
    HostRow,
    OrganisationRow,
    SchoolClassRow,
    SchoolRow,
)
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import held, visits
from scheduler.services.house import house_of


@dataclass(frozen=True, kw_only=True)
class PartOf:
    """Which group of which placement of a campaign a visit is for."""

    placement_id: int
    group_no: int


def part_of(visit: VisitRow | None) -> PartOf | None:
    """The same for a stored visit; a directly booked one is nobody's part."""
    if visit is None or visit.placement_id is None:
        return None
    return PartOf(placement_id=visit.placement_id, group_no=visit.group_no or 1)


def place_of(organisation: OrganisationRow) -> Place:
    """Its own coordinates, else its commune's."""
    if organisation.lat is not None and organisation.lon is not None:
        return Place(organisation.lat, organisation.lon)
    commune = organisation.commune
    return Place(commune.lat, commune.lon, approximate=commune.approximate)


def calendar_of(school: SchoolRow) -> SchoolCalendar:
    """What is known of the school's year; those with their own keep public holidays."""
    return school.calendar.as_domain()


def closures_of(host: HostRow) -> tuple[Closure, ...]:
    """The host's own closed days."""
    return tuple(
        Closure(each.first_on, each.last_on, "host", each.reason)
        for each in host.closed_days
    )


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
    part: PartOf | None = None,
) -> list[Case]:
    """One case for each slot, in order. ``besides``: a visit that is being changed.

    Other parts of the same placement do not stand in the way, whether ``part`` is
    asked for or ``besides`` is one: that is what half-groups are for. The group itself
    can only be at one place.
    """
    part = part or part_of(besides)
    policy = house_of(session).policy
    mine = besides.id if besides else None
    klass = class_of(school_class)
    all_held = held.slots_held(
        session, class_id=school_class.id, organiser_id=organiser_id, besides=mine
    )
    others = [each for each in all_held if not _is_sibling(each, part)]
    class_holds = tuple(
        _held(each, policy) for each in others if each.class_id == school_class.id
    )
    organiser_holds = tuple(
        _held(each, policy) for each in others if each.organiser_id == organiser_id
    )
    group_holds = tuple(
        _on_site(each)
        for each in all_held
        if part and _is_sibling(each, part) and each.group_no == part.group_no
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
                host_closed=closures_of(slot.offer.host),
                cap_use=uses(slot),
                class_holds=class_holds,
                organiser_holds=organiser_holds,
                group_holds=group_holds,
                party=party,
            )
        )
    return made


def _is_sibling(slot: held.HeldSlot, part: PartOf | None) -> bool:
    return part is not None and slot.placement_id == part.placement_id


def _on_site(slot: held.HeldSlot) -> Held:
    """Without the way: a group goes from one part of its visit to the next."""
    return Held(
        starts_at=slot.starts_at,
        away=away(slot.starts_at, slot.ends_at, None),
        organiser_name=slot.organiser_name,
        host_name=slot.host_name,
    )


def demand(
    session: Session,
    visit: VisitRow,
    slot: SlotRow,
    *,
    judge: Callable[..., list[Refusal]],
    now: datetime,
) -> None:
    """Raise ``Refused`` unless the visit fits the slot by the rules of ``judge``.

    A host reads the reasons: where else the class goes is not among them.
    """
    (case,) = cases(
        session,
        visit.school_class,
        [slot],
        organiser_id=visit.organiser_id,
        party=visit.party,
        besides=visit,
    )
    broken = judge(case, now=now, policy=house_of(session).policy)
    if broken:
        raise Refused(*discreet(broken))


def _held(slot: held.HeldSlot, policy: Policy) -> Held:
    way = trip(
        Place(slot.school_lat, slot.school_lon),
        Place(slot.host_lat, slot.host_lon),
        policy=policy,
    )
    return Held(
        starts_at=slot.starts_at,
        away=away(slot.starts_at, slot.ends_at, way),
        organiser_name=slot.organiser_name,
        host_name=slot.host_name,
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
    used: dict[int, list[tuple[int, date]]] = {}
    for host_id, visit_id, starts_at in visits.times_held_by_host(
        session,
        {slot.offer.host_id for slot in slots},
        start=school_year_bounds(min(starts))[0],
        end=school_year_bounds(max(starts))[1],
        besides=besides,
    ):
        used.setdefault(host_id, []).append((visit_id, local_day(starts_at)))

    def use(slot: SlotRow) -> CapUse:
        """Visits, not slots: one that moves within a month is one of that month."""
        day = local_day(slot.starts_at)
        others = used.get(slot.offer.host_id, [])
        month = (day.year, day.month)
        year = school_year(day)
        return CapUse(
            day=len({visit for visit, on in others if on == day}),
            month=len({visit for visit, on in others if (on.year, on.month) == month}),
            year=len({visit for visit, on in others if school_year(on) == year}),
        )

    return use
