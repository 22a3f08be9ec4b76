"""What anybody may read of campaigns: the rules of one, and how the method works."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template

from scheduler import clock
from scheduler.domain.campaigns import Phase, phase
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.persistence.queries import reference, wishes
from scheduler.services.worked_example import EXAMPLE
from scheduler.web.fields import labelled
from scheduler.web.public import bp
from scheduler.web.signed_in import locale


@dataclass(frozen=True, kw_only=True)
class RulesPage:
    campaign: object
    phase: Phase
    levels: tuple[str, ...]


@bp.get("/campaigns/<id:campaign_id>/rules")
def campaign_rules(campaign_id: int) -> str:
    """The rules of a campaign that was announced, with the number of its draw."""
    row = wishes.campaign_to_show(db.session(), campaign_id)
    if row is None:
        raise NotFound
    names = labelled(reference.levels(db.session()), locale=locale())
    page = RulesPage(
        campaign=row,
        phase=phase(row.as_domain(), now=clock.now()),
        levels=tuple(
            str(each.label) for each in names if each.value in row.level_codes
        ),
    )
    return render_template("public/campaign_rules.html", page=page)


@bp.get("/how-places-are-given")
def how_places_are_given() -> str:
    """For parents and boards: the method in plain words, with a worked example."""
    return render_template("public/how_places_are_given.html", page=EXAMPLE)
