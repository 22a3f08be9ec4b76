"""The forms of the teacher room: what may be typed, and what is said if it may not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import gettext, lazy_gettext, lazy_pgettext
from wtforms import (  # type: ignore[attr-defined]  # stubs: 3.2
    BooleanField,
    DateField,
    Field,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    StopValidation,
)
from wtforms.widgets import CheckboxInput, ListWidget

from scheduler.domain.offers import SizeCategory
from scheduler.domain.parties import Part, Party
from scheduler.domain.visits import CancelReason
from scheduler.services.classes import ClassText
from scheduler.web.attempt import ServiceForm
from scheduler.wording import clean_line, clean_text

MOST_STUDENTS = 200
MOST_ADULTS = 40
LINE = 120
REMARK = 300
TEXT = 1000
ADDRESSES = 20_000
EARLIEST, LATEST = date(2020, 1, 1), date(2100, 1, 1)


def _line(text: str | None) -> str:
    return clean_line(text or "", 4 * TEXT)


def _text(text: str | None) -> str:
    return clean_text(text or "", 4 * TEXT)


def _length(most: int) -> Length:
    return Length(
        max=most, message=lazy_gettext("Too long: %(max)d characters at most.")
    )


class Number(IntegerField):
    """A whole number, with our own sentence for what is none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            self.data = int(valuelist[0])
        except ValueError:
            self.data = None
            raise ValueError(gettext("Type a whole number.")) from None


