"""The forms of the teacher room: what may be typed, and what is said if it may not."""

from __future__ import annotations

from flask_babel import gettext, lazy_gettext, lazy_pgettext
from wtforms import BooleanField, Field, SelectField, TextAreaField
from wtforms.validators import Optional, ValidationError

from scheduler.domain.offers import SizeCategory
from scheduler.domain.parties import Part, Party
from scheduler.domain.visits import CancelReason
from scheduler.services.classes import ClassText
from scheduler.web.attempt import ServiceForm
from scheduler.web.fields import (
    NOTE,
    AtMost,
    Day,
    OneOf,
    Pick,
    Several,
    Wanted,
    line,
    number,
    options,
    text,
)
from scheduler.wording import clean_line

MOST_STUDENTS = 200
MOST_ADULTS = 40
MESSAGE = 1000
ADDRESSES = 20_000


class PartyForm(ServiceForm):
    """The numbers of a group."""

    places = {  # noqa: RUF012 - a constant
        "no_students": "students",
        "group_too_big": "students",
        "slot_full": "students",
        "numbers_disagree": "girls",
        "too_few_adults": "adults",
    }

    part = OneOf(
        lazy_gettext("Who comes?"),
        choices=options(
            [
                (Part.WHOLE.value, lazy_gettext("The whole class")),
                (Part.HALF.value, lazy_gettext("A half-group")),
            ]
        ),
        default=Part.WHOLE.value,
        validators=[Wanted()],
    )
    students = number(
        lazy_gettext("Students"),
        least=1,
        most=MOST_STUDENTS,
        missing=lazy_gettext("How many students come?"),
    )
    girls = number(lazy_gettext("Girls"), least=0, most=MOST_STUDENTS)
    boys = number(lazy_gettext("Boys"), least=0, most=MOST_STUDENTS)
    adults = number(
        lazy_gettext("Accompanying adults"),
        least=0,
        most=MOST_ADULTS,
        missing=lazy_gettext("How many adults come?"),
    )
    support_assistants = number(
        lazy_gettext("Support assistants (AESH)"), least=0, most=MOST_ADULTS
    )
    arrangements = line(lazy_gettext("Arrangements on site"), limit=NOTE)

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

    school_class = Pick(lazy_gettext("Class"), coerce=int, validators=[Wanted()])
    message = text(lazy_gettext("Message to the company"), limit=MESSAGE)


class NumbersForm(PartyForm):
    """Other numbers for a visit."""


class CancelForm(ServiceForm):
    """A visit is called off."""

    places = {"reason_missing": "note"}  # noqa: RUF012 - a constant

    reason = OneOf(
        lazy_gettext("Why?"),
        choices=options(
            [
                (CancelReason.TRANSPORT.value, lazy_gettext("Transport")),
                (CancelReason.COST.value, lazy_gettext("Cost")),
                (CancelReason.TIMETABLE.value, lazy_gettext("The school timetable")),
                (CancelReason.STAFF_ABSENT.value, lazy_gettext("An adult is missing")),
                (CancelReason.TOO_FEW_STUDENTS.value, lazy_gettext("Too few students")),
                (CancelReason.WEATHER.value, lazy_gettext("The weather")),
                (CancelReason.SECURITY.value, lazy_gettext("Safety")),
                (CancelReason.DUPLICATE.value, lazy_gettext("Asked for twice")),
                (CancelReason.OTHER.value, lazy_gettext("Another reason")),
            ]
        ),
        validators=[Wanted()],
    )
    note = line(lazy_gettext("In one line"), limit=NOTE)


class HandOverForm(ServiceForm):
    """A colleague looks after the visit from now on."""

    places = {"organiser_busy": "colleague"}  # noqa: RUF012 - a constant

    colleague = Pick(
        lazy_gettext("Who looks after the visit?"), coerce=int, validators=[Wanted()]
    )


class AddressesForm(ServiceForm):
    """Students' addresses for one visit."""

    places = {  # noqa: RUF012 - a constant
        "bad_address": "addresses",
        "bad_list_address": "class_list",
        "too_many_addresses": "addresses",
    }

    addresses = TextAreaField(
        lazy_gettext("E-mail addresses, one a line"),
        validators=[AtMost(ADDRESSES)],
    )
    class_list = line(lazy_gettext("Address of the class’s mailing list"))
    quiet = BooleanField(lazy_gettext("Students need not say whether they come"))

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

    school = Pick(lazy_gettext("School"), coerce=int)
    label = line(
        lazy_gettext("Name of the class"),
        missing=lazy_gettext("Give the class a name."),
    )
    level = Pick(lazy_gettext("Level"), validators=[Wanted()])
    specialty = line(lazy_gettext("Specialty"))
    students = number(
        lazy_gettext("Students"),
        least=1,
        most=MOST_STUDENTS,
        missing=lazy_gettext("How many students are in the class?"),
    )
    girls = number(lazy_gettext("Girls"), least=0, most=MOST_STUDENTS)
    boys = number(lazy_gettext("Boys"), least=0, most=MOST_STUDENTS)
    youngest_age = number(lazy_gettext("Age of the youngest"), least=8, most=99)
    oldest_age = number(lazy_gettext("Age of the oldest"), least=8, most=99)
    remark = line(lazy_gettext("Remark for yourself and your colleagues"), limit=NOTE)

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
        validators=[Wanted(lazy_gettext("From which day?"))],
    )
    last_on = Day(
        lazy_gettext("Last day"),
        validators=[Wanted(lazy_gettext("Until which day, included?"))],
    )
    reason = line(lazy_gettext("Reason"))


class SearchForm(ServiceForm):
    """What is looked for; a GET form, so that a search has an address."""

    school_class = SelectField(lazy_gettext("For which class?"), validate_choice=False)
    students = number(lazy_gettext("Students"), least=1, most=MOST_STUDENTS)
    level = SelectField(lazy_gettext("Level"), validate_choice=False)
    first_on = Day(lazy_gettext("From"), validators=[Optional()])
    last_on = Day(lazy_gettext("Until"), validators=[Optional()])
    within_km = SelectField(
        lazy_gettext("Distance from the school"),
        validate_choice=False,
        choices=options(
            [
                ("", lazy_gettext("Any distance")),
                ("15", lazy_gettext("Up to 15 km")),
                ("30", lazy_gettext("Up to 30 km")),
                ("50", lazy_gettext("Up to 50 km")),
                ("80", lazy_gettext("Up to 80 km")),
                ("120", lazy_gettext("Up to 120 km")),
            ]
        ),
    )
    fields = Several(lazy_gettext("Fields"), validate_choice=False)
    sizes = Several(
        lazy_gettext("Size of the company"),
        validate_choice=False,
        choices=options(
            [
                (
                    SizeCategory.MICRO.value,
                    lazy_pgettext("size", "TPE (fewer than 10 people)"),
                ),
                (SizeCategory.SME.value, lazy_pgettext("size", "PME (fewer than 250)")),
                (
                    SizeCategory.MIDCAP.value,
                    lazy_pgettext("size", "ETI (fewer than 5,000)"),
                ),
                (SizeCategory.LARGE.value, lazy_pgettext("size", "Large group (GE)")),
            ]
        ),
    )
    wheelchair = BooleanField(lazy_gettext("Accessible by wheelchair"))
    woman = BooleanField(lazy_gettext("A woman tells her trade"))
    fitting_only = BooleanField(lazy_gettext("Only what fits my class"))

    class Meta:
        csrf = False
