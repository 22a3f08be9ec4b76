"""Whether a class fits a slot: each refusal alone, and the cases of the domain text."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from scheduler.domain import fit
from scheduler.domain.fit import CapUse
from scheduler.domain.offers import OfferState
from scheduler.domain.parties import Seats
from scheduler.domain.policy import Policy
from scheduler.domain.schooldays import Closure
from scheduler.domain.slots import SlotState
from scheduler.domain.travel import Trip
from tests.builders import (
    NOW,
    POLICY,
    TUESDAY,
    a_case,
    a_class,
    a_party,
    a_slot,
    at,
    held,
    some_rules,
)

WEDNESDAY = date(2027, 1, 13)
HOLIDAY = date(2027, 2, 23)


def codes(case, *, now: datetime = NOW) -> list[str]:
    return [each.code for each in fit.refusals(case, now=now, policy=POLICY)]


def the_refusal(case, *, now: datetime = NOW) -> tuple[str, dict[str, object]]:
    (refusal,) = fit.refusals(case, now=now, policy=POLICY)
    return refusal.code, refusal.facts


def test_a_class_that_fits_is_not_refused():
    assert codes(a_case()) == []


ALONE = [
    ("offer_not_published", {"rules": some_rules(state=OfferState.PAUSED)}),
    ("kind_not_bookable", {"rules": some_rules(bookable=False)}),
    ("level_too_low", {"school_class": a_class(grade_rank=8)}),
    ("too_young", {"rules": some_rules(min_age=16)}),
    ("slot_not_open", {"slot": a_slot(state=SlotState.CLOSED)}),
    ("school_closed", {"slot": a_slot(HOLIDAY)}),
    ("calendar_unknown", {"slot": a_slot(date(2028, 9, 5))}),
    (
        "class_absent",
        {"school_class": a_class(absences=(Closure(TUESDAY, TUESDAY, "absence"),))},
    ),
    (
        "wednesday_afternoon",
        {
            "slot": a_slot(WEDNESDAY, starts="14:00", ends="16:00"),
            "school_class": a_class(is_college=True),
        },
    ),
    (
        "class_busy",
        {"class_holds": (held(starts="09:30", ends="10:30"),)},
    ),
    (
        "organiser_busy",
        {"organiser_holds": (held(starts="10:00", ends="12:00"),)},
    ),
    ("host_closed", {"host_closed": (Closure(TUESDAY, TUESDAY, "host"),)}),
    (
        "host_cap_reached",
        {"rules": some_rules(cap_per_day=1), "cap_use": CapUse(day=1)},
    ),
    (
        "after_exam",
        {
            "slot": a_slot(date(2027, 5, 25)),
            "school_class": a_class(exam_block=True),
        },
    ),
    ("return_too_late", {"school_class": a_class(back_by=time(10, 59))}),
    ("notice_too_short", {"rules": some_rules(min_notice_days=60)}),
    ("no_students", {"party": a_party(students=0)}),
    ("numbers_disagree", {"party": a_party(girls=20, boys=20)}),
    ("too_few_adults", {"party": a_party(adults=1)}),
    ("group_too_big", {"party": a_party(students=26)}),
    ("slot_full", {"taken": Seats(students=0, people=0, groups=1)}),
]


@pytest.mark.parametrize(("code", "given"), ALONE, ids=[code for code, _ in ALONE])
def test_each_rule_refuses_alone(code, given):
    assert codes(a_case(**given)) == [code]


def test_a_slot_that_has_begun_is_too_late():
    case = a_case(rules=some_rules(min_notice_days=0))

    assert codes(case, now=at(TUESDAY, "09:00")) == ["too_late"]


def test_every_rule_that_says_no_is_told_the_first_one_in_front():
    case = a_case(
        rules=some_rules(
            state=OfferState.PAUSED, min_grade_rank=12, min_notice_days=60
        ),
        party=a_party(adults=1),
    )

    assert codes(case) == [
        "offer_not_published",
        "level_too_low",
        "notice_too_short",
        "too_few_adults",
    ]


def test_without_numbers_nothing_is_said_of_seats():
    assert codes(a_case(party=None, taken=Seats(students=99, groups=9))) == []


# ------------------------------------------------------------------ who: rule 3


@pytest.mark.parametrize(
    ("rank", "refused"), [(8, ["level_too_low"]), (9, []), (15, [])]
)
def test_the_lowest_grade_that_a_host_welcomes_is_welcome(rank, refused):
    assert codes(a_case(school_class=a_class(grade_rank=rank))) == refused


@pytest.mark.parametrize(
    ("youngest", "refused"), [(13, ["too_young"]), (14, []), (None, [])]
)
def test_an_age_that_nobody_gave_is_no_reason_to_refuse(youngest, refused):
    case = a_case(
        rules=some_rules(min_age=14), school_class=a_class(youngest_age=youngest)
    )

    assert codes(case) == refused


# ------------------------------------------------------------------ when: rules 5 to 8


def test_a_period_away_is_told_with_its_days_and_reason():
    away = Closure(date(2027, 1, 11), date(2027, 1, 15), "absence", "PFMP")

    assert the_refusal(a_case(school_class=a_class(absences=(away,)))) == (
        "class_absent",
        {"first_on": "2027-01-11", "last_on": "2027-01-15", "reason": "PFMP"},
    )


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"is_college": True}, ["wednesday_afternoon"]),
        ({"is_college": True, "wednesday_afternoons": True}, []),
        ({"is_college": False}, []),
    ],
)
def test_wednesday_afternoon_is_off_for_a_college_that_does_not_say_otherwise(
    given, refused
):
    slot = a_slot(WEDNESDAY, starts="13:30", ends="15:30")

    assert codes(a_case(slot=slot, school_class=a_class(**given))) == refused


def test_wednesday_morning_is_a_school_day_for_a_college():
    case = a_case(slot=a_slot(WEDNESDAY), school_class=a_class(is_college=True))

    assert codes(case) == []


def test_case_4_a_final_year_class_does_not_come_after_the_exam_date():
    case = a_case(slot=a_slot(date(2027, 5, 25)), school_class=a_class(exam_block=True))

    assert the_refusal(case) == ("after_exam", {"exam_on": "2027-05-15"})


@pytest.mark.parametrize(
    "day", [date(2027, 5, 14), date(2026, 12, 15), date(2027, 9, 14)]
)
def test_a_final_year_class_comes_until_the_exam_and_from_september_on(day):
    case = a_case(slot=a_slot(day), school_class=a_class(exam_block=True))

    assert codes(case) == []


def test_the_way_back_counts_for_the_hour_of_return():
    way = Trip(km=67, minutes=90)

    in_time = a_case(way=way, school_class=a_class(back_by=time(12, 30)))
    too_late = a_case(way=way, school_class=a_class(back_by=time(12, 29)))

    assert codes(in_time) == []
    assert the_refusal(too_late) == (
        "return_too_late",
        {"back_at": "12:30", "back_by": "12:29"},
    )


def test_a_return_after_midnight_is_too_late():
    case = a_case(
        slot=a_slot(starts="20:00", ends="23:30"),
        way=Trip(km=67, minutes=90),
        school_class=a_class(back_by=time(23, 59)),
    )

    assert codes(case) == ["return_too_late"]


def test_case_16_the_second_teacher_sees_the_name_of_the_first():
    first = held(
        starts="08:30", ends="08:45", organiser_name="Mme Leroux", host_name="Férembois"
    )

    assert the_refusal(a_case(class_holds=(first,))) == (
        "class_busy",
        {
            "starts_at": "2027-01-12T07:30:00+00:00",
            "organiser": "Mme Leroux",
            "host": "Férembois",
        },
    )


@pytest.mark.parametrize(
    ("starts", "ends", "refused"),
    [
        ("11:30", "12:30", ["class_busy"]),  # the same half-day, no overlap
        ("13:30", "15:30", []),  # another half-day
    ],
)
def test_a_class_has_one_visit_in_a_half_day(starts, ends, refused):
    assert codes(a_case(class_holds=(held(starts=starts, ends=ends),))) == refused


def test_a_class_is_busy_on_the_way():
    """The other half-day, but the coach would have to be in two places."""
    other = held(starts="13:30", ends="15:30")
    far = Trip(km=120, minutes=151)

    assert codes(a_case(class_holds=(other,), way=far)) == ["class_busy"]


def test_a_teacher_may_have_two_visits_in_a_half_day_but_not_at_once():
    after = held(starts="11:00", ends="12:00", host_name="Férembois")
    way = Trip(km=1, minutes=11)

    assert codes(a_case(organiser_holds=(after,))) == []
    assert the_refusal(a_case(organiser_holds=(after,), way=way)) == (
        "organiser_busy",
        {"starts_at": "2027-01-12T10:00:00+00:00", "host": "Férembois"},
    )


@pytest.mark.parametrize(
    ("rules", "period"),
    [
        ({"cap_per_day": 2}, "day"),
        ({"cap_per_month": 3}, "month"),
        ({"cap_per_year": 4}, "year"),
    ],
)
def test_a_host_has_caps_for_the_day_the_month_and_the_year(rules, period):
    full = CapUse(day=2, month=3, year=4)
    almost = CapUse(day=1, month=2, year=3)

    assert codes(a_case(rules=some_rules(**rules), cap_use=almost)) == []
    assert the_refusal(a_case(rules=some_rules(**rules), cap_use=full)) == (
        "host_cap_reached",
        {"period": period, "cap": getattr(full, period), "on": "2027-01-12"},
    )


# ------------------------------------------------------------------ notice: case 5


def test_case_5_forty_five_days_of_notice_and_the_first_day_that_is_possible():
    """C09 asks H28 (Tuesdays, Thursdays) on 5 January 2027 for Thursday 28 January."""
    now = at(date(2027, 1, 5))
    rules = some_rules(min_notice_days=45)

    def fits(day: date) -> bool:
        if day.weekday() not in {1, 3}:
            return False
        return codes(a_case(slot=a_slot(day), rules=rules), now=now) == []

    assert the_refusal(
        a_case(slot=a_slot(date(2027, 1, 28)), rules=rules), now=now
    ) == (
        "notice_too_short",
        {"notice_days": 45, "due_on": "2026-12-14"},
    )
    following = (date(2027, 1, 28) + timedelta(days=each) for each in range(60))
    assert next(filter(fits, following)) == date(2027, 3, 9)


def test_the_last_day_of_notice_is_in_time():
    """21 calendar days before Tuesday 12 January lie in the holiday: 18 December."""
    assert codes(a_case(), now=at(date(2026, 12, 18), "23:59")) == []
    assert codes(a_case(), now=at(date(2026, 12, 19), "00:00")) == ["notice_too_short"]


def test_a_case_knows_its_local_day():
    late = a_slot(starts="23:30", ends="23:50")

    assert late.starts_at.date() == TUESDAY
    assert a_case(slot=late).day == TUESDAY
    assert a_case(slot=late).away.back_at == late.starts_at + timedelta(minutes=20)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (OfferState.PAUSED, []),
        (OfferState.ARCHIVED, ["offer_not_published"]),
        (OfferState.DRAFT, ["offer_not_published"]),
    ],
)
def test_what_a_host_proposes_needs_no_notice_and_may_be_paused(state, code):
    case = a_case(rules=some_rules(state=state, min_notice_days=90))

    found = fit.proposal_refusals(case, now=NOW, policy=Policy())

    assert [each.code for each in found] == code


def test_a_host_is_told_that_a_class_is_busy_and_not_where():
    case = a_case(
        class_holds=(held(starts="09:00", ends="11:00", host_name="Loirmar"),)
    )
    found = fit.acceptance_refusals(case, now=NOW, policy=Policy())

    (told,) = fit.discreet(found)

    assert told.code == "class_busy"
    assert "Loirmar" not in str(told)
