"""The wish list of a class as a form: rows that rank themselves by their order.

A row holds one of three shapes in one drop-down list (a date, a company, or what is
described below it), so that nothing needs a script. The buttons that only rearrange the
rows send the whole form and get it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask_babel import lazy_gettext
from wtforms import FieldList, Form, FormField
from wtforms.validators import Optional

from scheduler.domain.wishes import MOST_PARTS, Days, Splitting, Wish, WishList
from scheduler.web.attempt import ServiceForm
from scheduler.web.fields import (
    NOTE,
    REQUIRED,
    Choices,
    Day,
    Hour,
    OneOf,
    Pick,
    Several,
    Tick,
    Wanted,
    line,
    number,
    options,
    text,
)
from scheduler.web.teacher.forms import MESSAGE, MOST_ADULTS, MOST_STUDENTS

NOTHING, CRITERIA, SLOT, HOST = "", "any", "s", "h"
ROWS_SHOWN = 3
MOST_KM = 300
USUAL_KM = 60
AWAY_ROWS = 2
SPLITS: Choices = options(
    [
        (Splitting.NONE.value, lazy_gettext("Only the whole class together")),
        (
            Splitting.SAME_HOST.value,
            lazy_gettext("In half-groups at one company"),
        ),
        (
            Splitting.NEARBY.value,
            lazy_gettext("In half-groups at neighbouring companies"),
        ),
        (
            Splitting.ROTATION.value,
            lazy_gettext("Both groups see both companies in turn"),
        ),
    ]
)


class WishRows(Form):
    """One wish."""

    what = Pick(lazy_gettext("Wish"), choices=[], default=NOTHING)
    fields = Several(lazy_gettext("In which fields?"), choices=[])
    first_on = Day(lazy_gettext("Not before"), validators=[Optional()])
    last_on = Day(lazy_gettext("Not after"), validators=[Optional()])
    max_km = number(lazy_gettext("At most this far"), least=1, most=MOST_KM)

    @property
    def wish(self) -> Wish | None:
        """The wish of this row; nothing if the row was left alone."""
        what = self.what.data or NOTHING
        if what == NOTHING:
            return None
        if what[:1] == SLOT:
            return Wish(slot_id=int(what[1:]))
        if what[:1] == HOST:
            return Wish(host_id=int(what[1:]))
        return Wish(
            field_codes=tuple(self.fields.data or ()),
            first_on=self.first_on.data,
            last_on=self.last_on.data,
            max_km=self.max_km.data,
        )


class AwayRows(Form):
    """Days on which the class cannot go."""

    first = Day(lazy_gettext("From"), validators=[Optional()])
    last = Day(lazy_gettext("To"), validators=[Optional()])

    @property
    def days(self) -> Days | None:
        """One day if only one was given."""
        first, last = self.first.data, self.last.data
        if first is None and last is None:
            return None
        one = first or last
        other = last or first
        assert one is not None and other is not None  # noqa: S101, PT018 - not both
        return Days(min(one, other), max(one, other))


class WishForm(ServiceForm):
    places: ClassVar[dict[str, str]] = {"no_students": "students"}

    students = number(
        lazy_gettext("Students"), least=1, most=MOST_STUDENTS, missing=REQUIRED
    )
    adults = number(
        lazy_gettext("Accompanying adults"), least=0, most=MOST_ADULTS, missing=REQUIRED
    )
    support_assistants = number(
        lazy_gettext("Support assistants (AESH)"), least=0, most=MOST_ADULTS
    )
    wheelchair = Tick(lazy_gettext("The place has to be accessible by wheelchair"))
    max_km = number(
        lazy_gettext("How far at most, one way?"),
        least=1,
        most=MOST_KM,
        missing=REQUIRED,
    )
    split = OneOf(
        lazy_gettext("May the class be divided?"),
        choices=SPLITS,
        default=Splitting.NONE.value,
        validators=[Wanted()],
    )
    three = Tick(lazy_gettext("In three groups too"))
    wishes = FieldList(FormField(WishRows), min_entries=ROWS_SHOWN, max_entries=30)
    absent = FieldList(FormField(AwayRows), min_entries=AWAY_ROWS, max_entries=12)
    leave_from = Hour(
        lazy_gettext("Leave the school at the earliest at"), validators=[Optional()]
    )
    back_by = Hour(
        lazy_gettext("Back at school at the latest at"), validators=[Optional()]
    )
    arrangements = line(lazy_gettext("Arrangements on site"), limit=NOTE)
    message = text(lazy_gettext("Message to the companies"), limit=MESSAGE)

    @property
    def wanted(self) -> WishList:
        """The list as typed; only after ``validate``."""
        split = Splitting(self.split.data)
        parts = MOST_PARTS if self.three.data else 2
        return WishList(
            students=self.students.data or 0,
            adults=self.adults.data or 0,
            support_assistants=self.support_assistants.data or 0,
            wishes=tuple(
                row.form.wish for row in self.wishes if row.form.wish is not None
            ),
            max_km=self.max_km.data or 1,
            split=split,
            max_parts=1 if split is Splitting.NONE else parts,
            wheelchair=bool(self.wheelchair.data),
            absent=tuple(row.form.days for row in self.absent if row.form.days),
            leave_from=self.leave_from.data,
            back_by=self.back_by.data,
            arrangements=self.arrangements.data or "",
            message=self.message.data or "",
        )


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What the drop-down list of a row holds."""

    slots: Choices
    hosts: Choices
    fields: Choices


