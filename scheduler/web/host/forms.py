"""What a host types: answers, offers, slots, limits. Rules stay in the services."""

from __future__ import annotations

from datetime import date, time
from typing import Any, cast

from flask_babel import gettext, lazy_gettext, lazy_pgettext, ngettext
from wtforms import Field, FieldList, Form, FormField
from wtforms.validators import Optional, ValidationError

from scheduler.domain.offers import (
    Caps,
    Confirmation,
    PhoneRule,
    PhotoRule,
    VehicleAccess,
    Wheelchair,
)
from scheduler.domain.visits import CancelReason, DeclineReason
from scheduler.domain.weekly import WeeklyRule
from scheduler.ical.recurrence import weekly_rule
from scheduler.persistence.queries.host_pages import OfferFacts
from scheduler.services.offers import OfferText, Witness
from scheduler.services.slots import SeatsWanted, SlotTimes
from scheduler.web.attempt import ServiceForm
from scheduler.web.fields import (
    NOTE,
    REQUIRED,
    AtLeastOne,
    Choices,
    Day,
    Hour,
    OneOf,
    Pick,
    Several,
    Tick,
    Wanted,
    given,
    line,
    number,
    options,
    text,
)
from scheduler.web.host import choices

LONGEST_RULE_DAYS = 366
MOST_SEEN = 12
WITNESS_ROWS = 3
NO_DAYS = lazy_gettext("No date is left: please choose other days or hours.")


def _chosen(field: Several) -> tuple[str, ...]:
    return tuple(field.data or ())


def _labels(field: Several) -> list[str]:
    """What is chosen, in words."""
    chosen, options = _chosen(field), cast(Choices, field.choices)
    return [str(each.label) for each in options if each.value in chosen]


# ------------------------------------------------------------------ answers


class AcceptForm(ServiceForm):
    """Nothing but the button."""


class DeclineForm(ServiceForm):
    places = {"reason_missing": "note"}  # noqa: RUF012
    reason = OneOf(lazy_gettext("Why?"), choices=choices.DECLINE, validators=[Wanted()])
    note = line(
        lazy_gettext("A word to the teacher"), limit=NOTE, dom_id="decline-note"
    )

    @property
    def why(self) -> DeclineReason:
        return DeclineReason(self.reason.data)


class ProposeForm(ServiceForm):
    """Slots that exist, a new time, or both."""

    places = {  # noqa: RUF012
        "bad_times": "ends",
        "no_such_time": "starts",
        "too_late": "day",
        "slots_overlap": "starts",
        "host_closed": "day",
    }
    slots = Several(lazy_gettext("Dates you have open"), choices=[])
    day = Day(lazy_gettext("Day"), validators=[Optional()])
    starts = Hour(lazy_pgettext("hours", "From"), validators=[Optional()])
    ends = Hour(lazy_pgettext("hours", "Until"), validators=[Optional()])
    note = line(lazy_gettext("A word to the teacher"), limit=NOTE)

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        typed = [self.day, self.starts, self.ends]
        missing = [each for each in typed if each.data is None and not each.errors]
        if not self.slots.data and len(missing) == len(typed):
            self.slots.errors = [gettext("Please choose a date, or enter a new one.")]
            return False
        if len(missing) in {1, 2}:
            for each in missing:
                each.errors = [gettext("Please fill this in.")]
            return False
        return valid

    @property
    def slot_ids(self) -> list[int]:
        return [int(each) for each in _chosen(self.slots)]

    @property
    def new_time(self) -> SlotTimes | None:
        if self.day.data is None or self.starts.data is None or self.ends.data is None:
            return None
        return SlotTimes(
            day=self.day.data, starts=self.starts.data, ends=self.ends.data
        )


class CancelForm(ServiceForm):
    places = {"reason_missing": "note"}  # noqa: RUF012
    reason = OneOf(lazy_gettext("Why?"), choices=choices.CANCEL, validators=[Wanted()])
    note = line(lazy_gettext("A word to the class"), limit=NOTE)

    @property
    def why(self) -> CancelReason:
        return CancelReason(self.reason.data)


