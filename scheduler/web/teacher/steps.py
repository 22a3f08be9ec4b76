"""What a teacher does with a visit; each step has a page of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from scheduler import clock
from scheduler.domain.actors import need
from scheduler.domain.refusals import NotFound
from scheduler.domain.visits import CancelReason
from scheduler.extensions import db
from scheduler.services import dossier, preview, requests, resend, students
from scheduler.services.dossier import Dossier, Failed
from scheduler.services.preview import SlotLine
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt
from scheduler.web.fields import options
from scheduler.web.mail_forms import AddressForm
from scheduler.web.routes import LARGEST_ID
from scheduler.web.signed_in import current_actor
from scheduler.web.teacher import bp
from scheduler.web.teacher.forms import (
    AddressesForm,
    CancelForm,
    HandOverForm,
    NumbersForm,
)
from scheduler.web.teacher.visits import read


@dataclass(frozen=True, kw_only=True)
class StepPage:
    """A form about one visit."""

    form: ServiceForm
    visit: Dossier


@dataclass(frozen=True, kw_only=True)
class MovePage(StepPage):
    """Other slots of the same host by month: those that fit, and the others."""

    months: Sequence[tuple[date, list[SlotLine]]]
    fitting: int
    others: Sequence[SlotLine]


@bp.get("/visits/<id:visit_id>/numbers")
def numbers(visit_id: int) -> str:
    """The numbers as they are."""
    visit = read(visit_id)
    need("change_numbers" in visit.may)
    party = visit.party
    form = NumbersForm(
        formdata=None,
        part=party.part.value,
        students=party.students,
        girls=party.girls,
        boys=party.boys,
        adults=party.adults,
        support_assistants=party.support_assistants,
        arrangements=visit.facts["arrangements"],
    )
    return _render("numbers", form, visit)


@bp.post("/visits/<id:visit_id>/numbers")
def change_numbers(visit_id: int) -> ResponseReturnValue:
    """Other numbers; everybody concerned is told."""
    form = NumbersForm()
    if form.validate() and _done(
        form,
        lambda: requests.change_numbers(
            db.session(),
            visit_id,
            form.party,
            arrangements=form.arrangements.data or "",
            by=current_actor(),
            now=clock.now(),
        ),
    ):
        flash(gettext("The numbers are changed."), "success")
        return _back(visit_id)
    return _render("numbers", form, read(visit_id)), UNPROCESSABLE


@bp.post("/visits/<id:visit_id>/withdraw")
def withdraw(visit_id: int) -> ResponseReturnValue:
    """Take the request, or the wish to move, back."""
    form = ServiceForm()
    if _done(
        form,
        lambda: requests.withdraw_visit(
            db.session(), visit_id, by=current_actor(), now=clock.now()
        ),
    ):
        flash(gettext("It is taken back."), "success")
    return _back(visit_id, form)


@bp.post("/visits/<id:visit_id>/choose")
def choose(visit_id: int) -> ResponseReturnValue:
    """Take one of the slots that the company offers."""
    slot_id = _slot_id()
    form = ServiceForm()
    if _done(
        form,
        lambda: requests.choose_slot(
            db.session(), visit_id, slot_id, by=current_actor(), now=clock.now()
        ),
    ):
        flash(
            gettext("The visit is confirmed. Invitations are on their way."), "success"
        )
    return _back(visit_id, form)


@bp.get("/visits/<id:visit_id>/move")
def move(visit_id: int) -> str:
    """Other slots of the same company."""
    return _move_page(visit_id, ServiceForm(formdata=None))


@bp.post("/visits/<id:visit_id>/move")
def move_to(visit_id: int) -> ResponseReturnValue:
    """Go to another slot, or ask the company for it."""
    slot_id = _slot_id()
    form = ServiceForm()
    if _done(
        form,
        lambda: requests.move_visit(
            db.session(), visit_id, slot_id, by=current_actor(), now=clock.now()
        ),
    ):
        if read(visit_id).state == "moving":
            told = gettext(
                "The company is asked. Until it answers the old date stands."
            )
        else:
            told = gettext("The visit is on its new date.")
        flash(told, "success")
        return _back(visit_id)
    return _move_page(visit_id, form), UNPROCESSABLE


@bp.get("/visits/<id:visit_id>/cancel")
def cancel(visit_id: int) -> str:
    """The form that asks why."""
    visit = read(visit_id)
    need("cancel" in visit.may)
    return _render("cancel", CancelForm(formdata=None), visit)


@bp.post("/visits/<id:visit_id>/cancel")
def cancel_visit(visit_id: int) -> ResponseReturnValue:
    """Call the visit off; everybody invited gets a cancellation."""
    form = CancelForm()
    if form.validate() and _done(
        form,
        lambda: requests.cancel_by_school(
            db.session(),
            visit_id,
            reason=CancelReason(form.reason.data),
            note=form.note.data or "",
            by=current_actor(),
            now=clock.now(),
        ),
    ):
        flash(gettext("The visit is cancelled. Everybody invited is told."), "success")
        return _back(visit_id)
    return _render("cancel", form, read(visit_id)), UNPROCESSABLE


@bp.post("/visits/<id:visit_id>/again")
def ask_again(visit_id: int) -> ResponseReturnValue:
    """Want a visit after all that the school had called off."""
    form = ServiceForm()
    if _done(
        form,
        lambda: requests.ask_again(
            db.session(), visit_id, by=current_actor(), now=clock.now()
        ),
    ):
        if read(visit_id).confirmed:
            told = gettext("The visit is confirmed again, invitations go out.")
        else:
            told = gettext("The company is asked again and your seats are kept.")
        flash(told, "success")
    return _back(visit_id, form)


@bp.get("/visits/<id:visit_id>/hand-over")
def hand_over(visit_id: int) -> str:
    """Which colleague looks after it from now on."""
    visit = read(visit_id)
    need("hand_over" in visit.may and bool(visit.colleagues))
    return _render("hand_over", _hand_over_form(visit, formdata=None), visit)


@bp.post("/visits/<id:visit_id>/hand-over")
def give_to(visit_id: int) -> ResponseReturnValue:
    """Hand the visit over; its entry changes calendars."""
    visit = read(visit_id)
    form = _hand_over_form(visit)
    if form.validate() and _done(
        form,
        lambda: requests.hand_over(
            db.session(),
            visit_id,
            form.colleague.data,
            by=current_actor(),
            now=clock.now(),
        ),
    ):
        name = visit.colleagues[form.colleague.data]
        flash(gettext("%(name)s looks after the visit now.", name=name), "success")
        return _back(visit_id)
    return _render("hand_over", form, visit), UNPROCESSABLE


def _hand_over_form(visit: Dossier, **given: None) -> HandOverForm:
    form = HandOverForm(**given)
    form.colleague.choices = options(visit.colleagues.items())
    return form


@bp.get("/visits/<id:visit_id>/students")
def addresses(visit_id: int) -> str:
    """The students' addresses, empty: what was given is not shown again (P9)."""
    visit = read(visit_id)
    need(not visit.ended)
    form = AddressesForm(formdata=None, quiet=not visit.students_answer)
    return _render("students", form, visit)


