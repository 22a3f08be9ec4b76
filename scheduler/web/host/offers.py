"""Offers: a first one in eight questions, everything about one, its state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.localtime import local_day, school_year
from scheduler.domain.weekly import WeeklyPlan
from scheduler.extensions import db
from scheduler.persistence.queries import host_pages
from scheduler.persistence.queries.host_pages import HostFacts, OfferFacts, OfferLine
from scheduler.services import offers as service
from scheduler.services.opening import open_offer, plan_for_new
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt
from scheduler.web.host import bp, choices
from scheduler.web.host.company import my_host, my_offer, several
from scheduler.web.host.forms import FirstOfferForm, OfferForm, PauseForm
from scheduler.web.signed_in import current_actor, locale

FIRST_SLOTS_AFTER = timedelta(days=28)
USUAL_GROUP = 12
USUAL_GRADE = "9"
# Said alike in the offer and in the form.
SAME_NAME = (
    "title",
    "summary",
    "wear",
    "bring",
    "people_met",
    "women_witnesses",
    "street",
    "arrival",
    "meeting_point",
    "wheelchair",
    "wheelchair_note",
    "vehicle_access",
    "phone_rule",
    "photo_rule",
    "max_students",
    "min_students",
    "max_people",
    "max_groups",
    "subgroup_size",
    "min_age",
    "min_notice_days",
    "name_list_days",
    "duration_minutes",
    "confirmation",
    "note",
)


@dataclass(frozen=True, kw_only=True)
class OffersPage:
    host: HostFacts
    several: bool
    offers: list[OfferLine]
    pause: PauseForm


@dataclass(frozen=True, kw_only=True)
class NewOfferPage:
    host: HostFacts
    form: FirstOfferForm
    plan: WeeklyPlan | None


@dataclass(frozen=True, kw_only=True)
class OfferPage:
    offer: OfferFacts
    labels: dict[str, str]
    words: dict[str, dict[str, Any]]
    form: ServiceForm
    pause: PauseForm
    opened: str
    now: datetime


@bp.get("/offers")
def offers() -> ResponseReturnValue:
    """All offers of the company."""
    host = my_host()
    page = OffersPage(
        host=host,
        several=several(),
        offers=host_pages.offer_lines(db.session(), host.id, now=clock.now()),
        pause=PauseForm(formdata=None),
    )
    return render_template("host/offers.html", page=page)


@bp.route("/offers/new", methods=["GET", "POST"])
def new_offer() -> ResponseReturnValue:
    """Eight questions; the last one makes the slots, shown before they are made."""
    host = my_host()
    form = FirstOfferForm(data=_first_answers(host))
    _offer_lists(form)
    plan = _plan(form, host.id) if form.validate_on_submit() else None
    if plan and plan.days and request.form.get("then") == "publish":
        offer_id = attempt(
            form,
            lambda: open_offer(
                db.session(),
                host.id,
                form.offer,
                form.rule,
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if offer_id is not None:
            flash(gettext("Your offer is published. Teachers see it now."), "success")
            return redirect(url_for("host.slots", offer_id=offer_id), 303)
    page = NewOfferPage(host=host, form=form, plan=plan)
    return render_template("host/new_offer.html", page=page), form.status


@bp.get("/offers/<id:offer_id>")
def offer(offer_id: int) -> ResponseReturnValue:
    """One offer: what teachers read, and its buttons."""
    return _offer_page(offer_id)


@bp.route("/offers/<id:offer_id>/edit", methods=["GET", "POST"])
def edit_offer(offer_id: int) -> ResponseReturnValue:
    """Everything about the offer, in groups."""
    before = my_offer(offer_id)
    form = OfferForm(data=_answers(before))
    _offer_lists(form)
    if form.validate_on_submit():
        attempt(
            form,
            lambda: service.change_offer(
                db.session(),
                offer_id,
                form.offer(before),
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if not form.refusals:
            flash(gettext("Your offer is changed."), "success")
            return redirect(url_for("host.offer", offer_id=offer_id), 303)
    page = EditOfferPage(offer=before, form=form)
    return render_template("host/edit_offer.html", page=page), form.status


@dataclass(frozen=True, kw_only=True)
class EditOfferPage:
    offer: OfferFacts
    form: OfferForm


@bp.post("/offers/<id:offer_id>/pause")
def pause_offer(offer_id: int) -> ResponseReturnValue:
    """No new requests for a while."""
    my_offer(offer_id)
    form = PauseForm()
    if not form.validate():
        return _offer_page(offer_id, pause=form)
    if form.until.data is not None and form.until.data <= local_day(clock.now()):
        form.until.errors = [gettext("Please choose a day to come.")]
        return _offer_page(offer_id, pause=form)
    attempt(
        form,
        lambda: service.pause_offer(
            db.session(),
            offer_id,
            until=form.until.data,
            by=current_actor(),
            now=clock.now(),
        ),
    )
    if form.refusals:
        return _offer_page(offer_id, form=form)
    flash(gettext("Paused. Confirmed visits stay as they are."), "success")
    return redirect(_offer_url(offer_id), 303)


@bp.post("/offers/<id:offer_id>/<any(publish, resume, archive, restore):step>")
def step_offer(offer_id: int, step: str) -> ResponseReturnValue:
    """Publish, resume, put away, take back."""
    my_offer(offer_id)
    form = ServiceForm()
    change, words = {
        "publish": (service.publish_offer, gettext("Published. Teachers see it now.")),
        "resume": (service.resume_offer, gettext("Requests are welcome again.")),
        "archive": (
            service.archive_offer,
            gettext("Put away. What was agreed stays agreed."),
        ),
        "restore": (service.restore_offer, gettext("Back among your drafts.")),
    }[step]
    attempt(
        form,
        lambda: change(db.session(), offer_id, by=current_actor(), now=clock.now()),
    )
    if form.refusals:
        return _offer_page(offer_id, form=form)
    flash(words, "success")
    return redirect(_offer_url(offer_id), 303)


def _offer_page(
    offer_id: int, *, form: ServiceForm | None = None, pause: PauseForm | None = None
) -> ResponseReturnValue:
    found = my_offer(offer_id)
    page = OfferPage(
        offer=found,
        labels=dict(host_pages.field_choices(db.session(), locale()))
        | dict(host_pages.ppe_choices(db.session(), locale())),
        words={
            "grade": choices.words_for(choices.GRADES),
            "phones": choices.words_for(choices.PHONES),
            "photos": choices.words_for(choices.PHOTOS),
            "wheelchair": choices.words_for(choices.WHEELCHAIR),
            "vehicles": choices.words_for(choices.VEHICLES),
            "confirmation": choices.words_for(choices.CONFIRMATION),
        },
        form=form or ServiceForm(formdata=None),
        pause=pause or PauseForm(formdata=None),
        opened="pause" if pause else "",
        now=clock.now(),
    )
    status = UNPROCESSABLE if form or pause else 200
    return render_template("host/offer.html", page=page), status


def _plan(form: FirstOfferForm, host_id: int) -> WeeklyPlan | None:
    plan = attempt(
        form,
        lambda: plan_for_new(
            db.session(), host_id, form.rule, by=current_actor(), now=clock.now()
        ),
    )
    if plan is not None and not plan.days:
        form.say_no_days()
    return plan


def _offer_lists(form: FirstOfferForm | OfferForm) -> None:
    form.offer_lists(
        host_pages.field_choices(db.session(), locale()),
        host_pages.ppe_choices(db.session(), locale()),
    )


def _first_answers(host: HostFacts) -> dict[str, Any]:
    """Defaults that are right for most: the host only changes what differs."""
    today = local_day(clock.now())
    return {
        "people_met": ", ".join(host.contacts[:1]),
        "street": host.street,
        "title": gettext("A visit at %(company)s", company=host.name),
        "max_students": USUAL_GROUP,
        "min_grade_rank": USUAL_GRADE,
        "field_codes": host_pages.fields_used(db.session(), host.id),
        "first_on": today + FIRST_SLOTS_AFTER,
        "last_on": max(
            date(school_year(today) + 1, 6, 30), today + 3 * FIRST_SLOTS_AFTER
        ),
    }


def _answers(before: OfferFacts) -> dict[str, Any]:
    return {name: getattr(before, name) for name in SAME_NAME} | {
        "min_grade_rank": str(before.min_grade_rank),
        "see": "\n".join(before.see),
        "field_codes": list(before.field_codes),
        "ppe": [each["code"] for each in before.ppe],
        "witnesses": [
            {
                "first_name": each.first_name,
                "job": each.job,
                "path": each.path,
                "gender": each.gender,
            }
            for each in before.witnesses
        ],
    }


def _offer_url(offer_id: int) -> str:
    return url_for("host.offer", offer_id=offer_id)