# ------------------------------------------------------------------ slots


class SlotForm(ServiceForm):
    places = {  # noqa: RUF012
        "bad_times": "ends",
        "no_such_time": "starts",
        "too_late": "day",
        "host_closed": "day",
        "slots_overlap": "starts",
        "group_too_big": "students",
        "limit_too_low": "students",
        "slot_in_use": "students",
    }
    day = Day(lazy_gettext("Day"), validators=[Wanted()])
    starts = Hour(lazy_pgettext("hours", "From"), validators=[Wanted()])
    ends = Hour(lazy_pgettext("hours", "Until"), validators=[Wanted()])
    students = number(
        lazy_gettext("Students at most"), least=1, most=500, missing=REQUIRED
    )
    place = line(lazy_gettext("Another place than usual"), limit=200)

    @property
    def times(self) -> SlotTimes:
        return SlotTimes(
            day=self.day.data or date.min,
            starts=self.starts.data or time(),
            ends=self.ends.data or time(),
            place=self.place.data or "",
        )

    @property
    def seats(self) -> SeatsWanted:
        return SeatsWanted(students=self.students.data)


class WeeklyForm(ServiceForm):
    """Days and hours that come back, from one day to another."""

    places = {"bad_times": "ends", "no_such_time": "starts"}  # noqa: RUF012
    weekdays = Several(
        lazy_gettext("Days"),
        choices=choices.WEEKDAYS,
        validators=[
            AtLeastOne(lazy_gettext("Please choose at least one day of the week."))
        ],
    )
    starts = Hour(
        lazy_pgettext("hours", "From"), validators=[Wanted()], default=time(9, 0)
    )
    ends = Hour(
        lazy_pgettext("hours", "Until"), validators=[Wanted()], default=time(11, 0)
    )
    every = Pick(
        lazy_gettext("How often"),
        choices=choices.INTERVALS,
        default="1",
        validators=[Wanted()],
    )
    first_on = Day(lazy_gettext("First day"), validators=[Wanted()])
    last_on = Day(lazy_gettext("Last day"), validators=[Wanted()])

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        first, last = self.first_on.data, self.last_on.data
        if first is None or last is None or self.last_on.errors:
            return valid
        if last < first:
            self.last_on.errors = [gettext("The last day comes before the first.")]
            return False
        if (last - first).days > LONGEST_RULE_DAYS:
            self.last_on.errors = [gettext("One year at most at a time, please.")]
            return False
        starts, ends = self.starts.data, self.ends.data
        if starts is not None and ends is not None and ends <= starts:
            self.ends.errors = [gettext("The end comes before the start.")]
            return False
        return valid

    @property
    def rule(self) -> WeeklyRule:
        return WeeklyRule(
            rrule=weekly_rule(
                [int(each) for each in _chosen(self.weekdays)],
                interval=int(self.every.data),
            ),
            first_on=self.first_on.data or date.min,
            last_on=self.last_on.data or date.min,
            starts=self.starts.data or time(),
            ends=self.ends.data or time(),
        )

    def say_no_days(self) -> None:
        """Every day of the rule was left out."""
        self.weekdays.errors = [str(NO_DAYS)]


# ------------------------------------------------------------------ offers


