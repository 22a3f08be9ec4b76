"""The class code, typed in by hand."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import StringField
from wtforms.validators import DataRequired

from scheduler.services.class_pages import plain_code
from scheduler.web.attempt import ServiceForm


def _code(text: str | None) -> str:
    return plain_code(text or "")


class CodeForm(ServiceForm):
    """Blanks, dashes and small letters are welcome."""

    places = {"not_found": "code"}  # noqa: RUF012 - a constant of the form

    code = StringField(
        lazy_gettext("The code of your class"),
        filters=[_code],
        validators=[
            DataRequired(
                lazy_gettext("Type the code that your teacher gave you: six signs.")
            )
        ],
    )
