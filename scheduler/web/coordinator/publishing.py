"""Publishing a plan: what will happen, then how the answers stand and what helps."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from scheduler import clock
from scheduler.domain.campaigns import RunPurpose
from scheduler.extensions import db
from scheduler.services import published, publishing, runs
from scheduler.services.published import Preview, Standing
from scheduler.services.runs import Wanted
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt, words_of
from scheduler.web.coordinator import bp
from scheduler.web.signed_in import current_actor

LONGEST_NOTE = 300
REPAIR_SECONDS = 60


class PublishForm(ServiceForm):
    """``note``: said to those whose accepted visit a repair takes away."""

    note = TextAreaField(
        lazy_gettext("What do you say to those whose visit is cancelled?"),
        [Optional(), Length(max=LONGEST_NOTE)],
    )

    def demand_note(self) -> None:
        """Accepted visits are cancelled: people want to know why."""
        self.note.validators = [
            InputRequired(lazy_gettext("Please say why: one line is enough.")),
            Length(max=LONGEST_NOTE),
        ]


@dataclass(frozen=True, kw_only=True)
class PublishPage:
    """``obstacle``: why the plan cannot be published, in words."""

    plan: Preview
    form: PublishForm
    obstacle: str


@dataclass(frozen=True, kw_only=True)
class StandingPage:
    standing: Standing
    form: ServiceForm


@bp.get("/runs/<id:run_id>/publish")
def publish_page(run_id: int) -> str:
    """Whom it concerns and what happens next, before anything does."""
    return _publish_page(run_id, PublishForm(formdata=None))


@bp.post("/runs/<id:run_id>/publish")
def publish_run(run_id: int) -> ResponseReturnValue:
    """The loop asks for the visits from now on."""
    form = PublishForm()
    plan = _preview(run_id)
    if plan.agreed:
        form.demand_note()
    campaign_id = plan.campaign.id
    if form.validate():
        attempt(
            form,
            lambda: publishing.publish(
                db.session(),
                run_id,
                note=form.note.data or "",
                by=current_actor(),
                now=clock.now(),
            ),
        )
    if form.errors:
        return _publish_page(run_id, form), UNPROCESSABLE
    flash(gettext("The plan is published: companies and teachers are told."), "success")
    return redirect(url_for(".publication", campaign_id=campaign_id), 303)


@bp.get("/campaigns/<id:campaign_id>/publication")
def publication(campaign_id: int) -> str:
    """How the answers stand, what was refused, and what can be done about it."""
    return _standing_page(campaign_id, ServiceForm(formdata=None))


@bp.post("/campaigns/<id:campaign_id>/repair")
def repair(campaign_id: int) -> ResponseReturnValue:
    """Look for a plan that serves who lost a visit and changes as little as it can."""
    return _compute(campaign_id, RunPurpose.REPAIR)


@bp.post("/campaigns/<id:campaign_id>/second-round")
def second_round(campaign_id: int) -> ResponseReturnValue:
    """Give what is left to those who have nothing; nobody moves."""
    return _compute(campaign_id, RunPurpose.SECOND_ROUND)


def _compute(campaign_id: int, purpose: RunPurpose) -> ResponseReturnValue:
    form = ServiceForm()
    standing = _standing(campaign_id)
    run_id = attempt(
        form,
        lambda: runs.ask_for_run(
            db.session(),
            campaign_id,
            Wanted(
                purpose=purpose, based_on_id=standing.run_id, seconds=REPAIR_SECONDS
            ),
            by=current_actor(),
            now=clock.now(),
        ),
    )
    if run_id is None:
        return _standing_page(campaign_id, form), UNPROCESSABLE
    return redirect(url_for(".run", run_id=run_id), 303)


def _preview(run_id: int) -> Preview:
    return published.preview(db.session(), run_id, by=current_actor(), now=clock.now())


def _publish_page(run_id: int, form: PublishForm) -> str:
    plan = _preview(run_id)
    page = PublishPage(
        plan=plan, form=form, obstacle=words_of(plan.refusal) if plan.refusal else ""
    )
    return render_template("coordinator/publish.html", page=page)


def _standing(campaign_id: int) -> Standing:
    number = request.args.get("page", "1")
    return published.standing(
        db.session(),
        campaign_id,
        show=request.args.get("show", ""),
        number=int(number) if number.isascii() and number.isdigit() else 1,
        by=current_actor(),
        now=clock.now(),
    )


def _standing_page(campaign_id: int, form: ServiceForm) -> str:
    page = StandingPage(standing=_standing(campaign_id), form=form)
    return render_template("coordinator/publication.html", page=page)
