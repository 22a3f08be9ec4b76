"""Personal links: single-purpose, with an end, revocable; only a digest is stored.

The secret is derived from the row's id with a key that the database does not hold, so
that a mail can be rendered again after a crash without the secret lying in a table.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from scheduler.domain.refusals import LinkSpent
from scheduler.persistence.models.access import LinkPurpose, LinkRow
from scheduler.persistence.queries import access
from scheduler.services.house import house_of

SECRET_BYTES = 21
# What the link of an invitation is for; its address is derived, and stored nowhere.
ANSWER_PAGE = "answer_invitation"


def token(link_id: int, *, key: bytes) -> str:
    """The part of the address that opens the link; 168 bits cannot be guessed."""
    mac = hmac.new(key, f"link:{link_id}".encode(), hashlib.sha256).digest()
    secret = base64.urlsafe_b64encode(mac[:SECRET_BYTES]).decode()
    return f"{link_id}.{secret}"


def answer_token(invitation_id: int, *, key: bytes) -> str:
    """The same for the page of an invitation, which has no row of its own."""
    mac = hmac.new(key, f"answer:{invitation_id}".encode(), hashlib.sha256).digest()
    secret = base64.urlsafe_b64encode(mac[:SECRET_BYTES]).decode()
    return f"{invitation_id}.{secret}"


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def mint(
    session: Session,
    purpose: LinkPurpose,
    *,
    person_id: int,
    expires_at: datetime,
    now: datetime,
    visit_id: int | None = None,
    next_path: str = "",
) -> LinkRow:
    """A new link, inside the caller's transaction."""
    row = LinkRow(
        purpose=purpose,
        digest=uuid4().hex,
        person_id=person_id,
        visit_id=visit_id,
        next_path=next_path,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    row.digest = digest(token(row.id, key=house_of(session).link_key))
    return row


def look_up(
    session: Session, secret: str, purpose: LinkPurpose, *, now: datetime
) -> LinkRow:
    """The link behind an address, unchanged; raises ``LinkSpent``."""
    row = access.link_by_digest(session, digest(secret))
    if (
        row is None
        or row.purpose is not purpose
        or row.spent_at is not None
        or row.expires_at <= now
    ):
        raise LinkSpent(purpose=purpose.value)
    return row
