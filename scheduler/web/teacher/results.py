"""What a campaign gave the classes of a school, and why."""

from __future__ import annotations

from flask import render_template

from scheduler import clock
from scheduler.extensions import db
from scheduler.services import published
from scheduler.web.signed_in import locale
from scheduler.web.teacher import bp
from scheduler.web.teacher.whose import my_schools


@bp.get("/campaigns/<id:campaign_id>/result")
def campaign_result(campaign_id: int) -> str:
    """Each class with its visit and why this one, or the true reason."""
    page = published.for_school(
        db.session(), campaign_id, my_schools(), locale=locale(), now=clock.now()
    )
    return render_template("teacher/campaign_result.html", page=page)
