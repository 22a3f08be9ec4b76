"""What a month of an offer's slots holds: how full each is, and closed days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

from flask import request, url_for
from flask_babel import gettext, ngettext

from scheduler import wording
from scheduler.domain.localtime import instant, local_day
from scheduler.extensions import db
from scheduler.persistence.queries import host_pages
from scheduler.persistence.queries.host_pages import OfferFacts, SlotLine
from scheduler.web.month import (
    Content,
    Event,
    Sheet,
    asked_day,
    month_sheet,
    month_shown,
)
from scheduler.web.signed_in import locale

TONES = {
    "open": "open",
    "full": "full",
    "closed": "off",
    "cancelled": "off",
    "past": "off",
}


def month_of(offer: OfferFacts, now: datetime) -> Sheet:
    """The month asked for, with closed days; else that of the next slot."""
    on = _month_asked(offer.id, now)
    start, end = month_shown(on)
    found = host_pages.slots_between(
        db.session(),
        offer.id,
        start=instant(start, time()),
        end=instant(end, time()),
        now=now,
    )
    return month_sheet(
        on,
        Content(
            events=[_event(slot) for slot in found],
            closed=_closed_days(offer.host_id, start, end),
            url=lambda day: month_url(offer.id, day),
            today=local_day(now),
            locale=locale(),
        ),
    )


def _event(slot: SlotLine) -> Event:
    tone = TONES[slot.state]
    if slot.state == "cancelled":
        title = gettext("Cancelled slot")
    elif slot.state == "closed":
        title = gettext("Closed slot")
    elif slot.taken == 0:
        title = ngettext("%(num)s free seat", "%(num)s free seats", slot.seats)
    else:
        title = gettext(
            "%(taken)s of %(seats)s seats", taken=slot.taken, seats=slot.seats
        )
    return Event(
        on=local_day(slot.starts_at),
        time=wording.time_of_day(slot.starts_at, locale()),
        title=title,
        url=url_for("host.slot", slot_id=slot.id),
        tone="visit" if tone == "open" and slot.has_visits else tone,
    )


def _closed_days(host_id: int, start: date, end: date) -> Callable[[date], str | None]:
    """Why the company is closed on a day, its own reason first."""
    host = host_pages.host_facts(db.session(), host_id)
    own = host.closed_days if host else []
    schools = host_pages.closed_for_schools(db.session(), start=start, end=end)

    def closed(day: date) -> str | None:
        for ours in own:
            if ours.first_on <= day <= ours.last_on:
                return ours.reason or gettext("You are closed")
        for theirs in schools:
            if theirs.first_on <= day <= theirs.last_on:
                return theirs.name_en if locale() == "en" else theirs.name_fr
        return None

    return closed


def _month_asked(offer_id: int, now: datetime) -> date:
    """A day of the month asked for, else that of the next slot, else today."""
    following = host_pages.next_slot_after(db.session(), offer_id, now=now)
    asked = request.args.get("month", "")
    return asked_day(f"{asked}-01", default=local_day(following or now))


def month_url(offer_id: int, day: date) -> str:
    """The page that shows the month of that day."""
    return url_for("host.slots", offer_id=offer_id, month=f"{day:%Y-%m}")
