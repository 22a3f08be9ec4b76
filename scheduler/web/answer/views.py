"""The page behind the link of an invitation. Looking at it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.answers import Answer
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.services import answer_page
from scheduler.services.answer_page import Question
from scheduler.web.answer import bp
from scheduler.web.signed_in import machine

__all__ = ["bp"]


@dataclass(frozen=True, kw_only=True)
class AnswerPage:
    question: Question
    url: str


@bp.get("/<token>")
def ask(token: str) -> ResponseReturnValue:
    """The question, and the answer that counts now."""
    found = _question(token)
    if found.request_token:
        return redirect(url_for("host_answer.answer", token=found.request_token), 303)
    return render_template(
        "answer/ask.html",
        page=AnswerPage(question=found, url=url_for(".say", token=token)),
    )


@bp.post("/<token>")
def say(token: str) -> ResponseReturnValue:
    """One of the three buttons."""
    given = request.form.get("answer", "")
    if given not in set(Answer):
        raise NotFound
    found = _question(token)
    answer_page.say(
        db.session(), token, Answer(given), machine=machine(), now=clock.now()
    )
    flash(
        gettext("Thanks, your teacher sees it at once.")
        if found.student
        else gettext("Thank you, your answer is noted."),
        "success",
    )
    return redirect(url_for(".ask", token=token), 303)


def _question(token: str) -> Question:
    """Raises ``LinkSpent``, ``TooManyTries``."""
    found = answer_page.question(
        db.session(), token, machine=machine(), now=clock.now()
    )
    if "locale" not in session:
        g.locale = found.locale
    return found
