"""Slots: a month of them, one, many by a weekly rule; changed, closed, cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from scheduler import clock, wording
from scheduler.domain.localtime import local_day, school_year
from scheduler.domain.refusals import NotFound
from scheduler.domain.slots import FURTHEST
from scheduler.domain.visits import INVITED
from scheduler.domain.weekly import WeeklyPlan
from scheduler.extensions import db
from scheduler.persistence.queries import host_pages
from scheduler.persistence.queries.host_pages import OfferFacts, SlotFacts, SlotLine
from scheduler.services import slots as service
from scheduler.services.slots import SeatsWanted
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt
from scheduler.web.host import bp
from scheduler.web.host.company import my_offer, need_mine
from scheduler.web.host.forms import CancelForm, SlotForm, WeeklyForm
from scheduler.web.host.slot_month import month_of, month_url
from scheduler.web.month import Sheet
from scheduler.web.signed_in import current_actor, locale

USUAL_START = time(9, 0)
SOON = timedelta(days=28)


@dataclass(frozen=True, kw_only=True)
class SlotsPage:
    """A month, or the list of all slots to come."""

    offer: OfferFacts
    month: Sheet | None
    slots: list[SlotLine]


@dataclass(frozen=True, kw_only=True)
class SlotFormPage:
    """``slot`` is ``None`` for a new one."""

    offer: OfferFacts
    form: SlotForm
    slot: SlotFacts | None = None


@dataclass(frozen=True, kw_only=True)
class WeeklyPage:
    offer: OfferFacts
    form: WeeklyForm
    plan: WeeklyPlan | None


@dataclass(frozen=True, kw_only=True)
class SlotPage:
    """``told``: classes that a change or a cancellation concerns."""

    slot: SlotFacts
    cancel: CancelForm
    form: ServiceForm
    opened: str
    now: datetime

    @property
    def told(self) -> int:
        return len(self.slot.visits)

    @property
    def confirmed(self) -> int:
        return sum(visit.state in INVITED for visit in self.slot.visits)

    @property
    def may_change(self) -> bool:
        return self.slot.line.state != "cancelled" and (
            self.slot.line.starts_at > self.now
        )


@bp.get("/offers/<id:offer_id>/slots")
def slots(offer_id: int) -> ResponseReturnValue:
    """A month of slots or all to come, how full each is."""
    offer, now = my_offer(offer_id), clock.now()
    if request.args.get("view") == "list":
        coming = host_pages.slots_between(
            db.session(), offer_id, start=now, end=now + FURTHEST, now=now
        )
        page = SlotsPage(offer=offer, month=None, slots=coming)
    else:
        page = SlotsPage(offer=offer, month=month_of(offer, now), slots=[])
    return render_template("host/slots.html", page=page)


@bp.route("/offers/<id:offer_id>/slots/new", methods=["GET", "POST"])
def new_slot(offer_id: int) -> ResponseReturnValue:
    """One slot."""
    offer = my_offer(offer_id)
    form = SlotForm(data=_usual(offer))
    if form.validate_on_submit():
        slot_id = attempt(
            form,
            lambda: service.add_slot(
                db.session(),
                offer_id,
                form.times,
                wanted=form.seats,
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if slot_id is not None:
            flash(gettext("The slot is open."), "success")
            return _to_month(offer_id, form.times.day)
    page = SlotFormPage(offer=offer, form=form)
    return render_template("host/slot_form.html", page=page), form.status


@bp.route("/offers/<id:offer_id>/slots/weekly", methods=["GET", "POST"])
def weekly_slots(offer_id: int) -> ResponseReturnValue:
    """Many slots by a rule; the dates are shown before they are made."""
    offer = my_offer(offer_id)
    form = WeeklyForm(data=_usual_rule(offer))
    plan = _plan(form, offer_id) if form.validate_on_submit() else None
    if plan and plan.days and request.form.get("then") == "publish":
        made = attempt(
            form,
            lambda: service.add_weekly_slots(
                db.session(),
                offer_id,
                form.rule,
                wanted=SeatsWanted(),
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if made is not None and made.days:
            flash(
                ngettext(
                    "%(num)s slot is open.", "%(num)s slots are open.", len(made.days)
                ),
                "success",
            )
            return _to_month(offer_id, made.days[0])
        if made is not None:
            # A colleague made the same slots in the meantime.
            form.say_no_days()
    page = WeeklyPage(offer=offer, form=form, plan=plan)
    return render_template("host/weekly.html", page=page), form.status


@bp.get("/slots/<id:slot_id>")
def slot(slot_id: int) -> ResponseReturnValue:
    """One slot, who is on it, and its buttons."""
    return _slot_page(slot_id)


@bp.route("/slots/<id:slot_id>/edit", methods=["GET", "POST"])
def edit_slot(slot_id: int) -> ResponseReturnValue:
    """Another day, hour, place or number; says who will be told."""
    facts = _slot(slot_id)
    form = SlotForm(data=_as_typed(facts))
    if form.validate_on_submit():
        attempt(
            form,
            lambda: service.change_slot(
                db.session(),
                slot_id,
                form.times,
                wanted=form.seats,
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if not form.refusals:
            flash(gettext("The slot is changed."), "success")
            return redirect(url_for("host.slot", slot_id=slot_id), 303)
    page = SlotFormPage(offer=my_offer(facts.line.offer_id), form=form, slot=facts)
    return render_template("host/slot_form.html", page=page), form.status


@bp.post("/slots/<id:slot_id>/<any(close, reopen):step>")
def step_slot(slot_id: int, step: str) -> ResponseReturnValue:
    """No more requests, or again."""
    _slot(slot_id)
    form = ServiceForm()
    change, words = {
        "close": (service.close_slot, gettext("Closed. Who is on it still comes.")),
        "reopen": (service.reopen_slot, gettext("The slot is open.")),
    }[step]
    attempt(
        form, lambda: change(db.session(), slot_id, by=current_actor(), now=clock.now())
    )
    if form.refusals:
        return _slot_page(slot_id, form=form)
    flash(words, "success")
    return redirect(url_for("host.slot", slot_id=slot_id), 303)


@bp.post("/slots/<id:slot_id>/cancel")
def cancel_slot(slot_id: int) -> ResponseReturnValue:
    """The slot is gone, and every visit on it."""
    _slot(slot_id)
    form = CancelForm()
    if not form.validate():
        return _slot_page(slot_id, cancel=form)
    attempt(
        form,
        lambda: service.cancel_slot(
            db.session(),
            slot_id,
            reason=form.why,
            note=form.note.data or "",
            by=current_actor(),
            now=clock.now(),
        ),
    )
    if form.refusals:
        return _slot_page(slot_id, cancel=form)
    flash(gettext("Cancelled. Everybody concerned is told at once."), "success")
    return redirect(url_for("host.slot", slot_id=slot_id), 303)


def _slot_page(
    slot_id: int, *, cancel: CancelForm | None = None, form: ServiceForm | None = None
) -> ResponseReturnValue:
    page = SlotPage(
        slot=_slot(slot_id),
        cancel=cancel or CancelForm(formdata=None),
        form=form or ServiceForm(formdata=None),
        opened="cancel" if cancel else "",
        now=clock.now(),
    )
    status = UNPROCESSABLE if cancel or form else 200
    return render_template("host/slot.html", page=page), status


def _plan(form: WeeklyForm, offer_id: int) -> WeeklyPlan | None:
    plan = attempt(
        form,
        lambda: service.plan_for(
            db.session(), offer_id, form.rule, by=current_actor(), now=clock.now()
        ),
    )
    if plan is not None and not plan.days:
        form.say_no_days()
    return plan


def _usual(offer: OfferFacts) -> dict[str, object]:
    ends = datetime.combine(date.min, USUAL_START) + timedelta(
        minutes=offer.duration_minutes
    )
    return {"starts": USUAL_START, "ends": ends.time(), "students": offer.max_students}


def _usual_rule(offer: OfferFacts) -> dict[str, object]:
    today = local_day(clock.now())
    usual = _usual(offer)
    return {
        "starts": usual["starts"],
        "ends": usual["ends"],
        "first_on": today + SOON,
        "last_on": max(date(school_year(today) + 1, 6, 30), today + 3 * SOON),
    }


def _as_typed(facts: SlotFacts) -> dict[str, object]:
    starts, ends = (
        wording.local(facts.line.starts_at),
        wording.local(facts.line.ends_at),
    )
    return {
        "day": starts.date(),
        "starts": starts.time(),
        "ends": ends.time(),
        "students": facts.line.seats,
        "place": facts.own_place,
    }


def _to_month(offer_id: int, day: date) -> ResponseReturnValue:
    return redirect(month_url(offer_id, day), 303)


def _slot(slot_id: int) -> SlotFacts:
    found = host_pages.slot_facts(
        db.session(), slot_id, locale=locale(), now=clock.now()
    )
    if found is None:
        raise NotFound
    need_mine(found.line.host_id)
    return found
