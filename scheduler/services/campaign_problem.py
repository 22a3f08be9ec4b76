"""From the database to a problem of the engine: one snapshot at one instant.

Each rule of ``domain/fit.py`` becomes something that the engine keeps:

| rule                                             | in the problem               |
|--------------------------------------------------|------------------------------|
| offer published, bookable, slot open and ahead   | the slot is there, or not    |
| host closed                                      | the slot is not there        |
| seats, people, groups                            | what is left of the slot     |
| grade                                            | the slot's levels            |
| school closed, class absent, after the exam      | unavailable dates            |
| age, Wednesday, notice, return, others' visits   | forbidden slots              |
| caps of the host                                 | caps less what is held       |
| adults                                           | ``party_of_group`` brings them |

Distances are those of the estimated road, on one flat map of the campaign's region.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain.campaigns import (
    Criterion,
    PinKind,
    Standing,
    priority,
    reasons_for_points,
)
from scheduler.domain.localtime import (
    SCHOOL_YEAR_STARTS,
    day_bounds,
    half_day,
    instant,
    is_wednesday_afternoon,
    local,
    local_day,
    school_year,
    school_year_bounds,
)
from scheduler.domain.offers import Wheelchair
from scheduler.domain.parties import Seats, most_students
from scheduler.domain.refusals import NotFound
from scheduler.domain.schooldays import Closure, covering
from scheduler.domain.travel import Away, Plane, away, plane, trip
from scheduler.domain.wishes import Wish
from scheduler.matching.plan import Visit
from scheduler.matching.possible import Offer
from scheduler.matching.problem import (
    MOST_PRIORITY,
    MOST_STUDENTS,
    Cap,
    FieldWish,
    Host,
    HostWish,
    Params,
    Problem,
    Published,
    School,
    SchoolClass,
    Site,
    Slot,
    SlotWish,
    Split,
)
from scheduler.persistence.models.campaigns import CampaignRow
from scheduler.persistence.queries import campaign_facts as facts, visits
from scheduler.persistence.queries.campaign_facts import (
    ClassFacts,
    HeldTime,
    OfferFacts,
    SlotFacts,
)
from scheduler.services.campaign_rules import Rules, SlotDay
from scheduler.services.house import house_of

OBJECTIVE = ("served", "schools", "priority", "visits", "rank", "travel")
REPAIR_OBJECTIVE = (
    "served",
    "changes",
    "schools",
    "priority",
    "visits",
    "rank",
    "travel",
)
WHEELCHAIR = "wheelchair"
METRES = 1000
MIDNIGHT = 24 * 60
ADDED = "A"


def class_key(class_id: int) -> str:
    return f"C{class_id}"


def slot_key(slot_id: int) -> str:
    return f"S{slot_id}"


def host_key(host_id: int) -> str:
    return f"H{host_id}"


def school_key(school_id: int) -> str:
    return f"E{school_id}"


def number_of(key: str) -> int:
    """The row's id behind a key of the problem."""
    return int(key[1:])


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The problem as it was at one instant, and what explains it.

    ``points``: class id → what each criterion gives. ``rules``: why a class may not
    have a slot, asked one by one. ``declined``: (class, slot) of earlier visits that
    the company said no to.
    """

    problem: Problem
    points: Mapping[str, dict[Criterion, int]]
    rules: Rules
    declined: frozenset[tuple[str, str]] = frozenset()

    def obstacles(self, one: SchoolClass) -> dict[str, int]:
        """Codes of the rules that forbid the class slots that it wished, how often."""
        mine = self.rules.by_key[one.id]
        return dict(
            Counter(
                self.rules.refusal(mine, self.rules.slots[slot])
                or (
                    "host_declined"
                    if (one.id, slot) in self.declined
                    else "pinned_away"
                )
                for slot in sorted(one.forbidden)
            )
        )

    def without(self, declined: Iterable[tuple[str, str]]) -> Snapshot:
        """The same; no class is given again what its company said no to."""
        pairs = frozenset(declined)
        no: dict[str, set[str]] = defaultdict(set)
        for class_id, slot in pairs:
            no[class_id].add(slot)
        classes = {
            key: replace(
                one,
                forbidden=one.forbidden | (no[key] & self.rules.slots.keys()),
                pinned=one.pinned - no[key],
            )
            for key, one in self.problem.classes.items()
        }
        return replace(
            self, problem=replace(self.problem, classes=classes), declined=pairs
        )


def snapshot(
    session: Session,
    campaign_id: int,
    *,
    now: datetime,
    added: Sequence[Mapping[str, Any]] = (),
    previous: Sequence[Published] = (),
    besides: Iterable[int] | None = None,
    class_ids: frozenset[int] | None = None,
) -> Snapshot:
    """The campaign as a problem: every submitted wish list, every slot in its term.

    ``added``: slots that nobody opened and wider ones (what-if). ``previous``: the
    published visits; what they hold is free for the new plan, and changes are counted.
    ``besides``: the visits whose seats are free for it, if not all of the campaign's.
    ``class_ids``: only these classes (a second round).
    """
    row = facts.campaign(session, campaign_id)
    if row is None:
        raise NotFound
    if besides is None:
        besides = facts.placed_visits(session, campaign_id) if previous else ()
    read = _Read(session, row, now=now, besides=frozenset(besides), added=added)
    if class_ids is not None:
        read.classes = [each for each in read.classes if each.class_id in class_ids]
    return _snapshot(read, previous)


def published(class_id: int, visit: Visit, *, frozen: bool = False) -> Published:
    """A visit of the published plan, for ``previous``."""
    return Published(replace(visit, class_id=class_key(class_id)), frozen)


# ---------------------------------------------------------------- what was read


class _Read:
    """All rows of one instant, and the slots with what is left of them."""

    def __init__(
        self,
        session: Session,
        row: CampaignRow,
        *,
        now: datetime,
        besides: frozenset[int],
        added: Sequence[Mapping[str, Any]],
    ) -> None:
        self.row, self.now, self.besides = row, now, besides
        self.policy = house_of(session).policy
        self.classes = _eligible(row, facts.classes(session, row.id))
        self.wishes = facts.wishes(session, row.id)
        self.absences = facts.absences(session, row.id)
        self.schools = facts.schools(session, row.id)
        self.calendars = facts.calendars(session)
        self.levels = facts.levels(session)
        self.offers = facts.offers(session)
        self.fields = facts.fields(session)
        self.pins = facts.pins(session, row.id)
        self.held = facts.held(session, row.id, besides=besides)
        start, end = _term(row)
        self.slots = dict(
            self._open_slots(
                facts.slots(session, after=max(now, start), before=end),
                facts.host_closures(session),
                facts.seats_of(session, besides) if besides else {},
            )
        )
        self._take_added(added)
        year_start, year_end = _years(row)
        self.cap_uses = [
            (host_id, local_day(starts_at))
            for host_id, visit_id, starts_at in visits.times_held_by_host(
                session,
                {each.host_id for each in self.offers.values() if _has_caps(each)},
                start=year_start,
                end=year_end,
                besides=None,
            )
            if visit_id not in besides
        ]
        self.obtained_this_year = facts.obtained(
            session, start=year_start, end=year_end, besides=besides
        )
        self.obtained_this_term = facts.obtained(
            session, start=start, end=end, besides=besides
        )
        self.late = facts.late_cancellations(session, start=year_start, end=year_end)

    def _open_slots(
        self,
        found: Iterable[SlotFacts],
        closures: Mapping[int, list[Closure]],
        held: Mapping[int, tuple[int, int, int]],
    ) -> Iterator[tuple[str, SlotFacts]]:
        for slot in found:
            offer = self.offers.get(slot.offer_id)
            if offer is None or covering(
                closures.get(offer.host_id, ()), local_day(slot.starts_at)
            ):
                continue
            students, people, groups = held.get(slot.id, (0, 0, 0))
            left = slot._replace(
                students_left=slot.students_left + students,
                people_left=(
                    None if slot.people_left is None else slot.people_left + people
                ),
                groups_left=slot.groups_left + groups,
            )
            yield slot_key(slot.id), left

    def _take_added(self, added: Sequence[Mapping[str, Any]]) -> None:
        for number, each in enumerate(added, 1):
            if "slot" in each:
                key = slot_key(each["slot"])
                if key in self.slots:
                    self.slots[key] = _wider(self.slots[key], each)
            elif each["offer"] in self.offers:
                self.slots[f"{ADDED}{number}"] = _new_slot(number, each)


def _eligible(row: CampaignRow, found: list[ClassFacts]) -> list[ClassFacts]:
    levels = set(row.level_codes)
    return [each for each in found if not levels or each.level_code in levels]


def _wider(slot: SlotFacts, more: Mapping[str, Any]) -> SlotFacts:
    return slot._replace(
        students_left=slot.students_left + more.get("students", 0),
        people_left=(
            None
            if slot.people_left is None
            else slot.people_left + more.get("students", 0)
        ),
        groups_left=slot.groups_left + more.get("groups", 0),
    )


def _new_slot(number: int, wanted: Mapping[str, Any]) -> SlotFacts:
    starts_at = instant(
        date.fromisoformat(wanted["day"]), time.fromisoformat(wanted["start"])
    )
    return SlotFacts(
        id=-number,
        offer_id=wanted["offer"],
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=wanted["minutes"]),
        students_left=wanted["students"],
        people_left=None,
        groups_left=wanted.get("groups", 1),
    )


def _term(row: CampaignRow) -> tuple[datetime, datetime]:
    return day_bounds(row.first_visit_on)[0], day_bounds(row.last_visit_on)[1]


def _years(row: CampaignRow) -> tuple[datetime, datetime]:
    first = school_year_bounds(row.first_visit_on)[0]
    return first, school_year_bounds(row.last_visit_on)[1]


def _has_caps(offer: OfferFacts) -> bool:
    caps = (offer.cap_per_day, offer.cap_per_month, offer.cap_per_year)
    return any(each is not None for each in caps)


def _rules(read: _Read) -> Rules:
    by_class: dict[int, list[tuple[HeldTime, Away]]] = defaultdict(list)
    by_teacher: dict[int, list[tuple[HeldTime, Away]]] = defaultdict(list)
    for each in read.held:
        way = trip(each.school_place, each.host_place, policy=read.policy)
        held = each, away(each.starts_at, each.ends_at, way)
        by_class[each.class_id].append(held)
        by_teacher[each.organiser_id].append(held)
    return Rules(
        policy=read.policy,
        # A plan is published on the day of allocation at the earliest.
        asked_on=max(local_day(read.now), read.row.allocation_on),
        schools=read.schools,
        calendars=read.calendars,
        absences=read.absences,
        slots={
            key: SlotDay(
                slot=slot,
                offer=read.offers[slot.offer_id],
                day=local_day(slot.starts_at),
                half=half_day(slot.starts_at),
                wednesday_afternoon=is_wednesday_afternoon(slot.starts_at),
                groups_left=slot.groups_left,
            )
            for key, slot in read.slots.items()
        },
        by_key={class_key(each.class_id): each for each in read.classes},
        held_by_class=by_class,
        held_by_teacher=by_teacher,
    )


# ---------------------------------------------------------------- the problem


def _snapshot(read: _Read, previous: Sequence[Published]) -> Snapshot:
    rules = _rules(read)
    made = _Problem(read, rules)
    whole = Problem(
        name=read.row.name,
        params=Params(
            min_group=read.row.min_group,
            near_m=read.row.near_m,
            parallel_min=read.row.parallel_min,
            gap_min=read.row.gap_min,
            walk_min=read.row.walk_min,
            objective=REPAIR_OBJECTIVE if previous else OBJECTIVE,
        ),
        schools=made.schools(),
        classes=made.classes(),
        hosts=made.hosts(),
        sites=made.sites(),
        slots=made.slots,
        previous=tuple(previous),
    )
    return Snapshot(
        problem=_with_forbidden(whole, read, rules, made),
        points=made.points,
        rules=rules,
    )


class _Problem:
    """The parts of the problem, made from what was read."""

    def __init__(self, read: _Read, rules: Rules) -> None:
        self.read, self.rules = read, rules
        self.slots = {
            key: slot
            for key, facts_of in read.slots.items()
            if (slot := self._slot(key, facts_of)) is not None
        }
        self.offers = {
            number_of(each.site): read.offers[number_of(each.site)]
            for each in self.slots.values()
        }
        self.points: dict[str, dict[Criterion, int]] = {}

    @cached_property
    def _plane(self) -> Plane:
        places = [school.place for school in self.read.schools.values()]
        places += [offer.place for offer in self.offers.values()]
        return plane(places, policy=self.read.policy)

    @cached_property
    def _most_adults_asked(self) -> int:
        return max((each.min_adults for each in self.read.schools.values()), default=1)

    # ------------------------------------------------------------ slots

    def _slot(self, key: str, slot: SlotFacts) -> Slot | None:
        """What is left of a slot; nothing if it is full."""
        offer = self.read.offers[slot.offer_id]
        seats = Seats(
            students=max(0, min(slot.students_left, MOST_STUDENTS)),
            people=slot.people_left,
            groups=max(0, slot.groups_left),
        )
        most = most_students(
            seats,
            subgroup_size=offer.subgroup_size,
            school_minimum=self._most_adults_asked,
        )
        if most < 1 or seats.groups < 1:
            return None
        starts, ends = local(slot.starts_at), local(slot.ends_at)
        start = starts.hour * 60 + starts.minute
        end = ends.hour * 60 + ends.minute
        end += MIDNIGHT * (ends.date() - starts.date()).days
        return Slot(
            id=key,
            host=host_key(offer.host_id),
            site=f"O{offer.id}",
            date=starts.date().isoformat(),
            start=start,
            end=max(end, start + 1),
            least=min(offer.min_students, most),
            most=most,
            groups=seats.groups,
            levels=self._levels_from(offer.min_grade_rank),
        )

    def _levels_from(self, grade_rank: int) -> frozenset[str]:
        known = self._levels_cache
        if grade_rank not in known:
            known[grade_rank] = frozenset(
                code for code, rank in self.read.levels.items() if rank >= grade_rank
            )
        return known[grade_rank]

    @cached_property
    def _levels_cache(self) -> dict[int, frozenset[str]]:
        return {}

    # ------------------------------------------------------------ hosts and sites

    @cached_property
    def sectors(self) -> dict[str, frozenset[str]]:
        """Host → fields of its offers in the campaign. The engine knows one a host."""
        found: dict[str, set[str]] = defaultdict(set)
        for offer in self.offers.values():
            found[host_key(offer.host_id)] |= self.read.fields.get(
                offer.id, frozenset()
            )
        return {host: frozenset(codes) for host, codes in found.items()}

    def hosts(self) -> dict[str, Host]:
        """The hosts that have a slot, with what their caps leave."""
        days: dict[str, set[str]] = defaultdict(set)
        for slot in self.slots.values():
            days[slot.host].add(slot.date)
        used: dict[int, list[date]] = defaultdict(list)
        for host_id, day in self.read.cap_uses:
            used[host_id].append(day)
        by_host = {host_key(each.host_id): each for each in self.offers.values()}
        return {
            key: Host(
                id=key,
                kind=by_host[key].size_category.value,
                sector=_sector(self.sectors[key]),
                month_cap=by_host[key].cap_per_month or len(self.slots),
                caps=_caps(by_host[key], sorted(days[key]), used[number_of(key)]),
            )
            for key in sorted(by_host, key=number_of)
        }

    def sites(self) -> dict[str, Site]:
        """One for each offer: half-groups of a class see the same."""
        found = {}
        for offer in self.offers.values():
            x, y = self._plane.point(offer.place)
            access = {WHEELCHAIR} if offer.wheelchair is not Wheelchair.NO else set()
            key = f"O{offer.id}"
            found[key] = Site(key, host_key(offer.host_id), x, y, frozenset(access))
        return found

    # ------------------------------------------------------------ schools and classes

    def schools(self) -> dict[str, School]:
        """With their quota, less what they obtained in the term already."""
        row = self.read.row
        had = Counter(school_id for school_id, _ in self.read.obtained_this_term)
        found = {}
        for each in self.read.schools.values():
            x, y = self._plane.point(each.place)
            quota = row.school_quota
            if quota is not None:
                quota = max(0, quota - had[each.id])
            key = school_key(each.id)
            found[key] = School(key, x, y, rural=bool(each.rural), quota=quota)
        return found

    def classes(self) -> dict[str, SchoolClass]:
        days = sorted({date.fromisoformat(each.date) for each in self.slots.values()})
        standings = self._standings()
        pinned: dict[int, set[str]] = defaultdict(set)
        for class_id, slot_id, kind in self.read.pins:
            if kind is PinKind.PIN and slot_key(slot_id) in self.slots:
                pinned[class_id].add(slot_key(slot_id))
        points = {Criterion(key): each for key, each in self.read.row.points.items()}
        found = {}
        for each in self.read.classes:
            key = class_key(each.class_id)
            self.points[key] = reasons_for_points(
                standings(each), points=points, far_km=self.read.row.far_km
            )
            found[key] = SchoolClass(
                id=key,
                school=school_key(each.school_id),
                level=each.level_code,
                size=each.students,
                needs=frozenset({WHEELCHAIR} if each.wheelchair else ()),
                unavailable=self.rules.unavailable(each, days),
                max_visits=self.read.row.visits_per_class,
                max_m=each.max_km * METRES,
                split=Split(each.split.value),
                max_parts=each.max_parts,
                priority=min(priority(self.points[key]), MOST_PRIORITY),
                order=each.arrival,
                wishes=tuple(self._wishes(each)),
                pinned=frozenset(pinned[each.class_id]),
            )
        return found

    def _wishes(self, one: ClassFacts) -> Iterator[SlotWish | HostWish | FieldWish]:
        row = self.read.row
        for wish in self.read.wishes.get(one.list_id, ()):
            if wish.slot_id is not None:
                yield SlotWish(slot_key(wish.slot_id))
            elif wish.host_id is not None:
                yield HostWish(host_key(wish.host_id))
            else:
                max_km = one.max_km if wish.max_km is None else wish.max_km
                yield FieldWish(
                    sectors=self._sectors_with(wish),
                    first=(wish.first_on or row.first_visit_on).isoformat(),
                    last=(wish.last_on or row.last_visit_on).isoformat(),
                    max_m=max_km * METRES,
                )

    def _sectors_with(self, wish: Wish) -> frozenset[str]:
        wanted = frozenset(wish.field_codes)
        if wanted not in self._sector_sets:
            self._sector_sets[wanted] = frozenset(
                _sector(each)
                for each in self.sectors.values()
                if not wanted or wanted & each
            )
        return self._sector_sets[wanted]

    @cached_property
    def _sector_sets(self) -> dict[frozenset[str], frozenset[str]]:
        return {}

    def _standings(self) -> Any:
        schools = {school for school, _ in self.read.obtained_this_year}
        classes = {one for _, one in self.read.obtained_this_year}
        nearest = self._nearest()

        def of(one: ClassFacts) -> Standing:
            return Standing(
                school_has_visit=one.school_id in schools,
                class_has_visit=one.class_id in classes,
                rural=bool(self.read.schools[one.school_id].rural),
                km_to_nearest_host=nearest[one.school_id],
                late_cancellations=self.read.late.get(one.class_id, 0),
            )

        return of

    def _nearest(self) -> dict[int, float | None]:
        """School → kilometres to the nearest host, if one is about as near as asked."""
        cell = max(self.read.row.far_km, 1) * METRES
        around: dict[tuple[int, int], set[tuple[int, int]]] = defaultdict(set)
        for offer in self.offers.values():
            x, y = self._plane.point(offer.place)
            around[x // cell, y // cell].add((x, y))
        found: dict[int, float | None] = {}
        for school in self.read.schools.values():
            x, y = self._plane.point(school.place)
            near = [
                ((x - a) ** 2 + (y - b) ** 2) ** 0.5
                for column in (-1, 0, 1)
                for line in (-1, 0, 1)
                for a, b in around.get((x // cell + column, y // cell + line), ())
            ]
            found[school.id] = min(near) / METRES if near else None
        return found


def _sector(codes: frozenset[str]) -> str:
    return "+".join(sorted(codes))


def _caps(
    offer: OfferFacts, days: Sequence[str], used: Sequence[date]
) -> tuple[Cap, ...]:
    """What the host's caps leave on each day, in each month and school year."""
    found: list[Cap] = []

    def leave(cap: int | None, periods: Iterable[tuple[date, date]]) -> None:
        if cap is not None:
            for first, last in periods:
                taken = sum(first <= day <= last for day in used)
                left = max(0, cap - taken)
                found.append(Cap(first.isoformat(), last.isoformat(), left))

    dates = [date.fromisoformat(day) for day in days]
    leave(offer.cap_per_day, [(day, day) for day in dates])
    leave(offer.cap_per_month, sorted({_month(day) for day in dates}))
    leave(offer.cap_per_year, sorted({_year(day) for day in dates}))
    return tuple(found)


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first, following - timedelta(days=1)


