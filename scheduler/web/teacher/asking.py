"""Asking for a slot: the form, and its answer before anything is sent (TE-M3)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.parties import Part, adults_needed
from scheduler.extensions import db
from scheduler.persistence.queries.teacher_pages import ClassLine
from scheduler.services import preview, requests
from scheduler.services.preview import Preview, SlotCard
from scheduler.web.attempt import UNPROCESSABLE, attempt
from scheduler.web.fields import options
from scheduler.web.signed_in import current_actor
from scheduler.web.teacher import bp
from scheduler.web.teacher.forms import RequestForm
from scheduler.web.teacher.whose import class_choices, class_of, my_classes


@dataclass(frozen=True, kw_only=True)
class AskPage:
    """The form, the slot, the class, and what the rules say so far."""

    form: RequestForm
    slot: SlotCard
    school_class: ClassLine | None
    preview: Preview | None


@bp.get("/slots/<id:slot_id>")
def slot(slot_id: int) -> str:
    """The request form, filled in as far as the class is known."""
    card = preview.slot_card(db.session(), slot_id)
    classes = my_classes()
    chosen = class_of(classes, request.args.get("school_class", ""))
    if chosen is None and classes:
        chosen = classes[0]
    form = RequestForm(formdata=None, **_first_guess(card, chosen))
    form.school_class.choices = options(class_choices(classes))
    return _page(form, card, chosen)


@bp.post("/slots/<id:slot_id>/check")
def check(slot_id: int) -> ResponseReturnValue:
    """What the rules say to the numbers as they are typed; nothing is written."""
    card = preview.slot_card(db.session(), slot_id)
    form, chosen = _filled()
    good = form.validate()
    if request.headers.get("HX-Request"):
        return render_template(
            "teacher/_preview.html",
            page=AskPage(
                form=form,
                slot=card,
                school_class=chosen,
                preview=_preview(form, card, chosen) if good else None,
            ),
        )
    return _page(form, card, chosen), 200 if good else UNPROCESSABLE


@bp.post("/slots/<id:slot_id>")
def ask(slot_id: int) -> ResponseReturnValue:
    """Send the request."""
    form, chosen = _filled()
    if form.validate():
        visit_id = attempt(
            form,
            lambda: requests.request_visit(
                db.session(),
                requests.Request(
                    slot_id=slot_id,
                    class_id=form.school_class.data,
                    party=form.party,
                    arrangements=form.arrangements.data or "",
                    message=form.message.data or "",
                ),
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if visit_id is not None:
            flash(gettext("Your request is on its way."), "success")
            return redirect(url_for(".visit", visit_id=visit_id), 303)
    card = preview.slot_card(db.session(), slot_id)
    return _page(form, card, chosen), UNPROCESSABLE


def _filled() -> tuple[RequestForm, ClassLine | None]:
    classes = my_classes()
    form = RequestForm()
    form.school_class.choices = options(class_choices(classes))
    chosen = next((e for e in classes if e.id == form.school_class.data), None)
    return form, chosen


def _first_guess(card: SlotCard, chosen: ClassLine | None) -> dict[str, object]:
    """The whole class if there is room for it, else a half-group."""
    typed: dict[str, object] = {
        "message": request.args.get("message", ""),
        "arrangements": request.args.get("arrangements", ""),
    }
    if chosen is None:
        return typed
    students, half = chosen.students, -(-chosen.students // 2)
    part = Part.WHOLE
    if students > card.seats - card.taken >= half:
        students, part = half, Part.HALF
    adults = adults_needed(students, subgroup_size=card.subgroup_size, school_minimum=1)
    return {
        **typed,
        "school_class": chosen.id,
        "part": part.value,
        "students": students,
        "girls": chosen.girls if part is Part.WHOLE else None,
        "boys": chosen.boys if part is Part.WHOLE else None,
        "adults": max(adults, 2),
        "support_assistants": 0,
    }


def _preview(
    form: RequestForm, card: SlotCard, chosen: ClassLine | None
) -> Preview | None:
    if chosen is None:
        return None
    return preview.preview_request(
        db.session(),
        slot_id=card.id,
        class_id=chosen.id,
        party=form.party,
        by=current_actor(),
        now=clock.now(),
    )


def _page(form: RequestForm, card: SlotCard, chosen: ClassLine | None) -> str:
    usable = not form.errors or bool(form.refusals)
    return render_template(
        "teacher/slot.html",
        page=AskPage(
            form=form,
            slot=card,
            school_class=chosen,
            preview=_preview(form, card, chosen) if usable else None,
        ),
    )
