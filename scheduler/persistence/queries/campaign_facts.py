"""What the engine has to know of a campaign: plain columns, a query for each table.

A campaign may have nine thousand classes and twelve thousand slots, so nothing here
makes an object with relations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import PinKind
from scheduler.domain.offers import OfferState, SizeCategory, Wheelchair
from scheduler.domain.schooldays import Closure, SchoolCalendar
from scheduler.domain.slots import SlotState
from scheduler.domain.travel import Place
from scheduler.domain.visits import HOLDS_SEATS, USES_CAP, VisitState
from scheduler.domain.wishes import Splitting, Wish, WishListState
from scheduler.persistence.models.calendars import CalendarRow
from scheduler.persistence.models.campaigns import (
    CampaignRow,
    PinRow,
    PlacementRow,
    WishListRow,
    WishRow,
)
from scheduler.persistence.models.network import (
    AbsenceRow,
    HostClosureRow,
    HostRow,
    OrganisationRow,
    SchoolClassRow,
    SchoolRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow, offer_field
from scheduler.persistence.models.reference import (
    CommuneRow,
    LevelRow,
    OfferKindRow,
    SchoolKindRow,
)
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries.held import (
    BOTH_ENDS,
    coordinates,
    with_both_ends,
)
from scheduler.persistence.queries.visits import calendar_whole


class ClassFacts(NamedTuple):
    """A class with its wish list."""

    list_id: int
    class_id: int
    school_id: int
    teacher_id: int
    level_code: str
    grade_rank: int
    exam_block: bool
    youngest_age: int | None
    students: int
    adults: int
    support_assistants: int
    split: Splitting
    max_parts: int
    max_km: int
    wheelchair: bool
    absent: list[dict[str, Any]]
    back_by: time | None
    arrival: int
    leave_from: time | None


class SchoolFacts(NamedTuple):
    """``rural``: as it was entered, else by INSEE's density level (5 to 7 of 7)."""

    id: int
    calendar_code: str
    rural: bool
    back_by: time | None
    min_adults: int
    wednesday_afternoons: bool
    is_college: bool
    lat: float
    lon: float

    @property
    def place(self) -> Place:
        return Place(self.lat, self.lon)


class OfferFacts(NamedTuple):
    """An offer that classes may come to, with what its host allows."""

    id: int
    host_id: int
    min_students: int
    subgroup_size: int
    min_grade_rank: int
    min_age: int | None
    min_notice_days: int
    wheelchair: Wheelchair
    size_category: SizeCategory
    cap_per_day: int | None
    cap_per_month: int | None
    cap_per_year: int | None
    lat: float
    lon: float

    @property
    def place(self) -> Place:
        return Place(self.lat, self.lon)


class SlotFacts(NamedTuple):
    """A slot with what is left of it."""

    id: int
    offer_id: int
    starts_at: datetime
    ends_at: datetime
    students_left: int
    people_left: int | None
    groups_left: int


class HeldTime(NamedTuple):
    """A time that a class and its teacher are away for a visit."""

    class_id: int
    organiser_id: int
    starts_at: datetime
    ends_at: datetime
    school_lat: float
    school_lon: float
    host_lat: float
    host_lon: float

    @property
    def school_place(self) -> Place:
        return Place(self.school_lat, self.school_lon)

    @property
    def host_place(self) -> Place:
        return Place(self.host_lat, self.host_lon)


RURAL_FROM = 5
"""INSEE's density grid in 7 levels: 5 and more are rural communes."""


def _lists(campaign_id: int) -> Select[Any]:
    """Ids of the classes whose wishes count."""
    return select(WishListRow.class_id).where(
        WishListRow.campaign_id == campaign_id,
        WishListRow.state == WishListState.SUBMITTED,
    )


def campaign(session: Session, campaign_id: int) -> CampaignRow | None:
    """The campaign with its rules."""
    return session.get(CampaignRow, campaign_id)


def classes(session: Session, campaign_id: int) -> list[ClassFacts]:
    """Active classes with a submitted wish list, in the order of their ids."""
    query = (
        select(
            WishListRow.id,
            WishListRow.class_id,
            SchoolClassRow.school_id,
            WishListRow.teacher_id,
            SchoolClassRow.level_code,
            LevelRow.grade_rank,
            LevelRow.exam_block,
            SchoolClassRow.youngest_age,
            WishListRow.students,
            WishListRow.adults,
            WishListRow.support_assistants,
            WishListRow.split,
            WishListRow.max_parts,
            WishListRow.max_km,
            WishListRow.wheelchair,
            WishListRow.absent,
            WishListRow.back_by,
            WishListRow.arrival,
            WishListRow.leave_from,
        )
        .join(SchoolClassRow, SchoolClassRow.id == WishListRow.class_id)
        .join(LevelRow, LevelRow.code == SchoolClassRow.level_code)
        .where(
            WishListRow.campaign_id == campaign_id,
            WishListRow.state == WishListState.SUBMITTED,
            SchoolClassRow.active.is_(True),
        )
        .order_by(WishListRow.class_id)
    )
    return [ClassFacts._make(row) for row in session.execute(query)]