class _Taught(ServiceForm):
    """What both forms of an offer ask."""

    places = {"handling_words": "see", "not_ready": "field_codes"}  # noqa: RUF012
    people_met = line(lazy_gettext("Who welcomes the class?"), limit=200)
    street = line(lazy_gettext("Address"), limit=200)
    meeting_point = line(lazy_gettext("Where do you wait for the class?"), limit=200)
    wheelchair = OneOf(
        lazy_gettext("Can a wheelchair come in?"),
        choices=choices.WHEELCHAIR,
        default=Wheelchair.NO.value,
        validators=[Wanted()],
    )
    max_students = number(
        lazy_gettext("How many students at most?"), least=1, most=500, missing=REQUIRED
    )
    subgroup_size = number(
        lazy_gettext("Students in one group on the tour"), least=1, most=500
    )
    min_grade_rank = Pick(
        lazy_gettext("From which level on?"),
        choices=choices.GRADES,
        validators=[Wanted()],
    )
    title = line(lazy_gettext("Title of the visit"), missing=REQUIRED)
    see = text(
        lazy_gettext("What will the students see?"), limit=1200, missing=REQUIRED
    )
    field_codes = Several(
        lazy_gettext("Fields"),
        choices=[],
        validators=[AtLeastOne(lazy_gettext("Please choose at least one field."))],
    )
    ppe = Several(lazy_gettext("Protective equipment"), choices=[])
    wear = line(lazy_gettext("What should they wear?"), limit=NOTE)
    phone_rule = OneOf(
        lazy_gettext("Phones"),
        choices=choices.PHONES,
        default=PhoneRule.SILENT.value,
        validators=[Wanted()],
    )
    photo_rule = OneOf(
        lazy_gettext("Photos"),
        choices=choices.PHOTOS,
        default=PhotoRule.NONE.value,
        validators=[Wanted()],
    )

    def validate_see(self, field: Field) -> None:
        lines = [each for each in (field.data or "").split("\n") if each.strip()]
        if len(lines) > MOST_SEEN:
            raise ValidationError(
                ngettext(
                    "At most %(num)s line, please.",
                    "At most %(num)s lines, please.",
                    MOST_SEEN,
                )
            )

    def offer_lists(
        self, fields: list[tuple[str, str]], ppe: list[tuple[str, str]]
    ) -> None:
        """The campus's own lists, which may grow."""
        self.field_codes.choices = options(fields)
        self.ppe.choices = options(ppe)

    @property
    def field_words(self) -> list[str]:
        return _labels(self.field_codes)

    @property
    def ppe_words(self) -> list[str]:
        return _labels(self.ppe)

    @property
    def seen(self) -> tuple[str, ...]:
        return given([each.strip(" -•") for each in (self.see.data or "").split("\n")])

    def _text(self, **more: Any) -> OfferText:
        students = self.max_students.data or 1
        return OfferText(
            title=self.title.data or "",
            field_codes=_chosen(self.field_codes),
            max_students=students,
            subgroup_size=self.subgroup_size.data or students,
            min_grade_rank=int(self.min_grade_rank.data),
            see=self.seen,
            phone_rule=PhoneRule(self.phone_rule.data),
            photo_rule=PhotoRule(self.photo_rule.data),
            wear=self.wear.data or "",
            people_met=self.people_met.data or "",
            street=self.street.data or "",
            meeting_point=self.meeting_point.data or "",
            wheelchair=Wheelchair(self.wheelchair.data),
            **more,
        )


class FirstOfferForm(_Taught, WeeklyForm):
    """The eight questions (HO-M1); the last one makes the slots."""

    places = {**_Taught.places, **WeeklyForm.places}  # noqa: RUF012
    woman = Tick(lazy_gettext("A woman who works here will tell her trade"))

    @property
    def offer(self) -> OfferText:
        starts, ends = self.starts.data or time(), self.ends.data or time()
        minutes = (ends.hour - starts.hour) * 60 + ends.minute - starts.minute
        return self._text(
            duration_minutes=max(minutes, 15),
            women_witnesses=1 if self.woman.data else 0,
            ppe=tuple({"code": code, "detail": ""} for code in _chosen(self.ppe)),
        )


class WitnessRows(Form):
    first_name = line(lazy_gettext("First name"), limit=60)
    job = line(lazy_gettext("Trade"))
    path = line(lazy_gettext("How she or he came to it"), limit=NOTE)
    gender = Pick(lazy_gettext("Woman or man"), choices=choices.GENDERS, default="N")


