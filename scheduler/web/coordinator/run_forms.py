"""What a coordinator fills in around a plan."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext
from wtforms.validators import Optional

from scheduler.domain.campaigns import PinKind
from scheduler.web.attempt import ServiceForm
from scheduler.web.fields import (
    LINE,
    REQUIRED,
    Day,
    Hour,
    OneOf,
    Pick,
    Wanted,
    line,
    number,
    options,
)

QUICK, USUAL, LONG, LONGEST = 60, 300, 900, 3600
TIMES = (
    (QUICK, lazy_gettext("1 minute")),
    (USUAL, lazy_gettext("5 minutes")),
    (LONG, lazy_gettext("15 minutes")),
    (LONGEST, lazy_gettext("1 hour")),
)


class RunForm(ServiceForm):
    """A plan to be computed."""

    label = line(lazy_gettext("Name of the plan"), limit=80)
    seconds = Pick(
        lazy_gettext("At most"),
        coerce=int,
        choices=options(TIMES),
        default=QUICK,
        validators=[Wanted()],
    )


class PinForm(ServiceForm):
    """One class, one slot, and why."""

    places = {"reason_missing": "reason"}  # noqa: RUF012 - as ServiceForm has it

    kind = OneOf(
        lazy_gettext("What is fixed"),
        choices=options(
            (
                (PinKind.PIN.value, lazy_gettext("This class comes on this slot")),
                (PinKind.FORBID.value, lazy_gettext("Never this class on this slot")),
            )
        ),
        validators=[Wanted()],
    )
    slot = Pick(lazy_gettext("Slot"), coerce=int, validators=[Wanted()])
    reason = line(
        lazy_gettext("Why, for whoever asks later"), limit=LINE, missing=REQUIRED
    )


class WiderForm(ServiceForm):
    """More room on a slot that there is."""

    students = number(
        lazy_gettext("More students"), least=0, most=200, missing=REQUIRED
    )
    groups = number(lazy_gettext("More groups"), least=0, most=20, missing=REQUIRED)


class OpenedForm(ServiceForm):
    """Slots that a company might open: up to three days, the same hours."""

    first = Day(lazy_gettext("Day"), validators=[Wanted()])
    second = Day(lazy_gettext("Another day"), validators=[Optional()])
    third = Day(lazy_gettext("One more day"), validators=[Optional()])
    start = Hour(lazy_gettext("From"), validators=[Wanted()])
    minutes = number(
        lazy_gettext("Length in minutes"), least=15, most=480, missing=REQUIRED
    )
    students = number(lazy_gettext("Students"), least=1, most=200, missing=REQUIRED)
    groups = number(lazy_gettext("Groups"), least=1, most=20, missing=REQUIRED)


def opened(form: OpenedForm, offer_id: int) -> tuple[dict[str, Any], ...]:
    """The slots that the form means, as a run stores them."""
    days = [each.data for each in (form.first, form.second, form.third)]
    start = form.start.data
    return tuple(
        {
            "offer": offer_id,
            "day": day.isoformat(),
            "start": start.isoformat("minutes"),
            "minutes": form.minutes.data,
            "students": form.students.data,
            "groups": form.groups.data,
        }
        for day in days
        if day is not None and start is not None
    )
