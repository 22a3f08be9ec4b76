"""What is read of a calendar that came back; tests/inbound holds whole messages."""

from datetime import UTC, datetime

import pytest

from scheduler.domain.inbound import CalendarAnswer, UnreadableAnswer
from scheduler.ical.answer import read_answer
from scheduler.ical.contentlines import LARGEST, MOST_LINES

STAMP = "20261123T081243Z"


def a_calendar(*lines: str, method: str = "REPLY", **instead: str) -> bytes:
    """A good answer with these lines added; ``uid=...`` replaces one, "" removes it."""
    properties = {
        "UID": "UID:u@campus.example",
        "DTSTAMP": f"DTSTAMP:{STAMP}",
        "ATTENDEE": "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example",
    }
    properties |= {name.upper(): line for name, line in instead.items()}
    written = [
        "BEGIN:VCALENDAR",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        *(line for line in properties.values() if line),
        *lines,
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(written).encode()


def read(*lines: str, **instead: str) -> CalendarAnswer:
    answer = read_answer(a_calendar(*lines, **instead))
    assert isinstance(answer, CalendarAnswer), answer
    return answer


def refused(*lines: str, **instead: str) -> str:
    answer = read_answer(a_calendar(*lines, **instead))
    assert isinstance(answer, UnreadableAnswer), answer
    return answer.code


def test_the_least_answer_is_read():
    answer = read()

    assert answer.method == "REPLY"
    assert answer.uid == "u@campus.example"
    assert answer.dtstamp == datetime(2026, 11, 23, 8, 12, 43, tzinfo=UTC)
    assert answer.sequence == 0
    assert answer.organizer == ""
    assert [line.address for line in answer.attendees] == ["a@b.example"]


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("ATTENDEE:mailto:a@b.example", "a@b.example"),
        ("attendee:MAILTO:A@B.Example", "a@b.example"),
        ("ATTENDEE:a@b.example", "a@b.example"),
        ("ATTENDEE:mailto:a%2Bx%40b.example?subject=x", "a+x@b.example"),
        ("ATTENDEE:mailto:<a@b.example>", "a@b.example"),
        ('ATTENDEE;CN="a:b;c,d":mailto:a@b.example', "a@b.example"),
        ('ATTENDEE;EMAIL="a@b.example":/principals/7/', "a@b.example"),
        ("ATTENDEE;EMAIL=a@b.example:urn:uuid:7", "a@b.example"),
        ("ATTENDEE;EMAIL=x@y.example:mailto:a@b.example", "a@b.example"),
        ("ATTENDEE:https://a@b.example/", ""),
        ("ATTENDEE:mailto:a b@c.example", ""),
        ("ATTENDEE:mailto:a@b.example%00", ""),
        ("ATTENDEE:mailto:@b.example", ""),
        ("ATTENDEE:invalid:nomail", ""),
        ("ATTENDEE:", ""),
    ],
)
def test_an_attendee_is_a_mail_address_or_nobody(line: str, address: str):
    assert read(attendee=line).attendees[0].address == address


@pytest.mark.parametrize(
    "line",
    ['ATTENDEE;CN=a"b:mailto:a@b.example', "ATTENDEE;X:mailto:a@b.example", "ATTENDEE"],
)
def test_a_line_that_is_malformed_says_nothing(line: str):
    assert read(attendee=line).attendees == ()


def test_delegation_and_representation_are_read():
    (line,) = read(
        attendee='ATTENDEE;PARTSTAT="delegated";SENT-BY="mailto:S@b.example";DELEGATED-TO='
        '"mailto:c@b.example","mailto:d@b.example";DELEGATED-FROM="mailto:e@b.example"'
        ":mailto:a@b.example"
    ).attendees

    assert line.partstat == "DELEGATED"
    assert line.sent_by == "s@b.example"
    assert line.delegated_to == ("c@b.example", "d@b.example")
    assert line.delegated_from == ("e@b.example",)


