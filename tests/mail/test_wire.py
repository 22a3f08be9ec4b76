"""What we write is what the standard library would, octet for octet."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import pytest

from scheduler.mail.letter import Letter
from scheduler.mail.wire import NAME_LIMIT, WIRE, written
from scheduler.wording import clean_line
from tests.mail.samples import KINDS, a_compose, a_message, sample
from tests.mail.test_compose import HOSTILE

COMPOSE = a_compose()
ODD = "aé\u202f’ \"'<>@,;:()[]\\=?_.-+/%&1A\U0001f600\u05d0œ"
NAMES = (
    "",
    "Camille",
    "Camille Robert",
    "Robert, Camille",
    'Camille "Cam" Robert',
    "C. Robert",
    "Jean-Noël L’Hélias de la Très Longue Dénomination",
    "a" * 90,
    "un nom qui est vraiment très, très long et qui ne finit jamais",
)


def by_the_library(letter: Letter, recipient: str) -> bytes:
    """The same letter, built of objects."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = person(letter.sender_name, letter.sender_address)
    mail["To"] = person(letter.recipient_name, recipient)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(letter.date)
    mail["Message-ID"] = f"<{letter.message_id.strip('<>')}>"
    references = [f"<{one.strip('<>')}>" for one in letter.references]
    if references:
        mail["In-Reply-To"] = references[-1]
        mail["References"] = " ".join(references)
    for name, value in letter.headers:
        mail[name] = clean_line(value, 900)
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    if letter.calendar is not None:
        mail.add_alternative(letter.calendar, "text", "calendar", cte="base64")
        part = list(mail.iter_parts())[-1]
        del part["Content-Type"]
        kind = f"text/calendar; charset=UTF-8; method={letter.method}"
        part.set_raw("Content-Type", kind)
        mail.add_attachment(
            letter.calendar,
            maintype="application",
            subtype="ics",
            filename="invite.ics",
            cte="base64",
            params={"name": "invite.ics"},
        )
    made_of = hashlib.sha256(letter.message_id.encode()).hexdigest()[:24]
    for number, one in enumerate(mail.walk()):
        if one.is_multipart():
            one.set_boundary(f"=_{number}_{made_of}")
    return mail.as_bytes(policy=WIRE)


def person(name: str, address: str) -> Address:
    return Address(clean_line(name, NAME_LIMIT), addr_spec=address)


def agree(letter: Letter) -> None:
    letter = replace(letter, subject=clean_line(letter.subject, 160))
    recipient = letter.recipient_address

    ours = written(
        letter,
        subject=letter.subject,
        sender=letter.sender_address,
        recipient=recipient,
    )

    assert ours == by_the_library(letter, recipient)


def a_letter(**changes: object) -> Letter:
    return replace(COMPOSE(a_message("visit_confirmed", method="REQUEST")), **changes)


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize("line", KINDS, ids=lambda line: f"{line[0]}-{line[1]}")
def test_every_kind_of_mail(line, locale):
    agree(COMPOSE(sample(*line, locale=locale)))


@pytest.mark.parametrize("name", [*NAMES, *HOSTILE.values()])
def test_names_and_subjects(name):
    agree(a_letter(recipient_name=name, sender_name=name, subject=name))
    agree(a_letter(headers=(("X-Visit", name), ("List-Unsubscribe", "<https://a>"))))


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org",
        "o'neil+visit@example.org",
        "a" * 64 + "@" + "b" * 40 + ".example",
    ],
)
def test_addresses(address):
    agree(a_letter(recipient_address=address, recipient_name=""))
    agree(a_letter(recipient_address=address, recipient_name="Camille Robert"))


def test_an_address_that_would_be_decoded_is_refused():
    with pytest.raises(ValueError, match="encoded-word"):
        agree(a_letter(recipient_address="=?utf-8?q?a?=@example.org"))


@pytest.mark.parametrize(
    "references", [(), ("a@b",), ("<a@b>", "c@d"), tuple(f"{n}@b.c" for n in range(30))]
)
def test_threads(references):
    agree(a_letter(references=references))
    agree(a_letter(references=references, calendar=None, method=None))


def test_texts_by_chance():
    chance = random.Random(7)
    for _ in range(60):
        words = "".join(chance.choices(ODD + "  \n\t" + "aeiou" * 4, k=400))
        name = "".join(chance.choices(ODD + "abc" * 9, k=chance.randrange(60)))
        agree(
            a_letter(
                text=words,
                html=words[::-1],
                subject=words[:160],
                recipient_name=name,
                calendar=words.encode() * chance.randrange(3),
            )
        )
