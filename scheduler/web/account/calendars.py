"""The calendars that somebody may subscribe to, and their addresses."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.wrappers import Response

from scheduler import clock
from scheduler.domain.feeds import FeedKind
from scheduler.extensions import db
from scheduler.services import subscriptions
from scheduler.services.subscriptions import Subscription
from scheduler.web.account import bp
from scheduler.web.signed_in import current_actor
from scheduler.web.subscribing import Addresses, addresses

KINDS = ", ".join(FeedKind)
WHICH = f"/calendars/<any({KINDS}):kind>/<id:organisation_id>"


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """``feed`` is ``None`` until it has an address. ``key`` is its anchor."""

    key: str
    kind: str
    organisation_id: int
    organisation_name: str
    feed: Addresses | None


@dataclass(frozen=True, kw_only=True)
class CalendarsPage:
    calendars: tuple[Calendar, ...]


@bp.get("/calendars")
def calendars() -> str:
    """What the viewer may follow."""
    mine = subscriptions.subscriptions(db.session(), by=current_actor())
    page = CalendarsPage(calendars=tuple(_calendar(each) for each in mine))
    return render_template("account/calendars.html", page=page)


@bp.post(WHICH)
def open_calendar(kind: str, organisation_id: int) -> ResponseReturnValue:
    """Give it an address."""
    subscriptions.open_feed(
        db.session(),
        FeedKind(kind),
        organisation_id,
        by=current_actor(),
        now=clock.now(),
    )
    flash(gettext("The calendar has an address: subscribe to it once."), "success")
    return _back(kind, organisation_id)


@bp.post(f"{WHICH}/renew")
def renew_calendar(kind: str, organisation_id: int) -> ResponseReturnValue:
    """Another address."""
    subscriptions.renew_feed(
        db.session(),
        FeedKind(kind),
        organisation_id,
        by=current_actor(),
        now=clock.now(),
    )
    flash(gettext("The calendar has a new address; the old one is dead."), "success")
    return _back(kind, organisation_id)


@bp.post(f"{WHICH}/close")
def close_calendar(kind: str, organisation_id: int) -> ResponseReturnValue:
    """No address any more."""
    subscriptions.close_feed(
        db.session(),
        FeedKind(kind),
        organisation_id,
        by=current_actor(),
        now=clock.now(),
    )
    flash(gettext("The address opens nothing any more."), "success")
    return _back(kind, organisation_id)


def _calendar(each: Subscription) -> Calendar:
    return Calendar(
        key=f"{each.kind}-{each.organisation_id}",
        kind=each.kind.value,
        organisation_id=each.organisation_id,
        organisation_name=each.organisation_name,
        feed=addresses(each.token) if each.token else None,
    )


def _back(kind: str, organisation_id: int) -> Response:
    anchor = f"{kind}-{organisation_id}"
    return redirect(url_for(".calendars", _anchor=anchor), 303)
