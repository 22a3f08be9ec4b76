"""A company's contact, added by a colleague or by the coordinator."""

from __future__ import annotations

from flask_babel import lazy_gettext

from scheduler.web.attempt import ServiceForm
from scheduler.web.fields import line


class ContactForm(ServiceForm):
    """One more contact."""

    places = {  # noqa: RUF012 - a constant
        "bad_address": "email",
        "contact_known": "email",
    }

    name = line(lazy_gettext("Name"), missing=lazy_gettext("What is the name?"))
    email = line(
        lazy_gettext("E-mail address"), missing=lazy_gettext("What is the address?")
    )
    phone = line(lazy_gettext("Telephone on the day"))
