"""Our hand-written zone against the tz database, as other programs evaluate it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from icalendar import Calendar, Timezone

from scheduler.ical.feed import feed
from scheduler.ical.zone import PARIS_ZONE, TZID
from tests.ical.samples import NOW, a_feed_entry

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("year", range(1997, 2061))
def test_the_zone_agrees_with_the_tz_database_around_both_changes(year):
    zone = tzical(StringIO(PARIS_ZONE.decode())).get(TZID)

    for month in (3, 10):
        for hours in range(24 * 31):
            utc = datetime(year, month, 1, tzinfo=UTC) + hours * HOUR
            if utc.day >= 24:
                wall = utc.astimezone(PARIS)
                naive = wall.replace(tzinfo=zone, fold=wall.fold)
                assert naive.utcoffset() == wall.utcoffset(), wall


def test_the_zone_is_written_as_icalendar_would():
    assert Timezone.from_ical(PARIS_ZONE).to_ical() == PARIS_ZONE


@pytest.mark.parametrize("number", [0, 1, 3])
def test_every_calendar_has_the_zone_once_and_first(number):
    typed = "\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n" * 9
    entries = [a_feed_entry(summary=typed, description=typed)] * number

    written = Calendar.from_ical(feed("a", entries, NOW))

    kinds = [one.name for one in written.subcomponents]
    assert kinds == ["VTIMEZONE"] + ["VEVENT"] * number
