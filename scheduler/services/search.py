"""Search of visits: what a teacher wishes, what fits, why, and what to loosen (TE-M1).

Wishes leave offers out; the class never does. An offer that does not fit the class is
shown after those that do, with its reasons, since half a class or another day may fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from scheduler.domain import fit
from scheduler.domain.fit import Case
from scheduler.domain.localtime import day_bounds, local_day
from scheduler.domain.offers import SizeCategory, Wheelchair
from scheduler.domain.parties import Party, adults_needed
from scheduler.domain.policy import Policy
from scheduler.domain.refusals import Refusal
from scheduler.domain.schooldays import Closure
from scheduler.domain.travel import Trip, trip
from scheduler.persistence.models.network import SchoolClassRow, SchoolRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.reference import LevelRow
from scheduler.persistence.queries import reference, teacher_pages
from scheduler.services import fitting
from scheduler.services.house import house_of

FURTHEST = timedelta(days=400)
NO_LEVEL = 99
REASONS = 3
NUMBERS = frozenset({"group_too_big", "slot_full"})


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is looked for. Nothing set means nothing is asked."""

    school_id: int
    class_id: int | None = None
    students: int | None = None
    level_code: str = ""
    field_codes: frozenset[str] = frozenset()
    sizes: frozenset[SizeCategory] = frozenset()
    first_on: date | None = None
    last_on: date | None = None
    within_km: int | None = None
    wheelchair: bool = False
    woman: bool = False
    fitting_only: bool = False


@dataclass(frozen=True, kw_only=True)
class FoundSlot:
    """A slot of a result. ``refusals`` is empty where the group fits."""

    id: int
    offer_id: int
    starts_at: datetime
    ends_at: datetime
    host: str
    title: str
    seats: int
    taken: int
    refusals: tuple[Refusal, ...]
    in_halves: bool

    @property
    def fits(self) -> bool:
        return not self.refusals


@dataclass(frozen=True, kw_only=True)
class Found:
    """A result: the offer, the way to it, and how the group fits."""

    offer_id: int
    title: str
    summary: str
    host: str
    commune: str
    lat: float
    lon: float
    approximate: bool
    way: Trip
    size: SizeCategory
    fields_fr: tuple[str, ...]
    fields_en: tuple[str, ...]
    most_students: int
    minutes: int
    min_grade_rank: int
    level_fits: bool | None
    wheelchair: Wheelchair
    women: int
    slots: tuple[FoundSlot, ...]
    reasons: tuple[Refusal, ...]

    @property
    def fitting(self) -> tuple[FoundSlot, ...]:
        """The slots on which the group fits."""
        return tuple(each for each in self.slots if each.fits)

    @property
    def in_halves(self) -> bool:
        """Whether only the number stands in the way, and half of it does not."""
        return not self.fitting and any(each.in_halves for each in self.slots)

    @property
    def next_slot(self) -> FoundSlot:
        """The first slot that fits, else the first of all."""
        return self.fitting[0] if self.fitting else self.slots[0]


@dataclass(frozen=True, kw_only=True)
class Loosened:
    """How many offers there would be without one of the wishes."""

    wish: str
    offers: int
    fitting: int


@dataclass(frozen=True, kw_only=True)
class Results:
    """All results in order, and ways out when there are none.

    ``own``: where the school lies; ``closures``: when it is closed.
    """

    found: tuple[Found, ...]
    loosened: tuple[Loosened, ...] = ()
    own: tuple[float, float] | None = None
    closures: tuple[Closure, ...] = ()

    @property
    def fitting(self) -> int:
        """How many of the offers have a slot that fits."""
        return sum(bool(each.fitting) for each in self.found)


Offers = dict[int, tuple[OfferRow, list[SlotRow]]]


