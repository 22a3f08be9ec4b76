"""Letters over real SMTP: their shape on the wire, and every way it can go wrong."""

from __future__ import annotations

import re
import smtplib
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default

import pytest

from scheduler.mail.dialogue import hand_in
from scheduler.mail.letter import Deferred, Letter, Undeliverable, Unreachable
from scheduler.mail.smtp import InviteMail, SafeMail, SmtpPost
from scheduler.mail.wire import WIRE
from tests.mail.peers import Peer, a_certificate, a_post_office, free_port, real_server
from tests.mail.samples import NOW, a_compose, a_message
from tests.mail.test_compose import HOSTILE, harmless

COMPOSE = a_compose()
# What the server offers, or not: three commands of a letter in one go.
HURRIED = {"EHLO": "250-peer\r\n250-SIZE 9999999\r\n250 PIPELINING"}
OFFERS = pytest.mark.parametrize("offer", [{}, HURRIED], ids=["slow", "hurried"])


def a_letter(**changes: object) -> Letter:
    letter = COMPOSE(a_message("visit_confirmed", method="REQUEST"))
    return replace(letter, **changes)


def on_the_wire(letter: Letter) -> bytes:
    with a_post_office(25).app_context():
        return InviteMail(letter).as_bytes()


def send(port: int, *letters: Letter, **config: object) -> None:
    with SmtpPost(a_post_office(port, **config)).connect() as courier:
        for letter in letters:
            courier.send(letter)


# ------------------------------------------------------------------ the shape


def test_the_calendar_part_is_last_in_the_alternative_and_beside_it():
    letter = a_letter()

    mail = message_from_bytes(on_the_wire(letter), policy=default)

    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    *_, text, html, calendar, attached = mail.walk()
    assert text.get_content().replace("\r\n", "\n") == letter.text
    assert html.get_content().replace("\r\n", "\n") == letter.html
    assert calendar.get_payload(decode=True) == letter.calendar
    assert attached.get_payload(decode=True) == letter.calendar
    assert attached.get_filename() == "invite.ics"
    assert "Content-Disposition" not in calendar


def test_the_method_is_there_unquoted_and_equal_to_the_calendars():
    for method in ("REQUEST", "CANCEL"):
        kind = "visit_confirmed" if method == "REQUEST" else "visit_cancelled"
        octets = on_the_wire(COMPOSE(a_message(kind, method=method)))

        head = f"Content-Type: text/calendar; charset=UTF-8; method={method}\r\n"
        assert head.encode() in octets


def test_a_letter_without_a_calendar_is_an_alternative_only():
    octets = on_the_wire(COMPOSE(a_message("visit_declined")))

    mail = message_from_bytes(octets, policy=default)
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_lines_are_short_seven_bit_and_end_as_they_must():
    octets = on_the_wire(a_letter())

    assert octets.isascii()
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert b"\r" not in octets.replace(b"\r\n", b"")
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    encodings = re.findall(rb"Content-Transfer-Encoding: (\S+)", octets)
    assert encodings == [
        b"quoted-printable", b"quoted-printable", b"base64", b"base64"
    ]  # fmt: skip


def test_the_headers():
    mail = message_from_bytes(on_the_wire(a_letter()), policy=default)

    assert mail["To"] == "Camille Robert <c.robert@example.org>"
    assert mail["From"] == "Visites d’entreprises <visites@example.org>"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<41.2.a1b2c3@visites.example.org>"
    assert mail["In-Reply-To"] == "<41.0.d4e5f6@visites.example.org>"
    assert mail["References"] == "<41.0.d4e5f6@visites.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    for absent in ("Cc", "Bcc", "Reply-To", "List-Unsubscribe"):
        assert absent not in mail


def test_the_first_letter_of_a_thread_refers_to_none():
    mail = message_from_bytes(on_the_wire(a_letter(references=())))

    assert "References" not in mail
    assert "In-Reply-To" not in mail


def test_a_message_id_gets_its_brackets_once():
    bare = message_from_bytes(on_the_wire(a_letter(message_id="a@example.org")))

    assert bare["Message-ID"] == "<a@example.org>"


def test_a_name_with_a_comma_is_one_name():
    octets = on_the_wire(a_letter(recipient_name="Robert, Camille"))

    mail = message_from_bytes(octets, policy=default)
    assert [one.display_name for one in mail["To"].addresses] == ["Robert, Camille"]
    assert [one.addr_spec for one in mail["To"].addresses] == ["c.robert@example.org"]


