"""The one form of the sign-in page."""

from __future__ import annotations

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Email, Length

from scheduler.wording import clean_line

LONGEST_ADDRESS = 254


def _address(text: str | None) -> str:
    return clean_line(text or "", 2 * LONGEST_ADDRESS)


class SignInForm(FlaskForm):
    """``next``: where the person wanted to go."""

    email = StringField(
        lazy_gettext("Your e-mail address"),
        filters=[_address],
        validators=[
            DataRequired(lazy_gettext("Type your e-mail address.")),
            Length(
                max=LONGEST_ADDRESS,
                message=lazy_gettext("This is too long for an address."),
            ),
            Email(
                message=lazy_gettext(
                    "This does not look like an e-mail address: it needs a name, "
                    "an @ and a domain, as in claire@lycee.fr."
                )
            ),
        ],
    )
    next = HiddenField()
