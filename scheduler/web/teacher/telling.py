"""Refusals of a service become mistakes of the form, so that one summary shows all.

The words stay in ``templates/_parts/refusals.html``.
"""

from __future__ import annotations

from flask import get_template_attribute

from scheduler.domain.refusals import Refusal
from scheduler.web.attempt import ServiceForm


def words_of(refusal: Refusal) -> str:
    """The sentence for one refusal, escaped once: it may quote what was typed."""
    sentence = get_template_attribute("_parts/refusals.html", "refusal_text")
    words: str = sentence(refusal)
    return words.strip()


def tell(form: ServiceForm) -> None:
    """Put each refusal next to the field that caused it, the others on top."""
    for refusal in form.refusals:
        name = form.places.get(refusal.code)
        if name is None or name not in form:
            form.form_errors.append(words_of(refusal))
        else:
            form[name].errors = [*form[name].errors, words_of(refusal)]
