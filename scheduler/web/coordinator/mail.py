"""Mail that needs somebody: why it is stuck, once more, and to the right address."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scheduler import clock
from scheduler.domain.refusals import NotFound
from scheduler.domain.troubles import Trouble, trouble
from scheduler.extensions import db
from scheduler.persistence.queries import delivery_pages
from scheduler.persistence.queries.delivery_pages import Addressed, Stuck
from scheduler.services import outbox, people
from scheduler.services.health import LATE, Health, health
from scheduler.web.attempt import UNPROCESSABLE, ServiceForm, attempt
from scheduler.web.coordinator import bp
from scheduler.web.mail_forms import AddressForm
from scheduler.web.signed_in import current_actor

MOST = 100


@dataclass(frozen=True, kw_only=True)
class Line:
    mail: Stuck
    why: Trouble


@dataclass(frozen=True, kw_only=True)
class MailPage:
    """``number``: of all; the newest are shown."""

    lines: tuple[Line, ...]
    number: int
    health: Health


@dataclass(frozen=True, kw_only=True)
class AddressPage:
    form: ServiceForm
    person: Addressed


@bp.get("/mail")
def mail() -> str:
    """What did not arrive, and what waits for long."""
    now = clock.now()
    found = delivery_pages.stuck(db.session(), late=now - LATE, limit=MOST)
    return render_template(
        "coordinator/mail.html",
        page=MailPage(
            lines=tuple(
                Line(
                    mail=each,
                    why=trouble(each.error, bounce_status=each.bounce_status),
                )
                for each in found
            ),
            number=delivery_pages.stuck_number(db.session(), late=now - LATE),
            health=health(db.session(), now=now),
        ),
    )


@bp.post("/mail/<id:message_id>/retry")
def retry(message_id: int) -> ResponseReturnValue:
    """Once more, at once."""
    form = ServiceForm()
    attempt(form, lambda: outbox.retry(db.session(), message_id, now=clock.now()))
    for words in form.form_errors:
        flash(words, "error")
    if not form.refusals:
        flash(gettext("It is sent once more."), "success")
    return redirect(url_for(".mail"), 303)


@bp.get("/people/<id:person_id>/address")
def address(person_id: int) -> str:
    """The form that asks for the right address."""
    return _address_page(person_id, None)


@bp.post("/people/<id:person_id>/address")
def correct_address(person_id: int) -> ResponseReturnValue:
    """The right address of an adult; what did not arrive goes there."""
    form = AddressForm()
    if form.validate():
        attempt(
            form,
            lambda: people.correct_address(
                db.session(),
                person_id,
                form.address.data or "",
                by=current_actor(),
                now=clock.now(),
            ),
        )
        if not form.refusals:
            flash(gettext("The address is corrected; mail goes there now."), "success")
            return redirect(url_for(".mail"), 303)
    return _address_page(person_id, form), UNPROCESSABLE


def _address_page(person_id: int, form: ServiceForm | None) -> str:
    person = delivery_pages.addressed(db.session(), person_id)
    if person is None:
        raise NotFound
    form = form or AddressForm(formdata=None, address=person.email)
    return render_template(
        "coordinator/address.html", page=AddressPage(form=form, person=person)
    )
