"""The host's answer by personal link: no account, one visit, nothing on GET."""

from __future__ import annotations

from flask import g, session, url_for
from flask.typing import ResponseReturnValue

from scheduler import clock
from scheduler.extensions import db
from scheduler.services.answer_links import holder_of
from scheduler.web.host import answer_bp as bp, answering
from scheduler.web.host.answering import Desk
from scheduler.web.signed_in import locale, machine

__all__ = ["bp"]


@bp.get("/<token>")
def answer(token: str) -> ResponseReturnValue:
    """Everything that matters, and three buttons; mail scanners may look too."""
    return answering.show(_desk(token))


@bp.post("/<token>/accept")
def accept(token: str) -> ResponseReturnValue:
    """Yes."""
    return answering.accept(_desk(token))


@bp.post("/<token>/decline")
def decline(token: str) -> ResponseReturnValue:
    """No, and why."""
    return answering.decline(_desk(token))


@bp.post("/<token>/propose")
def propose(token: str) -> ResponseReturnValue:
    """Other dates instead."""
    return answering.propose(_desk(token))


def _desk(token: str) -> Desk:
    """Who holds the link; its page speaks the holder's language unless told otherwise.

    Raises ``LinkSpent``, ``TooManyTries``.
    """
    holder = holder_of(db.session(), token, machine=machine(), now=clock.now())
    if "locale" not in session:
        g.locale = holder.locale
    return Desk(
        template="host/answer.html",
        actor=holder.actor,
        visit_id=holder.visit_id,
        locale=locale(),
        here=url_for("host_answer.answer", token=token),
        accept_url=url_for("host_answer.accept", token=token),
        decline_url=url_for("host_answer.decline", token=token),
        propose_url=url_for("host_answer.propose", token=token),
    )
