"""The answers that a host chooses from, in words."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l, lazy_pgettext as _p

from scheduler.domain.offers import (
    Confirmation,
    PhoneRule,
    PhotoRule,
    VehicleAccess,
    Wheelchair,
)
from scheduler.domain.visits import CancelReason, DeclineReason

Choices = list[tuple[str, Any]]

DECLINE: Choices = [
    (DeclineReason.DATE.value, _l("That date does not suit us")),
    (DeclineReason.NO_TIME.value, _l("We have no time")),
    (DeclineReason.NO_STAFF.value, _l("Nobody is there to receive the class")),
    (DeclineReason.PRODUCTION_RUSH.value, _l("There is a rush in production")),
    (DeclineReason.GROUP_TOO_BIG.value, _l("The group is too big")),
    (DeclineReason.LEVEL.value, _l("The level does not suit")),
    (DeclineReason.SAFETY.value, _l("For safety")),
    (DeclineReason.CONFIDENTIALITY.value, _l("For confidentiality")),
    (DeclineReason.OTHER.value, _l("Something else (please say what)")),
]

CANCEL: Choices = [
    (CancelReason.STAFF_ABSENT.value, _l("Somebody is absent")),
    (CancelReason.PRODUCTION_RUSH.value, _l("There is a rush in production")),
    (CancelReason.TIME.value, _l("We have no time")),
    (CancelReason.ACCIDENT.value, _l("There was an accident")),
    (CancelReason.SECURITY.value, _l("For safety")),
    (CancelReason.WEATHER.value, _l("Because of the weather")),
    (CancelReason.DUPLICATE.value, _l("It was there twice")),
    (CancelReason.OTHER.value, _l("Something else (please say what)")),
]

PHONES: Choices = [
    (PhoneRule.SILENT.value, _l("On silent, in the pocket")),
    (PhoneRule.OFF.value, _l("Switched off")),
    (PhoneRule.LEFT_IN_COACH.value, _l("Left in the coach")),
    (PhoneRule.ALLOWED.value, _l("Allowed")),
]

PHOTOS: Choices = [
    (PhotoRule.NONE.value, _l("No photos")),
    (PhotoRule.ASK.value, _l("Only after asking")),
    (PhotoRule.ALLOWED.value, _p("photos", "Allowed")),
]

WHEELCHAIR: Choices = [
    (Wheelchair.YES.value, _l("Yes, everywhere")),
    (Wheelchair.PARTIAL.value, _l("Yes, in part")),
    (Wheelchair.NO.value, _l("No, or not yet")),
]

VEHICLES: Choices = [
    (VehicleAccess.COACH.value, _l("A coach can stop and wait")),
    (VehicleAccess.STREET.value, _l("A coach can drop the group in the street")),
    (VehicleAccess.CAR_ONLY.value, _l("Cars and minibuses only")),
]

CONFIRMATION: Choices = [
    (Confirmation.BY_HOST.value, _l("I answer each request myself")),
    (Confirmation.AUTOMATIC.value, _l("Requests that fit are confirmed at once")),
]

GENDERS: Choices = [
    ("N", _p("witness", "Not stated")),
    ("W", _p("witness", "A woman")),
    ("M", _p("witness", "A man")),
]

WEEKDAYS: Choices = [
    ("0", _l("Monday")),
    ("1", _l("Tuesday")),
    ("2", _l("Wednesday")),
    ("3", _l("Thursday")),
    ("4", _l("Friday")),
    ("5", _l("Saturday")),
]

INTERVALS: Choices = [
    ("1", _l("Every week")),
    ("2", _l("Every second week")),
    ("4", _l("Every fourth week")),
]

# DOMAIN rule 3: a rank stands for several levels; here is the one people think of.
GRADES: Choices = [
    ("7", _p("from grade", "5e (age 12)")),
    ("8", _p("from grade", "4e (age 13)")),
    ("9", _p("from grade", "3e (age 14)")),
    ("10", _p("from grade", "2de or CAP (age 15)")),
    ("11", _p("from grade", "1re (age 16)")),
    ("12", _p("from grade", "Terminale (age 17)")),
    ("13", _p("from grade", "After the baccalaureate: BTS, BUT")),
    ("14", _p("from grade", "Second year of BTS or BUT")),
    ("15", _p("from grade", "Third year and engineering schools")),
]