@pytest.mark.parametrize(
    ("lines", "comment"),
    [
        (
            ["COMMENT:Oui\\, volontiers\\; à demain\\nAnna"],
            "Oui, volontiers; à demain\nAnna",
        ),
        (["COMMENT:Un", "COMMENT;LANGUAGE=fr:Deux"], "Un\nDeux"),
        (["COMMENT;LANGUAGE=fr-FR:\\n"], ""),
        (["COMMENT:a\\n\\n\\n\\nb\u202e\u0007"], "a\n\nb"),
        (["X-COMMENT:a"], ""),
    ],
)
def test_a_comment_is_clean_text(lines: list[str], comment: str):
    assert read(*lines).comment == comment


def test_a_comment_is_cut():
    assert len(read("COMMENT:" + "a" * 2000).comment) == 500


@pytest.mark.parametrize(
    ("written", "comment"),
    [
        ('"a\\, b"', "a, b"),
        ("\"a^nb ^'c^' ^^\"", 'a\nb "c" ^'),
        ("plain words", "plain words"),
        ('"a\\nb"', "a\nb"),
        ('""', ""),
    ],
)
def test_google_puts_the_comment_into_a_parameter(written: str, comment: str):
    line = f"ATTENDEE;X-RESPONSE-COMMENT={written}:mailto:a@b.example"

    assert read(attendee=line).attendees[0].comment == comment


@pytest.mark.parametrize(
    ("start", "hour"),
    [
        ("DTSTART:20270114T130000Z", 13),
        ("DTSTART;TZID=Europe/Paris:20270114T140000", 13),
        ('DTSTART;TZID="Europe/Paris":20270114T140000', 13),
        ("DTSTART;TZID=Romance Standard Time:20270114T140000", 13),
        ("DTSTART;TZID=W. Europe Standard Time:20270114T140000", 13),
        ("DTSTART;TZID=GMT Standard Time:20270114T140000", 14),
        ("DTSTART:20270114T140000", 13),
        ("DTSTART;TZID=Europe/Paris:20270714T140000", 12),
    ],
)
def test_another_time_is_read_in_its_zone(start: str, hour: int):
    answer = read(start, method="COUNTER")

    assert answer.starts_at is not None
    assert (answer.starts_at.hour, answer.starts_at.tzinfo) == (hour, UTC)


@pytest.mark.parametrize(
    "start",
    [
        "DTSTART;VALUE=DATE:20270114",
        "DTSTART;TZID=Nowhere/Atall:20270114T140000",
        "DTSTART;TZID=../../etc/passwd:20270114T140000",
        "DTSTART:20270230T140000Z",
        "DTSTART:tomorrow",
        "DTSTART;TZID=Asia/Tokyo:00010101T000000",
        "X-START:20270114T140000Z",
    ],
)
def test_what_is_no_time_proposes_nothing(start: str):
    assert read(start, method="COUNTER").starts_at is None


@pytest.mark.parametrize(
    ("length", "minutes"),
    [("PT2H30M", 150), ("P1D", 1440), ("P1W", 10080), ("PT90M0S", 90)],
)
def test_a_length_tells_the_end(length: str, minutes: int):
    answer = read("DTSTART:20270114T130000Z", f"DURATION:{length}", method="COUNTER")

    assert answer.starts_at is not None
    assert answer.ends_at is not None
    assert (answer.ends_at - answer.starts_at).total_seconds() == 60 * minutes


@pytest.mark.parametrize(
    "lines",
    [
        ["DTSTART:20270114T130000Z"],
        ["DTSTART:20270114T130000Z", "DURATION:-PT1H"],
        ["DTSTART:20270114T130000Z", "DURATION:two hours"],
        ["DTSTART:99991231T235959Z", "DURATION:P900W"],
        ["DURATION:PT1H"],
    ],
)
def test_without_a_length_there_is_no_end(lines: list[str]):
    assert read(*lines, method="COUNTER").ends_at is None


def test_the_times_of_a_reply_are_not_read():
    answer = read("DTSTART:20270114T130000Z", "DTEND:20270114T150000Z")

    assert (answer.starts_at, answer.ends_at) == (None, None)


@pytest.mark.parametrize(
    ("written", "sequence"),
    [("0", 0), ("+3", 3), (" 7 ", 7), ("2147483647", 2**31 - 1)],
)
def test_a_sequence_is_a_number(written: str, sequence: int):
    assert read(f"SEQUENCE:{written}").sequence == sequence


