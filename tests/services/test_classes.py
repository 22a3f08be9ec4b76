"""A school's classes, and the weeks in which they are away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from scheduler.persistence.models.network import AbsenceRow, SchoolClassRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services import classes
from scheduler.services.classes import ClassText
from tests import rows
from tests.rows import NOW
from tests.services.mailbox import refused

TEXT = ClassText(
    label="Tle MSPC",
    level_code="TERMINALE_PRO",
    students=15,
    specialty="MSPC",
    girls=3,
    boys=12,
    youngest_age=16,
    oldest_age=19,
    remark="Stage en juin",
)


def test_a_class_belongs_to_the_school_year_of_the_day(session, world):
    number = classes.add_class(
        session, world.school, TEXT, by=world.teacher.actor, now=NOW
    )

    row = session.get_one(SchoolClassRow, number)
    assert (row.school_id, row.school_year, row.label, row.students) == (
        world.school,
        2026,
        "Tle MSPC",
        15,
    )
    assert (row.girls, row.boys, row.youngest_age, row.active) == (3, 12, 16, True)


def test_other_numbers_leave_the_visits_that_were_asked(session, world):
    visit = rows.ask(session, world)

    classes.change_class(
        session,
        world.school_class,
        replace(TEXT, students=20),
        by=world.colleague.actor,
        now=NOW,
    )

    assert session.get_one(SchoolClassRow, world.school_class).students == 20
    assert session.get_one(VisitRow, visit).students == 24


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"students": 0, "girls": None, "boys": None}, "no_students"),
        ({"girls": 10, "boys": 10}, "numbers_disagree"),
    ],
)
def test_wrong_numbers_store_nothing(session, world, facts, code):
    text = replace(TEXT, **facts)

    with refused(session, code):
        classes.add_class(session, world.school, text, by=world.teacher.actor, now=NOW)
    with refused(session, code):
        classes.change_class(
            session, world.school_class, text, by=world.teacher.actor, now=NOW
        )


def away(session, world, first, last, *, by=None) -> None:
    classes.add_absence(
        session,
        world.school_class,
        first_on=first,
        last_on=last,
        reason="PFMP",
        by=(by or world.teacher).actor,
        now=NOW,
    )


def test_a_class_that_is_away_does_not_come_until_it_is_back(session, world):
    away(session, world, date(2027, 1, 11), date(2027, 1, 15))
    with refused(session, "class_absent"):
        rows.ask(session, world)
    absence = session.scalars(select(AbsenceRow.id)).one()
    session.rollback()

    classes.remove_absence(
        session, world.school_class, absence, by=world.teacher.actor, now=NOW
    )

    rows.ask(session, world)


def test_an_absence_ends_after_it_begins(session, world):
    with refused(session, "bad_times"):
        away(session, world, date(2027, 1, 15), date(2027, 1, 11))


def test_another_classs_absence_is_not_removed(session, world):
    away(session, world, date(2027, 1, 11), date(2027, 1, 15))
    absence = session.scalars(select(AbsenceRow.id)).one()
    session.rollback()

    classes.remove_absence(
        session, world.second_class, absence, by=world.teacher.actor, now=NOW
    )

    assert session.get(AbsenceRow, absence) is not None


def test_a_new_address_for_the_feed(session, world):
    classes.rotate_feed(session, world.school_class, by=world.teacher.actor, now=NOW)

    assert session.get_one(SchoolClassRow, world.school_class).feed_generation == 1


@pytest.mark.parametrize("who", ["other_teacher", "contact"])
def test_nobody_else_touches_a_class(session, world, who):
    by = getattr(world, who)

    with refused(session, "not_found"):
        classes.add_class(session, world.school, TEXT, by=by.actor, now=NOW)
    with refused(session, "not_found"):
        classes.change_class(session, world.school_class, TEXT, by=by.actor, now=NOW)
    with refused(session, "not_found"):
        away(session, world, date(2027, 1, 11), date(2027, 1, 15), by=by)
    with refused(session, "not_found"):
        classes.rotate_feed(session, world.school_class, by=by.actor, now=NOW)
    with refused(session, "not_found"):
        classes.rotate_feed(session, 999, by=world.teacher.actor, now=NOW)
