"""Our limits: how many classes, and the days that we keep for ourselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.extensions import db
from scheduler.persistence.queries.host_pages import HostFacts
from scheduler.services import offers
from scheduler.web.attempt import UNPROCESSABLE, attempt
from scheduler.web.host import bp
from scheduler.web.host.company import company, my_host
from scheduler.web.host.forms import CapsForm, ClosedDaysForm
from scheduler.web.signed_in import current_actor


@dataclass(frozen=True, kw_only=True)
class LimitsPage:
    host: HostFacts
    caps: CapsForm
    closed: ClosedDaysForm
    now: datetime


@bp.get("/limits")
def limits() -> ResponseReturnValue:
    """Both lists on one page."""
    return _limits()


@bp.post("/limits/caps")
def set_caps() -> ResponseReturnValue:
    """Classes a day, a month, a year."""
    form = CapsForm()
    if not form.validate():
        return _limits(caps=form)
    attempt(
        form,
        lambda: offers.set_caps(
            db.session(), company(), form.caps, by=current_actor(), now=clock.now()
        ),
    )
    if form.refusals:
        return _limits(caps=form)
    flash(gettext("Your limits are noted."), "success")
    return redirect(url_for("host.limits"), 303)


@bp.post("/limits/closed-days")
def add_closed_days() -> ResponseReturnValue:
    """No class on these days."""
    form = ClosedDaysForm()
    first_on = form.first_on.data
    if not form.validate() or first_on is None:
        return _limits(closed=form)
    attempt(
        form,
        lambda: offers.add_closed_days(
            db.session(),
            company(),
            first_on=first_on,
            last_on=form.last_on.data or first_on,
            reason=form.reason.data or "",
            by=current_actor(),
            now=clock.now(),
        ),
    )
    if form.refusals:
        return _limits(closed=form)
    flash(gettext("No class will be placed on these days."), "success")
    return redirect(url_for("host.limits"), 303)


@bp.post("/limits/closed-days/<id:closure_id>/remove")
def remove_closed_days(closure_id: int) -> ResponseReturnValue:
    """The days are open again."""
    offers.remove_closed_days(
        db.session(), company(), closure_id, by=current_actor(), now=clock.now()
    )
    flash(gettext("These days are open again."), "success")
    return redirect(url_for("host.limits"), 303)


def _limits(
    *, caps: CapsForm | None = None, closed: ClosedDaysForm | None = None
) -> ResponseReturnValue:
    host = my_host()
    page = LimitsPage(
        host=host,
        caps=caps
        or CapsForm(
            formdata=None,
            data={
                "per_day": host.cap_per_day,
                "per_month": host.cap_per_month,
                "per_year": host.cap_per_year,
            },
        ),
        closed=closed or ClosedDaysForm(formdata=None),
        now=clock.now(),
    )
    status = UNPROCESSABLE if caps or closed else 200
    return render_template("host/limits.html", page=page), status