class OfferForm(_Taught):
    """Everything about an offer, in groups."""

    places = {  # noqa: RUF012
        "handling_words": "see",
        "not_ready": "field_codes",
    }
    summary = text(lazy_gettext("In a few sentences"), limit=800)
    bring = line(lazy_gettext("What should they bring?"), limit=NOTE)
    witnesses = FieldList(FormField(WitnessRows), min_entries=WITNESS_ROWS)
    women_witnesses = number(
        lazy_gettext("How many women tell their trade?"), least=0, most=50
    )
    arrival = text(lazy_gettext("How does one get in?"), limit=600)
    wheelchair_note = line(
        lazy_gettext("What is possible with a wheelchair?"), limit=NOTE
    )
    vehicle_access = OneOf(
        lazy_gettext("Coach or car?"),
        choices=choices.VEHICLES,
        default=VehicleAccess.STREET.value,
        validators=[Wanted()],
    )
    min_students = number(
        lazy_gettext("From how many students on is it worth it?"), least=1, most=500
    )
    max_people = number(
        lazy_gettext("People at most, adults included"), least=1, most=600
    )
    max_groups = number(
        lazy_gettext("Classes at the same time"), least=1, most=10, missing=REQUIRED
    )
    min_age = number(lazy_gettext("Youngest age"), least=10, most=21)
    min_notice_days = number(
        lazy_gettext("Days of notice"), least=0, most=180, missing=REQUIRED
    )
    name_list_days = number(
        lazy_gettext("List of names, days before"), least=0, most=60, missing=REQUIRED
    )
    duration_minutes = number(
        lazy_gettext("Usual length in minutes"), least=15, most=720, missing=REQUIRED
    )
    confirmation = OneOf(
        lazy_gettext("Who says yes?"),
        choices=choices.CONFIRMATION,
        default=Confirmation.BY_HOST.value,
        validators=[Wanted()],
    )
    note = text(lazy_gettext("Good to know"), limit=600)

    def validate_min_students(self, field: Field) -> None:
        if (field.data or 1) > (self.max_students.data or 1):
            raise ValidationError(gettext("That is more than come at most."))

    def offer(self, before: OfferFacts) -> OfferText:
        """The offer as typed. Details of equipment that stays are kept."""
        details = {each["code"]: each.get("detail", "") for each in before.ppe}
        return self._text(
            summary=self.summary.data or "",
            bring=self.bring.data or "",
            ppe=tuple(
                {"code": code, "detail": details.get(code, "")}
                for code in _chosen(self.ppe)
            ),
            witnesses=tuple(
                Witness(
                    first_name=row.first_name.data,
                    job=row.job.data,
                    path=row.path.data or "",
                    gender=row.gender.data,
                )
                for row in self.witnesses
                if row.first_name.data and row.job.data
            ),
            women_witnesses=self.women_witnesses.data or 0,
            arrival=self.arrival.data or "",
            wheelchair_note=self.wheelchair_note.data or "",
            vehicle_access=VehicleAccess(self.vehicle_access.data),
            min_students=self.min_students.data or 1,
            max_people=self.max_people.data,
            max_groups=self.max_groups.data or 1,
            min_age=self.min_age.data,
            min_notice_days=self.min_notice_days.data or 0,
            name_list_days=self.name_list_days.data or 0,
            duration_minutes=self.duration_minutes.data or 120,
            confirmation=Confirmation(self.confirmation.data),
            note=self.note.data or "",
            kind_code=before.kind_code,
        )


class PauseForm(ServiceForm):
    until = Day(
        lazy_gettext("Until (you may leave this empty)"), validators=[Optional()]
    )


# ------------------------------------------------------------------ limits


class CapsForm(ServiceForm):
    per_day = number(lazy_gettext("Classes a day"), least=1, most=20)
    per_month = number(lazy_gettext("Classes a month"), least=1, most=100)
    per_year = number(lazy_gettext("Classes a school year"), least=1, most=500)

    @property
    def caps(self) -> Caps:
        return Caps(
            per_day=self.per_day.data,
            per_month=self.per_month.data,
            per_year=self.per_year.data,
        )


class ClosedDaysForm(ServiceForm):
    places = {"bad_times": "last_on"}  # noqa: RUF012
    first_on = Day(lazy_gettext("First day"), validators=[Wanted()])
    last_on = Day(lazy_gettext("Last day"), validators=[Optional()])
    reason = line(lazy_gettext("Why? Only you see this"))