def search(session: Session, wish: Wish, *, person_id: int, now: datetime) -> Results:
    """The offers with a slot ahead that meet the wishes, those that fit first."""
    school = teacher_pages.school_whole(session, wish.school_id)
    if school is None:
        return Results(found=())
    klass = _class_for(session, wish, school)
    policy = house_of(session).policy
    ahead = teacher_pages.slots_to_search(session, after=now, before=now + FURTHEST)

    def look(asked: Wish) -> list[Found]:
        chosen = _chosen(ahead, asked, school=school, policy=policy)
        slots = [slot for _, each in chosen.values() for slot in each]
        cases = fitting.cases(session, klass, slots, organiser_id=person_id)
        judged = _judged(slots, cases, asked, now=now, policy=policy)
        found = [
            _found(offer, judged, asked, school=school, policy=policy)
            for offer, _ in chosen.values()
        ]
        if asked.fitting_only:
            found = [each for each in found if each.fitting]
        return sorted(found, key=_rank)

    found = look(wish)
    loosened = () if found else tuple(_loosened(wish, look))
    place = fitting.place_of(school.organisation)
    return Results(
        found=tuple(found),
        loosened=loosened,
        own=(place.lat, place.lon),
        closures=(*fitting.calendar_of(school).closures, *_away(klass)),
    )


def _away(klass: SchoolClassRow) -> list[Closure]:
    return [
        Closure(each.first_on, each.last_on, "absence", each.reason)
        for each in klass.absences
    ]


def _class_for(session: Session, wish: Wish, school: SchoolRow) -> SchoolClassRow:
    """The chosen class, or one that stands for "some class of this level"."""
    if wish.class_id is not None:
        row = teacher_pages.class_to_read(session, wish.class_id)
        if row is not None and row.school_id == school.id:
            return row
    any_level = LevelRow(code="", grade_rank=NO_LEVEL, exam_block=False)
    known = reference.levels(session)
    level = next((each for each in known if each.code == wish.level_code), any_level)
    return SchoolClassRow(
        id=0, school_id=school.id, school=school, level=level, absences=[]
    )


def _chosen(
    ahead: Iterable[SlotRow], wish: Wish, *, school: SchoolRow, policy: Policy
) -> Offers:
    found: Offers = {}
    start = day_bounds(wish.first_on)[0] if wish.first_on else None
    end = day_bounds(wish.last_on)[1] if wish.last_on else None
    for slot in ahead:
        if (start and slot.starts_at < start) or (end and slot.starts_at >= end):
            continue
        if slot.offer_id not in found:
            found[slot.offer_id] = slot.offer, []
        found[slot.offer_id][1].append(slot)
    return {
        offer_id: (offer, slots)
        for offer_id, (offer, slots) in found.items()
        if _wanted(offer, wish, school=school, policy=policy)
    }


def _wanted(offer: OfferRow, wish: Wish, *, school: SchoolRow, policy: Policy) -> bool:
    if wish.field_codes and not wish.field_codes & {f.code for f in offer.fields}:
        return False
    if wish.sizes and offer.host.size_category not in wish.sizes:
        return False
    if wish.wheelchair and offer.wheelchair is Wheelchair.NO:
        return False
    if wish.woman and not offer.women:
        return False
    way = _way(offer, school, policy)
    return wish.within_km is None or way.km <= wish.within_km


def _way(offer: OfferRow, school: SchoolRow, policy: Policy) -> Trip:
    return trip(
        fitting.place_of(school.organisation),
        fitting.place_of(offer.host.organisation),
        policy=policy,
    )


def _judged(
    slots: Sequence[SlotRow],
    cases: Sequence[Case],
    wish: Wish,
    *,
    now: datetime,
    policy: Policy,
) -> dict[int, list[FoundSlot]]:
    judged: dict[int, list[FoundSlot]] = {}
    for slot, case in zip(slots, cases, strict=True):
        refusals, in_halves = judge(case, wish.students, now=now, policy=policy)
        judged.setdefault(slot.offer_id, []).append(
            FoundSlot(
                id=slot.id,
                offer_id=slot.offer_id,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
                host=slot.offer.host.organisation.name,
                title=slot.offer.title,
                seats=slot.max_students,
                taken=slot.students_taken,
                refusals=refusals,
                in_halves=in_halves,
            )
        )
    return judged