class Day(DateField):
    """A day of our time, with our own sentences."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            self.data = date.fromisoformat(valuelist[0].strip())
        except ValueError:
            self.data = None
            raise ValueError(
                gettext("This day does not exist. Type it as 2027-01-12.")
            ) from None
        if not EARLIEST <= self.data < LATEST:
            self.data = None
            raise ValueError(gettext("This day is too far away."))


class Given:
    """Something has to be there, zero included."""

    field_flags = {"required": True}  # noqa: RUF012 - as WTForms wants it

    def __init__(self, message: object) -> None:
        self.message = message

    def __call__(self, _form: ServiceForm, field: Field) -> None:
        if field.data is None and field.errors:
            raise StopValidation
        if field.data is None:
            raise StopValidation(str(self.message))


def between(least: int, most: int) -> NumberRange:
    """A number from ``least`` to ``most``."""
    return NumberRange(
        least, most, lazy_gettext("A number from %(min)d to %(max)d, please.")
    )


class PartyForm(ServiceForm):
    """The numbers of a group."""

    places = {  # noqa: RUF012 - a constant
        "no_students": "students",
        "group_too_big": "students",
        "slot_full": "students",
        "numbers_disagree": "girls",
        "too_few_adults": "adults",
    }

    part = RadioField(
        lazy_gettext("Who comes?"),
        choices=[
            SelectChoice(Part.WHOLE.value, lazy_gettext("The whole class")),
            SelectChoice(Part.HALF.value, lazy_gettext("A half-group")),
        ],
        default=Part.WHOLE.value,
        validators=[InputRequired(lazy_gettext("Choose one."))],
    )
    students = Number(
        lazy_gettext("Students"),
        validators=[
            Given(lazy_gettext("How many students come?")),
            between(1, MOST_STUDENTS),
        ],
    )
    girls = Number(
        lazy_gettext("Girls"), validators=[Optional(), between(0, MOST_STUDENTS)]
    )
    boys = Number(
        lazy_gettext("Boys"), validators=[Optional(), between(0, MOST_STUDENTS)]
    )
    adults = Number(
        lazy_gettext("Accompanying adults"),
        validators=[
            Given(lazy_gettext("How many adults come?")),
            between(0, MOST_ADULTS),
        ],
    )
    support_assistants = Number(
        lazy_gettext("Support assistants (AESH)"),
        validators=[Optional(), between(0, MOST_ADULTS)],
    )
    arrangements = StringField(
        lazy_gettext("Arrangements on site"),
        filters=[_line],
        validators=[_length(REMARK)],
    )

    @property
    def party(self) -> Party:
        """The numbers as the rules want them."""
        return Party(
            students=self.students.data or 0,
            adults=self.adults.data or 0,
            support_assistants=self.support_assistants.data or 0,
            girls=self.girls.data,
            boys=self.boys.data,
            part=Part(self.part.data),
        )


class RequestForm(PartyForm):
    """A slot is asked for."""

    places = {  # noqa: RUF012 - a constant
        **PartyForm.places,
        "class_busy": "school_class",
        "class_absent": "school_class",
        "after_exam": "school_class",
        "level_too_low": "school_class",
        "too_young": "school_class",
    }

    school_class = SelectField(
        lazy_gettext("Class"),
        coerce=int,
        validators=[InputRequired(lazy_gettext("Choose a class."))],
    )
    message = TextAreaField(
        lazy_gettext("Message to the company"),
        filters=[_text],
        validators=[_length(TEXT)],
    )


class NumbersForm(PartyForm):
    """Other numbers for a visit."""


class CancelForm(ServiceForm):
    """A visit is called off."""

    places = {"reason_missing": "note"}  # noqa: RUF012 - a constant

    reason = RadioField(
        lazy_gettext("Why?"),
        choices=[
            SelectChoice(CancelReason.TRANSPORT.value, lazy_gettext("Transport")),
            SelectChoice(CancelReason.COST.value, lazy_gettext("Cost")),
            SelectChoice(
                CancelReason.TIMETABLE.value, lazy_gettext("The school timetable")
            ),
            SelectChoice(
                CancelReason.STAFF_ABSENT.value, lazy_gettext("An adult is missing")
            ),
            SelectChoice(
                CancelReason.TOO_FEW_STUDENTS.value, lazy_gettext("Too few students")
            ),
            SelectChoice(CancelReason.WEATHER.value, lazy_gettext("The weather")),
            SelectChoice(CancelReason.SECURITY.value, lazy_gettext("Safety")),
            SelectChoice(CancelReason.DUPLICATE.value, lazy_gettext("Asked for twice")),
            SelectChoice(CancelReason.OTHER.value, lazy_gettext("Another reason")),
        ],
        validators=[InputRequired(lazy_gettext("Choose a reason."))],
    )
    note = StringField(
        lazy_gettext("In one line"), filters=[_line], validators=[_length(REMARK)]
    )


class AddressesForm(ServiceForm):
    """Students' addresses for one visit."""

    places = {  # noqa: RUF012 - a constant
        "bad_address": "addresses",
        "too_many_addresses": "addresses",
    }

    addresses = TextAreaField(
        lazy_gettext("E-mail addresses, one a line"),
        validators=[_length(ADDRESSES)],
    )

    @property
    def lines(self) -> list[str]:
        """One address a line; a list pasted with commas or semicolons is fine too."""
        text = (self.addresses.data or "").replace(";", "\n").replace(",", "\n")
        return [clean_line(line, ADDRESSES) for line in text.splitlines()]


class ClassForm(ServiceForm):
    """A class of the school."""

    places = {  # noqa: RUF012 - a constant
        "no_students": "students",
        "numbers_disagree": "girls",
    }

    school = SelectField(lazy_gettext("School"), coerce=int)
    label = StringField(
        lazy_gettext("Name of the class"),
        filters=[_line],
        validators=[
            DataRequired(lazy_gettext("Give the class a name.")),
            _length(LINE),
        ],
    )
    level = SelectField(
        lazy_gettext("Level"),
        validators=[InputRequired(lazy_gettext("Choose a level."))],
    )
    specialty = StringField(
        lazy_gettext("Specialty"), filters=[_line], validators=[_length(LINE)]
    )
    students = Number(
        lazy_gettext("Students"),
        validators=[
            Given(lazy_gettext("How many students are in the class?")),
            between(1, MOST_STUDENTS),
        ],
    )
    girls = Number(
        lazy_gettext("Girls"), validators=[Optional(), between(0, MOST_STUDENTS)]
    )
    boys = Number(
        lazy_gettext("Boys"), validators=[Optional(), between(0, MOST_STUDENTS)]
    )
    youngest_age = Number(
        lazy_gettext("Age of the youngest"), validators=[Optional(), between(8, 99)]
    )
    oldest_age = Number(
        lazy_gettext("Age of the oldest"), validators=[Optional(), between(8, 99)]
    )
    remark = StringField(
        lazy_gettext("Remark for yourself and your colleagues"),
        filters=[_line],
        validators=[_length(REMARK)],
    )

    def validate_oldest_age(self, field: Field) -> None:
        """Ages come in order."""
        youngest = self.youngest_age.data
        if field.data is not None and youngest is not None and field.data < youngest:
            raise ValidationError(gettext("The oldest is younger than the youngest."))

    @property
    def text(self) -> ClassText:
        """The class as the service takes it."""
        return ClassText(
            label=self.label.data or "",
            level_code=self.level.data,
            students=self.students.data or 0,
            specialty=self.specialty.data or "",
            girls=self.girls.data,
            boys=self.boys.data,
            youngest_age=self.youngest_age.data,
            oldest_age=self.oldest_age.data,
            remark=self.remark.data or "",
        )


