"""The rules of a campaign, as a coordinator types them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from flask_babel import lazy_gettext, lazy_pgettext

from scheduler.domain.campaigns import USUAL_POINTS, Criterion, Timing
from scheduler.domain.localtime import instant, local
from scheduler.extensions import db
from scheduler.persistence.queries import reference
from scheduler.persistence.queries.campaign_pages import CampaignLine
from scheduler.services.campaigns import HIGHEST_SEED, Rules
from scheduler.web.attempt import ServiceForm
from scheduler.web.fields import (
    LINE,
    REQUIRED,
    TEXT,
    Day,
    Hour,
    Several,
    Wanted,
    labelled,
    line,
    number,
    text,
)
from scheduler.web.signed_in import locale

OPENING, CLOSING = time(8, 0), time(18, 0)
MOST_POINTS = 20
POINTS = {each: f"points_{each.value}" for each in Criterion}


def _points(label: Any) -> Any:
    return number(label, least=0, most=MOST_POINTS, missing=REQUIRED)


class CampaignForm(ServiceForm):
    places: ClassVar[dict[str, str]] = {"no_such_time": "closes_on"}

    name = line(lazy_pgettext("campaign", "Name"), missing=REQUIRED, limit=80)
    theme = line(lazy_gettext("Theme or event"), limit=LINE)
    note = text(lazy_gettext("A word to the schools"), limit=TEXT)
    opens_on = Day(lazy_gettext("Wishes open on"), validators=[Wanted()])
    opens = Hour(lazy_gettext("Opening hour"), validators=[Wanted()])
    closes_on = Day(lazy_gettext("Wishes close on"), validators=[Wanted()])
    closes = Hour(lazy_gettext("Closing hour"), validators=[Wanted()])
    allocation_on = Day(lazy_gettext("Places are given on"), validators=[Wanted()])
    first_visit_on = Day(lazy_gettext("First day of visits"), validators=[Wanted()])
    last_visit_on = Day(lazy_gettext("Last day of visits"), validators=[Wanted()])
    levels = Several(lazy_gettext("Which levels may wish?"), choices=[])
    school_quota = number(
        lazy_gettext("At most this many visits for one school"), least=1, most=999
    )
    visits_per_class = number(
        lazy_gettext("Visits for one class"), least=1, most=5, missing=REQUIRED
    )
    most_wishes = number(
        lazy_gettext("Wishes in one list"), least=1, most=30, missing=REQUIRED
    )
    points_school_nothing = _points(
        lazy_gettext("The school has had no visit this school year")
    )
    points_class_nothing = _points(
        lazy_gettext("The class has had no visit this school year")
    )
    points_rural = _points(lazy_gettext("The school is rural"))
    points_far_from_hosts = _points(lazy_gettext("No company is near the school"))
    points_late_cancellations = _points(
        lazy_gettext("The school cancelled late this school year (taken away)")
    )
    far_km = number(
        lazy_gettext("No company is near: none within"),
        least=1,
        most=300,
        missing=REQUIRED,
    )
    min_group = number(
        lazy_gettext("Smallest half-group"), least=1, most=40, missing=REQUIRED
    )
    near_m = number(
        lazy_gettext("Two companies are neighbours within"),
        least=0,
        most=20_000,
        missing=REQUIRED,
    )
    seed = number(lazy_gettext("Number of the draw"), least=0, most=HIGHEST_SEED - 1)

    def points_fields(self) -> dict[Criterion, Any]:
        """Each criterion with its field, in the order of the rules."""
        return {each: self[name] for each, name in POINTS.items()}

    def rules(self) -> Rules:
        """What was typed; only after ``validate``. Raises ``NoSuchTime``."""
        return Rules(
            name=self.name.data or "",
            theme=self.theme.data or "",
            note=self.note.data or "",
            timing=Timing(
                opens_at=_instant(self.opens_on, self.opens),
                closes_at=_instant(self.closes_on, self.closes),
                allocation_on=_day(self.allocation_on),
                first_visit_on=_day(self.first_visit_on),
                last_visit_on=_day(self.last_visit_on),
            ),
            level_codes=tuple(self.levels.data or ()),
            school_quota=self.school_quota.data,
            visits_per_class=self.visits_per_class.data or 1,
            most_wishes=self.most_wishes.data or 1,
            points={
                each: field.data or 0 for each, field in self.points_fields().items()
            },
            far_km=self.far_km.data or 1,
            min_group=self.min_group.data or 1,
            near_m=self.near_m.data or 0,
            seed=self.seed.data,
        )


class PostponeForm(ServiceForm):
    """More time for wishes."""

    places: ClassVar[dict[str, str]] = {
        "campaign_dates": "later_on",
        "no_such_time": "later_on",
    }

    later_on = Day(lazy_gettext("Wishes close on"), validators=[Wanted()])
    later = Hour(lazy_gettext("Closing hour"), validators=[Wanted()])
    given_on = Day(lazy_gettext("Places are given on"), validators=[Wanted()])

    @property
    def closes_at(self) -> datetime:
        """Raises ``NoSuchTime``."""
        return _instant(self.later_on, self.later)


def blank(*, today: date) -> CampaignForm:
    """A new campaign with days that fit together; every one can be changed."""
    form = CampaignForm(
        formdata=None,
        data={
            "opens_on": today + timedelta(days=1),
            "opens": OPENING,
            "closes_on": today + timedelta(days=21),
            "closes": CLOSING,
            "allocation_on": today + timedelta(days=24),
            "first_visit_on": today + timedelta(days=66),
            "last_visit_on": today + timedelta(days=150),
            "visits_per_class": 1,
            "most_wishes": 10,
            "far_km": 40,
            "min_group": 6,
            "near_m": 1500,
            **{POINTS[each]: points for each, points in USUAL_POINTS.items()},
        },
    )
    return with_choices(form)


def filled(line: CampaignLine) -> CampaignForm:
    """The rules as they are."""
    row = line.campaign
    opens, closes = local(row.opens_at), local(row.closes_at)
    form = CampaignForm(
        formdata=None,
        obj=row,
        data={
            "opens_on": opens.date(),
            "opens": opens.time(),
            "closes_on": closes.date(),
            "closes": closes.time(),
            "levels": row.level_codes,
            **{POINTS[each]: row.points.get(each.value, 0) for each in Criterion},
        },
    )
    return with_choices(form)


def with_choices(form: CampaignForm) -> CampaignForm:
    """The levels of the reference list, in the reader's language."""
    form.levels.choices = labelled(reference.levels(db.session()), locale=locale())
    return form


def _day(field: Day) -> date:
    assert field.data is not None  # noqa: S101 - validated
    return field.data


def _instant(day: Day, hour: Hour) -> datetime:
    assert day.data is not None and hour.data is not None  # noqa: S101, PT018
    return instant(day.data, hour.data)