def with_choices(form: WishForm, offered: Offered) -> WishForm:
    """Every row may choose among the same."""
    groups: dict[str, Choices] = {
        "": options(
            [
                (NOTHING, lazy_gettext("No wish on this line")),
                (CRITERIA, lazy_gettext("What I describe below")),
            ]
        ),
    }
    if offered.hosts:
        groups[str(lazy_gettext("A company, whatever the date"))] = offered.hosts
    if offered.slots:
        groups[str(lazy_gettext("A date"))] = offered.slots
    for row in form.wishes:
        row.form.what.choices = groups
        row.form.fields.choices = offered.fields
    return form


def values_of(wanted: WishList) -> dict[str, Any]:
    """A list as the form shows it, with a free line at the end."""
    return {
        "students": wanted.students,
        "adults": wanted.adults,
        "support_assistants": wanted.support_assistants,
        "wheelchair": wanted.wheelchair,
        "max_km": wanted.max_km,
        "split": wanted.split.value,
        "three": wanted.max_parts >= MOST_PARTS,
        "wishes": _rows(wanted.wishes),
        "absent": [{"first": each.first, "last": each.last} for each in wanted.absent],
        "leave_from": wanted.leave_from,
        "back_by": wanted.back_by,
        "arrangements": wanted.arrangements,
        "message": wanted.message,
    }


def _rows(wishes: Sequence[Wish]) -> list[dict[str, Any]]:
    rows = [_row(each) for each in wishes]
    return rows + [{}] * max(1, ROWS_SHOWN - len(rows))


def _row(wish: Wish) -> dict[str, Any]:
    if wish.slot_id is not None:
        return {"what": f"{SLOT}{wish.slot_id}"}
    if wish.host_id is not None:
        return {"what": f"{HOST}{wish.host_id}"}
    return {
        "what": CRITERIA,
        "fields": list(wish.field_codes),
        "first_on": wish.first_on,
        "last_on": wish.last_on,
        "max_km": wish.max_km,
    }


def rearranged(form: WishForm, step: str) -> bool:
    """Do what a button of a row asks: ``up-2``, ``down-0``, ``drop-1``, ``more``.

    Says whether the step was one of these.
    """
    verb, _, place = step.partition("-")
    rows = form.wishes.entries
    if verb == "more" and not place:
        if len(rows) < (form.wishes.max_entries or 0):
            form.wishes.append_entry()
        return True
    if verb not in {"up", "down", "drop"} or not place.isascii():
        return False
    if not place.isdigit() or int(place) >= len(rows):
        return False
    contents = [row.form.data for row in rows]
    here = int(place)
    if verb == "drop":
        contents[here:] = [*contents[here + 1 :], {}]
    else:
        other = here + (1 if verb == "down" else -1)
        if 0 <= other < len(contents):
            contents[here], contents[other] = contents[other], contents[here]
    _refill(form, contents)
    return True


def _refill(form: WishForm, contents: Sequence[dict[str, Any]]) -> None:
    for row, values in zip(form.wishes, contents, strict=True):
        for name, field in row.form._fields.items():
            field.data = values.get(name) or ([] if name == "fields" else None)
            field.raw_data = None
            field.process_errors = []
            if name == "what":
                field.data = values.get(name) or NOTHING
