"""UID, SEQUENCE and DTSTAMP."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from scheduler.ical.identity import new_uid, next_dtstamp, next_sequence

NOW = datetime(2027, 1, 12, 8, 0, 0, 400_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_uid_is_random_and_of_our_domain():
    first, second = new_uid("example.org"), new_uid("example.org")

    assert first != second
    assert re.fullmatch(r"[0-9a-f-]{36}@example\.org", first)


def test_the_first_sequence_is_zero_and_every_later_one_is_higher():
    assert next_sequence(None) == 0
    assert next_sequence(0) == 1
    assert next_sequence(7) == 8


def test_a_dtstamp_is_a_whole_second():
    assert next_dtstamp(None, now=NOW) == NOW.replace(microsecond=0)


def test_dtstamps_grow_within_one_second_and_when_the_clock_was_set_back():
    last = NOW.replace(microsecond=0)

    assert next_dtstamp(last, now=NOW) == last + SECOND
    assert next_dtstamp(last, now=NOW - timedelta(hours=1)) == last + SECOND
    assert next_dtstamp(last, now=NOW + 5 * SECOND) == last + 5 * SECOND
