"""The first page: what waits for the teacher, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import render_template

from scheduler import clock
from scheduler.domain.announcements import Audience
from scheduler.domain.visits import ENDED, INVITED, VisitState
from scheduler.extensions import db
from scheduler.persistence.queries import received, teacher_pages
from scheduler.persistence.queries.teacher_pages import (
    ClassLine,
    SchoolLine,
    VisitLine,
)
from scheduler.services.counters import OPEN_TO_A_PROPOSAL
from scheduler.web.signed_in import current_viewer
from scheduler.web.teacher import bp
from scheduler.web.teacher.whose import my_classes, my_id, my_schools

SOON = timedelta(days=14)
NEXT = 5


@dataclass(frozen=True, kw_only=True)
class HomePage:
    """``to_choose``: the host offers other dates, the teacher has to answer.

    ``other_times``: the company proposed another time from its calendar.
    ``undelivered``: mail about a visit ahead did not arrive.
    """

    first_name: str
    schools: Sequence[SchoolLine]
    classes: Sequence[ClassLine]
    to_choose: Sequence[VisitLine]
    other_times: Sequence[VisitLine]
    undelivered: Sequence[VisitLine]
    waiting: Sequence[VisitLine]
    soon: Sequence[VisitLine]
    coming: Sequence[VisitLine]
    confirmed: int


@bp.get("/")
def home() -> str:
    """What waits for me, my next visits, my school and its classes."""
    now = clock.now()
    visits = teacher_pages.visits_of(db.session(), my_schools(), organiser_id=my_id())
    ahead = [each for each in visits if each.ends_at > now]
    confirmed = [each for each in ahead if each.state in INVITED]
    open_to_it = {e.id: e for e in ahead if e.state in OPEN_TO_A_PROPOSAL}
    asked = received.with_other_times(
        db.session(), open_to_it, by=Audience.HOST, now=now
    )
    viewer = current_viewer()
    return render_template(
        "teacher/home.html",
        page=HomePage(
            first_name=viewer.name.split(" ")[0] if viewer else "",
            schools=teacher_pages.schools_of(db.session(), my_schools()),
            classes=my_classes(),
            to_choose=[e for e in visits if e.state is VisitState.PROPOSED],
            other_times=[open_to_it[each] for each in sorted(asked)],
            undelivered=[e for e in ahead if e.failed and e.state not in ENDED],
            waiting=[
                each
                for each in ahead
                if each.state in {VisitState.REQUESTED, VisitState.MOVING}
            ],
            soon=[each for each in confirmed if each.starts_at < now + SOON],
            coming=confirmed[:NEXT],
            confirmed=len(confirmed),
        ),
    )
