"""The mail catcher: what is sent to it can be read, whatever was sent."""

from __future__ import annotations

import mailbox
import smtplib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest

from scheduler.demo.catcher import (
    Answers,
    Catcher,
    caught_keys,
    caught_mails,
    read_caught,
)
from scheduler.mail.mailboxes import Maildir
from scheduler.mail.smtp import SmtpPost
from tests.mail.peers import a_post_office, free_port
from tests.mail.samples import a_compose, a_message

COMPOSE = a_compose()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "instance" / "mailbox"


@pytest.fixture
def catcher(folder):
    with Catcher(folder, port=free_port()) as catcher:
        yield catcher


def hand_in(catcher: Catcher, *raws: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", catcher.port, timeout=5) as client:
        for raw in raws:
            client.sendmail("a@example.org", ["b@example.org"], raw)


def test_a_letter_of_ours_is_caught_as_it_was_sent(catcher, folder):
    letter = COMPOSE(a_message("visit_confirmed", method="REQUEST"))
    before = datetime.now(UTC)

    with SmtpPost(a_post_office(catcher.port)).connect() as courier:
        courier.send(letter)

    (mail,) = caught_mails(folder)
    assert mail.subject == letter.subject
    assert mail.to == "Camille Robert <c.robert@example.org>"
    assert mail.from_ == "Visites d’entreprises <visites@example.org>"
    assert mail.text == letter.text
    assert mail.html == letter.html
    assert mail.calendar == letter.calendar
    assert mail.method == "REQUEST"
    assert before.replace(microsecond=0) <= mail.received_at <= datetime.now(UTC)
    assert b"Message-ID: <41.2.a1b2c3@visites.example.org>\r\n" in mail.raw


def test_mails_are_listed_the_newest_first_in_the_order_of_arrival(catcher, folder):
    hand_in(catcher, *(b"Subject: %d\r\n\r\nx\r\n" % number for number in range(30)))

    subjects = [mail.subject for mail in caught_mails(folder)]

    assert subjects == [str(number) for number in reversed(range(30))]
    assert [mail.subject for mail in caught_mails(folder, limit=2)] == ["29", "28"]


def test_what_was_caught_outlives_the_server(folder):
    for number in range(2):
        with Catcher(folder, port=free_port()) as catcher:
            hand_in(catcher, b"Subject: %d\r\n\r\nx\r\n" % number)

    assert [mail.subject for mail in caught_mails(folder)] == ["1", "0"]


def test_an_empty_folder_that_somebody_made_becomes_the_mailbox(folder):
    folder.mkdir(parents=True)

    with Catcher(folder, port=free_port()) as catcher:
        hand_in(catcher, b"Subject: A\r\n\r\nB\r\n")

    assert [mail.subject for mail in caught_mails(folder)] == ["A"]


def test_an_empty_or_missing_folder_has_no_mails(folder):
    assert caught_keys(folder) == []
    assert caught_mails(folder) == []
    assert read_caught(folder, "1.M1P1Q1.host") is None
    assert not folder.exists()


@pytest.mark.parametrize(
    "key", ["", "x", "../../etc/passwd", "1.M1P1Q1.host", "1.M1P1Q1.../../x", "\x00"]
)
def test_a_key_that_is_none_finds_nothing(catcher, folder, key):
    hand_in(catcher, b"Subject: x\r\n\r\nx\r\n")

    assert read_caught(folder, key) is None


def test_a_foreign_file_in_the_folder_is_listed_last_and_not_read(catcher, folder):
    hand_in(catcher, b"Subject: x\r\n\r\nx\r\n")
    (folder / "new" / "notes").write_text("hello")

    assert caught_keys(folder)[-1] == "notes"
    assert [mail.subject for mail in caught_mails(folder)] == ["x"]


def test_a_mail_that_is_too_large_is_refused(catcher, folder):
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        hand_in(catcher, b"Subject: x\r\n\r\n" + b"x" * 3_000_000)

    assert refused.value.smtp_code == 552
    assert caught_keys(folder) == []


NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
    for n in range(1000)
)
PARTS = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 10_000
)
HOSTILE = {
    "empty": b"",
    "no header": b"\r\n\r\nhello",
    "octets": bytes(range(256)) * 50,
    "nested": NESTED,
    "nested a little": NESTED[:2000],
    "many parts": PARTS,
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\r\n\r\nx",
    "bad words": b"Subject: =?nope?q?=ff?= =?utf-8?b?!!!!?=\r\n\r\nx",
    "parameters": b"Content-Type: text/plain" + b"; a=b" * 20_000 + b"\r\n\r\nx",
    "sections": b"Content-Type: text/plain"
    + b"".join(b"; a*%d*=x" % n for n in range(20_000))
    + b"\r\n\r\nx",
    "charset": b"Content-Type: text/plain; charset=nope\r\n\r\n\xff\xfe",
    "codec": b"Content-Type: text/plain; charset=base64\r\n\r\nx",
    "encoding": b"Content-Transfer-Encoding: base64\r\n\r\n\xe9\xe9\xe9===",
    "uuencode": b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 666 x\r\n\xff",
    "calendar": b"Content-Type: text/calendar; method*=nope'x'%ff\r\n\r\nBEGIN:",
    "no method": b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR",
    "headers": b"X: y\r\n" * 30_000 + b"\r\nx",
    "mixed sections": b"Content-Type: text/plain; charset*=a; charset*0=b\r\n\r\nx",
    "container": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx",
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\nx",
    "message": b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx",
    "delivery report": b"Content-Type: message/delivery-status\r\n\r\nA: b\r\n\r\nC: d",
}


