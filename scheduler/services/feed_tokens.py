"""Addresses of subscribed calendars.

The address is the password. It is derived, not stored: a keyed digest of what it opens
and of its generation, so that another generation makes the old one worthless.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from sqlalchemy.orm import Session

from scheduler.domain.refusals import NotFound
from scheduler.persistence.models.access import FeedRow
from scheduler.persistence.queries import feeds as queries
from scheduler.persistence.queries.feeds import FeedOfClass
from scheduler.services.house import house_of

SECRET_BYTES = 18
LONGEST_TOKEN = 60
LONGEST_NUMBER = 18
# What the tokens of adults' calendars begin with; those of classes with their number.
ADULT = "p"


def token_of_class(session: Session, class_id: int) -> str:
    """The token that opens the class's calendar now."""
    found = queries.feed_of_class(session, class_id)
    if found is None:
        raise NotFound
    return _of_class(session, found)


def token_of_feed(session: Session, row: FeedRow) -> str:
    """The token that opens an adult's calendar now."""
    secret = _secret(session, f"adult-feed:{row.id}:{row.generation}")
    return f"{ADULT}{row.id}-{secret}"


def is_of_adult(secret: str) -> bool:
    """Which of the two kinds of calendar the token is for."""
    return secret.startswith(ADULT)


def opened_class(session: Session, secret: str) -> FeedOfClass:
    """The class behind the token; raises ``NotFound`` for any other."""
    found = queries.feed_of_class(session, _number(secret))
    if found is None or not _same(secret, _of_class(session, found)):
        raise NotFound
    return found


def opened_feed(session: Session, secret: str) -> FeedRow:
    """The adult's calendar behind the token; raises ``NotFound`` for any other."""
    row = queries.feed_by_id(session, _number(secret.removeprefix(ADULT)))
    if row is None or row.revoked_at is not None:
        raise NotFound
    if not _same(secret, token_of_feed(session, row)):
        raise NotFound
    return row


def _of_class(session: Session, found: FeedOfClass) -> str:
    secret = _secret(session, f"feed:{found.class_id}:{found.generation}")
    return f"{found.class_id}-{secret}"


def _secret(session: Session, text: str) -> str:
    """144 bits that cannot be guessed."""
    key = house_of(session).link_key
    mac = hmac.new(key, text.encode(), hashlib.sha256).digest()[:SECRET_BYTES]
    return base64.urlsafe_b64encode(mac).decode()


def _number(secret: str) -> int:
    number = secret.partition("-")[0]
    if len(secret) > LONGEST_TOKEN or not (number.isascii() and number.isdigit()):
        raise NotFound
    if len(number) > LONGEST_NUMBER:
        raise NotFound
    return int(number)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())
