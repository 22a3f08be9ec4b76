"""Home: who waits for an answer, who comes next, what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from scheduler import clock
from scheduler.domain.announcements import Audience
from scheduler.extensions import db
from scheduler.persistence.queries import host_pages, received
from scheduler.persistence.queries.host_pages import (
    HostFacts,
    Name,
    OfferLine,
    VisitLine,
)
from scheduler.services.counters import OPEN_TO_A_PROPOSAL
from scheduler.web.destinations import local_path
from scheduler.web.host import bp
from scheduler.web.host.company import CHOSEN, companies, my_host, need_mine, several
from scheduler.web.host.forms import PauseForm
from scheduler.web.signed_in import locale

NEXT_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Something that a class would miss. ``what`` is a code."""

    what: str
    url: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class HomePage:
    host: HostFacts
    several: bool
    waiting: list[VisitLine]
    other_times: list[VisitLine]
    next: list[VisitLine]
    more: int
    offers: list[OfferLine]
    gaps: list[Gap]
    pause: PauseForm
    now: datetime


@bp.get("/")
def home() -> ResponseReturnValue:
    """The first page of a contact."""
    host, now = my_host(), clock.now()
    coming = host_pages.visits_next(db.session(), host.id, locale=locale(), now=now)
    lines = host_pages.offer_lines(db.session(), host.id, now=now)
    waiting = host_pages.visits_waiting(db.session(), host.id, locale=locale())
    lines_by_id = {each.id: each for each in (*waiting, *coming)}
    asked = received.with_other_times(
        db.session(), lines_by_id, by=Audience.TEACHER, now=now
    )
    page = HomePage(
        host=host,
        several=several(),
        waiting=waiting,
        other_times=[
            lines_by_id[each]
            for each in sorted(asked)
            if lines_by_id[each].state in OPEN_TO_A_PROPOSAL
        ],
        next=coming[:NEXT_SHOWN],
        more=max(len(coming) - NEXT_SHOWN, 0),
        offers=[line for line in lines if line.state != "archived"],
        gaps=list(_gaps(lines)),
        pause=PauseForm(formdata=None),
        now=now,
    )
    return render_template("host/home.html", page=page)


@bp.get("/choose")
def choose() -> ResponseReturnValue:
    """Ask which company a contact of several means."""
    names = host_pages.hosts_named(db.session(), companies())
    page = ChoosePage(names=names, next_path=request.args.get("next", ""))
    return render_template("host/choose.html", page=page)


@dataclass(frozen=True)
class ChoosePage:
    names: list[Name]
    next_path: str


@bp.post("/choose/<id:host_id>")
def choose_company(host_id: int) -> ResponseReturnValue:
    """Remember it in this browser."""
    need_mine(host_id)
    session[CHOSEN] = host_id
    wanted = local_path(request.form.get("next"))
    inside = wanted.startswith(url_for("host.home"))
    return redirect(wanted if inside else url_for("host.home"), 303)


def _gaps(lines: Iterable[OfferLine]) -> Iterable[Gap]:
    """What is missing before a class can come without a phone call."""
    used = [line for line in lines if line.state != "archived"]
    for line in used:
        url = url_for("host.offer", offer_id=line.id)
        if line.state == "draft":
            yield Gap(what="draft", url=url, title=line.title)
        if line.state == "published" and line.open_slots == 0:
            slots_url = url_for("host.slots", offer_id=line.id)
            yield Gap(what="no_slots", url=slots_url, title=line.title)
        if line.state == "published" and not line.meeting_point:
            edit_url = url_for("host.edit_offer", offer_id=line.id)
            yield Gap(what="no_meeting_point", url=edit_url, title=line.title)
        if line.state == "published" and not line.arrival:
            edit_url = url_for("host.edit_offer", offer_id=line.id)
            yield Gap(what="no_arrival", url=edit_url, title=line.title)