class AbsenceForm(ServiceForm):
    """Weeks in which a class is away."""

    places = {"bad_times": "last_on"}  # noqa: RUF012 - a constant

    first_on = Day(
        lazy_gettext("First day"),
        validators=[Given(lazy_gettext("From which day?"))],
    )
    last_on = Day(
        lazy_gettext("Last day"),
        validators=[Given(lazy_gettext("Until which day, included?"))],
    )
    reason = StringField(
        lazy_gettext("Reason"), filters=[_line], validators=[_length(LINE)]
    )


class Ticks(SelectMultipleField):
    """Several of a list, as tick boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SearchForm(ServiceForm):
    """What is looked for; a GET form, so that a search has an address."""

    school_class = SelectField(lazy_gettext("For which class?"), validate_choice=False)
    students = Number(
        lazy_gettext("Students"), validators=[Optional(), between(1, MOST_STUDENTS)]
    )
    level = SelectField(lazy_gettext("Level"), validate_choice=False)
    first_on = Day(lazy_gettext("From"), validators=[Optional()])
    last_on = Day(lazy_gettext("Until"), validators=[Optional()])
    within_km = SelectField(
        lazy_gettext("Distance from the school"),
        validate_choice=False,
        choices=[
            SelectChoice("", lazy_gettext("Any distance")),
            SelectChoice("15", lazy_gettext("Up to 15 km")),
            SelectChoice("30", lazy_gettext("Up to 30 km")),
            SelectChoice("50", lazy_gettext("Up to 50 km")),
            SelectChoice("80", lazy_gettext("Up to 80 km")),
            SelectChoice("120", lazy_gettext("Up to 120 km")),
        ],
    )
    fields = Ticks(lazy_gettext("Fields"), validate_choice=False)
    sizes = Ticks(
        lazy_gettext("Size of the company"),
        validate_choice=False,
        choices=[
            SelectChoice(
                SizeCategory.MICRO.value,
                lazy_pgettext("size", "TPE (fewer than 10 people)"),
            ),
            SelectChoice(
                SizeCategory.SME.value, lazy_pgettext("size", "PME (fewer than 250)")
            ),
            SelectChoice(
                SizeCategory.MIDCAP.value,
                lazy_pgettext("size", "ETI (fewer than 5,000)"),
            ),
            SelectChoice(
                SizeCategory.LARGE.value, lazy_pgettext("size", "Large group (GE)")
            ),
        ],
    )
    wheelchair = BooleanField(lazy_gettext("Accessible by wheelchair"))
    woman = BooleanField(lazy_gettext("A woman tells her trade"))
    fitting_only = BooleanField(lazy_gettext("Only what fits my class"))

    class Meta:
        csrf = False


Choices = list[SelectChoice]


def choice(value: object, label: str) -> SelectChoice:
    """One entry of a menu."""
    return SelectChoice(value, label)


def labelled(rows: Iterable[Any], *, locale: str) -> Choices:
    """Reference rows as the choices of a field."""
    return [
        SelectChoice(row.code, row.label_en if locale == "en" else row.label_fr)
        for row in rows
    ]
