"""What is read of a message, beside its verdict; tests/inbound holds the messages."""

import pytest

from scheduler.domain.inbound import Authentication
from scheduler.mail.received import read_mail
from tests.inbound.messages import FILLED, SERVER, filled


def a_mail(*fields: str, body: str = "Bonjour") -> bytes:
    return "\r\n".join([*fields, "", body]).encode()


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ("dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=a.fr", "pass"),
        ("spf=pass; dkim=pass; DMARC=Pass", "pass"),
        ("dmarc=fail (p=REJECT sp=REJECT dis=NONE) header.from=a.fr", "fail-reject"),
        ("dmarc=fail (p=quarantine dis=none) header.from=a.fr", "fail-reject"),
        ("dmarc=fail action=oreject header.from=a.fr", "fail-reject"),
        ("dmarc=fail header.from=a.fr policy.dmarc=reject", "fail-reject"),
        (
            'dmarc=fail reason="no; really" header.from=a.fr (policy=reject)',
            "fail-reject",
        ),
        ("dmarc=fail (p=NONE sp=REJECT dis=NONE) header.from=a.fr", "fail"),
        ("dmarc=fail action=none header.from=a.fr; spf=fail (p=reject)", "fail"),
        ("dmarc=none header.from=a.fr", "none"),
        ("dmarc=temperror", "none"),
        ("spf=fail smtp.mailfrom=dmarc=fail", "none"),
        ("none", "none"),
    ],
)
def test_our_server_says_whether_the_domain_stands_for_the_mail(
    results: str, found: str
):
    octets = a_mail(
        f"Authentication-Results: {SERVER} 1;\r\n {results}", "From: a@a.fr"
    )

    mail = read_mail(octets, authserv_id=SERVER.upper())

    assert mail.authentication is Authentication(found)


def test_results_of_others_and_later_ones_are_not_believed():
    forged = "dmarc=fail (p=REJECT)"
    fields = (
        f"Authentication-Results: mx.other.example; {forged}",
        f"Authentication-Results: {SERVER}.evil.example; {forged}",
        f"Authentication-Results: {SERVER}; dmarc=pass",
        f"Authentication-Results: {SERVER}; {forged}",
        "From: a@b.example",
    )

    assert read_mail(a_mail(*fields), authserv_id=SERVER).authentication == "pass"
    assert read_mail(a_mail(*fields)).authentication == "none"


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("Anna@Example.FR", ["anna@example.fr"]),
        ("Anna <anna@example.fr>", ["anna@example.fr"]),
        ('"Vasseur, Anna" <anna@example.fr>', ["anna@example.fr"]),
        ('"a \\"b\\" c" <anna@example.fr>', ["anna@example.fr"]),
        ("=?utf-8?Q?L=C3=A9a?= <lea@example.fr>", ["lea@example.fr"]),
        ("lea@example.fr (Léa (2nde))", ["lea@example.fr"]),
        ("a@b.example, c@d.example", ["a@b.example", "c@d.example"]),
        ("undisclosed-recipients:;", []),
        ("", []),
        ("<<<<a@b.example", []),
    ],
)
def test_the_sender_is_who_is_in_from(written: str, addresses: list[str]):
    mail = read_mail(a_mail(f"From: {written}", "Subject: x"))

    assert list(mail.from_addresses) == addresses


def test_a_bounce_address_is_found_in_whichever_field_names_it():
    mail = read_mail(
        a_mail(
            "To: Visites <A@b.example>, undisclosed:;",
            "Cc: c@d.example",
            "Delivered-To: e@f.example",
            "X-Original-To: a@b.example",
            "Received: from x by y id z\r\n\tfor <G+b1@h.example>; Mon, 23 Nov 2026",
        )
    )

    assert mail.recipients == (
        "a@b.example", "c@d.example", "e@f.example", "g+b1@h.example",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Accepté", "Accepté"),
        ("=?iso-8859-1?Q?Accept=E9_:_Visite?=", "Accepté : Visite"),
        ("=?utf-8?B?QWNjZXB0w6k=?= =?utf-8?Q?_:?= x", "Accepté : x"),
        ("é =?utf-8?Q?=C3=A9?=", "é é"),
        ("=?nobody?Q?=C3=A9?=", "é"),
        ("=?utf-8?B?AAAAA?=", "= ?utf-8?B?AAAAA?="),
        ("=?utf-8?Q?a=0ABcc:_x@y?=", "a Bcc: x@y"),
        ("=?unicode_escape?Q?a=5Cud800b?=", "ab"),
    ],
)
def test_a_subject_is_one_clean_line(written: str, read: str):
    assert read_mail(a_mail(f"Subject: {written}")).subject == read