def wishes(session: Session, campaign_id: int) -> dict[int, list[Wish]]:
    """Wish list id → its wishes, best first."""
    query = (
        select(
            WishRow.wish_list_id,
            WishRow.slot_id,
            WishRow.host_id,
            WishRow.field_codes,
            WishRow.first_on,
            WishRow.last_on,
            WishRow.max_km,
        )
        .join(WishListRow, WishListRow.id == WishRow.wish_list_id)
        .where(WishListRow.campaign_id == campaign_id)
        .order_by(WishRow.wish_list_id, WishRow.position)
    )
    found: dict[int, list[Wish]] = defaultdict(list)
    for list_id, slot_id, host_id, fields, first_on, last_on, max_km in session.execute(
        query
    ):
        found[list_id].append(
            Wish(
                slot_id=slot_id,
                host_id=host_id,
                field_codes=tuple(fields),
                first_on=first_on,
                last_on=last_on,
                max_km=max_km,
            )
        )
    return found


def absences(session: Session, campaign_id: int) -> dict[int, list[Closure]]:
    """Class id → when it is away."""
    query = (
        select(
            AbsenceRow.class_id,
            AbsenceRow.first_on,
            AbsenceRow.last_on,
            AbsenceRow.reason,
        )
        .where(AbsenceRow.class_id.in_(_lists(campaign_id)))
        .order_by(AbsenceRow.class_id, AbsenceRow.first_on)
    )
    found: dict[int, list[Closure]] = defaultdict(list)
    for class_id, first_on, last_on, reason in session.execute(query):
        found[class_id].append(Closure(first_on, last_on, "absence", reason))
    return found


def schools(session: Session, campaign_id: int) -> dict[int, SchoolFacts]:
    """The schools of the classes, by id."""
    query = (
        select(
            SchoolRow.id,
            SchoolRow.calendar_code,
            case(
                (SchoolRow.rural.is_not(None), SchoolRow.rural),
                else_=func.coalesce(CommuneRow.density_level >= RURAL_FROM, False),
            ),
            SchoolRow.back_by,
            SchoolRow.min_adults,
            SchoolRow.wednesday_afternoons,
            SchoolKindRow.is_college,
            *coordinates(OrganisationRow, CommuneRow),
        )
        .join(OrganisationRow, OrganisationRow.id == SchoolRow.id)
        .join(CommuneRow, CommuneRow.insee == OrganisationRow.commune_insee)
        .join(SchoolKindRow, SchoolKindRow.code == SchoolRow.kind_code)
        .where(
            SchoolRow.id.in_(
                select(SchoolClassRow.school_id).where(
                    SchoolClassRow.id.in_(_lists(campaign_id))
                )
            )
        )
        .order_by(SchoolRow.id)
    )
    return {row[0]: SchoolFacts._make(row) for row in session.execute(query)}


def calendars(session: Session) -> dict[str, SchoolCalendar]:
    """Every school calendar, by code."""
    rows = session.scalars(select(CalendarRow).options(*calendar_whole())).unique()
    return {row.code: row.as_domain() for row in rows}


def levels(session: Session) -> dict[str, int]:
    """Level code → its grade (DOMAIN rule 3)."""
    query = select(LevelRow.code, LevelRow.grade_rank)
    return {row[0]: row[1] for row in session.execute(query)}


def offers(session: Session) -> dict[int, OfferFacts]:
    """Published offers of a kind that a class can come to, by id."""
    query = (
        select(
            OfferRow.id,
            OfferRow.host_id,
            OfferRow.min_students,
            OfferRow.subgroup_size,
            OfferRow.min_grade_rank,
            OfferRow.min_age,
            OfferRow.min_notice_days,
            OfferRow.wheelchair,
            HostRow.size_category,
            HostRow.cap_per_day,
            HostRow.cap_per_month,
            HostRow.cap_per_year,
            *coordinates(OrganisationRow, CommuneRow),
        )
        .join(HostRow, HostRow.id == OfferRow.host_id)
        .join(OrganisationRow, OrganisationRow.id == HostRow.id)
        .join(CommuneRow, CommuneRow.insee == OrganisationRow.commune_insee)
        .join(OfferKindRow, OfferKindRow.code == OfferRow.kind_code)
        .where(OfferRow.state == OfferState.PUBLISHED, OfferKindRow.bookable.is_(True))
        .order_by(OfferRow.id)
    )
    return {row[0]: OfferFacts._make(row) for row in session.execute(query)}


def fields(session: Session) -> dict[int, frozenset[str]]:
    """Offer id → codes of its fields."""
    found: dict[int, set[str]] = defaultdict(set)
    for offer_id, code in session.execute(
        select(offer_field.c.offer_id, offer_field.c.field_code)
    ):
        found[offer_id].add(code)
    return {offer_id: frozenset(codes) for offer_id, codes in found.items()}


