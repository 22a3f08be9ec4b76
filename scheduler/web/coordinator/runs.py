"""Plans of a campaign: computed, looked at, compared, tried with more slots."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.campaigns import PinKind, RunPurpose
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.persistence.queries import run_pages as queries
from scheduler.services import pins, runs
from scheduler.services.pins import Fixed
from scheduler.services.runs import Wanted
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt
from scheduler.web.coordinator import bp
from scheduler.web.coordinator.pages import MOST_PAGES
from scheduler.web.coordinator.run_forms import (
    OpenedForm,
    PinForm,
    RunForm,
    WiderForm,
    opened,
)
from scheduler.web.coordinator.run_pages import (
    campaign_of,
    class_page,
    classes_page,
    compare_page,
    planned,
    run_of,
    run_page,
    runs_page,
    show_of,
    slots_page,
    term,
    what_if_page,
)
from scheduler.web.fields import options
from scheduler.web.signed_in import current_actor, locale
from scheduler.wording import moment

# ---------------------------------------------------------------- runs


@bp.get("/campaigns/<id:campaign_id>/runs")
def runs_list(campaign_id: int) -> str:
    """Every plan that was computed, and the form for another one."""
    return _runs_page(campaign_id, RunForm(formdata=None))


@bp.post("/campaigns/<id:campaign_id>/runs")
def start_run(campaign_id: int) -> ResponseReturnValue:
    """Ask for a plan; the loop begins it within seconds."""
    form = RunForm()
    if form.validate():
        wanted = Wanted(label=form.label.data or "", seconds=form.seconds.data)
        run_id = _asked(form, campaign_id, wanted)
        if run_id is not None:
            return redirect(url_for(".run", run_id=run_id), 303)
    return _runs_page(campaign_id, form), UNPROCESSABLE


@bp.get("/runs/<id:run_id>")
def run(run_id: int) -> str:
    """How far it is, or what came out; it looks again by itself."""
    return _run_page(run_id, ServiceForm(formdata=None))


@bp.post("/runs/<id:run_id>/stop")
def stop_run(run_id: int) -> ResponseReturnValue:
    """End the search with the best plan so far."""
    runs.ask_stop(db.session(), run_id, by=current_actor(), now=clock.now())
    flash(gettext("It stops with the best plan that it has."), "success")
    return redirect(url_for(".run", run_id=run_id), 303)


@bp.post("/runs/<id:run_id>/restart")
def restart_run(run_id: int) -> ResponseReturnValue:
    """Begin again what was interrupted."""
    form = ServiceForm()
    attempt(
        form,
        lambda: runs.restart(db.session(), run_id, by=current_actor(), now=clock.now()),
    )
    if form.refusals:
        return _run_page(run_id, form), UNPROCESSABLE
    return redirect(url_for(".run", run_id=run_id), 303)


# ---------------------------------------------------------------- what it gives


@bp.get("/runs/<id:run_id>/classes")
def run_classes(run_id: int) -> str:
    """What each class gets, or why not."""
    page = classes_page(
        run_id,
        show=show_of(request.args.get("show")),
        code=request.args.get("reason", ""),
        words=request.args.get("q", ""),
        number=_number(),
    )
    return render_template("coordinator/run_classes.html", page=page)


@bp.get("/runs/<id:run_id>/classes/<id:class_id>")
def run_class(run_id: int, class_id: int) -> str:
    """One class: its result, and what can be fixed by hand."""
    form = _pin_form(PinForm(formdata=None), run_id, class_id)
    page = class_page(run_id, class_id, form)
    return render_template("coordinator/run_class.html", page=page)


@bp.post("/runs/<id:run_id>/classes/<id:class_id>")
def fix_class(run_id: int, class_id: int) -> ResponseReturnValue:
    """This class on that slot, or never there: from the next plan on."""
    form = _pin_form(PinForm(), run_id, class_id)
    if form.validate():
        fixed = Fixed(
            class_id=class_id,
            slot_id=form.slot.data,
            kind=PinKind(form.kind.data),
            reason=form.reason.data or "",
        )
        campaign_id = planned(run_id).campaign_id
        attempt(
            form,
            lambda: pins.fix(
                db.session(), campaign_id, fixed, by=current_actor(), now=clock.now()
            ),
        )
        if not form.refusals:
            flash(gettext("Noted: the next plan keeps to it."), "success")
            here = url_for(".run_class", run_id=run_id, class_id=class_id)
            return redirect(here, 303)
    page = class_page(run_id, class_id, form)
    return render_template("coordinator/run_class.html", page=page), UNPROCESSABLE


@bp.post("/pins/<id:pin_id>/release")
def release_pin(pin_id: int) -> ResponseReturnValue:
    """Leave it to the engine again."""
    campaign_id = pins.release(
        db.session(), pin_id, by=current_actor(), now=clock.now()
    )
    flash(gettext("The next plan decides by itself again."), "success")
    return redirect(url_for(".runs_list", campaign_id=campaign_id), 303)


@bp.get("/runs/<id:run_id>/slots")
def run_slots(run_id: int) -> str:
    """How full each slot is."""
    page = slots_page(run_id, words=request.args.get("q", ""), number=_number())
    return render_template("coordinator/run_slots.html", page=page)


@bp.get("/campaigns/<id:campaign_id>/compare")
def compare_runs(campaign_id: int) -> str:
    """Two plans side by side."""
    one, other = (request.args.get(name, type=int) for name in ("one", "other"))
    if not one or not other:
        raise NotFound
    page = compare_page(one, other)
    if page.campaign.id != campaign_id:
        raise NotFound
    return render_template("coordinator/compare_runs.html", page=page)


# ---------------------------------------------------------------- what if


@bp.get("/campaigns/<id:campaign_id>/what-if")
def what_if(campaign_id: int) -> str:
    """Which company might open something."""
    page = what_if_page(campaign_id, words=request.args.get("q", ""))
    return render_template("coordinator/what_if.html", page=page)


@bp.get("/campaigns/<id:campaign_id>/what-if/offers/<id:offer_id>")
def what_if_opened(campaign_id: int, offer_id: int) -> str:
    """Slots that a company might open."""
    form = OpenedForm(formdata=None, data={"minutes": 120, "groups": 1})
    page = what_if_page(campaign_id, offer_id=offer_id, form=form)
    return render_template("coordinator/what_if.html", page=page)


@bp.post("/campaigns/<id:campaign_id>/what-if/offers/<id:offer_id>")
def try_opened(campaign_id: int, offer_id: int) -> ResponseReturnValue:
    """Compute the plan as if they were open."""
    form = OpenedForm()
    if form.validate():
        run_id = _tried(form, campaign_id, opened(form, offer_id))
        if run_id is not None:
            return redirect(url_for(".run", run_id=run_id), 303)
    page = what_if_page(campaign_id, offer_id=offer_id, form=form)
    return render_template("coordinator/what_if.html", page=page), UNPROCESSABLE


@bp.get("/campaigns/<id:campaign_id>/what-if/slots/<id:slot_id>")
def what_if_wider(campaign_id: int, slot_id: int) -> str:
    """More room on a slot."""
    form = WiderForm(formdata=None, data={"students": 0, "groups": 1})
    page = what_if_page(campaign_id, slot_id=slot_id, form=form)
    return render_template("coordinator/what_if.html", page=page)


@bp.post("/campaigns/<id:campaign_id>/what-if/slots/<id:slot_id>")
def try_wider(campaign_id: int, slot_id: int) -> ResponseReturnValue:
    """Compute the plan as if it were wider."""
    form = WiderForm()
    if form.validate():
        wider = {
            "slot": slot_id,
            "students": form.students.data,
            "groups": form.groups.data,
        }
        run_id = _tried(form, campaign_id, (wider,))
        if run_id is not None:
            return redirect(url_for(".run", run_id=run_id), 303)
    page = what_if_page(campaign_id, slot_id=slot_id, form=form)
    return render_template("coordinator/what_if.html", page=page), UNPROCESSABLE


# ---------------------------------------------------------------- what they share


def _number() -> int:
    number = request.args.get("page", 1, type=int)
    return number if 0 < number < MOST_PAGES else 1


def _runs_page(campaign_id: int, form: ServiceForm) -> str:
    page = runs_page(campaign_id, form, number=_number(), now=clock.now())
    return render_template("coordinator/runs.html", page=page)


def _run_page(run_id: int, form: ServiceForm) -> str:
    return render_template("coordinator/run.html", page=run_page(run_id, form))


def _asked(form: ServiceForm, campaign_id: int, wanted: Wanted) -> int | None:
    return attempt(
        form,
        lambda: runs.ask_for_run(
            db.session(), campaign_id, wanted, by=current_actor(), now=clock.now()
        ),
    )


def _tried(
    form: ServiceForm, campaign_id: int, added: tuple[dict[str, Any], ...]
) -> int | None:
    """A run like the last one, with what was added."""
    last = queries.last_plan(db.session(), campaign_of(campaign_id).id)
    wanted = Wanted(
        purpose=RunPurpose.WHAT_IF,
        based_on_id=last.id if last else None,
        seconds=last.seconds if last else Wanted().seconds,
        added=added,
    )
    return _asked(form, campaign_id, wanted)


def _pin_form(form: PinForm, run_id: int, class_id: int) -> PinForm:
    campaign = campaign_of(run_of(run_id).run.campaign_id)
    slots = queries.slots_wished(
        db.session(), campaign.id, class_id, bounds=term(campaign)
    )
    form.slot.choices = options(
        (each.id, f"{moment(each.starts_at, locale())}, {each.host}")
        for each in slots
        if each.starts_at is not None
    )
    return form
