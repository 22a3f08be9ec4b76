"""Every visit, what waits for whom, and the mail that a person should look at."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.services import received_mail
from scheduler.services.health import health
from scheduler.web.coordinator import bp, campaigns, contacts, mail, publishing, runs
from scheduler.web.coordinator.pages import (
    MOST_PAGES,
    ReceivedPage,
    group_of,
    list_page,
    visit_page,
)
from scheduler.web.signed_in import current_actor
from scheduler.web.site import reads_answers

__all__ = ["bp", "campaigns", "contacts", "mail", "publishing", "runs"]


@bp.get("/")
def home() -> str:
    """Every visit, by state, searched."""
    page = list_page(
        group=group_of(request.args.get("state")),
        words=request.args.get("q", ""),
        number=_page_number(request.args.get("page", "1")),
        now=clock.now(),
    )
    return render_template("coordinator/home.html", page=page)


@bp.get("/visits/<id:visit_id>")
def visit(visit_id: int) -> str:
    """One visit: people, history, messages."""
    page = visit_page(visit_id, now=clock.now())
    if page is None:
        raise NotFound
    return render_template("coordinator/visit.html", page=page)


@bp.get("/received")
def received() -> str:
    """Mail that came back and that no program could deal with."""
    found = received_mail.overview(db.session(), by=current_actor())
    page = ReceivedPage(
        items=found.items,
        verdicts=found.verdicts,
        unread=reads_answers()
        and not health(db.session(), now=clock.now()).answers_read,
    )
    return render_template("coordinator/received.html", page=page)


@bp.post("/received/<id:received_id>/settle")
def settle(received_id: int) -> ResponseReturnValue:
    """Somebody has seen to it."""
    received_mail.settle(db.session(), received_id, by=current_actor(), now=clock.now())
    flash(gettext("Settled."), "success")
    return redirect(url_for(".received"), 303)


def _page_number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < len(str(MOST_PAGES))
    return int(text) if is_number else 1
