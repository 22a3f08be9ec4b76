"""Frozen values for tests of rules: only the numbers that matter are given.

The builders supply a slot on Tuesday 12 January 2027, 9 to 11 in Paris, of a host that
takes 25 students in sub-groups of 15, and a class of a lycée that may come.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from scheduler.domain.classes import SchoolClass
from scheduler.domain.fit import Case, Held
from scheduler.domain.localtime import instant
from scheduler.domain.offers import Confirmation, OfferState, Rules
from scheduler.domain.parties import Party, Seats
from scheduler.domain.policy import Policy
from scheduler.domain.schooldays import Closure, SchoolCalendar
from scheduler.domain.slots import Slot
from scheduler.domain.travel import Place, away
from scheduler.domain.visits import Visit, VisitState
from tests.reference import tables

POLICY = Policy()
TUESDAY = date(2027, 1, 12)
NOBODY = Seats(students=0, people=0, groups=0)
NANTES = Place(47.2172, -1.5534)
DERVAL = Place(47.6677, -1.6718)


def zone_b() -> SchoolCalendar:
    """The school calendar that we ship, public holidays included."""
    closures = tuple(
        Closure(
            date.fromisoformat(row["starts_on"]),
            date.fromisoformat(row["ends_on"]),
            row["kind"],
            row["name_fr"],
        )
        for row in tables.rows("school_calendar.csv")
    )
    known = next(
        row["known_until"]
        for row in tables.rows("calendars.csv")
        if row["code"] == "ZONE_B"
    )
    return SchoolCalendar(closures=closures, known_until=date.fromisoformat(known))


def at(day: date, clock: str = "09:00") -> datetime:
    """The instant at which a clock in Paris shows the time."""
    return instant(day, time.fromisoformat(clock))


NOW = at(date(2026, 11, 23))


def a_party(**given: Any) -> Party:
    return Party(**{"students": 24, "adults": 2, **given})


def a_slot(
    day: date = TUESDAY, *, starts: str = "09:00", ends: str = "11:00", **given: Any
) -> Slot:
    facts = {
        "id": 1,
        "host_id": 7,
        "starts_at": at(day, starts),
        "ends_at": at(day, ends),
        "seats": Seats(students=25, groups=1),
        **given,
    }
    return Slot(**facts)


def some_rules(**given: Any) -> Rules:
    facts = {
        "state": OfferState.PUBLISHED,
        "bookable": True,
        "min_grade_rank": 9,
        "min_age": None,
        "subgroup_size": 15,
        "min_notice_days": 21,
        "confirmation": Confirmation.BY_HOST,
        **given,
    }
    return Rules(**facts)


def a_class(**given: Any) -> SchoolClass:
    facts = {
        "id": 3,
        "school_id": 5,
        "grade_rank": 11,
        "youngest_age": 15,
        "calendar": zone_b(),
        **given,
    }
    return SchoolClass(**facts)


def a_case(**given: Any) -> Case:
    """A case in which nothing stands in the way."""
    facts = {
        "slot": a_slot(),
        "rules": some_rules(),
        "school_class": a_class(),
        "taken": NOBODY,
        "party": a_party(),
        **given,
    }
    return Case(**facts)


def held(day: date = TUESDAY, *, starts: str, ends: str, **given: Any) -> Held:
    """Another visit, without a way to it."""
    starts_at, ends_at = at(day, starts), at(day, ends)
    return Held(starts_at=starts_at, away=away(starts_at, ends_at, None), **given)


def a_visit(state: VisitState = VisitState.REQUESTED, **given: Any) -> Visit:
    """A moving visit wants slot 2."""
    facts: dict[str, Any] = {"id": 11, "slot_id": 1, "party": a_party()}
    if state is VisitState.MOVING:
        facts["wanted_slot_id"] = 2
    return replace(Visit(state=state, **facts), **given)