def slots(session: Session, *, after: datetime, before: datetime) -> list[SlotFacts]:
    """Open slots that begin in the time, in the order of their ids, full ones too."""
    query = (
        select(
            SlotRow.id,
            SlotRow.offer_id,
            SlotRow.starts_at,
            SlotRow.ends_at,
            SlotRow.max_students - SlotRow.students_taken,
            SlotRow.max_people - SlotRow.people_taken,
            SlotRow.max_groups - SlotRow.groups_taken,
        )
        .where(
            SlotRow.state == SlotState.OPEN,
            SlotRow.starts_at > after,
            SlotRow.starts_at < before,
        )
        .order_by(SlotRow.id)
    )
    return [SlotFacts._make(row) for row in session.execute(query)]


def host_closures(session: Session) -> dict[int, list[Closure]]:
    """Host id → days that it keeps for itself."""
    found: dict[int, list[Closure]] = defaultdict(list)
    for host_id, first_on, last_on in session.execute(
        select(HostClosureRow.host_id, HostClosureRow.first_on, HostClosureRow.last_on)
    ):
        found[host_id].append(Closure(first_on, last_on, "host"))
    return found


def held(
    session: Session, campaign_id: int, *, besides: Iterable[int]
) -> list[HeldTime]:
    """What the classes and their teachers hold. ``besides``: visits that may go."""
    teachers = select(WishListRow.teacher_id).where(
        WishListRow.campaign_id == campaign_id
    )
    query = with_both_ends(
        select(
            VisitRow.id,
            VisitRow.class_id,
            VisitRow.organiser_id,
            SlotRow.starts_at,
            SlotRow.ends_at,
            *BOTH_ENDS,
        )
    ).where(
        or_(
            VisitRow.class_id.in_(_lists(campaign_id)),
            VisitRow.organiser_id.in_(teachers),
        )
    )
    left_out = set(besides)
    return [
        HeldTime._make(row[1:])
        for row in session.execute(query)
        if row[0] not in left_out
    ]


def obtained(
    session: Session, *, start: datetime, end: datetime, besides: Iterable[int]
) -> list[tuple[int, int]]:
    """(school, class) of each visit in the time that is asked for, agreed or over."""
    query = (
        select(VisitRow.id, SchoolClassRow.school_id, VisitRow.class_id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(SchoolClassRow, SchoolClassRow.id == VisitRow.class_id)
        .where(
            VisitRow.state.in_(USES_CAP),
            SlotRow.starts_at >= start,
            SlotRow.starts_at < end,
        )
    )
    left_out = set(besides)
    return [
        (school_id, class_id)
        for visit_id, school_id, class_id in session.execute(query)
        if visit_id not in left_out
    ]


def late_cancellations(
    session: Session, *, start: datetime, end: datetime
) -> dict[int, int]:
    """Class id → visits that its school called off late, in the time."""
    query = (
        select(VisitRow.class_id, func.count())
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(
            VisitRow.state == VisitState.CANCELLED_BY_SCHOOL,
            VisitRow.late.is_(True),
            SlotRow.starts_at >= start,
            SlotRow.starts_at < end,
        )
        .group_by(VisitRow.class_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def pins(session: Session, campaign_id: int) -> list[tuple[int, int, PinKind]]:
    """(class, slot, kind) of what coordinators fixed by hand."""
    query = select(PinRow.class_id, PinRow.slot_id, PinRow.kind).where(
        PinRow.campaign_id == campaign_id
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def placed_visits(session: Session, campaign_id: int) -> Sequence[int]:
    """Visits that hold seats because a plan of the campaign was published."""
    return session.scalars(
        select(VisitRow.id)
        .join(PlacementRow, PlacementRow.id == VisitRow.placement_id)
        .where(
            PlacementRow.campaign_id == campaign_id,
            VisitRow.state.in_(HOLDS_SEATS),
        )
        .order_by(VisitRow.id)
    ).all()


def seats_of(
    session: Session, visit_ids: Iterable[int]
) -> dict[int, tuple[int, int, int]]:
    """Slot id → students, people and groups that the visits hold there."""
    found: dict[int, tuple[int, int, int]] = {}
    query = select(
        VisitRow.slot_id,
        VisitRow.wanted_slot_id,
        VisitRow.students,
        VisitRow.students + VisitRow.adults + VisitRow.support_assistants,
    ).where(VisitRow.id.in_(list(visit_ids)))
    for slot_id, wanted_id, students, people in session.execute(query):
        for each in {slot_id, wanted_id or slot_id}:
            one, two, three = found.get(each, (0, 0, 0))
            found[each] = (one + students, two + people, three + 1)
    return found


def days(facts: Iterable[dict[str, Any]]) -> list[tuple[date, date]]:
    """The stored days of a wish list as days, ends included."""
    return [
        (date.fromisoformat(each["first"]), date.fromisoformat(each["last"]))
        for each in facts
    ]
