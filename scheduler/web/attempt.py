"""A form meets a service: what was typed stays, a refusal is shown with it (P10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from flask_wtf import FlaskForm

from scheduler.domain.refusals import NotFound, Refusal, Refused

Result = TypeVar("Result")
UNPROCESSABLE = 422


class ServiceForm(FlaskForm):
    """A form that remembers the refusals of the service it was sent to.

    ``places``: refusal code → name of the field that caused it; the others belong to
    the form as a whole.
    """

    places: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.refusals: list[Refusal] = []

    def refusals_at(self, field_name: str) -> list[Refusal]:
        """Refusals to be shown next to one field."""
        return [
            each for each in self.refusals if self.places.get(each.code) == field_name
        ]

    @property
    def refusals_elsewhere(self) -> list[Refusal]:
        """Refusals that no field of the form caused alone."""
        return [each for each in self.refusals if each.code not in self.places]


def attempt(form: ServiceForm, call: Callable[[], Result]) -> Result | None:
    """The service's result, or ``None`` after a refusal that the form now carries.

    Whoever may not do it at all still gets the page "not found".
    """
    try:
        return call()
    except NotFound:
        raise
    except Refused as refused:
        form.refusals = list(refused.refusals)
    except Refusal as refusal:
        form.refusals = [refusal]
    return None