def judge(
    case: Case, students: int | None, *, now: datetime, policy: Policy
) -> tuple[tuple[Refusal, ...], bool]:
    """What stands in the way of a group of that size, and whether half of it fits.

    Adults are taken to be as many as are needed: a search is not the moment to say
    that one is missing.
    """
    whole = tuple(fit.refusals(with_students(case, students), now=now, policy=policy))
    if students is None or not whole or {each.code for each in whole} - NUMBERS:
        return whole, False
    half = with_students(case, -(-students // 2))
    return whole, not fit.seats_refusals(half)


def with_students(case: Case, students: int | None) -> Case:
    """The case for a group of that size; one student where no number is known."""
    wanted = students or 1
    adults = adults_needed(
        wanted,
        subgroup_size=case.rules.subgroup_size,
        school_minimum=case.school_class.min_adults,
    )
    return replace(case, party=Party(students=wanted, adults=adults))


def reasons_of(slots: Iterable[FoundSlot]) -> tuple[Refusal, ...]:
    """One refusal of each kind, the most frequent kinds first."""
    first: dict[str, Refusal] = {}
    often: dict[str, int] = {}
    for slot in slots:
        for refusal in slot.refusals:
            first.setdefault(refusal.code, refusal)
            often[refusal.code] = often.get(refusal.code, 0) + 1
    codes = sorted(first, key=lambda code: -often[code])
    return tuple(first[code] for code in codes[:REASONS])


def _found(
    offer: OfferRow,
    judged: dict[int, list[FoundSlot]],
    wish: Wish,
    *,
    school: SchoolRow,
    policy: Policy,
) -> Found:
    slots = tuple(judged[offer.id])
    place = fitting.place_of(offer.host.organisation)
    asked_level = wish.class_id is not None or bool(wish.level_code)
    too_low = any(r.code == "level_too_low" for slot in slots for r in slot.refusals)
    return Found(
        offer_id=offer.id,
        title=offer.title,
        summary=offer.summary,
        host=offer.host.organisation.name,
        commune=offer.host.organisation.commune.name,
        lat=place.lat,
        lon=place.lon,
        approximate=place.approximate,
        way=_way(offer, school, policy),
        size=offer.host.size_category,
        fields_fr=tuple(each.label_fr for each in offer.fields),
        fields_en=tuple(each.label_en for each in offer.fields),
        most_students=max(slot.seats for slot in slots),
        minutes=offer.duration_minutes,
        min_grade_rank=offer.min_grade_rank,
        level_fits=None if not asked_level else not too_low,
        wheelchair=offer.wheelchair,
        women=offer.women,
        slots=slots,
        reasons=() if any(slot.fits for slot in slots) else reasons_of(slots),
    )


def _rank(found: Found) -> tuple[int, int, date, int]:
    fits = 0 if found.fitting else 1 if found.in_halves else 2
    next_on = local_day(found.next_slot.starts_at)
    return fits, found.way.km, next_on, found.offer_id


def _loosened(wish: Wish, look: Callable[[Wish], list[Found]]) -> Iterable[Loosened]:
    for name, without in (
        ("fitting_only", replace(wish, fitting_only=False)),
        ("dates", replace(wish, first_on=None, last_on=None)),
        ("within_km", replace(wish, within_km=None)),
        ("fields", replace(wish, field_codes=frozenset())),
        ("sizes", replace(wish, sizes=frozenset())),
        ("wheelchair", replace(wish, wheelchair=False)),
        ("woman", replace(wish, woman=False)),
        ("half", replace(wish, students=-(-(wish.students or 0) // 2) or None)),
    ):
        if without == wish:
            continue
        found = look(without)
        fitting_now = sum(bool(each.fitting) for each in found)
        if found:
            yield Loosened(wish=name, offers=len(found), fitting=fitting_now)
