"""Calendar files, byte for byte."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scheduler.ical.feed import feed
from scheduler.ical.invitation import cancel, public, publish, request
from tests import golden_files
from tests.ical.samples import NOW, TUESDAY, TWO_HOURS, a_feed_entry, an_entry

JUNE = TUESDAY + timedelta(days=140, hours=-1)
SUMMER = {"starts_at": JUNE, "ends_at": JUNE + TWO_HOURS}
MADE = {
    "request": lambda: request(an_entry()),
    "request_moved_to_summer": lambda: request(an_entry(sequence=1, **SUMMER)),
    "cancel": lambda: cancel(an_entry(sequence=2, **SUMMER)),
    "publish": lambda: publish(an_entry()),
    "public": lambda: public(an_entry()),
    "feed": lambda: feed(
        "Classe 4e B",
        [
            a_feed_entry(),
            a_feed_entry(uid="b@visites.example.org", cancelled_at=NOW, **SUMMER),
        ],
        NOW,
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_a_calendar_file_is_what_it_was(name):
    golden_files.check(f"ical/{name}.ics", MADE[name]())
