"""A school's classes and the weeks in which they are away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, for_school, need
from scheduler.domain.localtime import local_day, school_year
from scheduler.domain.refusals import (
    BadTimes,
    NoStudents,
    NotFound,
    NumbersDisagree,
)
from scheduler.persistence.models.network import AbsenceRow, SchoolClassRow
from scheduler.persistence.queries import visits
from scheduler.services import journal
from scheduler.services.transaction import transaction


@dataclass(frozen=True, kw_only=True)
class ClassText:
    """What a teacher says of a class."""

    label: str
    level_code: str
    students: int
    specialty: str = ""
    girls: int | None = None
    boys: int | None = None
    youngest_age: int | None = None
    oldest_age: int | None = None
    remark: str = ""


def add_class(
    session: Session, school_id: int, text: ClassText, *, by: Actor, now: datetime
) -> int:
    """A class of this school year. Returns its id."""
    _check(text)
    with transaction(session):
        need(for_school(by, school_id))
        row = SchoolClassRow(
            school_id=school_id, school_year=school_year(local_day(now))
        )
        _take(row, text)
        session.add(row)
        session.flush()
        journal.note_organisation(
            session, school_id, "class_added", by=by, now=now, school_class=row.id
        )
        return row.id


def change_class(
    session: Session, class_id: int, text: ClassText, *, by: Actor, now: datetime
) -> None:
    """Other words or numbers; visits keep the numbers they were asked with."""
    _check(text)
    with transaction(session):
        row = _mine(session, class_id, by)
        _take(row, text)
        journal.note_organisation(
            session, row.school_id, "class_changed", by=by, now=now, school_class=row.id
        )


def add_absence(
    session: Session,
    class_id: int,
    *,
    first_on: date,
    last_on: date,
    reason: str,
    by: Actor,
    now: datetime,
) -> None:
    """Weeks away (PFMP, observation week), both ends included; entered once."""
    if last_on < first_on:
        raise BadTimes(wrong="order")
    with transaction(session):
        row = _mine(session, class_id, by)
        session.add(
            AbsenceRow(
                class_id=row.id, first_on=first_on, last_on=last_on, reason=reason
            )
        )
        journal.note_organisation(
            session, row.school_id, "absence_added", by=by, now=now, school_class=row.id
        )


def remove_absence(
    session: Session, class_id: int, absence_id: int, *, by: Actor, now: datetime
) -> None:
    """The class is there after all."""
    with transaction(session):
        row = _mine(session, class_id, by)
        session.execute(
            delete(AbsenceRow).where(
                AbsenceRow.id == absence_id, AbsenceRow.class_id == row.id
            )
        )
        journal.note_organisation(
            session,
            row.school_id,
            "absence_removed",
            by=by,
            now=now,
            school_class=row.id,
        )


def rotate_feed(session: Session, class_id: int, *, by: Actor, now: datetime) -> None:
    """Give the class's calendar another address; the old one is dead."""
    with transaction(session):
        row = _mine(session, class_id, by)
        row.feed_generation += 1
        journal.note_organisation(
            session, row.school_id, "feed_rotated", by=by, now=now, school_class=row.id
        )


def _check(text: ClassText) -> None:
    if text.students < 1:
        raise NoStudents
    if (text.girls or 0) + (text.boys or 0) > text.students:
        raise NumbersDisagree(girls=text.girls, boys=text.boys, students=text.students)


def _take(row: SchoolClassRow, text: ClassText) -> None:
    row.label = text.label
    row.level_code = text.level_code
    row.students = text.students
    row.specialty = text.specialty
    row.girls = text.girls
    row.boys = text.boys
    row.youngest_age = text.youngest_age
    row.oldest_age = text.oldest_age
    row.remark = text.remark


def _mine(session: Session, class_id: int, by: Actor) -> SchoolClassRow:
    visits.lock(session, class_ids=[class_id])
    row = visits.class_to_ask_for(session, class_id)
    if row is None:
        raise NotFound
    need(for_school(by, row.school_id))
    return row