@pytest.mark.parametrize("written", ["-1", "2147483648", "1.0", "", "٣", "0x1", "1e3"])
def test_a_sequence_that_is_no_such_number_is_refused(written: str):
    assert refused(f"SEQUENCE:{written}") == "bad_sequence"


@pytest.mark.parametrize(
    "written",
    ["DTSTAMP:20261123T081243", "DTSTAMP:20261123", "DTSTAMP:", "", "DTSTAMP;X:1"],
)
def test_a_stamp_is_in_utc(written: str):
    assert refused(dtstamp=written) == "bad_dtstamp"


def test_a_leap_second_is_no_mistake():
    assert read(dtstamp="DTSTAMP:20261231T235960Z").dtstamp.second == 59


@pytest.mark.parametrize(
    ("written", "code"),
    [("", "no_uid"), ("UID:  ", "no_uid"), ("UID:" + "a" * 256, "bad_uid"),
     ("UID:a\\nb", "bad_uid")],
)  # fmt: skip
def test_a_uid_is_short_and_plain(written: str, code: str):
    assert refused(uid=written) == code


@pytest.mark.parametrize(
    ("written", "organizer"),
    [
        (
            "ORGANIZER;CN=Visites:MAILTO:Visites@Campus.example",
            "visites@campus.example",
        ),
        ("ORGANIZER:invalid:nomail", ""),
        ("ORGANIZER:/o=exchange/cn=visites", "/o=exchange/cn=visites"),
    ],
)
def test_an_organizer_that_cannot_be_read_is_not_absent(written: str, organizer: str):
    assert read(written).organizer == organizer


@pytest.mark.parametrize("parameter", ["REPLY", "reply", " Reply ", ""])
def test_the_parameter_agrees_with_the_method(parameter: str):
    answer = read_answer(a_calendar(), method_parameter=parameter)

    assert isinstance(answer, CalendarAnswer)


def test_the_parameter_alone_is_a_method():
    calendar = a_calendar().replace(b"METHOD:REPLY\r\n", b"")

    answer = read_answer(calendar, method_parameter="reply")

    assert isinstance(answer, CalendarAnswer)
    assert answer.method == "REPLY"


def test_an_unreadable_answer_still_names_its_event():
    answer = read_answer(a_calendar("SEQUENCE:-1"))

    assert answer == UnreadableAnswer(code="bad_sequence", uid="u@campus.example")


@pytest.mark.parametrize(
    "calendar",
    [
        a_calendar().replace(b"\r\n", b"\n"),
        a_calendar().replace(b"\r\n", b"\r"),
        a_calendar().replace(b"\r\n", b"\r\r\n"),
        a_calendar().replace(b"\r\n", b"\r\n\r\n"),
        b"\xef\xbb\xbf" + a_calendar(),
        a_calendar().lower().replace(STAMP.lower().encode(), STAMP.encode()),
        a_calendar().replace(b"campus", b"cam\r\n pus").replace(b"ACC", b"AC\r\n\tC"),
    ],
    ids=["lf", "cr", "crcrlf", "blank lines", "byte order mark", "lower case", "folds"],
)
def test_other_ways_to_write_the_same(calendar: bytes):
    assert read_answer(calendar) == read()


@pytest.mark.parametrize(
    ("calendar", "code"),
    [
        (b"", "not_a_calendar"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "not_a_calendar"),
        (b"X:1\r\n" + a_calendar(), "not_a_calendar"),
        (a_calendar() + b"END:VCALENDAR\r\n", "broken_calendar"),
        (a_calendar() * 2, "several_calendars"),
        (b"\r\n" * (MOST_LINES + 1) + a_calendar(), "calendar_too_large"),
        (b"A:1\r\n" * (MOST_LINES - 1) + a_calendar(), "calendar_too_large"),
        (a_calendar() + b" " * LARGEST, "calendar_too_large"),
    ],
)
def test_what_is_no_calendar_is_refused(calendar: bytes, code: str):
    answer = read_answer(calendar)

    assert isinstance(answer, UnreadableAnswer)
    assert answer.code == code
