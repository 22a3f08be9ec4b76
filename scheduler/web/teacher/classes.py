"""The school's classes, and the weeks in which they are away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.extensions import db
from scheduler.persistence.queries import reference, teacher_pages
from scheduler.persistence.queries.teacher_pages import (
    ClassCard,
    ClassLine,
    SchoolLine,
)
from scheduler.services import classes as desk, feeds
from scheduler.web.attempt import UNPROCESSABLE, attempt
from scheduler.web.fields import labelled, options
from scheduler.web.signed_in import current_actor, locale
from scheduler.web.subscribing import Addresses, addresses
from scheduler.web.teacher import bp
from scheduler.web.teacher.forms import AbsenceForm, ClassForm
from scheduler.web.teacher.whose import my_class, my_classes, my_schools


@dataclass(frozen=True, kw_only=True)
class ClassesPage:
    """The classes of each of my schools."""

    schools: Sequence[tuple[SchoolLine, Sequence[ClassLine]]]
    locale: str


@dataclass(frozen=True, kw_only=True)
class ClassPage:
    """A class to be changed; ``card`` is ``None`` for a new one."""

    form: ClassForm
    absence: AbsenceForm
    card: ClassCard | None
    several_schools: bool
    feed: Addresses | None


@bp.get("/classes")
def classes() -> str:
    """My schools' classes."""
    mine = my_classes()
    schools = teacher_pages.schools_of(db.session(), my_schools())
    return render_template(
        "teacher/classes.html",
        page=ClassesPage(
            schools=[
                (each, [one for one in mine if one.school_id == each.id])
                for each in schools
            ],
            locale=locale(),
        ),
    )


@bp.get("/classes/new")
def new_class() -> str:
    """An empty form."""
    return _page(_form(None), None)


@bp.post("/classes/new")
def add_class() -> ResponseReturnValue:
    """A class of this school year."""
    form = _form(None)
    if form.validate():
        class_id = attempt(
            form,
            lambda: desk.add_class(
                db.session(),
                form.school.data,
                form.text,
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if class_id is not None:
            flash(gettext("The class is added."), "success")
            return redirect(url_for(".school_class", class_id=class_id), 303)
    return _page(form, None), UNPROCESSABLE


@bp.get("/classes/<id:class_id>")
def school_class(class_id: int) -> str:
    """A class as it is."""
    card = my_class(class_id)
    return _page(_form(card), card)


@bp.post("/classes/<id:class_id>")
def change_class(class_id: int) -> ResponseReturnValue:
    """Other words or numbers."""
    card = my_class(class_id)
    form = _form(card)
    if form.validate():
        attempt(
            form,
            lambda: desk.change_class(
                db.session(), class_id, form.text, by=current_actor(), now=clock.now()
            ),
        )
        if not form.refusals:
            flash(gettext("The class is changed."), "success")
            return redirect(url_for(".school_class", class_id=class_id), 303)
    return _page(form, card), UNPROCESSABLE


@bp.post("/classes/<id:class_id>/absences")
def add_absence(class_id: int) -> ResponseReturnValue:
    """Weeks away, entered once."""
    card = my_class(class_id)
    form = AbsenceForm(prefix="absence")
    if form.validate() and form.first_on.data and form.last_on.data:
        first_on, last_on = form.first_on.data, form.last_on.data
        attempt(
            form,
            lambda: desk.add_absence(
                db.session(),
                class_id,
                first_on=first_on,
                last_on=last_on,
                reason=form.reason.data or "",
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if not form.refusals:
            flash(gettext("The absence is noted."), "success")
            return redirect(
                url_for(".school_class", class_id=class_id, _anchor="absences"), 303
            )
    return _page(_form(card, as_stored=True), card, absence=form), UNPROCESSABLE


@bp.post("/classes/<id:class_id>/absences/<id:absence_id>/remove")
def remove_absence(class_id: int, absence_id: int) -> ResponseReturnValue:
    """The class is there after all."""
    desk.remove_absence(
        db.session(), class_id, absence_id, by=current_actor(), now=clock.now()
    )
    flash(gettext("The absence is removed."), "success")
    return redirect(
        url_for(".school_class", class_id=class_id, _anchor="absences"), 303
    )


@bp.post("/classes/<id:class_id>/feed")
def rotate_feed(class_id: int) -> ResponseReturnValue:
    """Another address for the class's calendar."""
    desk.rotate_feed(db.session(), class_id, by=current_actor(), now=clock.now())
    flash(gettext("The calendar has a new address; the old one is dead."), "success")
    return redirect(url_for(".school_class", class_id=class_id, _anchor="feed"), 303)


def _form(card: ClassCard | None, *, as_stored: bool = False) -> ClassForm:
    stored: dict[str, object] = {}
    if card is not None:
        stored = {
            "school": card.school_id,
            "label": card.label,
            "level": card.level_code,
            "specialty": card.specialty,
            "students": card.students,
            "girls": card.girls,
            "boys": card.boys,
            "youngest_age": card.youngest_age,
            "oldest_age": card.oldest_age,
            "remark": card.remark,
        }
    form = ClassForm(formdata=None, **stored) if as_stored else ClassForm(**stored)
    schools = teacher_pages.schools_of(db.session(), my_schools())
    form.school.choices = options((each.id, each.name) for each in schools)
    if card is not None or len(schools) == 1:
        # The school is not asked where it cannot be another one.
        form.school.data = card.school_id if card else schools[0].id
        form.school.raw_data = [str(form.school.data)]
        form.school.process_errors = []
    form.level.choices = labelled(reference.levels(db.session()), locale=locale())
    return form


def _page(
    form: ClassForm, card: ClassCard | None, *, absence: AbsenceForm | None = None
) -> str:
    return render_template(
        "teacher/class.html",
        page=ClassPage(
            form=form,
            absence=absence or AbsenceForm(formdata=None, prefix="absence"),
            card=card,
            several_schools=card is None and len(my_schools()) > 1,
            feed=_feed(card.id) if card else None,
        ),
    )


def _feed(class_id: int) -> Addresses:
    return addresses(feeds.token_of_class(db.session(), class_id))
