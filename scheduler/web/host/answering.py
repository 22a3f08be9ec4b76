"""Answering a request: the same three buttons by mailed link and signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock, wording
from scheduler.domain.actors import Actor
from scheduler.extensions import db
from scheduler.persistence.queries.host_pages import SlotLine
from scheduler.services import answers, proposals
from scheduler.services.answer_sheets import AnswerSheet, for_contact
from scheduler.services.host_visits import VisitSheet, visit_sheet
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt
from scheduler.web.fields import options
from scheduler.web.host.forms import AcceptForm, DeclineForm, ProposeForm

ALREADY = "wrong_state"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where an answer is given, by whom, and where its buttons lead."""

    template: str
    actor: Actor
    visit_id: int
    locale: str
    here: str
    accept_url: str
    decline_url: str
    propose_url: str


@dataclass(frozen=True, kw_only=True)
class AnswerPage:
    """``opened``: the part whose form failed."""

    desk: Desk
    visit: VisitSheet
    answers: AnswerSheet
    accept: ServiceForm
    decline: DeclineForm
    propose: ProposeForm
    now: datetime
    opened: str = ""


def show(
    desk: Desk,
    *,
    accept: AcceptForm | None = None,
    decline: DeclineForm | None = None,
    propose: ProposeForm | None = None,
    opened: str = "",
) -> ResponseReturnValue:
    """The page. Looking at it changes nothing."""
    now = clock.now()
    visit = visit_sheet(
        db.session(), desk.visit_id, locale=desk.locale, by=desk.actor, now=now
    )
    page = AnswerPage(
        desk=desk,
        visit=visit,
        answers=for_contact(db.session(), desk.visit_id, by=desk.actor, now=now),
        accept=accept or AcceptForm(),
        decline=decline or DeclineForm(formdata=None),
        propose=propose or propose_form(desk, formdata=None),
        now=now,
        opened=opened,
    )
    return render_template(desk.template, page=page), UNPROCESSABLE if opened else 200


def accept(desk: Desk) -> ResponseReturnValue:
    """Yes."""
    form = AcceptForm()
    attempt(
        form,
        lambda: answers.accept_visit(
            db.session(), desk.visit_id, by=desk.actor, now=clock.now()
        ),
    )
    if form.refusals and not _already(form):
        return show(desk, accept=form, opened="accept")
    return _back(desk, form, gettext("Thank you. The class is told at once."))


def decline(desk: Desk) -> ResponseReturnValue:
    """No, with a reason."""
    form = DeclineForm()
    if not form.validate():
        return show(desk, decline=form, opened="decline")
    attempt(
        form,
        lambda: answers.decline_visit(
            db.session(),
            desk.visit_id,
            reason=form.why,
            note=form.note.data or "",
            by=desk.actor,
            now=clock.now(),
        ),
    )
    if form.refusals and not _already(form):
        return show(desk, decline=form, opened="decline")
    return _back(desk, form, gettext("Your answer is on its way to the class."))


def propose(desk: Desk) -> ResponseReturnValue:
    """Other dates instead."""
    form = propose_form(desk)
    if not form.validate():
        return show(desk, propose=form, opened="propose")
    attempt(form, lambda: _propose(desk, form))
    if form.refusals and not _already(form):
        return show(desk, propose=form, opened="propose")
    return _back(desk, form, gettext("The teacher can now choose among your dates."))


def propose_form(desk: Desk, **given: object) -> ProposeForm:
    """The form with the host's own slots that would do."""
    form = ProposeForm(**given)
    slots = proposals.slots_that_fit(
        db.session(), desk.visit_id, by=desk.actor, now=clock.now()
    )
    form.slots.choices = options(
        (str(slot.id), _words(slot, desk.locale)) for slot in slots
    )
    return form


def _propose(desk: Desk, form: ProposeForm) -> None:
    session, note = db.session(), form.note.data or ""
    by, now = desk.actor, clock.now()
    if form.new_time is None:
        answers.propose_slots(
            session, desk.visit_id, form.slot_ids, note=note, by=by, now=now
        )
    else:
        proposals.propose_new_time(
            session,
            desk.visit_id,
            form.new_time,
            form.slot_ids,
            note=note,
            by=by,
            now=now,
        )


def _words(slot: SlotLine, locale: str) -> str:
    return wording.span(slot.starts_at, slot.ends_at, locale)


def _already(form: ServiceForm) -> bool:
    return any(each.code == ALREADY for each in form.refusals)


def _back(desk: Desk, form: ServiceForm, words: str) -> ResponseReturnValue:
    """To the page itself, which says how things stand now."""
    if _already(form):
        flash(
            gettext("This was already answered. Nothing has been changed."), "warning"
        )
    else:
        flash(words, "success")
    return redirect(desk.here, 303)
