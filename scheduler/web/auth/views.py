"""Signing in by a mailed one-use link, signing out, and one's open sessions."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import login_required

from scheduler import clock
from scheduler.domain.refusals import LinkSpent, NotFound
from scheduler.extensions import db
from scheduler.services import accounts
from scheduler.web import signed_in
from scheduler.web.attempt import UNPROCESSABLE
from scheduler.web.auth import bp
from scheduler.web.auth.forms import SignInForm
from scheduler.web.auth.pages import SessionsPage, sessions_page
from scheduler.web.destinations import landing, local_path

__all__ = ["bp"]

ASKED_FOR = "asked_for"


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form; who is signed in already goes on."""
    wanted = local_path(request.args.get("next"))
    viewer = signed_in.current_viewer()
    if viewer is not None:
        return redirect(wanted or landing(viewer.actor), 303)
    return render_template("auth/sign_in.html", form=SignInForm(next=wanted))


@bp.post("/sign-in")
def ask_for_link() -> ResponseReturnValue:
    """The same answer whether the address is known or not."""
    form = SignInForm()
    if not form.validate():
        return render_template("auth/sign_in.html", form=form), UNPROCESSABLE
    address = form.email.data or ""
    accounts.ask_for_link(
        db.session(),
        address,
        machine=signed_in.machine(),
        next_path=local_path(form.next.data),
        now=clock.now(),
    )
    session[ASKED_FOR] = address
    return redirect(url_for(".link_sent"), 303)


@bp.get("/sign-in/sent")
def link_sent() -> str:
    """The mail is on its way."""
    return render_template(
        "auth/link_sent.html",
        address=session.get(ASKED_FOR, ""),
        minutes=int(accounts.LINK_LIFE.total_seconds() // 60),
    )


@bp.get("/sign-in/<token>")
def open_link(token: str) -> str:
    """Whose link it is, and one button: mail scanners open links too (P5)."""
    name = accounts.look_at_link(db.session(), token, now=clock.now())
    return render_template("auth/open_link.html", name=name, token=token)


@bp.post("/sign-in/<token>")
def use_link(token: str) -> ResponseReturnValue:
    """The link is spent; a session that was open here before ends."""
    former = signed_in.current_viewer()
    secret, wanted = accounts.sign_in(
        db.session(), token, browser=signed_in.browser(), now=clock.now()
    )
    if former is not None:
        _revoke(former)
    signed_in.begin(secret)
    viewer = signed_in.current_viewer()
    if viewer is None:
        raise NotFound
    return redirect(local_path(wanted) or landing(viewer.actor), 303)


@bp.errorhandler(LinkSpent)
def link_spent(_refusal: LinkSpent) -> ResponseReturnValue:
    """Used, too old, or never ours: the way to a new one."""
    return render_template("auth/link_spent.html"), 410


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """The session ends here and in the database."""
    viewer = signed_in.current_viewer()
    if viewer is not None:
        _revoke(viewer)
    signed_in.end()
    flash(_("You are signed out."), "success")
    return redirect(url_for("public.home"), 303)


@bp.get("/account/sessions")
@login_required
def sessions() -> str:
    """Where the viewer is signed in."""
    return render_template("auth/sessions.html", page=_sessions())


@bp.post("/account/sessions/<id:session_id>/end")
@login_required
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign out another browser, or this one."""
    accounts.revoke(
        db.session(), session_id, by=signed_in.current_actor(), now=clock.now()
    )
    flash(_("That browser is signed out."), "success")
    return redirect(url_for(".sessions"), 303)


def _sessions() -> SessionsPage:
    viewer = signed_in.current_viewer()
    if viewer is None:
        raise NotFound
    now = clock.now()
    live = accounts.sessions(db.session(), viewer.person_id, now=now)
    return sessions_page(live, viewer=viewer, locale=signed_in.locale())


def _revoke(viewer: accounts.Viewer) -> None:
    accounts.revoke(db.session(), viewer.session_id, by=viewer.actor, now=clock.now())
