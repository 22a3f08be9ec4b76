"""The subscribed calendar."""

from __future__ import annotations

from datetime import timedelta

import vobject
from icalendar import Calendar

from scheduler.ical.feed import feed, matters
from tests.ical.samples import NOW, TUESDAY, a_feed_entry

DAY = timedelta(days=1)


def lines_of(octets: bytes) -> list[str]:
    return octets.decode("utf-8").replace("\r\n ", "").split("\r\n")


def test_the_head_of_a_feed():
    lines = lines_of(feed("Classe 4e B; visites, 2027", [], NOW))

    head = lines[: lines.index("BEGIN:VTIMEZONE")]
    assert sorted(head) == sorted(
        [
            "BEGIN:VCALENDAR",
            "PRODID:-//Company visits//Scheduler 1//FR",
            "VERSION:2.0",
            "CALSCALE:GREGORIAN",
            "NAME:Classe 4e B\\; visites\\, 2027",
            "X-WR-CALNAME:Classe 4e B\\; visites\\, 2027",
            "X-WR-TIMEZONE:Europe/Paris",
            "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
            "X-PUBLISHED-TTL:PT6H",
        ]
    )


def test_a_feed_has_no_method_and_no_people():
    octets = feed("Classe 4e B", [a_feed_entry()], NOW)

    for name in (b"METHOD", b"ORGANIZER", b"ATTENDEE", b"mailto:"):
        assert name not in octets


def test_a_cancelled_visit_is_shown_as_cancelled_for_a_month():
    cancelled = a_feed_entry(cancelled_at=NOW)

    soon = feed("Classe 4e B", [cancelled], NOW + 29 * DAY)
    later = feed("Classe 4e B", [cancelled], NOW + 31 * DAY)

    assert "STATUS:CANCELLED" in lines_of(soon)
    assert "BEGIN:VEVENT" not in lines_of(later)


def test_what_was_called_off_leaves_a_month_after_that_whatever_changes_later():
    cancelled = a_feed_entry(cancelled_at=NOW, last_modified=NOW + 20 * DAY)

    assert matters(cancelled, NOW)
    assert not matters(cancelled, NOW + 31 * DAY)


def test_a_year_back_and_all_ahead():
    assert matters(a_feed_entry(), TUESDAY + 366 * DAY)
    assert not matters(a_feed_entry(), TUESDAY + 367 * DAY)
    assert matters(a_feed_entry(), TUESDAY - 3000 * DAY)


def test_the_octets_depend_on_neither_the_order_given_nor_the_hour():
    early = a_feed_entry(uid="b@example.org")
    late = a_feed_entry(uid="a@example.org", starts_at=TUESDAY + DAY)
    twin = a_feed_entry(uid="c@example.org")

    assert feed("x", [late, twin, early], NOW) == feed("x", [early, late, twin], NOW)
    assert feed("x", [early], NOW) == feed("x", [early], NOW + DAY)


def test_other_readers_find_every_entry():
    entries = [
        a_feed_entry(uid=f"{number}@example.org", starts_at=TUESDAY + number * DAY)
        for number in range(60)
    ]

    octets = feed("Classe 4e B", entries, NOW)

    read = Calendar.from_ical(octets).walk("VEVENT")
    assert [event.decoded("dtstart") for event in read] == [
        entry.starts_at for entry in entries
    ]
    seen = vobject.readOne(octets.decode("utf-8"))
    assert [event.dtstart.value for event in seen.vevent_list] == [
        entry.starts_at for entry in entries
    ]


def test_a_hostile_name_stays_one_line():
    lines = lines_of(feed("a\r\nMETHOD:REQUEST\x00\u202e" + "x" * 10_000, [], NOW))

    assert not any(line.startswith("METHOD") for line in lines)
    assert all(line.isprintable() for line in lines)
