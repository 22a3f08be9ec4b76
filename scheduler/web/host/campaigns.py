"""What a campaign asks of a company: every class on one page."""

from __future__ import annotations

from flask import render_template

from scheduler.extensions import db
from scheduler.services import published
from scheduler.web.host import bp
from scheduler.web.signed_in import current_actor


@bp.get("/campaigns/<id:campaign_id>")
def campaign(campaign_id: int) -> str:
    """Who waits for an answer, and what was answered."""
    page = published.for_host(db.session(), campaign_id, by=current_actor())
    return render_template("host/campaign.html", page=page)