@bp.post("/visits/<id:visit_id>/students")
def set_addresses(visit_id: int) -> ResponseReturnValue:
    """The whole list for this visit."""
    form = AddressesForm()
    if form.validate() and _done(
        form,
        lambda: students.set_addresses(
            db.session(),
            visit_id,
            form.lines,
            list_address=form.class_list.data or "",
            students_answer=not form.quiet.data,
            by=current_actor(),
            now=clock.now(),
        ),
    ):
        number = read(visit_id).addresses
        flash(
            ngettext(
                "%(num)s address is kept for this visit.",
                "%(num)s addresses are kept for this visit.",
                number,
            ),
            "success",
        )
        return _back(visit_id)
    return _render("students", form, read(visit_id)), UNPROCESSABLE


@bp.post("/visits/<id:visit_id>/resend")
def send_again(visit_id: int) -> ResponseReturnValue:
    """What could not be sent goes out once more."""
    sent = resend.resend_dead(
        db.session(), visit_id, by=current_actor(), now=clock.now()
    )
    flash(
        ngettext(
            "%(num)s message is sent again.", "%(num)s messages are sent again.", sent
        ),
        "success" if sent else "warning",
    )
    return _back(visit_id)


@dataclass(frozen=True, kw_only=True)
class MailPage(StepPage):
    """A mail that did not arrive, to be sent to another address."""

    mail: Failed


@bp.get("/visits/<id:visit_id>/mail/<id:message_id>")
def wrong_address(visit_id: int, message_id: int) -> str:
    """The form that asks for the right address."""
    return _mail_page(visit_id, message_id, None)


@bp.post("/visits/<id:visit_id>/mail/<id:message_id>")
def correct_address(visit_id: int, message_id: int) -> ResponseReturnValue:
    """The right address of a student; the invitation goes there."""
    form = AddressForm()
    if form.validate() and _done(
        form,
        lambda: students.correct_address(
            db.session(),
            visit_id,
            message_id,
            form.address.data or "",
            by=current_actor(),
            now=clock.now(),
        ),
    ):
        flash(gettext("The address is corrected and invited."), "success")
        return _back(visit_id)
    return _mail_page(visit_id, message_id, form), UNPROCESSABLE


def _mail_page(visit_id: int, message_id: int, form: ServiceForm | None) -> str:
    """The wrong address stands in the field: most often one letter of it is wrong."""
    visit = read(visit_id)
    mail = next((each for each in visit.failed if each.id == message_id), None)
    if mail is None or mail.audience != "student" or visit.ended:
        raise NotFound
    form = form or AddressForm(formdata=None, address=mail.to)
    return render_template(
        "teacher/wrong_address.html", page=MailPage(form=form, visit=visit, mail=mail)
    )


def _done(form: ServiceForm, call: Callable[[], None]) -> bool:
    """Whether the service did it; its refusals are on the form otherwise."""
    attempt(form, call)
    return not form.refusals


def _slot_id() -> int:
    """The slot that a button names; a number that no column can hold names none."""
    number = request.form.get("slot_id", 0, type=int)
    return number if 0 < number <= LARGEST_ID else 0


def _back(visit_id: int, form: ServiceForm | None = None) -> ResponseReturnValue:
    for words in form.form_errors if form else ():
        flash(words, "error")
    return redirect(url_for(".visit", visit_id=visit_id), 303)


def _render(name: str, form: ServiceForm, visit: Dossier) -> str:
    return render_template(
        f"teacher/{name}.html", page=StepPage(form=form, visit=visit)
    )


def _move_page(visit_id: int, form: ServiceForm) -> str:
    visit = read(visit_id)
    need("move" in visit.may)
    slots = dossier.other_slots(
        db.session(), visit_id, by=current_actor(), now=clock.now()
    )
    fitting = [each for each in slots if each.fits]
    return render_template(
        "teacher/move.html",
        page=MovePage(
            form=form,
            visit=visit,
            months=preview.by_month(fitting),
            fitting=len(fitting),
            others=[each for each in slots if not each.fits],
        ),
    )
