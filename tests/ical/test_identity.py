"""UIDs."""

from __future__ import annotations

import re

from scheduler.ical.identity import new_uid


def test_a_uid_is_random_and_of_our_domain():
    first, second = new_uid("example.org"), new_uid("example.org")

    assert first != second
    assert re.fullmatch(r"[0-9a-f-]{36}@example\.org", first)