# A mail of the usual kind takes some hundred; the parsers' traps take millions.
MOST_CALLS = 500_000


@contextmanager
def calls_counted() -> Iterator[list[str]]:
    """The kinds of calls made inside, Python's and C's: work, whatever the machine."""
    calls: list[str] = []

    def count(_frame: object, event: str, _what: object) -> None:
        if event.endswith("call"):
            calls.append(event)

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_mail_is_listed_and_costs_little(folder, raw):
    folder.parent.mkdir(parents=True)
    key = mailbox.Maildir(str(folder), create=True).add(raw)

    with calls_counted() as calls:
        (mail,) = caught_mails(folder)

    assert len(calls) < MOST_CALLS
    assert mail.key == key
    assert mail.raw == raw
    assert len(mail.subject) <= 300
    assert mail.subject.isprintable()


def test_hostile_mails_over_smtp_do_not_stop_the_server(catcher, folder):
    taken = 0
    for raw in HOSTILE.values():
        # Lines that no mail may have are refused (RFC 5321 §4.5.3.1.6).
        with suppress(smtplib.SMTPDataError):
            hand_in(catcher, raw)
            taken += 1

    hand_in(catcher, b"Subject: last\r\n\r\nx\r\n")

    assert caught_mails(folder)[0].subject == "last"
    assert len(caught_keys(folder)) == taken + 1
    assert taken > len(HOSTILE) / 2


def test_mail_to_the_service_itself_goes_to_the_folder_that_it_reads(tmp_path):
    answers = Answers(
        mailbox=Maildir(folder=tmp_path / "answers"),
        addresses=frozenset({"visites@example.org"}),
    )
    box = tmp_path / "box"
    with Catcher(box, port=free_port(), answers=answers) as catcher:
        for to in ("Visites+b1-x@example.org", "lea@example.org"):
            with smtplib.SMTP("127.0.0.1", catcher.port) as server:
                server.sendmail("a@example.org", [to], b"Subject: hello\r\n\r\nHi\r\n")

    (arrived,) = answers.mailbox.arrived()
    assert arrived.octets.startswith(b"Delivered-To: Visites+b1-x@example.org\r\n")
    assert len(caught_keys(box)) == 1