def test_a_long_subject_with_accents_keeps_its_blanks():
    words = (
        "Dans une semaine, le lundi 30 novembre\u00a0: 2nde 7, Lycée général et "
        "technologique du Belvédère (fictif)"
    )

    mail = message_from_bytes(on_the_wire(a_letter(subject=words)), policy=default)

    assert mail["Subject"] == words


@pytest.mark.parametrize("typed", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_and_subjects_make_no_headers(typed):
    letter = a_letter(
        subject=typed,
        recipient_name=typed,
        sender_name=typed,
        headers=(("X-Visit", typed),),
    )

    mail = message_from_bytes(on_the_wire(letter), policy=default)

    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
        "X-Visit", "MIME-Version", "Content-Type",
    }  # fmt: skip
    for name in ("Subject", "To", "From", "X-Visit"):
        assert harmless(str(mail[name]))
    assert [one.addr_spec for one in mail["To"].addresses] == ["c.robert@example.org"]
    assert [one.addr_spec for one in mail["From"].addresses] == ["visites@example.org"]


# ------------------------------------------------------------------ sending


def test_one_connection_carries_many_letters():
    letters = [a_letter(message_id=f"<{number}@example.org>") for number in range(20)]
    with real_server() as (port, kept):
        send(port, *letters)

    assert kept.connections == 1
    assert len(kept.letters) == 20
    assert kept.envelopes[0] == ("visites@example.org", ("c.robert@example.org",))


def test_bounces_go_to_an_address_of_the_letters_own():
    with real_server() as (port, kept):
        send(port, a_letter(envelope_from="bounce+41@example.org"))

    assert kept.envelopes[0][0] == "bounce+41@example.org"
    assert b"bounce+41" not in kept.letters[0]


def test_a_foreign_domain_is_sent_in_ascii():
    with real_server() as (port, kept):
        send(port, a_letter(recipient_address="lea@écoles.example"))

    assert kept.envelopes[0][1] == ("lea@xn--coles-9ra.example",)


def test_a_new_connection_after_as_many_letters_as_the_server_likes():
    with real_server() as (port, kept):
        send(port, *[a_letter()] * 5, MAIL_MAX_EMAILS=2)

    assert kept.connections == 3
    assert len(kept.letters) == 5


def test_nobody_is_called_when_there_is_nothing_to_send():
    with SmtpPost(a_post_office(free_port())).connect():
        pass


def test_suppressed_mail_is_still_recorded():
    app = a_post_office(free_port(), MAIL_SUPPRESS_SEND=True)
    mail = SafeMail()
    mail.init_app(app)

    with mail.record_messages() as recorded, SmtpPost(app).connect() as courier:
        courier.send(a_letter())

    assert [each.recipients for each in recorded] == [["c.robert@example.org"]]
    assert b"text/calendar" in recorded[0].as_string().encode()


def test_the_extension_needs_its_application():
    with pytest.raises(RuntimeError, match="mail_without_application"):
        SafeMail().connect()


def test_flask_mails_own_way_uses_the_safe_connection():
    with real_server() as (port, kept):
        app = a_post_office(port)
        mail = SafeMail()
        mail.init_app(app)
        with app.app_context(), mail.connect() as connection:
            connection.deliver(InviteMail(a_letter()))

    assert len(kept.letters) == 1


# ------------------------------------------------------------------ what goes wrong


def test_what_a_server_answers_is_kept_without_the_address():
    script = {"RCPT": "550 5.1.1 <ana@example.net>: no such user"}

    with Peer(script) as peer, pytest.raises(Undeliverable) as failure:
        send(peer.port, a_letter())

    assert str(failure.value) == "recipient_refused: 550 5.1.1 … no such user"


