"""Visits: who waits, who comes, who came; one visit with its answer and its history."""

from __future__ import annotations

from dataclasses import dataclass

from flask import (
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.ical.invitation import public
from scheduler.persistence.queries import host_pages
from scheduler.persistence.queries.host_pages import VisitLine
from scheduler.services import answer_sheets, answers, counters
from scheduler.services.answer_sheets import AnswerSheet
from scheduler.services.host_visits import VisitSheet, calendar_facts, visit_sheet
from scheduler.web.attempt import ServiceForm, attempt
from scheduler.web.host import answering, bp
from scheduler.web.host.answering import Desk
from scheduler.web.host.company import company, need_mine
from scheduler.web.host.forms import CancelForm
from scheduler.web.signed_in import current_actor, locale

SHOWN = ("waiting", "next", "past")


@dataclass(frozen=True, kw_only=True)
class VisitsPage:
    shown: str
    waiting: list[VisitLine]
    next: list[VisitLine]
    past: list[VisitLine]


@dataclass(frozen=True, kw_only=True)
class CancelPage:
    visit: VisitSheet
    form: CancelForm


@bp.get("/visits")
def visits() -> ResponseReturnValue:
    """Three lists; the one with something to do comes first."""
    host_id, now = company(), clock.now()
    waiting = host_pages.visits_waiting(db.session(), host_id, locale=locale())
    asked = request.args.get("show", "")
    page = VisitsPage(
        shown=asked if asked in SHOWN else ("waiting" if waiting else "next"),
        waiting=waiting,
        next=host_pages.visits_next(db.session(), host_id, locale=locale(), now=now),
        past=host_pages.visits_past(db.session(), host_id, locale=locale(), now=now),
    )
    return render_template("host/visits.html", page=page)


@bp.get("/visits/<id:visit_id>")
def visit(visit_id: int) -> ResponseReturnValue:
    """One visit, whole."""
    return answering.show(_desk(visit_id))


@dataclass(frozen=True, kw_only=True)
class AnswersPage:
    answers: AnswerSheet


@bp.get("/visits/<id:visit_id>/answers", endpoint="answers")
def answers_part(visit_id: int) -> str:
    """The part of the page that follows the answers."""
    desk = _desk(visit_id)
    sheet = answer_sheets.for_contact(
        db.session(), visit_id, by=desk.actor, now=clock.now()
    )
    return render_template("host/_answers.html", page=AnswersPage(answers=sheet))


@bp.post("/visits/<id:visit_id>/proposals/<id:received_id>/take")
def take_time(visit_id: int, received_id: int) -> ResponseReturnValue:
    """Say yes to the time that the teacher proposed from a calendar."""
    form, desk = ServiceForm(), _desk(visit_id)
    attempt(
        form,
        lambda: counters.confirm_proposal(
            db.session(), visit_id, received_id, by=desk.actor, now=clock.now()
        ),
    )
    return _told(visit_id, form, gettext("The visit has its new time."))


@bp.post("/visits/<id:visit_id>/proposals/<id:received_id>/keep")
def keep_time(visit_id: int, received_id: int) -> ResponseReturnValue:
    """Leave the time as it is."""
    form, desk = ServiceForm(), _desk(visit_id)
    attempt(
        form,
        lambda: counters.dismiss_proposal(
            db.session(), visit_id, received_id, by=desk.actor, now=clock.now()
        ),
    )
    return _told(visit_id, form, gettext("The time stays as it is."))


def _told(visit_id: int, form: ServiceForm, words: str) -> ResponseReturnValue:
    for wrong in form.form_errors:
        flash(wrong, "error")
    if not form.form_errors:
        flash(words, "success")
    return redirect(url_for(".visit", visit_id=visit_id), 303)


@bp.post("/visits/<id:visit_id>/accept")
def accept(visit_id: int) -> ResponseReturnValue:
    """Yes."""
    return answering.accept(_desk(visit_id))


@bp.post("/visits/<id:visit_id>/decline")
def decline(visit_id: int) -> ResponseReturnValue:
    """No, and why."""
    return answering.decline(_desk(visit_id))


@bp.post("/visits/<id:visit_id>/propose")
def propose(visit_id: int) -> ResponseReturnValue:
    """Other dates instead."""
    return answering.propose(_desk(visit_id))


@bp.route("/visits/<id:visit_id>/cancel", methods=["GET", "POST"])
def cancel_visit(visit_id: int) -> ResponseReturnValue:
    """Call a confirmed visit off, with a reason; says what follows."""
    _need_mine(visit_id)
    sheet = visit_sheet(
        db.session(), visit_id, locale=locale(), by=current_actor(), now=clock.now()
    )
    form = CancelForm()
    if form.validate_on_submit():
        attempt(
            form,
            lambda: answers.cancel_by_host(
                db.session(),
                visit_id,
                reason=form.why,
                note=form.note.data or "",
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if not form.refusals:
            flash(gettext("Cancelled. Everybody concerned is told at once."), "success")
            return redirect(url_for("host.visit", visit_id=visit_id), 303)
    elif not sheet.may_cancel:
        return redirect(url_for("host.visit", visit_id=visit_id), 303)
    page = CancelPage(visit=sheet, form=form)
    return render_template("host/cancel_visit.html", page=page), form.status


@bp.post("/visits/<id:visit_id>/again")
def offer_again(visit_id: int) -> ResponseReturnValue:
    """Receive the class after all; its teacher has to choose it."""
    _need_mine(visit_id)
    form = ServiceForm()
    attempt(
        form,
        lambda: answers.offer_again(
            db.session(), visit_id, note="", by=current_actor(), now=clock.now()
        ),
    )
    for words in form.form_errors:
        flash(words, "error")
    if not form.refusals:
        flash(gettext("The teacher is told and can choose the date again."), "success")
    return redirect(url_for("host.visit", visit_id=visit_id), 303)


@bp.get("/visits/<id:visit_id>/visit.ics")
def calendar_file(visit_id: int) -> Response:
    """The visit for the contact's own calendar, under the invitation's UID."""
    _need_mine(visit_id)
    recorded, (uid, sequence, dtstamp) = calendar_facts(
        db.session(), visit_id, locale=locale(), by=current_actor()
    )
    occasion = current_app.extensions["compose"].occasion(
        recorded,
        audience="host",
        locale=locale(),
        uid=uid,
        sequence=sequence,
        dtstamp=dtstamp,
    )
    return Response(
        public(occasion),
        mimetype="text/calendar",
        headers={"Content-Disposition": f'attachment; filename="visit-{visit_id}.ics"'},
    )


def _need_mine(visit_id: int) -> None:
    """Other companies' visits do not exist (P6)."""
    host_id = host_pages.host_of_visit(db.session(), visit_id)
    if host_id is None:
        raise NotFound
    need_mine(host_id)


def _desk(visit_id: int) -> Desk:
    """The signed-in contact's desk."""
    _need_mine(visit_id)
    return Desk(
        template="host/visit.html",
        actor=current_actor(),
        visit_id=visit_id,
        locale=locale(),
        here=url_for("host.visit", visit_id=visit_id),
        accept_url=url_for("host.accept", visit_id=visit_id),
        decline_url=url_for("host.decline", visit_id=visit_id),
        propose_url=url_for("host.propose", visit_id=visit_id),
    )
