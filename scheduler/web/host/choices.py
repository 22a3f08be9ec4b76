"""The answers that a host chooses from, in words."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext, lazy_pgettext
from wtforms import SelectChoice  # type: ignore[attr-defined]  # stubs: 3.2

from scheduler.domain.offers import (
    Confirmation,
    PhoneRule,
    PhotoRule,
    VehicleAccess,
    Wheelchair,
)
from scheduler.domain.visits import CancelReason, DeclineReason
from scheduler.web.fields import Choices


def _c(value: str, label: Any) -> SelectChoice:
    return SelectChoice(value=value, label=label)


def words_for(choices: Choices) -> dict[str, Any]:
    """Value → label."""
    return {each.value: each.label for each in choices}


DECLINE: Choices = [
    _c(DeclineReason.DATE.value, lazy_gettext("That date does not suit us")),
    _c(DeclineReason.NO_TIME.value, lazy_gettext("We have no time")),
    _c(
        DeclineReason.NO_STAFF.value,
        lazy_gettext("Nobody is there to receive the class"),
    ),
    _c(
        DeclineReason.PRODUCTION_RUSH.value,
        lazy_gettext("There is a rush in production"),
    ),
    _c(DeclineReason.GROUP_TOO_BIG.value, lazy_gettext("The group is too big")),
    _c(DeclineReason.LEVEL.value, lazy_gettext("The level does not suit")),
    _c(DeclineReason.SAFETY.value, lazy_gettext("For safety")),
    _c(DeclineReason.CONFIDENTIALITY.value, lazy_gettext("For confidentiality")),
    _c(DeclineReason.OTHER.value, lazy_gettext("Something else (please say what)")),
]

CANCEL: Choices = [
    _c(CancelReason.STAFF_ABSENT.value, lazy_gettext("Somebody is absent")),
    _c(
        CancelReason.PRODUCTION_RUSH.value,
        lazy_gettext("There is a rush in production"),
    ),
    _c(CancelReason.TIME.value, lazy_gettext("We have no time")),
    _c(CancelReason.ACCIDENT.value, lazy_gettext("There was an accident")),
    _c(CancelReason.SECURITY.value, lazy_gettext("For safety")),
    _c(CancelReason.WEATHER.value, lazy_gettext("Because of the weather")),
    _c(CancelReason.DUPLICATE.value, lazy_gettext("It was there twice")),
    _c(CancelReason.OTHER.value, lazy_gettext("Something else (please say what)")),
]

PHONES: Choices = [
    _c(PhoneRule.SILENT.value, lazy_gettext("On silent, in the pocket")),
    _c(PhoneRule.OFF.value, lazy_gettext("Switched off")),
    _c(PhoneRule.LEFT_IN_COACH.value, lazy_gettext("Left in the coach")),
    _c(PhoneRule.ALLOWED.value, lazy_gettext("Allowed")),
]

PHOTOS: Choices = [
    _c(PhotoRule.NONE.value, lazy_gettext("No photos")),
    _c(PhotoRule.ASK.value, lazy_gettext("Only after asking")),
    _c(PhotoRule.ALLOWED.value, lazy_pgettext("photos", "Allowed")),
]

WHEELCHAIR: Choices = [
    _c(Wheelchair.YES.value, lazy_gettext("Yes, everywhere")),
    _c(Wheelchair.PARTIAL.value, lazy_gettext("Yes, in part")),
    _c(Wheelchair.NO.value, lazy_gettext("No, or not yet")),
]

VEHICLES: Choices = [
    _c(VehicleAccess.COACH.value, lazy_gettext("A coach can stop and wait")),
    _c(
        VehicleAccess.STREET.value,
        lazy_gettext("A coach can drop the group in the street"),
    ),
    _c(VehicleAccess.CAR_ONLY.value, lazy_gettext("Cars and minibuses only")),
]

CONFIRMATION: Choices = [
    _c(Confirmation.BY_HOST.value, lazy_gettext("I answer each request myself")),
    _c(
        Confirmation.AUTOMATIC.value,
        lazy_gettext("Requests that fit are confirmed at once"),
    ),
]

GENDERS: Choices = [
    _c("N", lazy_pgettext("witness", "Not stated")),
    _c("W", lazy_pgettext("witness", "A woman")),
    _c("M", lazy_pgettext("witness", "A man")),
]

WEEKDAYS: Choices = [
    _c("0", lazy_gettext("Monday")),
    _c("1", lazy_gettext("Tuesday")),
    _c("2", lazy_gettext("Wednesday")),
    _c("3", lazy_gettext("Thursday")),
    _c("4", lazy_gettext("Friday")),
    _c("5", lazy_gettext("Saturday")),
]

INTERVALS: Choices = [
    _c("1", lazy_gettext("Every week")),
    _c("2", lazy_gettext("Every second week")),
    _c("4", lazy_gettext("Every fourth week")),
]

# DOMAIN rule 3: a rank stands for several levels; here is the one people think of.
GRADES: Choices = [
    _c("7", lazy_pgettext("from grade", "5e (age 12)")),
    _c("8", lazy_pgettext("from grade", "4e (age 13)")),
    _c("9", lazy_pgettext("from grade", "3e (age 14)")),
    _c("10", lazy_pgettext("from grade", "2de or CAP (age 15)")),
    _c("11", lazy_pgettext("from grade", "1re (age 16)")),
    _c("12", lazy_pgettext("from grade", "Terminale (age 17)")),
    _c("13", lazy_pgettext("from grade", "After the baccalaureate: BTS, BUT")),
    _c("14", lazy_pgettext("from grade", "Second year of BTS or BUT")),
    _c("15", lazy_pgettext("from grade", "Third year and engineering schools")),
]