@OFFERS
@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        ({"RCPT": "550 no such user"}, Undeliverable, "recipient_refused"),
        ({"RCPT": "450 mailbox busy"}, Deferred, "recipient_refused"),
        ({"RCPT": "421 going down"}, Deferred, "recipient_refused"),
        ({"EHLO": "500 what", "HELO": "500 what"}, Deferred, "connection_lost"),
        ({"MAIL": "550 who are you"}, Deferred, "sender_refused"),
        ({"MAIL": "552 too large"}, Undeliverable, "sender_refused"),
        ({"MAIL": "451 later"}, Deferred, "sender_refused"),
        ({"DATA": "554 no"}, Undeliverable, "message_refused"),
        ({"DATA": "451 later"}, Deferred, "message_refused"),
        ({".": "554 spam"}, Undeliverable, "message_refused"),
        ({".": "452 full"}, Deferred, "message_refused"),
        ({".": "drop"}, Deferred, "connection_lost"),
        ({"DATA": "drop"}, Deferred, "connection_lost"),
        ({"RCPT": "drop"}, Deferred, "connection_lost"),
        ({".": "silence"}, Deferred, "connection_lost"),
        ({"hello": "554 no service"}, Unreachable, "no_connection"),
        ({"hello": "drop"}, Unreachable, "no_connection"),
        ({"hello": "silence"}, Unreachable, "no_connection"),
    ],
)
def test_a_failure_is_told_as_what_it_is(script, kind, reason, offer):
    with (
        Peer(offer | script) as peer,
        pytest.raises((Deferred, Undeliverable)) as failure,
    ):
        send(peer.port, a_letter(), MAIL_TIMEOUT=0.5)

    assert type(failure.value) is kind
    assert failure.value.reason == reason
    assert failure.value.answer


def test_the_answer_of_the_server_is_kept_clean_and_short():
    rude = "550 " + "\u202eno\x07 " + "x" * 400
    with Peer({"RCPT": rude}) as peer, pytest.raises(Undeliverable) as failure:
        send(peer.port, a_letter())

    assert harmless(failure.value.answer)
    assert failure.value.answer.startswith("550 no")
    assert len(failure.value.answer) <= 200


@OFFERS
@pytest.mark.parametrize(
    "script",
    [{".": "drop"}, {"RCPT": "421 going down"}, {"DATA": "421 bye"}, {"MAIL": "421 x"}],
)
def test_after_a_lost_connection_the_next_letter_gets_a_new_one(script, offer):
    with Peer(offer | script, offer) as peer:
        post = SmtpPost(a_post_office(peer.port))
        with post.connect() as courier:
            with pytest.raises(Deferred):
                courier.send(a_letter())
            courier.send(a_letter())

    assert peer.seen[1] == ["EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"]


def test_a_refused_letter_does_not_end_the_connection():
    with (
        Peer({"RCPT": "550 no"}) as peer,
        SmtpPost(a_post_office(peer.port)).connect() as courier,
    ):
        for _ in range(3):
            with pytest.raises(Undeliverable):
                courier.send(a_letter())

    assert peer.seen == [["EHLO", *["MAIL", "RCPT", "RSET"] * 3, "QUIT"]]


@pytest.mark.parametrize(
    ("script", "dialogue"),
    [
        ({"RCPT": "550 no"}, ["MAIL", "RCPT", "DATA", ".", "RSET"]),
        (
            {"RCPT": "550 no", "DATA": "503 nobody"},
            ["MAIL", "RCPT", "DATA", "RSET"],
        ),
        (
            {"MAIL": "451 later", "RCPT": "503 no", "DATA": "503 no"},
            [
                "MAIL",
                "RCPT",
                "DATA",
                "RSET",
            ],
        ),
        ({".": "554 spam"}, ["MAIL", "RCPT", "DATA", ".", "RSET"]),
    ],
)
def test_a_letter_refused_in_a_hurry_sends_nothing_to_nobody(script, dialogue):
    """RFC 2920 §3.1: whatever comes back, every answer belongs to its command."""
    with (
        Peer(HURRIED | script) as peer,
        SmtpPost(a_post_office(peer.port)).connect() as courier,
    ):
        for _ in range(3):
            with pytest.raises((Deferred, Undeliverable)):
                courier.send(a_letter())

    assert peer.seen == [["EHLO", *dialogue * 3, "QUIT"]]


def test_many_letters_in_a_hurry():
    with Peer(HURRIED) as peer:
        send(peer.port, *[a_letter()] * 3)

    assert peer.seen == [["EHLO", *["MAIL", "RCPT", "DATA", "."] * 3, "QUIT"]]


def test_a_recipient_who_moved_is_no_refusal():
    """RFC 5321 §3.4: 251 says that the server forwards it."""
    with Peer({"RCPT": "251 will forward"}) as peer:
        send(peer.port, a_letter())

    assert peer.seen[0][-2:] == [".", "QUIT"]


