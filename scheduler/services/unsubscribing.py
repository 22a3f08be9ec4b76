"""The link in a reminder and in a daily mail that ends them (RFC 8058).

It works for ever and without signing in, and can do nothing else. It is derived from
what it ends with a key that the database does not hold. Its words are not those of the
other links: a secret of one kind must open nothing of another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from scheduler.domain.actors import need
from scheduler.domain.refusals import NotFound
from scheduler.persistence.models.people import MailRhythm, PersonRow
from scheduler.persistence.models.visits import AddresseeRow
from scheduler.persistence.queries import mail_choices as queries
from scheduler.services.house import house_of
from scheduler.services.transaction import transaction

SECRET_BYTES = 18
LONGEST_TOKEN = 60
LONGEST_NUMBER = 9


class Subject(StrEnum):
    """What a click ends: a person's reminders, the daily mail, one address's."""

    REMINDERS = "reminders"
    DIGEST = "digest"
    ADDRESS = "address"


# What the tokens begin with.
LETTERS = {Subject.REMINDERS: "r", Subject.DIGEST: "d", Subject.ADDRESS: "a"}


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """What a link is about, and whether it is still on."""

    subject: Subject
    on: bool
    locale: str


@dataclass(frozen=True, kw_only=True)
class _Opened:
    subject: Subject
    row: PersonRow | AddresseeRow


def target(subject: Subject, number: int) -> dict[str, object]:
    """What is frozen in a message: the secret is made when it is sent."""
    return {"purpose": subject.value, "id": number}


def token(subject: Subject, number: int, *, key: bytes) -> str:
    """The last part of the address."""
    text = f"unsubscribe:{subject.value}:{number}".encode()
    mac = hmac.new(key, text, hashlib.sha256).digest()[:SECRET_BYTES]
    return f"{LETTERS[subject]}{number}-{base64.urlsafe_b64encode(mac).decode()}"


def look(session: Session, secret: str) -> Subscription:
    """What the link is about. Changes nothing (P5). Raises ``NotFound``."""
    return _said(_opened(session, secret))


def end(session: Session, secret: str, *, now: datetime) -> None:
    """No more of it. Ending twice is ending. Raises ``NotFound``.

    Without a daily mail the news come one by one again: none is lost.
    """
    with transaction(session):
        found = _opened(session, secret)
        row = found.row
        if isinstance(row, PersonRow) and found.subject is Subject.DIGEST:
            row.summaries, row.mail_rhythm = False, MailRhythm.AT_ONCE
            queries.let_go(session, row.id, now=now)
        else:
            row.reminders = False


def resume(session: Session, secret: str) -> None:
    """Reminders again, for a click that was not meant.

    What the daily mail was before is not known here: its reader chooses on *My mails*.
    """
    with transaction(session):
        found = _opened(session, secret)
        need(found.subject is not Subject.DIGEST)
        found.row.reminders = True


def _opened(session: Session, secret: str) -> _Opened:
    letter, number = secret[:1], secret[1:].partition("-")[0]
    if len(secret) > LONGEST_TOKEN or not (number.isascii() and number.isdigit()):
        raise NotFound
    if len(number) > LONGEST_NUMBER:
        raise NotFound
    for subject, mark in LETTERS.items():
        key = house_of(session).link_key
        expected = token(subject, int(number), key=key)
        if mark == letter and hmac.compare_digest(expected.encode(), secret.encode()):
            row = _row(session, subject, int(number))
            if row is not None:
                return _Opened(subject=subject, row=row)
    raise NotFound


def _row(
    session: Session, subject: Subject, number: int
) -> PersonRow | AddresseeRow | None:
    if subject is Subject.ADDRESS:
        return session.get(AddresseeRow, number)
    return session.get(PersonRow, number)


def _said(found: _Opened) -> Subscription:
    row = found.row
    if isinstance(row, PersonRow) and found.subject is Subject.DIGEST:
        on = row.summaries or row.mail_rhythm is MailRhythm.DAILY
    else:
        on = row.reminders
    locale = row.locale if isinstance(row, PersonRow) else "fr"
    return Subscription(subject=found.subject, on=on, locale=locale)
