"""Our bounded readers say what the libraries say, where those can be trusted."""

import email
from datetime import UTC
from email.message import Message

import pytest
from icalendar import Calendar

from scheduler.domain.inbound import CalendarAnswer
from scheduler.ical.answer import read_answer
from scheduler.mail.mime import NotReadable, headers_of, line_ends, parts_of
from scheduler.mail.received import read_mail
from scheduler.wording import clean_text
from tests.inbound.messages import files, filled

# icalendar decodes before it unfolds, and replaces what is no UTF-8; we keep the words.
BETTER_WORDS = {
    "others/folded-inside-a-character.eml",
    "others/latin-1-called-utf-8.eml",
}
MAILS = [name for name in files() if filled(name).strip()]
WELL_ENCODED = [
    name
    for name in MAILS
    if not read_mail(filled(name)).problem
    and read_mail(filled(name)).calendar_problem != "bad_encoding"
]


def answered(name: str) -> bytes | None:
    """The calendar, if our reader makes an answer of it."""
    calendar = read_mail(filled(name)).calendar
    if calendar is None or not isinstance(read_answer(calendar), CalendarAnswer):
        return None
    return calendar


ANSWERS = [name for name in MAILS if answered(name)]


def leaves(message: Message) -> list[Message]:
    """Parts that hold no other; a message in a message stays closed."""
    if message.get_content_maintype() != "multipart" or not message.is_multipart():
        return [message]
    return [leaf for part in message.get_payload() for leaf in leaves(part)]


@pytest.mark.parametrize("name", MAILS)
def test_the_parts_are_those_of_the_library(name: str):
    octets = line_ends(filled(name))
    headers, at = headers_of(octets)

    ours = [
        (part.kind, part.headers.all("subject"))
        for part in parts_of(headers, octets[at:])
    ]

    theirs = [
        (leaf.get_content_type(), len(leaf.get_all("subject", [])))
        for leaf in leaves(email.message_from_bytes(octets))
    ]
    assert [(kind, len(subjects)) for kind, subjects in ours] == theirs


@pytest.mark.parametrize("name", WELL_ENCODED)
def test_the_calendar_is_that_of_the_library(name: str):
    octets = line_ends(filled(name))
    headers, at = headers_of(octets)

    ours = [
        line_ends(part.decoded()).strip()
        for part in parts_of(headers, octets[at:])
        if part.kind == "text/calendar"
    ]

    theirs = [
        line_ends(leaf.get_payload(decode=True)).strip()
        for leaf in leaves(email.message_from_bytes(octets))
        if leaf.get_content_type() == "text/calendar"
    ]
    assert ours == theirs


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_is_that_of_the_library(name: str):
    calendar = answered(name)
    assert calendar is not None

    ours = read_answer(calendar)

    (event,) = Calendar.from_ical(calendar).walk("VEVENT")
    people = event.get("ATTENDEE", [])
    people = people if isinstance(people, list) else [people]
    assert isinstance(ours, CalendarAnswer)
    assert ours.uid == str(event["UID"])
    assert ours.dtstamp == event.decoded("DTSTAMP").astimezone(UTC)
    assert ours.sequence == int(event.get("SEQUENCE", 0))
    theirs = clean_text(str(event.get("COMMENT", "")), 500)
    assert (ours.comment != theirs) == (name in BETTER_WORDS)
    assert [line.partstat for line in ours.attendees] == [
        str(person.params.get("PARTSTAT", "")).upper() for person in people
    ]
    if ours.method == "COUNTER" and ours.starts_at is not None:
        assert ours.starts_at == event.decoded("DTSTART").astimezone(UTC)


def test_a_lie_about_the_encoding_is_found_where_the_library_is_silent():
    octets = line_ends(filled("attackers/truncated-base64.eml"))
    headers, at = headers_of(octets)
    (part,) = parts_of(headers, octets[at:])

    with pytest.raises(NotReadable, match="bad_encoding"):
        part.decoded()
    assert email.message_from_bytes(octets).get_payload(decode=True)