@pytest.mark.parametrize("text", [".", "..", "a\n.\n.b\n", "no end"])
def test_dots_at_the_beginning_of_lines_arrive_as_they_were(text):
    letter = a_letter(calendar=None, method=None, text=text)
    with real_server() as (port, kept):
        send(port, letter)

    assert kept.letters == [on_the_wire(letter)]


@pytest.mark.parametrize("octets", [b".\r\n..\r\nx", b"a\r\n", b"\r\n.\r\n"])
def test_a_letter_ends_where_it_ends(octets):
    with real_server() as (port, kept), smtplib.SMTP("127.0.0.1", port) as host:
        hand_in(host, "a@example.org", "b@example.org", octets)

    assert kept.letters == [octets.removesuffix(b"\r\n") + b"\r\n"]


@pytest.mark.parametrize("goodbye", ["drop", "421 what", "500 no"])
def test_a_failed_goodbye_is_no_failed_letter(goodbye):
    with Peer({"QUIT": goodbye}) as peer:
        send(peer.port, a_letter())

    assert peer.seen[0][-2:] == [".", "QUIT"]


def test_an_error_of_ours_is_not_hidden_by_the_goodbye():
    def fail_after_sending(port: int) -> None:
        with SmtpPost(a_post_office(port)).connect() as courier:
            courier.send(a_letter())
            raise ZeroDivisionError

    with Peer({"QUIT": "drop"}) as peer, pytest.raises(ZeroDivisionError):
        fail_after_sending(peer.port)


def test_nobody_listening_is_unreachable():
    with pytest.raises(Unreachable, match="no_connection"):
        send(free_port(), a_letter())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"recipient_address": "léa@example.org"}, "bad_address"),
        ({"recipient_address": "a@example.org\r\nRCPT TO:<b@c.d>"}, "bad_address"),
        ({"sender_address": "nobody"}, "bad_address"),
        ({"envelope_from": "a b@example.org"}, "bad_address"),
        ({"message_id": "<a@b>\r\nBcc: c@d.e"}, "bad_header"),
        ({"headers": (("X Visit", "1"),)}, "bad_header"),
        ({"text": "\ud800"}, "not_writable"),
    ],
)
def test_a_letter_that_cannot_be_written_is_not_tried(changes, reason):
    with pytest.raises(Undeliverable) as failure:
        send(free_port(), a_letter(**changes))

    assert failure.value.reason == reason


# ------------------------------------------------------------------ encryption


def test_starttls_with_a_certificate_that_is_known(tmp_path):
    context, certificate = a_certificate(tmp_path)
    with real_server(tls_context=context, require_starttls=True) as (port, kept):
        send(port, a_letter(), MAIL_USE_TLS=True, MAIL_CA_FILE=str(certificate))

    assert len(kept.letters) == 1


def test_starttls_with_an_unknown_certificate_sends_nothing(tmp_path):
    context, _ = a_certificate(tmp_path)
    with (
        real_server(tls_context=context) as (port, kept),
        pytest.raises(Unreachable, match="certificate"),
    ):
        send(port, a_letter(), MAIL_USE_TLS=True)

    assert kept.letters == []


def test_a_server_without_starttls_gets_nothing_in_clear():
    with (
        real_server() as (port, kept),
        pytest.raises(Unreachable, match="STARTTLS"),
    ):
        send(port, a_letter(), MAIL_USE_TLS=True)

    assert kept.letters == []


def test_ssl_from_the_first_octet(tmp_path):
    context, certificate = a_certificate(tmp_path)
    with real_server(ssl_context=context) as (port, kept):
        send(port, a_letter(), MAIL_USE_SSL=True, MAIL_CA_FILE=str(certificate))
        with pytest.raises(Unreachable):
            send(port, a_letter(), MAIL_USE_SSL=True)

    assert len(kept.letters) == 1


def test_a_wrong_password_holds_up_letters_and_kills_none():
    script = {"EHLO": "250-peer\r\n250 AUTH PLAIN", "AUTH": "535 wrong"}
    with Peer(script) as peer, pytest.raises(Unreachable, match="535"):
        send(peer.port, a_letter(), MAIL_USERNAME="me", MAIL_PASSWORD="wrong")


def test_a_long_one_click_address_is_written_whole():
    address = "https://visites.example.org/" + "u/" + "a" * 200
    mail = EmailMessage(policy=SMTP)
    mail["List-Unsubscribe"] = f"<{address}>"

    lines = mail.as_bytes(policy=WIRE).split(b"\r\n")

    assert lines[0] == f"List-Unsubscribe: <{address}>".encode()
