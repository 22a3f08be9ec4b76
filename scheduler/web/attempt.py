"""A form meets a service: what was typed stays, a refusal is shown with it (P10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from flask import get_template_attribute
from flask_wtf import FlaskForm

from scheduler.domain.refusals import NotFound, Refusal, Refused

Result = TypeVar("Result")
UNPROCESSABLE = 422


class ServiceForm(FlaskForm):
    """A form that carries the refusals of the service it was sent to.

    ``places``: refusal code → name of the field that caused it; the others belong to
    the form as a whole.
    """

    places: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.refusals: list[Refusal] = []

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        """Make each refusal a mistake of the field that caused it, else of the form.

        A refusal is then shown, linked and read aloud as any other mistake is: by
        ``error_summary`` and the fields of ``templates/_parts/fields.html``.
        """
        self.refusals = [*self.refusals, *refusals]
        for refusal in refusals:
            words = words_of(refusal)
            name = self.places.get(refusal.code)
            if name is None or name not in self:
                self.form_errors = [*self.form_errors, words]
            else:
                self[name].errors = [*self[name].errors, words]

    @property
    def status(self) -> int:
        """The status of a page that shows this form."""
        return UNPROCESSABLE if self.errors else 200


def attempt(form: ServiceForm, call: Callable[[], Result]) -> Result | None:
    """The service's result, or ``None`` after a refusal that the form now carries.

    Whoever may not do it at all still gets the page "not found".
    """
    try:
        return call()
    except NotFound:
        raise
    except Refused as refused:
        form.refuse(refused.refusals)
    except Refusal as refusal:
        form.refuse([refusal])
    return None


def words_of(refusal: Refusal) -> str:
    """The sentence for one refusal, escaped once: it may quote what was typed."""
    sentence = get_template_attribute("_parts/refusals.html", "refusal_text")
    words: str = sentence(refusal)
    return words.strip()
