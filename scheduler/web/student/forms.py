"""The class code, typed in by hand."""

from __future__ import annotations

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired

from scheduler.services.class_pages import plain_code


def _code(text: str | None) -> str:
    return plain_code(text or "")


class CodeForm(FlaskForm):
    """Blanks, dashes and small letters are welcome."""

    code = StringField(
        lazy_gettext("The code of your class"),
        filters=[_code],
        validators=[
            DataRequired(
                lazy_gettext("Type the code that your teacher gave you: six signs.")
            )
        ],
    )
