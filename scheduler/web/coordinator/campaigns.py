"""Campaigns: their rules written, announced, given more time, ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.campaigns import Phase, phase
from scheduler.domain.localtime import local, local_day
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.persistence.queries import campaign_pages, reference
from scheduler.persistence.queries.campaign_pages import CampaignLine, Figures
from scheduler.services import campaigns
from scheduler.web.attempt import UNPROCESSABLE, Result, ServiceForm, attempt
from scheduler.web.coordinator import bp, campaign_form
from scheduler.web.coordinator.campaign_form import CampaignForm, PostponeForm
from scheduler.web.fields import labelled
from scheduler.web.signed_in import current_actor, locale


@dataclass(frozen=True, kw_only=True)
class Row:
    """A campaign of the list."""

    line: CampaignLine
    phase: Phase


@dataclass(frozen=True, kw_only=True)
class CampaignPage:
    """``levels``: names of those that may wish; none: every level."""

    line: CampaignLine
    phase: Phase
    levels: tuple[str, ...]
    postpone: PostponeForm
    form: ServiceForm

    @property
    def figures(self) -> Figures:
        return self.line.figures


@dataclass(frozen=True, kw_only=True)
class RulesPage:
    """``line`` is missing for a new campaign."""

    form: CampaignForm
    line: CampaignLine | None = None


@bp.get("/campaigns")
def campaign_list() -> str:
    """Every campaign, the latest visits first."""
    now = clock.now()
    lines = campaign_pages.campaign_lines(db.session())
    page = [
        Row(line=each, phase=phase(each.campaign.as_domain(), now=now))
        for each in lines
    ]
    return render_template("coordinator/campaigns.html", page=page)


@bp.get("/campaigns/new")
def new_campaign() -> str:
    """The rules, with usual ones filled in."""
    form = campaign_form.blank(today=local_day(clock.now()))
    return render_template("coordinator/campaign_form.html", page=RulesPage(form=form))


@bp.post("/campaigns/new")
def create_campaign() -> ResponseReturnValue:
    """A draft that only coordinators see."""
    form = campaign_form.with_choices(CampaignForm())
    made = _tried(
        form,
        lambda: campaigns.create_campaign(
            db.session(), form.rules(), by=current_actor(), now=clock.now()
        ),
    )
    if made is None:
        page = RulesPage(form=form)
        return render_template(
            "coordinator/campaign_form.html", page=page
        ), UNPROCESSABLE
    flash(gettext("The draft is kept: only coordinators see it."), "success")
    return redirect(url_for(".campaign", campaign_id=made), 303)


@bp.get("/campaigns/<id:campaign_id>")
def campaign(campaign_id: int) -> str:
    """One campaign: where it stands, its rules, what can be done."""
    return _campaign_page(campaign_id)


@bp.get("/campaigns/<id:campaign_id>/edit")
def edit_campaign(campaign_id: int) -> str:
    """The rules of a draft."""
    line = _line(campaign_id)
    page = RulesPage(form=campaign_form.filled(line), line=line)
    return render_template("coordinator/campaign_form.html", page=page)


@bp.post("/campaigns/<id:campaign_id>/edit")
def change_campaign(campaign_id: int) -> ResponseReturnValue:
    """Other rules for a draft."""
    form = campaign_form.with_choices(CampaignForm())

    def change() -> bool:
        campaigns.edit_campaign(
            db.session(), campaign_id, form.rules(), by=current_actor(), now=clock.now()
        )
        return True

    if not _tried(form, change):
        page = RulesPage(form=form, line=_line(campaign_id))
        return render_template(
            "coordinator/campaign_form.html", page=page
        ), UNPROCESSABLE
    flash(gettext("The rules are kept."), "success")
    return redirect(url_for(".campaign", campaign_id=campaign_id), 303)


@bp.post("/campaigns/<id:campaign_id>/announce")
def announce_campaign(campaign_id: int) -> ResponseReturnValue:
    """Rules and draw are public from now on."""
    return _step(
        campaign_id,
        campaigns.announce_campaign,
        gettext("The campaign is announced: its rules are public and stay."),
    )


@bp.post("/campaigns/<id:campaign_id>/end")
def end_campaign(campaign_id: int) -> ResponseReturnValue:
    """Nothing more comes of it."""
    return _step(campaign_id, campaigns.end_campaign, gettext("The campaign is ended."))


@bp.post("/campaigns/<id:campaign_id>/postpone")
def postpone_closing(campaign_id: int) -> ResponseReturnValue:
    """More time for wishes."""
    form = PostponeForm()

    def postpone() -> bool:
        given_on = form.given_on.data
        if given_on is None:
            return False
        campaigns.postpone_closing(
            db.session(),
            campaign_id,
            closes_at=form.closes_at,
            allocation_on=given_on,
            by=current_actor(),
            now=clock.now(),
        )
        return True

    if not _tried(form, postpone):
        return _campaign_page(campaign_id, postpone=form), UNPROCESSABLE
    flash(gettext("Wishes have more time."), "success")
    return redirect(url_for(".campaign", campaign_id=campaign_id), 303)


@bp.post("/campaigns/<id:campaign_id>/drop")
def drop_draft(campaign_id: int) -> ResponseReturnValue:
    """Take a draft away."""
    form = ServiceForm()
    attempt(
        form,
        lambda: campaigns.drop_draft(
            db.session(), campaign_id, by=current_actor(), now=clock.now()
        ),
    )
    if form.refusals:
        return _campaign_page(campaign_id, form=form), UNPROCESSABLE
    flash(gettext("The draft is removed."), "success")
    return redirect(url_for(".campaign_list"), 303)


def _tried(form: ServiceForm, call: Callable[[], Result]) -> Result | None:
    return attempt(form, call) if form.validate() else None


def _step(
    campaign_id: int, service: Callable[..., None], said: str
) -> ResponseReturnValue:
    form = ServiceForm()
    attempt(
        form,
        lambda: service(db.session(), campaign_id, by=current_actor(), now=clock.now()),
    )
    if form.refusals:
        return _campaign_page(campaign_id, form=form), UNPROCESSABLE
    flash(said, "success")
    return redirect(url_for(".campaign", campaign_id=campaign_id), 303)


def _line(campaign_id: int) -> CampaignLine:
    found = campaign_pages.campaign_line(db.session(), campaign_id)
    if found is None:
        raise NotFound
    return found


def _campaign_page(
    campaign_id: int,
    *,
    postpone: PostponeForm | None = None,
    form: ServiceForm | None = None,
) -> str:
    line = _line(campaign_id)
    row = line.campaign
    names = labelled(reference.levels(db.session()), locale=locale())
    closes = local(row.closes_at)
    page = CampaignPage(
        line=line,
        phase=phase(row.as_domain(), now=clock.now()),
        levels=tuple(
            str(each.label) for each in names if each.value in row.level_codes
        ),
        postpone=postpone
        or PostponeForm(
            formdata=None,
            data={
                "later_on": closes.date(),
                "later": closes.time(),
                "given_on": row.allocation_on,
            },
        ),
        form=form or ServiceForm(formdata=None),
    )
    return render_template("coordinator/campaign.html", page=page)
