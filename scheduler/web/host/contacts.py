"""Our contacts: who is written to, who is met on the day."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.extensions import db
from scheduler.persistence.queries import host_pages
from scheduler.persistence.queries.host_pages import ContactLine, HostFacts
from scheduler.services import contacts as service
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt
from scheduler.web.contact_forms import ContactForm
from scheduler.web.host import bp
from scheduler.web.host.company import company, my_host
from scheduler.web.signed_in import current_actor


@dataclass(frozen=True, kw_only=True)
class ContactsPage:
    host: HostFacts
    contacts: list[ContactLine]
    form: ServiceForm


@bp.get("/contacts")
def contacts() -> ResponseReturnValue:
    """The first one is the contact of the day."""
    return _contacts(ContactForm(formdata=None))


@bp.post("/contacts")
def add_contact() -> ResponseReturnValue:
    """The visits ahead come into the new contact’s calendar."""
    form = ContactForm()
    if form.validate():
        attempt(
            form,
            lambda: service.add_contact(
                db.session(),
                company(),
                name=form.name.data or "",
                email=form.email.data or "",
                phone=form.phone.data or "",
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if not form.refusals:
            flash(gettext("The new contact is told of every visit ahead."), "success")
            return redirect(url_for("host.contacts"), 303)
    return _contacts(form), UNPROCESSABLE


@bp.post("/contacts/<id:person_id>/remove")
def remove_contact(person_id: int) -> ResponseReturnValue:
    """The visits ahead leave the calendar of who is gone."""
    form = ServiceForm()
    attempt(
        form,
        lambda: service.remove_contact(
            db.session(), company(), person_id, by=current_actor(), now=clock.now()
        ),
    )
    return _done(form, gettext("The contact is removed, and told so."))


@bp.post("/contacts/<id:person_id>/first")
def put_first(person_id: int) -> ResponseReturnValue:
    """Who meets the classes from now on."""
    form = ServiceForm()
    attempt(
        form,
        lambda: service.put_first(
            db.session(), company(), person_id, by=current_actor(), now=clock.now()
        ),
    )
    return _done(form, gettext("The contact of the day is changed."))


def _done(form: ServiceForm, told: str) -> ResponseReturnValue:
    for words in form.form_errors:
        flash(words, "error")
    if not form.refusals:
        flash(told, "success")
    return redirect(url_for("host.contacts"), 303)


def _contacts(form: ServiceForm) -> str:
    return render_template(
        "host/contacts.html",
        page=ContactsPage(
            host=my_host(),
            contacts=host_pages.contacts_of_host(db.session(), company()),
            form=form,
        ),
    )
