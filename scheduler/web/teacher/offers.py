"""Finding a visit: the search as a list, a map, a month and a week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from scheduler import clock, wording
from scheduler.domain import projection
from scheduler.domain.localtime import local_day
from scheduler.domain.offers import SizeCategory
from scheduler.domain.refusals import NotFound
from scheduler.domain.schooldays import covering
from scheduler.extensions import db
from scheduler.persistence.queries import reference, teacher_pages
from scheduler.persistence.queries.teacher_pages import ClassLine, SchoolLine
from scheduler.services import search
from scheduler.services.search import Found, FoundSlot, Loosened, Results, Wish
from scheduler.web.fields import labelled, options
from scheduler.web.month import (
    Content,
    Event,
    Sheet,
    asked_day,
    month_sheet,
    week_sheet,
)
from scheduler.web.signed_in import locale
from scheduler.web.teacher import bp
from scheduler.web.teacher.forms import SearchForm
from scheduler.web.teacher.whose import (
    class_asked,
    class_choices,
    class_of,
    my_classes,
    my_id,
    my_schools,
)

A_PAGE = 12
MAP_UNIT = 4
SPREAD = 2.2 * MAP_UNIT
VIEWS = ("list", "map", "month", "week")
CALENDARS = {"month", "week"}
OURS = frozenset(
    {
        "school_class",
        "students",
        "level",
        "first_on",
        "last_on",
        "within_km",
        "fields",
        "sizes",
        "wheelchair",
        "woman",
        "fitting_only",
        "view",
        "page",
        "month",
        "week",
    }
)


@dataclass(frozen=True)
class Point:
    """An offer on the map."""

    x: float
    y: float
    label: str
    url: str
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """A search with one wish less."""

    wish: str
    offers: int
    fitting: int
    url: str


@dataclass(frozen=True, kw_only=True)
class OffersPage:
    """The search: ``shown`` is one page of ``results``."""

    form: SearchForm
    view: str
    tabs: dict[str, str]
    school: SchoolLine
    school_class: ClassLine | None
    students: int | None
    total: int
    fitting: int
    shown: Sequence[Found]
    loosened: Sequence[WayOut]
    reset_url: str
    number: int
    pages: int
    previous_url: str | None
    next_url: str | None
    view_box: str
    points: Sequence[Point]
    own: tuple[float, float] | None
    calendar: Sheet | None
    locale: str


@bp.get("/offers")
def offers() -> str:
    """The search, with the class that the teacher asked for last."""
    classes = my_classes()
    args = _args(classes)
    form = _form(classes, args)
    form.validate()
    chosen = class_of(classes, form.school_class.data)
    schools = teacher_pages.schools_of(db.session(), my_schools())
    if not schools:
        raise NotFound
    here = chosen.school_id if chosen else schools[0].id
    school = next((each for each in schools if each.id == here), schools[0])
    wish = _wish(form, chosen, school)
    now = clock.now()
    results = search.search(db.session(), wish, person_id=my_id(), now=now)
    view = args["view"] if args.get("view") in VIEWS else VIEWS[0]
    number, pages = _page_number(args, len(results.found))
    return render_template(
        "teacher/offers.html",
        page=OffersPage(
            form=form,
            view=view,
            tabs={each: _url(args, view=each) for each in VIEWS},
            school=school,
            school_class=chosen,
            students=wish.students,
            total=len(results.found),
            fitting=results.fitting,
            shown=results.found[(number - 1) * A_PAGE : number * A_PAGE],
            loosened=_ways_out(results.loosened, args, wish),
            reset_url=url_for(".offers", school_class=args["school_class"], view=view),
            number=number,
            pages=pages,
            previous_url=_url(args, page=number - 1) if number > 1 else None,
            next_url=_url(args, page=number + 1) if number < pages else None,
            view_box=projection.VIEW_BOX,
            points=_points(results.found, chosen) if view == "map" else (),
            own=results.own and projection.point(*results.own),
            calendar=_sheet(view, results, chosen, args, now=now)
            if view in CALENDARS
            else None,
            locale=locale(),
        ),
    )


def _args(classes: list[ClassLine]) -> MultiDict[str, str]:
    """The address's own words; without a class, the one asked for last."""
    args: MultiDict[str, str] = MultiDict(request.args)
    args.setdefault("school_class", class_asked(classes))
    return args


def _form(classes: list[ClassLine], args: MultiDict[str, str]) -> SearchForm:
    form = SearchForm(formdata=args)
    session = db.session()
    form.school_class.choices = options(
        [("", gettext("No class chosen")), *class_choices(classes)]
    )
    form.level.choices = [
        *options([("", gettext("Any level"))]),
        *labelled(reference.levels(session), locale=locale()),
    ]
    form.fields.choices = labelled(reference.fields(session), locale=locale())
    return form


