"""Reading an offer, with its slots, for one class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import render_template, url_for

from scheduler import clock
from scheduler.extensions import db
from scheduler.persistence.queries.teacher_pages import ClassLine
from scheduler.services import offer_sheet, preview
from scheduler.services.offer_sheet import Fit, OfferSheet
from scheduler.services.preview import SlotLine
from scheduler.web.signed_in import current_actor, locale
from scheduler.web.teacher import bp
from scheduler.web.teacher.whose import (
    class_asked,
    class_choices,
    class_of,
    my_classes,
)


@dataclass(frozen=True, kw_only=True)
class OfferPage:
    """An offer, and how the chosen class fits it."""

    offer: OfferSheet
    classes: Sequence[tuple[int, str]]
    school_class: ClassLine | None
    students: int | None
    fit: Fit | None
    months: Sequence[tuple[date, list[SlotLine]]]
    slots: int
    fitting: int
    in_halves: int
    first: SlotLine | None
    back_url: str


@bp.get("/offers/<id:offer_id>")
def offer(offer_id: int) -> str:
    """An offer with its slots, for one of the viewer's classes."""
    sheet = offer_sheet.offer_sheet(db.session(), offer_id, locale=locale())
    classes = my_classes()
    asked = class_asked(classes)
    chosen = class_of(classes, asked)
    slots = preview.offer_slots(
        db.session(),
        offer_id,
        class_id=chosen.id if chosen else None,
        students=None,
        by=current_actor(),
        now=clock.now(),
    )
    published = sheet.state == "published" and sheet.bookable
    free = [each for each in slots if published and each.open and not each.full]
    fitting = [each for each in free if each.fits]
    halves = [each for each in free if each.in_halves]
    return render_template(
        "teacher/offer.html",
        page=OfferPage(
            offer=sheet,
            classes=class_choices(classes),
            school_class=chosen,
            students=chosen.students if chosen else None,
            fit=offer_sheet.class_fit(
                db.session(), offer_id, chosen.id, by=current_actor()
            )
            if chosen
            else None,
            months=preview.by_month(slots),
            slots=len(slots),
            fitting=len(fitting),
            in_halves=len(halves),
            first=next(iter(fitting or halves), None),
            back_url=url_for(".offers", school_class=asked),
        ),
    )
