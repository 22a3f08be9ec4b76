"""Our hand-written zone against the tz database, as other programs evaluate it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical

from scheduler.ical.zone import TZID, paris

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("year", range(1997, 2061))
def test_the_zone_agrees_with_the_tz_database_around_both_changes(year):
    text = paris().to_ical().decode()
    zone = tzical(StringIO(text)).get(TZID)

    for month in (3, 10):
        for hours in range(24 * 31):
            utc = datetime(year, month, 1, tzinfo=UTC) + hours * HOUR
            if utc.day >= 24:
                wall = utc.astimezone(PARIS)
                naive = wall.replace(tzinfo=zone, fold=wall.fold)
                assert naive.utcoffset() == wall.utcoffset(), wall


def test_each_calendar_gets_a_zone_of_its_own():
    assert paris() is not paris()
    assert paris().to_ical() == paris().to_ical()
