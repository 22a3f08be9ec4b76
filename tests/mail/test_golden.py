"""Every mail that people receive, in both languages, byte for byte."""

from __future__ import annotations

import pytest
import vobject
from icalendar import Calendar

from scheduler.mail.letter import Letter
from scheduler.paths import TEMPLATES
from tests import golden_files
from tests.mail.samples import KINDS, NOW, SHAPES, a_compose, sample

COMPOSE = a_compose()
LOCALES = ("fr", "en")
NAMES = [f"{kind}-{audience}" if audience else kind for kind, audience, *_ in KINDS]


@pytest.fixture(params=KINDS, ids=NAMES)
def line(request: pytest.FixtureRequest):
    return request.param


@pytest.mark.parametrize("locale", LOCALES)
def test_a_mail_is_what_it_was(line, locale):
    kind, audience, method, special = line

    letter = COMPOSE(sample(kind, audience, method, special, locale=locale))

    check(letter, f"mail/{kind}/{audience or 'anybody'}.{locale}")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("shape", SHAPES, ids=["-".join(each[:3]) for each in SHAPES])
def test_a_mail_that_asks_for_an_answer_is_what_it_was(shape, locale):
    name, kind, audience, method, special, reads_answers = shape
    message = sample(kind, audience, method, special, locale=locale)

    letter = a_compose(reads_answers=reads_answers)(message)

    check(letter, f"mail/{kind}/{audience}-{name}.{locale}")
    if "answer_link" in message.payload:
        link = "https://visites.example.org/r/secret-5"
        assert link in unfolded(letter.calendar)
        # A company that is asked for a visit has its own page to answer.
        is_asked_for = message.payload["visit"]["state"] == "requested"
        assert (link in letter.text) is not is_asked_for


def unfolded(calendar: bytes) -> str:
    return calendar.decode().replace("\r\n ", "")


def check(letter: Letter, name: str) -> None:
    """The subject and text, the HTML and the calendar part, if there is one."""
    text = f"Subject: {letter.subject}\n\n{letter.text}"
    golden_files.check(f"{name}.txt", text.encode())
    golden_files.check(f"{name}.html", letter.html.encode())
    if letter.method is None:
        assert letter.calendar is None
    else:
        golden_files.check(f"{name}.ics", letter.calendar)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_calendar_part_is_read_back_by_two_libraries(line, locale):
    kind, audience, method, special = line
    message = sample(kind, audience, method, special, locale=locale)
    letter = COMPOSE(message)
    if method is None:
        return

    read = Calendar.from_ical(letter.calendar)
    event = read.walk("VEVENT")[0]
    seen = vobject.readOne(letter.calendar.decode("utf-8"))

    starts_at = message.payload["visit"]["starts_at"]
    assert read["METHOD"] == seen.method.value == method == letter.method
    assert event["UID"] == seen.vevent.uid.value == message.uid
    assert event["SEQUENCE"] == int(seen.vevent.sequence.value) == message.sequence
    assert event.decoded("dtstamp") == seen.vevent.dtstamp.value == NOW
    assert event.decoded("dtstart").isoformat() == seen.vevent.dtstart.value.isoformat()
    assert event.decoded("dtstart") == _instant(starts_at)
    assert event["ATTENDEE"] == f"mailto:{message.recipient_address}"


def _instant(text: str):
    return type(NOW).fromisoformat(text)


def test_every_folder_of_templates_has_its_golden_files():
    folders = {path.parent.name for path in (TEMPLATES / "mail").glob("*/subject.txt")}

    assert folders == {kind for kind, *_ in KINDS}
    for folder in folders:
        found = {path.name for path in (TEMPLATES / "mail" / folder).iterdir()}
        assert found == {"subject.txt", "body.txt", "body.html"}
