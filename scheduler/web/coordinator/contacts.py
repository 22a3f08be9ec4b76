"""The contacts of a company, when nobody there can change them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.refusals import NotFound
from scheduler.extensions import db
from scheduler.persistence.queries import host_pages
from scheduler.persistence.queries.host_pages import ContactLine, HostFacts
from scheduler.services import contacts as service
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt
from scheduler.web.contact_forms import ContactForm
from scheduler.web.coordinator import bp
from scheduler.web.signed_in import current_actor


@dataclass(frozen=True, kw_only=True)
class ContactsPage:
    host: HostFacts
    contacts: list[ContactLine]
    form: ServiceForm


@bp.get("/hosts/<id:host_id>/contacts")
def contacts(host_id: int) -> str:
    """Who is written to; the first one is the contact of the day."""
    return _page(host_id, ContactForm(formdata=None))


@bp.post("/hosts/<id:host_id>/contacts")
def add_contact(host_id: int) -> ResponseReturnValue:
    """The visits ahead come into the new contact’s calendar."""
    _host(host_id)
    form = ContactForm()
    if form.validate():
        attempt(
            form,
            lambda: service.add_contact(
                db.session(),
                host_id,
                name=form.name.data or "",
                email=form.email.data or "",
                phone=form.phone.data or "",
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if not form.refusals:
            flash(gettext("The new contact is told of every visit ahead."), "success")
            return redirect(url_for(".contacts", host_id=host_id), 303)
    return _page(host_id, form), UNPROCESSABLE


@bp.post("/hosts/<id:host_id>/contacts/<id:person_id>/remove")
def remove_contact(host_id: int, person_id: int) -> ResponseReturnValue:
    """The visits ahead leave the calendar of who is gone."""
    return _done(
        host_id,
        lambda: service.remove_contact(
            db.session(), host_id, person_id, by=current_actor(), now=clock.now()
        ),
        gettext("The contact is removed, and told so."),
    )


@bp.post("/hosts/<id:host_id>/contacts/<id:person_id>/first")
def put_first(host_id: int, person_id: int) -> ResponseReturnValue:
    """Who meets the classes from now on."""
    return _done(
        host_id,
        lambda: service.put_first(
            db.session(), host_id, person_id, by=current_actor(), now=clock.now()
        ),
        gettext("The contact of the day is changed."),
    )


def _done(host_id: int, step: Callable[[], None], told: str) -> ResponseReturnValue:
    form = ServiceForm()
    attempt(form, step)
    for words in form.form_errors:
        flash(words, "error")
    if not form.refusals:
        flash(told, "success")
    return redirect(url_for(".contacts", host_id=host_id), 303)


def _host(host_id: int) -> HostFacts:
    host = host_pages.host_facts(db.session(), host_id)
    if host is None:
        raise NotFound
    return host


def _page(host_id: int, form: ServiceForm) -> str:
    return render_template(
        "coordinator/contacts.html",
        page=ContactsPage(
            host=_host(host_id),
            contacts=host_pages.contacts_of_host(db.session(), host_id),
            form=form,
        ),
    )
