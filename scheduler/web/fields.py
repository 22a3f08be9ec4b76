"""Fields that take anything and answer in plain words: no typed text breaks a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext
from wtforms import (  # type: ignore[attr-defined]  # stubs: 3.2
    BooleanField,
    DateField,
    Field,
    Form,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields.choices import SelectFieldBase
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Optional, StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from scheduler.wording import clean_line, clean_text

SHORT = 40
LINE = 120
NOTE = 300
TEXT = 1500
KEPT = 4000
EARLIEST, LATEST = date(2020, 1, 1), date(2100, 12, 31)

REQUIRED = lazy_gettext("Please fill this in.")

Choices = list[SelectChoice]


def options(pairs: Iterable[tuple[object, Any]]) -> Choices:
    """Values with their words, as a field offers them."""
    return [SelectChoice(value=value, label=label) for value, label in pairs]


def labelled(rows: Iterable[Any], *, locale: str) -> Choices:
    """Reference rows as the choices of a field."""
    return options(
        (row.code, row.label_en if locale == "en" else row.label_fr) for row in rows
    )


def one_line(value: str | None) -> str:
    """What was typed, on one line; too long is said, not cut."""
    return clean_line(value or "", KEPT)


def paragraphs(value: str | None) -> str:
    """What was typed, in lines."""
    return clean_text(value or "", KEPT)


def _presence(missing: Any) -> Wanted | Optional:
    return Optional() if missing is None else Wanted(missing)


def _shown_again(field: Field, typed: Sequence[str]) -> list[str]:
    """What was typed, cleaned, which is also what the field shows after a mistake."""
    field.raw_data = [clean_line(each, SHORT) for each in typed]
    return list(field.raw_data)


class AtMost:
    """A limit in characters, said with both numbers."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.field_flags = {"maxlength": limit}

    def __call__(self, _form: Form, field: Field) -> None:
        typed = len(field.data or "")
        if typed > self.limit:
            raise ValidationError(
                ngettext(
                    "Too long: at most %(num)s character.",
                    "Too long: at most %(num)s characters.",
                    self.limit,
                )
            )


class Between:
    """Bounds of a whole number."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, _form: Form, field: Field) -> None:
        if field.data is not None and not self.least <= field.data <= self.most:
            raise ValidationError(
                gettext(
                    "A number from %(least)s to %(most)s, please.",
                    least=self.least,
                    most=self.most,
                )
            )


class Wanted(InputRequired):
    """Required, with our own sentence; blanks alone are nothing."""

    def __init__(self, message: Any = REQUIRED) -> None:
        super().__init__(message)

    def __call__(self, form: BaseForm, field: Field) -> None:
        super().__call__(form, field)
        if isinstance(field.data, str) and not field.data:
            raise StopValidation(str(self.message))


def line(
    label: Any, *, limit: int = LINE, missing: Any = None, dom_id: str | None = None
) -> StringField:
    """One line of text; ``dom_id`` if the page has another field of that name.

    ``missing``, here and below: what is said when nothing was typed; without it the
    field may stay empty.
    """
    return StringField(
        label,
        filters=[one_line],
        validators=[_presence(missing), AtMost(limit)],
        id=dom_id,
    )


def text(label: Any, *, limit: int = TEXT, missing: Any = None) -> TextAreaField:
    """Several lines of text."""
    return TextAreaField(
        label, filters=[paragraphs], validators=[_presence(missing), AtMost(limit)]
    )


class WholeNumber(IntegerField):
    """A whole number, or a sentence."""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = "".join(_shown_again(self, valuelist)[:1])
        self.data = None
        if not typed:
            return
        if not typed.isascii() or not typed.lstrip("+-").isdigit():
            raise ValueError(gettext("A whole number, please."))
        self.data = int(typed[:12])


def number(label: Any, *, least: int, most: int, missing: Any = None) -> WholeNumber:
    """A whole number within bounds."""
    return WholeNumber(label, validators=[_presence(missing), Between(least, most)])


class Day(DateField):
    """A day of this century, as the browser's own date field sends it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(_shown_again(self, valuelist))
        except ValueError:
            raise ValueError(
                gettext("This is no date we can read: day, month, year.")
            ) from None

    def pre_validate(self, form: Any) -> None:
        super().pre_validate(form)
        if self.data is not None and not EARLIEST <= self.data <= LATEST:
            raise StopValidation(gettext("This day is too far away."))


class Hour(TimeField):
    """A time of day."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(
                [each[:5] for each in _shown_again(self, valuelist)]
            )
        except ValueError:
            raise ValueError(
                gettext("This is no time we can read: 9:30, for example.")
            ) from None


def _values(field: SelectFieldBase) -> set[Any]:
    options: Iterable[Any] = field.iter_choices()
    return {option.value for option in options}


class Tick(BooleanField):
    """A check box; it never shows again what a browser would not have sent."""

    def _value(self) -> str:
        return "y"


class OneOf(RadioField):
    """Radio buttons: none pressed is a question unanswered, not an error."""

    def pre_validate(self, form: Any) -> None:
        del form
        if self.data not in _values(self):
            raise StopValidation(gettext("Please choose one answer."))


class Pick(SelectField):
    """A drop-down list."""

    def pre_validate(self, form: Any) -> None:
        del form
        if self.data not in _values(self):
            # One sentence is enough, also for what is not even of the right type.
            self.errors = [gettext("Please choose one answer.")]
            raise StopValidation


class Several(SelectMultipleField):
    """Check boxes. What is not on the list is left out."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        del form
        known = _values(self)
        self.data = [each for each in dict.fromkeys(self.data or []) if each in known]


class AtLeastOne:
    """For ``Several``."""

    field_flags = {"required": True}  # noqa: RUF012 - WTForms reads it so

    def __init__(self, message: Any) -> None:
        self.message = message

    def __call__(self, _form: Form, field: Field) -> None:
        if not field.data:
            raise StopValidation(str(self.message))


def given(values: Sequence[str]) -> tuple[str, ...]:
    """The lines that say something."""
    return tuple(value for value in values if value)
