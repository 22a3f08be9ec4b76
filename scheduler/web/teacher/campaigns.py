"""Campaigns for a teacher: where each class stands, and the wishes of one class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock, wording
from scheduler.domain.campaigns import Phase, phase
from scheduler.domain.refusals import NotFound, Refusal
from scheduler.domain.wishes import Wish, WishList, WishListState
from scheduler.extensions import db
from scheduler.persistence.queries import reference, wishes as queries
from scheduler.persistence.queries.teacher_pages import ClassCard, ClassLine
from scheduler.persistence.queries.wishes import Filed, SlotChoice
from scheduler.services import wish_preview, wishes
from scheduler.services.wish_choices import Reach, choices_for
from scheduler.services.wish_preview import Preview
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt
from scheduler.web.fields import labelled, options
from scheduler.web.signed_in import current_actor, locale
from scheduler.web.teacher import bp
from scheduler.web.teacher.whose import my_class, my_classes, my_schools
from scheduler.web.teacher.wish_form import (
    USUAL_KM,
    Offered,
    WishForm,
    rearranged,
    values_of,
    with_choices,
)


@dataclass(frozen=True, kw_only=True)
class ClassStand:
    """Where one class is in a campaign. ``filed``: its list, if it has one."""

    line: ClassLine
    filed: Filed | None

    @property
    def is_in(self) -> bool:
        return self.filed is not None and self.filed.state is WishListState.SUBMITTED


@dataclass(frozen=True, kw_only=True)
class CampaignStand:
    """A campaign with the viewer's classes that it is for."""

    campaign: object
    phase: Phase
    classes: Sequence[ClassStand]


@dataclass(frozen=True, kw_only=True)
class WishPage:
    """``preview`` is missing where something else has to be mended first."""

    campaign: object
    phase: Phase
    card: ClassCard
    form: WishForm
    filed: Filed | None
    preview: Preview | None
    looked_at: WishList | None
    reach: Reach

    @property
    def is_open(self) -> bool:
        return self.phase is Phase.WISHING

    @property
    def is_blank(self) -> bool:
        """Whether the preview speaks of whatever the class could wish."""
        return self.looked_at is not None and self.looked_at.wishes == (Wish(),)


@bp.get("/campaigns")
def campaigns() -> str:
    """Every campaign that is not over, and each class of mine in it."""
    now = clock.now()
    lists = {
        (each.campaign_id, each.class_id): each
        for each in queries.filed(db.session(), my_schools())
    }
    classes = my_classes()
    page = [
        CampaignStand(
            campaign=row,
            phase=phase(row.as_domain(), now=now),
            classes=[
                ClassStand(line=each, filed=lists.get((row.id, each.id)))
                for each in classes
                if not row.level_codes or each.level_code in row.level_codes
            ],
        )
        for row in queries.campaigns_for_teachers(db.session())
    ]
    return render_template("teacher/campaigns.html", page=page)


@bp.get("/campaigns/<id:campaign_id>/classes/<id:class_id>")
def wish_list(campaign_id: int, class_id: int) -> str:
    """The wishes of a class, filed or still to be."""
    card = my_class(class_id)
    row = queries.list_to_show(db.session(), campaign_id, class_id)
    wanted = row.as_domain() if row is not None else _usual(card)
    form = WishForm(formdata=None, data=values_of(wanted))
    _take_asked(form)
    look = wanted if wanted.wishes else replace(wanted, wishes=(Wish(),))
    return _page(campaign_id, card, form, look=look)


