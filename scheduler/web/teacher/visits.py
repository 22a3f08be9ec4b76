"""My visits: by state, and each with everything that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
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
from scheduler.domain.visits import ENDED, INVITED, VisitState
from scheduler.extensions import db
from scheduler.ical.invitation import public
from scheduler.persistence.queries import teacher_pages
from scheduler.persistence.queries.teacher_pages import VisitLine
from scheduler.services import answer_sheets, counters, dossier
from scheduler.services.answer_sheets import AnswerSheet
from scheduler.services.dossier import Dossier
from scheduler.web.attempt import ServiceForm, attempt
from scheduler.web.signed_in import current_actor, locale
from scheduler.web.teacher import bp
from scheduler.web.teacher.whose import my_id, my_schools

WAITING = frozenset({VisitState.REQUESTED, VisitState.PROPOSED, VisitState.MOVING})
TABS = ("waiting", "confirmed", "ended")


@dataclass(frozen=True, kw_only=True)
class VisitsPage:
    """``numbers``: how many visits each tab holds. ``me``: the viewer's own id."""

    tab: str
    tabs: dict[str, str]
    numbers: dict[str, int]
    shown: Sequence[VisitLine]
    whole_school: bool
    mine_url: str
    school_url: str
    me: int


@bp.get("/visits")
def visits() -> str:
    """One's own visits, or those of the whole school."""
    whole_school = request.args.get("who") == "school"
    found = teacher_pages.visits_of(
        db.session(), my_schools(), organiser_id=None if whole_school else my_id()
    )
    # What is over by the clock and not yet by the loop still stands as confirmed.
    sorted_out = {
        "waiting": [each for each in found if each.state in WAITING],
        "confirmed": [e for e in found if e.state in INVITED - WAITING],
        "ended": [each for each in reversed(found) if each.state in ENDED],
    }
    first = next((name for name in TABS if sorted_out[name]), TABS[0])
    tab = request.args.get("tab", first)
    tab = tab if tab in TABS else first
    who = "school" if whole_school else None
    return render_template(
        "teacher/visits.html",
        page=VisitsPage(
            tab=tab,
            tabs={each: url_for(".visits", tab=each, who=who) for each in TABS},
            numbers={each: len(sorted_out[each]) for each in TABS},
            shown=sorted_out[tab],
            whole_school=whole_school,
            mine_url=url_for(".visits", tab=tab),
            school_url=url_for(".visits", tab=tab, who="school"),
            me=my_id(),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class VisitPage:
    """A visit, and where its class page is."""

    visit: Dossier
    answers: AnswerSheet
    mine: bool
    class_url: str


@bp.get("/visits/<id:visit_id>")
def visit(visit_id: int) -> str:
    """Everything about one visit."""
    found = read(visit_id)
    return render_template(
        "teacher/visit.html",
        page=VisitPage(
            visit=found,
            answers=_answers(visit_id),
            mine=found.organiser_id == my_id(),
            class_url=class_page_url(found.facts["class_code"]),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class AnswersPage:
    answers: AnswerSheet


@bp.get("/visits/<id:visit_id>/answers")
def answers(visit_id: int) -> str:
    """The part of the page that follows the answers."""
    return render_template(
        "teacher/_answers.html", page=AnswersPage(answers=_answers(visit_id))
    )


@bp.post("/visits/<id:visit_id>/proposals/<id:received_id>/take")
def take_time(visit_id: int, received_id: int) -> ResponseReturnValue:
    """Say yes to the time that the company proposed from its calendar."""
    form = ServiceForm()
    attempt(
        form,
        lambda: counters.confirm_proposal(
            db.session(), visit_id, received_id, by=current_actor(), now=clock.now()
        ),
    )
    return _told(visit_id, form, gettext("The visit has its new time."))


@bp.post("/visits/<id:visit_id>/proposals/<id:received_id>/keep")
def keep_time(visit_id: int, received_id: int) -> ResponseReturnValue:
    """Leave the time as it is."""
    form = ServiceForm()
    attempt(
        form,
        lambda: counters.dismiss_proposal(
            db.session(), visit_id, received_id, by=current_actor(), now=clock.now()
        ),
    )
    return _told(visit_id, form, gettext("The time stays as it is."))


def _told(visit_id: int, form: ServiceForm, words: str) -> ResponseReturnValue:
    for wrong in form.form_errors:
        flash(wrong, "error")
    if not form.form_errors:
        flash(words, "success")
    return redirect(url_for(".visit", visit_id=visit_id), 303)


def _answers(visit_id: int) -> AnswerSheet:
    return answer_sheets.for_teacher(
        db.session(), visit_id, by=current_actor(), now=clock.now()
    )


@bp.get("/visits/<id:visit_id>/visite.ics")
def calendar_file(visit_id: int) -> Response:
    """The visit for one's own calendar; it is the same entry as the invitation."""
    facts, identity = dossier.calendar_entry(
        db.session(), visit_id, by=current_actor(), locale=locale()
    )
    told = current_app.extensions["compose"].occasion(
        facts,
        audience="teacher",
        locale=locale(),
        uid=identity.uid,
        sequence=identity.sequence,
        dtstamp=identity.dtstamp,
    )
    return Response(
        public(told),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="visite.ics"'},
    )


def read(visit_id: int) -> Dossier:
    """The visit of the viewer's school; raises ``NotFound``."""
    return dossier.dossier(
        db.session(), visit_id, by=current_actor(), locale=locale(), now=clock.now()
    )


def class_page_url(code: str) -> str:
    """The page that students open, with the address that a mail would give."""
    base = str(current_app.config["SETTINGS"].base_url).rstrip("/")
    return f"{base}/c/{code}"
