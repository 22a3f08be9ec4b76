"""The addresses under which calendar programs find one of our calendars."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from flask import current_app, url_for

CALENDAR = "text/calendar; charset=utf-8"
# Google's own page to subscribe; it takes the address as webcal.
GOOGLE = "https://calendar.google.com/calendar/r?cid="


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The same secret three times: to paste, to press, and for Google."""

    https: str
    webcal: str
    google: str


def addresses(token: str) -> Addresses:
    """Where the calendar behind the token is, as a mail would give it."""
    base = str(current_app.config["SETTINGS"].base_url).rstrip("/")
    https = base + url_for("feeds.calendar", token=token)
    webcal = f"webcal://{https.partition('://')[2]}"
    return Addresses(https=https, webcal=webcal, google=GOOGLE + quote(webcal, safe=""))
