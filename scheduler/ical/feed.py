"""A calendar that people subscribe to: a class, a teacher, a host.

No METHOD, no ORGANIZER, no ATTENDEE: with them some calendars take the feed for
invitations and mail acceptances. A feed URL is a password that gets shared all the
same, so an entry holds no student's name and no personal link; what to put in is the
caller's choice, what never to put in has no field here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import vDuration, vText

from scheduler.ical.entry import Occasion, calendar, event, octets
from scheduler.ical.zone import TZID
from scheduler.wording import clean_line

SHOWN_BEFORE = timedelta(days=366)
CANCELLED_SHOWN = timedelta(days=30)
REFRESH = timedelta(hours=6)
NAME_LIMIT = 100


@dataclass(frozen=True, kw_only=True)
class FeedEntry(Occasion):
    """An occasion and when it was called off, if it was."""

    cancelled_at: datetime | None = None


def feed(name: str, entries: Iterable[FeedEntry], now: datetime) -> bytes:
    """The entries that still matter, always in the same order.

    Nothing in it depends on ``now`` but the choice of entries, so that the octets (and
    the ETag made of them) stay the same until something changes. DTSTAMP is the last
    change: RFC 5545 §3.8.7.2 says so where there is no METHOD.
    """
    subscribed = calendar()
    # Set as text: what icalendar does not know by name it would write unescaped.
    subscribed["name"] = vText(clean_line(name, NAME_LIMIT))
    subscribed["x-wr-calname"] = vText(clean_line(name, NAME_LIMIT))
    subscribed["x-wr-timezone"] = vText(TZID)
    # RFC 7986 §5.7 requires VALUE=DURATION, which icalendar's attribute leaves out.
    subscribed.add(
        "refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"}
    )
    subscribed.add("x-published-ttl", vDuration(REFRESH))
    for entry in sorted(entries, key=lambda entry: (entry.starts_at, entry.uid)):
        if matters(entry, now):
            off = entry.cancelled_at is not None
            shown = event(entry, status="CANCELLED" if off else "CONFIRMED")
            shown.add("transp", "TRANSPARENT" if off else "OPAQUE")
            subscribed.add_component(shown)
    return octets(subscribed)


def matters(entry: FeedEntry, now: datetime) -> bool:
    """A year back and all ahead; what was called off is shown so for a month."""
    if entry.ends_at < now - SHOWN_BEFORE:
        return False
    off = entry.cancelled_at
    return off is None or off >= now - CANCELLED_SHOWN
