"""One click in a mail program, or one button on a page (RFC 8058)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler import clock
from scheduler.extensions import csrf, db
from scheduler.services import unsubscribing
from scheduler.services.unsubscribing import Subject
from scheduler.web.unsubscribe import bp

__all__ = ["bp"]

ONE_CLICK = ("List-Unsubscribe", "One-Click")


@dataclass(frozen=True, kw_only=True)
class UnsubscribePage:
    """``may_resume``: whether a second thought is possible without signing in."""

    token: str
    subject: str
    on: bool
    may_resume: bool


@bp.get("/<token>")
def look(token: str) -> str:
    """What the link is about, and the button: scanners open links too (P5)."""
    found = unsubscribing.look(db.session(), token)
    g.locale = found.locale
    page = UnsubscribePage(
        token=token,
        subject=found.subject.value,
        on=found.on,
        may_resume=found.subject is not Subject.DIGEST,
    )
    return render_template("unsubscribe/look.html", page=page)


@bp.post("/<token>")
@csrf.exempt
def end(token: str) -> ResponseReturnValue:
    """No session, no form of ours: the secret in the address is the permission.

    RFC 8058 §3.1: a mail program posts by itself, follows no redirect, shows no page.
    """
    unsubscribing.end(db.session(), token, now=clock.now())
    if request.form.get(ONE_CLICK[0]) == ONE_CLICK[1]:
        return Response("", 200, content_type="text/plain; charset=utf-8")
    return redirect(url_for(".look", token=token), 303)


@bp.post("/<token>/again")
def resume(token: str) -> ResponseReturnValue:
    """The click was not meant."""
    unsubscribing.resume(db.session(), token)
    return redirect(url_for(".look", token=token), 303)
