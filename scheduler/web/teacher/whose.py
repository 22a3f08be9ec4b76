"""Whose pages these are: the viewer's schools and classes."""

from __future__ import annotations

from flask import request

from scheduler.domain.actors import SCHOOL_ROLES, for_school, need
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.persistence.queries import teacher_pages
from scheduler.persistence.queries.teacher_pages import ClassCard, ClassLine
from scheduler.web.signed_in import current_actor, current_viewer


def my_schools() -> frozenset[int]:
    """The schools in which the viewer works."""
    return current_actor().organisations(*SCHOOL_ROLES)


def my_id() -> int:
    """The viewer's own id."""
    viewer = current_viewer()
    if viewer is None:
        raise NotFound
    return viewer.person_id


def my_classes() -> list[ClassLine]:
    """The classes of the viewer's schools."""
    return teacher_pages.classes_of(db.session(), my_schools())


def class_asked(classes: list[ClassLine]) -> str:
    """The class that the address names, else the one asked for last."""
    if "school_class" in request.args:
        return request.args["school_class"]
    last = teacher_pages.last_class_of(db.session(), my_id(), my_schools())
    return str(last or (classes[0].id if classes else ""))


def class_of(classes: list[ClassLine], asked: str) -> ClassLine | None:
    """The one that was asked for, if it is among them."""
    return next((each for each in classes if str(each.id) == asked), None)


def my_class(class_id: int) -> ClassCard:
    """One class of the viewer's schools; raises ``NotFound``."""
    card = teacher_pages.class_card(db.session(), class_id)
    if card is None:
        raise NotFound
    need(for_school(current_actor(), card.school_id))
    return card


def named(each: ClassLine, *, with_school: bool) -> str:
    """A class in a menu; the school is said where there are several."""
    return f"{each.label} · {each.school_name}" if with_school else each.label


def class_choices(classes: list[ClassLine]) -> list[tuple[int, str]]:
    """The classes as choices of a field."""
    several = len({each.school_id for each in classes}) > 1
    return [(each.id, named(each, with_school=several)) for each in classes]