def _year(day: date) -> tuple[date, date]:
    first = school_year(day)
    start = date(first, SCHOOL_YEAR_STARTS, 1)
    return start, date(first + 1, SCHOOL_YEAR_STARTS, 1) - timedelta(days=1)


# ---------------------------------------------------------------- forbidden slots


def _with_forbidden(
    problem: Problem, read: _Read, rules: Rules, made: _Problem
) -> Problem:
    """The problem with the slots that a rule denies to a class that wishes them."""
    barred: dict[int, set[str]] = defaultdict(set)
    for class_id, slot_id, kind in read.pins:
        if kind is PinKind.FORBID:
            barred[class_id].add(slot_key(slot_id))
    offer = Offer(problem)
    classes = {}
    for key, one in problem.classes.items():
        mine = rules.by_key[key]
        denied = {
            each.slot.id
            for each in offer.wished(one)
            if each.slot.id in barred[mine.class_id]
            or rules.refusal(mine, rules.slots[each.slot.id])
            or not _is_meant(one, each.slot, made)
        }
        classes[key] = replace(
            one, forbidden=frozenset(denied), pinned=one.pinned - denied
        )
    return replace(problem, classes=classes)


def _is_meant(one: SchoolClass, slot: Slot, made: _Problem) -> bool:
    """Whether a wish means this offer: a host may have others in other fields."""
    offer_fields = made.read.fields.get(number_of(slot.site), frozenset())
    if offer_fields == made.sectors[slot.host]:
        return True
    facts_of = made.rules.by_key[one.id]
    for wish in made.read.wishes.get(facts_of.list_id, ()):
        if wish.slot_id is not None or wish.host_id is not None:
            if slot.id == slot_key(wish.slot_id or 0):
                return True
            if slot.host == host_key(wish.host_id or 0):
                return True
        elif not wish.field_codes or offer_fields & set(wish.field_codes):
            return True
    return False
