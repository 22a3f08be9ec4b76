"""Messages made to cost time or memory. Run as a program, it reads them under limits.

The kernel is the judge: one that takes more than its seconds of processor time, or
more memory than a small server has, ends the program with its name as the last word.
"""

import json
import resource
import sys
from collections.abc import Callable

from scheduler.domain.verdict import judge
from scheduler.ical.answer import read_answer
from scheduler.mail.received import read_mail
from tests.inbound.messages import NOW, SERVER, WAITING, filled

MEMORY = 400_000_000
SECONDS_EACH = 3

HEAD = (
    b"From: anna.vasseur@example.fr\r\nTo: visites@campus.example\r\n"
    b"Message-ID: <a@b>\r\nMIME-Version: 1.0\r\n"
)
CALENDAR = filled("davical/answer.eml").partition(b"\r\n\r\n")[2]
PART = b"Content-Type: text/calendar; method=REPLY\r\n\r\n" + CALENDAR
PLAIN = HEAD + b"Content-Type: text/plain\r\n\r\n"

BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {}


def bomb(code: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """Enter it in the table with the code that it must end with."""

    def entered(make: Callable[[], bytes]) -> Callable[[], bytes]:
        BOMBS[make.__name__] = (make, code)
        return make

    return entered


def multipart(parts: list[bytes], *, boundary: bytes = b"b") -> bytes:
    delimiter = b"\r\n--" + boundary
    body = b"".join(delimiter + b"\r\n" + part for part in parts)
    return (
        b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n'
        + body + delimiter + b"--\r\n"
    )  # fmt: skip


def nested(depth: int) -> bytes:
    inner = PART
    for level in range(depth):
        inner = multipart([inner], boundary=b"b%d" % level)
    return HEAD + inner


def calendar(inside: bytes) -> bytes:
    return HEAD + PART.replace(b"SUMMARY:", inside + b"\r\nSUMMARY:")


@bomb("too_large")
def thirty_megabytes() -> bytes:
    return PLAIN + b"A" * 30_000_000


@bomb("too_large")
def thirty_megabytes_of_attachment() -> bytes:
    photograph = b"Content-Type: image/jpeg\r\n\r\n" + b"/9j/4AAQSkZJRg\r\n" * 2_000_000
    return HEAD + multipart([PART, photograph])


@bomb("not_mail")
def thirty_megabytes_without_headers() -> bytes:
    return b"A" * 30_000_000


@bomb("header_too_large")
def thirty_megabytes_of_subject() -> bytes:
    return HEAD + b"Subject: " + b"A" * 30_000_000


@bomb("headers_too_large")
def ten_thousand_headers() -> bytes:
    return b"X-A: bbbbbbbbbbbb\r\n" * 10_000 + HEAD + PART


@bomb("empty")
def a_megabyte_of_blank_lines() -> bytes:
    return b"\r\n" * 500_000


@bomb("no_calendar")
def a_body_of_blank_lines() -> bytes:
    return PLAIN + b"\n" * 900_000


@bomb("no_calendar")
def a_body_of_carriage_returns() -> bytes:
    return PLAIN + b"\r" * 900_000


@bomb("too_many_parts")
def ten_thousand_parts() -> bytes:
    return HEAD + multipart([b"\r\nx"] * 10_000)


@bomb("too_many_parts")
def a_megabyte_of_delimiters() -> bytes:
    return HEAD + multipart([]).replace(b"--b--", b"--b\r\n" * 190_000)


@bomb("accepted")
def as_many_parts_as_allowed() -> bytes:
    return HEAD + multipart([PART] + [b"\r\nx"] * 98)


@bomb("too_many_parts")
def one_part_more() -> bytes:
    return HEAD + multipart([PART] + [b"\r\nx"] * 99)


@bomb("too_deep")
def thousand_levels() -> bytes:
    return nested(1000)


@bomb("accepted")
def as_deep_as_allowed() -> bytes:
    return nested(20)


@bomb("too_deep")
def one_level_more() -> bytes:
    return nested(21)


@bomb("too_deep")
def deep_and_full_of_lines() -> bytes:
    return nested(90) + b"\r\n--" * 200_000


@bomb("no_calendar")
def thousand_messages_in_messages() -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1000 + PART


@bomb("calendar_too_large")
def ten_thousand_attendees() -> bytes:
    return calendar(b"\r\n".join([b"ATTENDEE:mailto:a@b.example"] * 10_000))


@bomb("too_many_attendees")
def two_thousand_attendees() -> bytes:
    return calendar(b"\r\n".join([b"ATTENDEE:mailto:a@b.example"] * 2000))


@bomb("calendar_too_deep")
def thousand_components() -> bytes:
    return calendar(b"BEGIN:VALARM\r\n" * 1000)


@bomb("calendar_too_deep")
def two_thousand_alarms() -> bytes:
    return calendar(b"BEGIN:VALARM\r\nEND:VALARM\r\n" * 1400)


@bomb("calendar_too_large")
def calendar_of_one_line() -> bytes:
    return calendar(b"DESCRIPTION:" + b"A" * 900_000)


@bomb("accepted")
def long_line() -> bytes:
    return calendar(b"DESCRIPTION:" + b"A" * 190_000)


@bomb("calendar_too_large")
def calendar_of_folds() -> bytes:
    return calendar(b"DESCRIPTION:" + b"\r\n A" * 45_000)


@bomb("accepted")
def thousands_of_parameters() -> bytes:
    return calendar(b"COMMENT" + b";A=B" * 45_000 + b":x")


@bomb("accepted")
def thousands_of_quoted_values() -> bytes:
    return calendar(b"COMMENT;A=" + b'"x",' * 45_000 + b"x:x")


@bomb("accepted")
def a_parameter_of_quotes() -> bytes:
    return calendar(b"COMMENT;A=" + b'"' * 180_000)


@bomb("accepted")
def a_comment_of_backslashes() -> bytes:
    return calendar(b"COMMENT:" + b"\\" * 180_000)


@bomb("accepted")
def a_comment_of_accents() -> bytes:
    return calendar(b"COMMENT:e" + "\u0301\u0327".encode() * 45_000)


@bomb("bad_sequence")
def a_sequence_of_digits() -> bytes:
    return calendar(b"").replace(b"SEQUENCE:0", b"SEQUENCE:" + b"9" * 150_000)


@bomb("header_too_large")
def twenty_thousand_sections() -> bytes:
    """RFC 2231: 35 seconds in the library's default policy."""
    sections = b"".join(b";\r\n name*%d=a" % number for number in range(20_000))
    return HEAD + b"Content-Type: text/calendar" + sections + b"\r\n\r\nx"


@bomb("header_too_large")
def fifty_thousand_encoded_words() -> bytes:
    words = b"=?utf-8?q?a?=\r\n " * 50_000
    return HEAD + b"Subject: " + words + b"\r\n" + PART


@bomb("accepted")
def as_many_encoded_words_as_allowed() -> bytes:
    return HEAD + b"Subject: " + b"=?utf-8?q?a?=\r\n " * 450 + b"x\r\n" + PART


@bomb("accepted")
def a_subject_in_punycode() -> bytes:
    return HEAD + b"Subject: =?punycode?q?" + b"a" * 7000 + b"?=\r\n" + PART


@bomb("several_senders")
def a_sender_of_brackets() -> bytes:
    return HEAD.replace(b"From: ", b"From: " + b"<" * 7800) + PART


@bomb("several_senders")
def a_sender_of_commas() -> bytes:
    return HEAD.replace(b"From: ", b"From: " + b"a@b," * 1900) + PART


@bomb("several_senders")
def a_sender_of_comments() -> bytes:
    return HEAD.replace(b"From: ", b"From: " + b"(" * 7800) + PART


@bomb("wrong_sender")
def a_sender_of_quotes() -> bytes:
    return HEAD.replace(b"From: ", b"From: " + b'"\\' * 3800) + PART


@bomb("accepted")
def recipients_without_end() -> bytes:
    return (b"Cc: " + b"a" * 7800 + b"\r\n") * 7 + HEAD + PART


@bomb("accepted")
def relays_without_end() -> bytes:
    return (b"Received: for <" + b"a@" * 3800 + b"\r\n") * 7 + HEAD + PART


@bomb("no_calendar")
def content_types_of_quotes() -> bytes:
    part = b"Content-Type: text/plain" + b';a="' * 1900 + b"\r\n\r\nx"
    return HEAD + multipart([part] * 98)


@bomb("accepted")
def results_of_brackets() -> bytes:
    results = b"Authentication-Results: mx.campus.example; dmarc=fail "
    return results + b"(" * 3800 + b"policy." * 500 + b"\r\n" + HEAD + PART


@bomb("bad_encoding")
def a_megabyte_of_equals_signs() -> bytes:
    head = PART.partition(b"\r\n\r\n")[0]
    quoted = b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return HEAD + head + quoted + b"= " * 450_000


@bomb("no_calendar")
def a_page_of_styles() -> bytes:
    return HEAD + b"Content-Type: text/html\r\n\r\n" + b"<style " * 130_000


@bomb("several_calendars")
def many_calendars() -> bytes:
    parts = [PART.replace(b"SUMMARY:", b"SUMMARY:%d " % n) for n in range(98)]
    return HEAD + multipart(parts)


@bomb("unknown_bounce")
def ten_thousand_reported_recipients() -> bytes:
    group = b"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n"
    report = multipart(
        [b"Content-Type: message/delivery-status\r\n\r\n" + group * 9000]
    )
    return HEAD + report.replace(b"multipart/mixed;", b"multipart/report;")


def read(name: str) -> dict[str, object]:
    """The verdict, as the loop would come to it."""
    mail = read_mail(BOMBS[name][0](), authserv_id=SERVER)
    answer = read_answer(mail.calendar) if mail.calendar is not None else None
    verdict = judge(mail, answer, WAITING, now=NOW, bounced=False)
    return {"effect": verdict.effect.value, "code": verdict.code}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    for name in BOMBS:
        print(json.dumps({"name": name}), flush=True)
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + SECONDS_EACH
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
        print(json.dumps({"name": name} | read(name)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
