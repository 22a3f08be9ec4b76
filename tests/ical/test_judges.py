"""Independent libraries read what we give out: without complaint, and the same hours.

Three of them, of three families: icalendar (which also writes ours, so its word counts
least), vobject, and ical.js under Node.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import vobject
from icalendar import Calendar

from tests.conftest import lacking
from tests.ical.emitted import Emitted, around_the_clock_changes, everything
from tests.ical.samples import TWO_HOURS

PARIS = ZoneInfo("Europe/Paris")
JUDGES = Path(__file__).resolve().parent / "judges"
SHA256 = "6643f20634241dc040e02c2f10e3c48cf9bcda4b3180f4321a3d05a3a83dfe52"
ALL = everything()
CHANGING = around_the_clock_changes()


def name(each: Emitted) -> str:
    return each.name


@pytest.mark.parametrize("emitted", ALL, ids=name)
def test_icalendar_and_vobject_read_it_and_agree(emitted):
    read = Calendar.from_ical(emitted.octets)
    events = read.walk("VEVENT")
    seen = vobject.readOne(emitted.octets.decode("utf-8"))

    assert [each.errors for each in read.walk()] == [[]] * len(read.walk())
    assert seen.validate()
    assert len(events) == len(seen.vevent_list)
    for one, other in zip(events, seen.vevent_list, strict=True):
        assert str(one["UID"]) == other.uid.value
        assert str(one["SUMMARY"]) == other.summary.value
        assert int(one["SEQUENCE"]) == int(other.sequence.value)
        # Each makes the instant of the VTIMEZONE by itself.
        assert one.decoded("DTSTART") == other.dtstart.value.astimezone(UTC)
        assert one.decoded("DTEND") == other.dtend.value.astimezone(UTC)


@pytest.mark.parametrize("emitted", CHANGING, ids=name)
def test_the_hour_is_right_on_both_sides_of_both_changes(emitted):
    event = vobject.readOne(emitted.octets.decode("utf-8")).vevent

    assert event.dtstart.value.astimezone(UTC) == emitted.starts_at
    assert event.dtend.value.astimezone(UTC) == emitted.starts_at + TWO_HOURS
    written = event.dtstart.value.replace(tzinfo=None)
    assert written == emitted.starts_at.astimezone(PARIS).replace(tzinfo=None)


def test_ical_js_is_the_one_we_say():
    found = hashlib.sha256((JUDGES / "ical.min.mjs").read_bytes()).hexdigest()

    assert found == SHA256


@pytest.fixture(scope="module")
def read_by_ical_js() -> list[dict]:
    """What ical.js sees in every calendar, in one run."""
    node = shutil.which("node")
    if node is None:
        lacking("Node.js", remedy="install nodejs, for the judgement of ical.js")
    texts = [each.octets.decode("utf-8") for each in ALL]
    ran = subprocess.run(
        [node, str(JUDGES / "read.mjs")],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stderr == ""
    return json.loads(ran.stdout)


def test_ical_js_reads_every_calendar_and_agrees(read_by_ical_js):
    assert len(read_by_ical_js) == len(ALL)
    for emitted, seen in zip(ALL, read_by_ical_js, strict=True):
        calendar = Calendar.from_ical(emitted.octets)
        assert seen["method"] == str(calendar.get("METHOD", "")), emitted.name
        told = [
            {
                "uid": str(event["UID"]),
                "sequence": int(event["SEQUENCE"]),
                "status": str(event["STATUS"]),
                "summary": str(event["SUMMARY"]),
                "location": str(event["LOCATION"]),
                "starts_at": event.decoded("DTSTART").timestamp(),
                "ends_at": event.decoded("DTEND").timestamp(),
                "attendees": [str(event["ATTENDEE"])] if "ATTENDEE" in event else [],
            }
            for event in calendar.walk("VEVENT")
        ]
        assert seen["events"] == told, emitted.name


def test_ical_js_sees_the_same_instants_around_the_changes(read_by_ical_js):
    by_name = {each.name: seen for each, seen in zip(ALL, read_by_ical_js, strict=True)}

    for emitted in CHANGING:
        (event,) = by_name[emitted.name]["events"]
        found = datetime.fromtimestamp(event["starts_at"], tz=UTC)
        assert found == emitted.starts_at, emitted.name
