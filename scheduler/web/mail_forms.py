"""One address, corrected: a student's by the teacher, an adult's by the coordinator."""

from __future__ import annotations

from typing import ClassVar

from flask_babel import lazy_gettext
from wtforms import StringField
from wtforms.validators import InputRequired

from scheduler.web.attempt import ServiceForm


class AddressForm(ServiceForm):
    """The right address."""

    places: ClassVar[dict[str, str]] = {
        "bad_address": "address",
        "same_address": "address",
        "address_taken": "address",
    }

    address = StringField(
        lazy_gettext("Right address"),
        validators=[InputRequired(lazy_gettext("Please give the address."))],
    )