def test_long_words_are_cut():
    mail = read_mail(
        a_mail(
            "Subject: " + "a" * 1000,
            "Message-ID: <" + "b" * 900 + "@c>",
            body="d" * 5000,
        )
    )

    assert len(mail.subject) == 160
    assert len(mail.message_id) == 250
    assert len(mail.excerpt) == 500


@pytest.mark.parametrize(
    ("written", "read"),
    [("<a@b>", "a@b"), ("a@b", "a@b"), ("<[a]@[b>", "[a]@[b"), ("", "")],
)
def test_a_message_id_is_what_is_between_the_brackets(written: str, read: str):
    assert read_mail(a_mail(f"Message-ID: {written}", "Subject: x")).message_id == read


def test_the_first_words_are_read_as_well_as_they_can_be():
    html = read_mail(filled("people/yes-html.eml"))
    base64 = read_mail(filled("gmail/answer.eml"))
    quoted = read_mail(filled("outlook/comment.eml"))
    wrongly_labelled = read_mail(b"Subject: x\r\n\r\n\xe9t\xe9")

    assert html.excerpt == "Oui\N{NO-BREAK SPACE}!"
    assert base64.excerpt.startswith("Anna a répondu Accepté à cette invitation.")
    assert quoted.excerpt == "Désolée, conseil de classe ce jour-là."
    assert wrongly_labelled.excerpt == "été"


def test_words_that_cannot_be_decoded_are_left_out():
    broken = a_mail(
        "Subject: x",
        "Content-Type: text/plain; charset=utf-16",
        "Content-Transfer-Encoding: base64",
        body="not base64 at all: é",
    )

    assert read_mail(broken).excerpt == ""


def test_text_in_utf_16_is_read():
    octets = b"Subject: x\r\nContent-Type: text/plain; charset=utf-16le\r\n\r\n"

    assert read_mail(octets + "été".encode("utf-16le")).excerpt == "été"


def test_what_is_too_large_still_says_from_whom():
    mail = read_mail(a_mail("From: a@b.example", "Subject: Photos") + b"A" * 1_000_001)

    assert (mail.problem, mail.subject) == ("too_large", "Photos")
    assert mail.from_addresses == ("a@b.example",)


REPORTS = {
    # message: status, permanent, delivered, is the letter named, envelope id
    "postfix-unknown-user": ("5.1.1", True, False, True, "b42"),
    "postfix-delayed": ("4.4.1", False, False, True, "b42"),
    "postfix-expired": ("4.4.1", True, False, True, "b42"),
    "exchange-ndr": ("5.1.10", True, False, True, ""),
    "gmail-bounce": ("5.2.2", True, False, True, "b42"),
    "sendmail-no-status": ("5.0.0", True, False, True, "b42"),
    "several-recipients": ("5.7.1", True, False, True, "b42"),
    "delivered": ("2.0.0", False, True, True, "b42"),
    "relayed": ("2.0.0", False, True, True, "b42"),
    "returned-inside-base64": ("5.1.1", True, False, True, "b42"),
    "global-status": ("5.1.1", True, False, True, "b42"),
    "exim-plain": ("5.1.1", True, False, True, ""),
    "exim-warning": ("4.0.0", False, False, True, ""),
    "qmail": ("5.1.1", True, False, True, ""),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_says_which_letter_and_why(name: str):
    mail = read_mail(filled(f"servers/{name}.eml"))

    status, permanent, delivered, named, envelope = REPORTS[name]
    assert mail.report is not None
    assert mail.report.status == status
    assert (mail.report.permanent, mail.report.delivered) == (permanent, delivered)
    letter = FILLED["letter"] + "@campus.example" if named else ""
    assert mail.report.message_id == letter
    assert mail.report.envelope_id == envelope
    assert FILLED["bounce"] in mail.recipients
    if name != "exim-warning":
        assert mail.report.recipient == FILLED["address"]


def test_a_report_without_groups_is_late_at_worst():
    empty = filled("servers/delivered.eml").replace(b"Action:", b"X-Action:")
    nothing = empty.replace(b"Status:", b"X-Status:")

    assert read_mail(empty).report.delivered
    report = read_mail(nothing).report
    assert (report.status, report.permanent, report.delivered) == ("", False, False)


def test_a_report_may_return_nothing_of_the_letter():
    octets = filled("servers/postfix-unknown-user.eml")
    without = octets.replace(b"Message-ID: <" + FILLED["letter"].encode(), b"X: <x")

    report = read_mail(without).report

    assert report.message_id == ""
    assert report.permanent