@bp.post("/campaigns/<id:campaign_id>/classes/<id:class_id>")
def file_wishes(campaign_id: int, class_id: int) -> ResponseReturnValue:
    """File the list, look what is possible, or move a line: the button says which."""
    card = my_class(class_id)
    form = WishForm()
    step = request.form.get("step", "file")
    if rearranged(form, step):
        return _page(campaign_id, card, form, look=None)
    _with_choices(campaign_id, card, form)
    if not form.validate():
        return _page(campaign_id, card, form, look=None), UNPROCESSABLE
    if step == "look":
        return _page(campaign_id, card, form, look=form.wanted, ask=True)
    done = attempt(
        form,
        lambda: wishes.file_wishes(
            db.session(),
            campaign_id,
            class_id,
            form.wanted,
            by=current_actor(),
            now=clock.now(),
        ),
    )
    if done is None:
        return _page(campaign_id, card, form, look=None), UNPROCESSABLE
    flash(
        gettext("Your wishes are filed; a copy is on its way to your mailbox."),
        "success",
    )
    return redirect(
        url_for(".wish_list", campaign_id=campaign_id, class_id=class_id), 303
    )


@bp.post("/campaigns/<id:campaign_id>/classes/<id:class_id>/withdraw")
def withdraw_wishes(campaign_id: int, class_id: int) -> ResponseReturnValue:
    """Take the list back."""
    form = ServiceForm()
    attempt(
        form,
        lambda: wishes.withdraw_wishes(
            db.session(), campaign_id, class_id, by=current_actor(), now=clock.now()
        ),
    )
    for words in form.form_errors:
        flash(words, "error")
    if not form.refusals:
        flash(gettext("The wishes are taken back."), "success")
    return redirect(url_for(".campaigns"), 303)


def _usual(card: ClassCard) -> WishList:
    """A new list: everybody comes, nothing is wished yet."""
    return WishList(students=card.students, adults=2, wishes=(), max_km=USUAL_KM)


def _take_asked(form: WishForm) -> None:
    """A wish that another page offered: ``?wish=s12``, ``?wish=h3``."""
    asked = request.args.get("wish", "")
    if not asked or any(row.form.what.data == asked for row in form.wishes):
        return
    free = [row for row in form.wishes if not row.form.what.data]
    if free:
        free[0].form.what.data = asked


def _with_choices(campaign_id: int, card: ClassCard, form: WishForm) -> Reach:
    reach = choices_for(
        db.session(),
        campaign_id,
        card.id,
        kept=[str(row.form.what.data or "") for row in form.wishes],
        now=clock.now(),
    )
    with_choices(
        form,
        Offered(
            slots=options((f"s{each.id}", _slot_words(each)) for each in reach.slots),
            hosts=options(
                (f"h{each.id}", f"{each.name}, {each.commune}") for each in reach.hosts
            ),
            fields=labelled(reference.fields(db.session()), locale=locale()),
        ),
    )
    return reach


def _slot_words(slot: SlotChoice) -> str:
    when = wording.moment(slot.starts_at, locale())
    return f"{when} · {slot.host}, {slot.commune}"


def _page(
    campaign_id: int,
    card: ClassCard,
    form: WishForm,
    *,
    look: WishList | None,
    ask: bool = False,
) -> str:
    """``look``: the list to try; ``ask``: what is wrong with it is told."""
    row = queries.campaign_to_show(db.session(), campaign_id)
    if row is None:
        raise NotFound
    filed = next(
        (
            each
            for each in queries.filed(db.session(), {card.school_id})
            if (each.campaign_id, each.class_id) == (campaign_id, card.id)
        ),
        None,
    )
    where = phase(row.as_domain(), now=clock.now())
    reach = _with_choices(campaign_id, card, form)
    found = None
    if look is not None and where is Phase.WISHING:
        found = _preview(campaign_id, card, look, form if ask else None)
        row = queries.campaign_to_show(db.session(), campaign_id)
    return render_template(
        "teacher/wishes.html",
        page=WishPage(
            campaign=row,
            phase=where,
            card=card,
            form=form,
            filed=filed,
            preview=found,
            looked_at=look,
            reach=reach,
        ),
    )


def _preview(
    campaign_id: int, card: ClassCard, wanted: WishList, form: WishForm | None
) -> Preview | None:
    def look() -> Preview:
        return wish_preview.preview(
            db.session(),
            campaign_id,
            card.id,
            wanted,
            by=current_actor(),
            now=clock.now(),
        )

    if form is not None:
        return attempt(form, look)
    try:
        return look()
    except Refusal:
        return None
