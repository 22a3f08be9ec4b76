"""Whether a class may have a slot in a campaign: ``domain/fit.py`` for many pairs.

A region has a million pairs of a class and a slot that it wishes, so what depends on
less than both is worked out once. A test asks ``fit.refusals`` about every pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from scheduler.domain.localtime import (
    SCHOOL_YEAR_STARTS,
    HalfDay,
    half_day,
    local,
    local_day,
)
from scheduler.domain.parties import Seats, most_students
from scheduler.domain.policy import Policy
from scheduler.domain.schooldays import Closure, SchoolCalendar, covering, deadline
from scheduler.domain.travel import Away, Trip, away, trip
from scheduler.persistence.queries import campaign_facts as facts
from scheduler.persistence.queries.campaign_facts import (
    ClassFacts,
    HeldTime,
    OfferFacts,
    SchoolFacts,
    SlotFacts,
)


@dataclass(frozen=True, slots=True)
class SlotDay:
    """What the rules ask of a slot, worked out once."""

    slot: SlotFacts
    offer: OfferFacts
    day: date
    half: HalfDay
    wednesday_afternoon: bool
    groups_left: int


@dataclass(kw_only=True)
class Rules:
    """The rules that speak about one class and one slot, as ``domain/fit.py`` does.

    What depends on less than both is worked out once.
    """

    policy: Policy
    asked_on: date
    schools: Mapping[int, SchoolFacts]
    calendars: Mapping[str, SchoolCalendar]
    absences: Mapping[int, Sequence[Closure]]
    slots: dict[str, SlotDay]
    by_key: dict[str, ClassFacts]
    held_by_class: Mapping[int, Sequence[tuple[HeldTime, Away]]]
    held_by_teacher: Mapping[int, Sequence[tuple[HeldTime, Away]]]
    _trips: dict[tuple[int, int], Trip] = field(default_factory=dict)
    _notices: dict[tuple[str, int, date], bool] = field(default_factory=dict)
    _closed: dict[tuple[str, date], bool] = field(default_factory=dict)

    def refusal(self, one: ClassFacts, at: SlotDay) -> str:
        """The code of the first rule that forbids the slot to the class, or nothing."""
        school = self.schools[one.school_id]
        least = at.offer.min_age
        age = one.youngest_age
        if least is not None and age is not None and age < least:
            return "too_young"
        if (
            at.wednesday_afternoon
            and school.is_college
            and not school.wednesday_afternoons
        ):
            return "wednesday_afternoon"
        if self._notice_too_short(school.calendar_code, at):
            return "notice_too_short"
        if hours := self._wrong_hours(one, school, at):
            return hours
        if one.support_assistants and not self._has_room_for_assistants(one, at):
            return "group_too_big"
        return self._busy(one, school, at)

    def unavailable(self, one: ClassFacts, days: Iterable[date]) -> frozenset[str]:
        """The days on which the class cannot leave."""
        school = self.schools[one.school_id]
        own = facts.days(one.absent)
        away_then = self.absences.get(one.class_id, ())
        return frozenset(
            day.isoformat()
            for day in days
            if self._is_closed(school.calendar_code, day)
            or (one.exam_block and self._after_exam(day))
            or covering(away_then, day) is not None
            or any(first <= day <= last for first, last in own)
        )

    def _is_closed(self, calendar: str, day: date) -> bool:
        key = calendar, day
        if key not in self._closed:
            self._closed[key] = self.calendars[calendar].refusal_on(day) is not None
        return self._closed[key]

    def _after_exam(self, day: date) -> bool:
        in_spring = day.month < SCHOOL_YEAR_STARTS
        return in_spring and day > self.policy.exam_on(day=day)

    def _notice_too_short(self, calendar: str, at: SlotDay) -> bool:
        key = calendar, at.offer.min_notice_days, at.day
        if key not in self._notices:
            due = deadline(
                at.day,
                days=at.offer.min_notice_days,
                created_on=date.min,
                calendar=self.calendars[calendar],
                calendar_days_from=self.policy.calendar_days_from,
            )
            self._notices[key] = self.asked_on > due.on
        return self._notices[key]

    def way(self, school: SchoolFacts, offer: OfferFacts) -> Trip:
        """The estimated way, one way."""
        key = school.id, offer.host_id
        if key not in self._trips:
            self._trips[key] = trip(school.place, offer.place, policy=self.policy)
        return self._trips[key]

    def _wrong_hours(self, one: ClassFacts, school: SchoolFacts, at: SlotDay) -> str:
        if self._back_too_late(one, school, at):
            return "return_too_late"
        return "leaves_too_early" if self._leaves_too_early(one, school, at) else ""

    def _back_too_late(self, one: ClassFacts, school: SchoolFacts, at: SlotDay) -> bool:
        limits = [each for each in (one.back_by, school.back_by) if each is not None]
        if not limits:
            return False
        back = local(at.slot.ends_at + self._minutes(school, at))
        return back.time() > min(limits) or back.date() > at.day

    def _leaves_too_early(
        self, one: ClassFacts, school: SchoolFacts, at: SlotDay
    ) -> bool:
        if one.leave_from is None:
            return False
        leaves = local(at.slot.starts_at - self._minutes(school, at))
        return leaves.time() < one.leave_from or leaves.date() < at.day

    def _minutes(self, school: SchoolFacts, at: SlotDay) -> timedelta:
        return timedelta(minutes=self.way(school, at.offer).minutes)

    def _has_room_for_assistants(self, one: ClassFacts, at: SlotDay) -> bool:
        """Whether as many students as the slot is said to hold leave room for them."""
        school = self.schools[one.school_id]
        left = Seats(
            students=at.slot.students_left,
            people=at.slot.people_left,
            groups=at.groups_left,
        )
        numbers = {
            "subgroup_size": at.offer.subgroup_size,
            "school_minimum": school.min_adults,
        }
        holds = most_students(left, **numbers)
        wanted = min(one.students, holds) if at.groups_left == 1 else holds
        return wanted <= most_students(
            left, **numbers, assistants=one.support_assistants
        )

    def _busy(self, one: ClassFacts, school: SchoolFacts, at: SlotDay) -> str:
        mine = self.held_by_class.get(one.class_id, ())
        others = self.held_by_teacher.get(one.teacher_id, ())
        if not mine and not others:
            return ""
        gone = away(at.slot.starts_at, at.slot.ends_at, self.way(school, at.offer))
        for held, then in mine:
            same = local_day(held.starts_at) == at.day
            if (same and half_day(held.starts_at) is at.half) or then.overlaps(gone):
                return "class_busy"
        return "organiser_busy" if any(t.overlaps(gone) for _, t in others) else ""
