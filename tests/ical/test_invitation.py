"""What is in an invitation, octet by octet and as other libraries read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import vobject
from icalendar import Calendar

from scheduler.ical.invitation import cancel, public, publish, request
from tests.ical.samples import TUESDAY, TWO_HOURS, UID, an_entry

PARIS = ZoneInfo("Europe/Paris")
ASKED = (
    'CN="Camille Robert";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;'
    "ROLE=REQ-PARTICIPANT;RSVP=TRUE"
)
MADE = {"REQUEST": request, "CANCEL": cancel, "PUBLISH": publish}


def unfolded(octets: bytes) -> list[str]:
    return octets.decode("utf-8").replace("\r\n ", "").split("\r\n")


def the_event(octets: bytes):
    return Calendar.from_ical(octets).walk("VEVENT")[0]


@pytest.mark.parametrize("method", MADE)
def test_every_line_is_short_and_ends_as_the_standard_says(method):
    octets = MADE[method](an_entry(description="été ; " * 500))

    lines = octets.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert octets.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert b"\r" not in octets.replace(b"\r\n", b"")


@pytest.mark.parametrize("method", MADE)
def test_the_method_is_the_calendars_and_there_is_one_event(method):
    lines = unfolded(MADE[method](an_entry()))

    assert f"METHOD:{method}" in lines
    assert lines.count("BEGIN:VEVENT") == 1
    assert lines.count("BEGIN:VTIMEZONE") == 1
    assert "BEGIN:VALARM" not in lines
    assert not any(line.startswith(("X-", "CLASS", "CATEGORIES")) for line in lines)


def test_a_request_has_exactly_these_properties():
    lines = unfolded(request(an_entry(sequence=3)))
    event = lines[lines.index("BEGIN:VEVENT") : lines.index("END:VEVENT")]

    assert sorted(event) == sorted(
        [
            "BEGIN:VEVENT",
            f"UID:{UID}",
            "SEQUENCE:3",
            "DTSTAMP:20261123T093000Z",
            "CREATED:20261123T073000Z",
            "LAST-MODIFIED:20261123T093000Z",
            "DTSTART;TZID=Europe/Paris:20270112T090000",
            "DTEND;TZID=Europe/Paris:20270112T110000",
            "SUMMARY;LANGUAGE=fr:Visite : Atelier Clairmortaise\\, Clisson",
            "LOCATION:3 rue du Moulin\\, 44190 Clisson",
            "DESCRIPTION;LANGUAGE=fr:Accueil \\; bâtiment A\\nà 9 h",
            "URL:https://visites.example.org/visits/41",
            "GEO:47.09;-1.28",
            'ORGANIZER;CN="Visites d’entreprises":mailto:visites@example.org',
            f"ATTENDEE;{ASKED}:mailto:c.robert@example.org",
            "STATUS:CONFIRMED",
            "TRANSP:OPAQUE",
        ]
    )


def test_a_cancel_repeats_what_identifies_and_frees_the_time():
    asked = the_event(request(an_entry()))
    taken_back = the_event(cancel(an_entry(sequence=1)))

    for name in ("UID", "DTSTART", "DTEND", "ORGANIZER", "ATTENDEE", "SUMMARY"):
        assert taken_back[name] == asked[name]
    assert taken_back["SEQUENCE"] == 1
    assert taken_back["STATUS"] == "CANCELLED"
    assert taken_back["TRANSP"] == "TRANSPARENT"


def test_published_and_public_entries_name_no_reader():
    assert b"ATTENDEE" not in publish(an_entry())
    assert b"ORGANIZER" in publish(an_entry())
    for name in (b"ATTENDEE", b"ORGANIZER", b"METHOD"):
        assert name not in public(an_entry())


def test_no_answer_is_asked_where_the_teacher_wants_none():
    assert b"RSVP=FALSE" in request(an_entry(rsvp=False)).replace(b"\r\n ", b"")


def test_what_is_not_known_is_left_out():
    bare = an_entry(
        location="", description="", url=None, geo=None, created=None,
        last_modified=None, attendee_name="",
    )  # fmt: skip

    lines = unfolded(request(bare))

    absent = ("LOCATION", "DESCRIPTION", "URL", "GEO", "CREATED", "LAST-MODIFIED")
    assert not any(line.startswith(absent) for line in lines)
    assert not any("CN=;" in line or "CN=:" in line for line in lines)


# Both sides of both changes of the clock, and the hours of ordinary visits.
INSTANTS = [
    datetime(2027, 3, 27, 8, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 30, tzinfo=UTC),
    datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
    datetime(2027, 3, 29, 7, tzinfo=UTC),
    datetime(2026, 10, 24, 7, tzinfo=UTC),
    datetime(2026, 10, 25, 2, 30, tzinfo=UTC),
    datetime(2026, 10, 26, 8, tzinfo=UTC),
    datetime(2027, 10, 5, 7, tzinfo=UTC),
]


@pytest.mark.parametrize("starts_at", INSTANTS)
def test_two_other_readers_see_the_same_instants(starts_at):
    entry = an_entry(starts_at=starts_at, ends_at=starts_at + TWO_HOURS)

    octets = request(entry)

    read = the_event(octets)
    assert read.decoded("dtstart") == starts_at
    assert read.decoded("dtend") == starts_at + TWO_HOURS
    seen = vobject.readOne(octets.decode("utf-8")).vevent
    # vobject evaluates our VTIMEZONE by itself.
    assert seen.dtstart.value.astimezone(UTC) == starts_at
    assert seen.dtend.value.astimezone(UTC) == starts_at + TWO_HOURS


def test_an_entry_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="ends_before_it_starts"):
        request(an_entry(ends_at=TUESDAY - timedelta(minutes=1)))


@pytest.mark.parametrize(
    "address", ["", "nobody", "a b@example.org", "a@x.org\r\nX:y", "é@example.org"]
)
def test_an_address_that_cannot_be_written_is_refused(address):
    with pytest.raises(ValueError, match="bad_address"):
        request(an_entry(attendee_address=address))


def test_an_odd_address_becomes_a_proper_link():
    octets = request(an_entry(attendee_address="o'neil+a%b&c@example.org"))

    assert "mailto:o'neil+a%25b%26c@example.org" in "".join(unfolded(octets))


HOSTILE = [
    "x" * 10_000,
    "a\r\nATTENDEE:mailto:evil@example.org\r\nb",
    "a\rb\nc\x00d\x07e\x1bf\x7fg\x85h",
    "\u202egro.elpmaxe\u202c\u2066x\u2069\u200f\u2028y\u2029z",
    "🎉👩‍🔧 é e\u0301",
    "=?utf-8?q?a=0ABcc:_x@y?=",
    'a"b;c,d\\e:f^g',
    "\ud800\udfff",
    "<script>alert(1)</script>",
    "END:VEVENT",
]
TYPED = ("summary", "location", "description", "organizer_name", "attendee_name")


@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("field", TYPED)
def test_typed_text_stays_inside_its_property(field, typed):
    octets = request(an_entry(**{field: typed}))

    lines = unfolded(octets)
    assert all(line.isprintable() for line in lines)
    assert all(len(line) <= 75 for line in octets.split(b"\r\n"))
    assert sum(line.startswith("ATTENDEE") for line in lines) == 1
    assert lines.count("END:VEVENT") == 1
    calendar = Calendar.from_ical(octets)
    assert calendar.walk("VEVENT")[0].errors == []
    assert vobject.readOne(octets.decode("utf-8")).vevent.uid.value == UID


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https://x.org/a\r\nX-A:b", "https://x.org/é", "//x", ""],
)
def test_a_link_that_is_none_is_left_out(url):
    assert b"URL" not in request(an_entry(url=url))
