"""What the viewer is mailed."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.actors import Role
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.services import mail_choices
from scheduler.services.accounts import Viewer
from scheduler.web.account import bp
from scheduler.web.account.forms import MailsForm
from scheduler.web.attempt import UNPROCESSABLE
from scheduler.web.signed_in import current_viewer


@dataclass(frozen=True, kw_only=True)
class MailsPage:
    """``is_host``: whether students' answers are of any interest."""

    form: MailsForm
    email: str
    is_host: bool


@bp.get("/mails")
def mails() -> str:
    """As chosen now."""
    form = MailsForm(formdata=None)
    form.fill(mail_choices.choices_of(db.session(), _viewer().person_id))
    return _page(form)


@bp.post("/mails")
def choose_mails() -> ResponseReturnValue:
    """From now on; the language of this browser follows."""
    form = MailsForm()
    if not form.validate():
        return _page(form), UNPROCESSABLE
    wanted = form.choices(asks_summaries=_is_host())
    mail_choices.choose(db.session(), _viewer().person_id, wanted, now=clock.now())
    session["locale"] = wanted.locale
    flash(gettext("Your choice is kept."), "success")
    return redirect(url_for(".mails"), 303)


def _viewer() -> Viewer:
    viewer = current_viewer()
    if viewer is None:
        raise NotFound
    return viewer


def _is_host() -> bool:
    return bool(_viewer().actor.organisations(Role.HOST_CONTACT))


def _page(form: MailsForm) -> str:
    page = MailsPage(form=form, email=_viewer().email, is_host=_is_host())
    return render_template("account/mails.html", page=page)