def _wish(form: SearchForm, chosen: ClassLine | None, school: SchoolLine) -> Wish:
    """What was typed, without what could not be understood."""
    good = {field.name: field.data for field in form if not field.errors}
    known = {each.value for each in SizeCategory}
    km = good.get("within_km") or ""
    students = good.get("students") or (chosen.students if chosen else None)
    return Wish(
        school_id=school.id,
        class_id=chosen.id if chosen else None,
        students=students,
        level_code="" if chosen else good.get("level") or "",
        field_codes=frozenset(good.get("fields") or ()),
        sizes=frozenset(
            SizeCategory(each) for each in good.get("sizes") or () if each in known
        ),
        first_on=good.get("first_on"),
        last_on=good.get("last_on"),
        within_km=int(km) if km in {"15", "30", "50", "80", "120"} else None,
        wheelchair=bool(good.get("wheelchair")),
        woman=bool(good.get("woman")),
        fitting_only=bool(good.get("fitting_only")),
    )


def _page_number(args: MultiDict[str, str], found: int) -> tuple[int, int]:
    pages = max(1, -(-found // A_PAGE))
    asked = args.get("page", 1, type=int)
    return min(max(1, asked), pages), pages


def _url(args: MultiDict[str, str], **changes: object) -> str:
    """The same search with something else; a new view begins on its first page."""
    kept: dict[str, Any] = {**args.to_dict(flat=False), **changes}
    if "page" not in changes:
        kept.pop("page", None)
    return url_for(".offers", **{key: kept[key] for key in kept if _is_ours(key)})


def _is_ours(key: str) -> bool:
    """Only what this page reads goes on, and nothing that steers ``url_for``."""
    return key in OURS


def _ways_out(
    loosened: Sequence[Loosened], args: MultiDict[str, str], wish: Wish
) -> list[WayOut]:
    dropped: dict[str, dict[str, object]] = {
        "dates": {"first_on": None, "last_on": None},
        "half": {"students": -(-(wish.students or 0) // 2)},
    }
    return [
        WayOut(
            wish=each.wish,
            offers=each.offers,
            fitting=each.fitting,
            url=_url(args, **dropped.get(each.wish, {each.wish: None})),
        )
        for each in loosened
    ]


def _points(found: Sequence[Found], chosen: ClassLine | None) -> list[Point]:
    """Each offer has its own dot, beside others of the same town."""
    seen: dict[tuple[float, float], int] = {}
    points = []
    for each in found:
        x, y = projection.point(each.lat, each.lon)
        at = round(x, 1), round(y, 1)
        seen[at] = seen.get(at, -1) + 1
        points.append(
            Point(
                x=round(x + seen[at] * SPREAD, 1),
                y=round(y, 1),
                label=f"{each.host}, {each.commune} – {each.title}",
                url=url_for(
                    ".offer",
                    offer_id=each.offer_id,
                    school_class=chosen.id if chosen else None,
                ),
            )
        )
    return points


def _sheet(
    view: str,
    results: Results,
    chosen: ClassLine | None,
    args: MultiDict[str, str],
    *,
    now: datetime,
) -> Sheet:
    today = local_day(now)
    fitting = [each for each in results.found if each.fitting] or results.found
    starts = [local_day(each.next_slot.starts_at) for each in fitting]
    on = asked_day(args.get(view, ""), default=min(starts, default=today))
    slots = sorted(
        (slot for each in results.found for slot in each.slots),
        key=lambda slot: slot.starts_at,
    )

    def closed(day: date) -> str | None:
        closure = covering(results.closures, day)
        return closure.name if closure else None

    draw = month_sheet if view == "month" else week_sheet
    return draw(
        on,
        Content(
            events=[_event(slot, chosen) for slot in slots],
            closed=closed,
            url=lambda day: _url(args, **{view: day.isoformat()}),
            today=today,
            locale=locale(),
        ),
    )


def _event(slot: FoundSlot, chosen: ClassLine | None) -> Event:
    tone, note = "open" if slot.fits else "off", None
    if slot.taken >= slot.seats:
        tone, note = "full", gettext("full")
    elif slot.in_halves:
        tone, note = "wait", gettext("half-group")
    return Event(
        on=local_day(slot.starts_at),
        time=wording.time_of_day(slot.starts_at, locale()),
        title=slot.host,
        url=url_for(
            ".slot", slot_id=slot.id, school_class=chosen.id if chosen else None
        ),
        note=note,
        tone=tone,
    )
