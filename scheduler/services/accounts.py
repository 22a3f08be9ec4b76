"""Sign-in of adults by a mailed one-use link; sessions that can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor
from scheduler.domain.refusals import LinkSpent, NotFound, TooManyTries
from scheduler.persistence.models.access import LinkPurpose, SessionRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.queries import access
from scheduler.services import links, outbox
from scheduler.services.transaction import transaction

LINK_LIFE = timedelta(minutes=30)
SESSION_LIFE = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=5)
WINDOW = timedelta(minutes=15)
LINKS_PER_ADDRESS = 5
LINKS_PER_MACHINE = 30
# A whole school may share one address; 30 letters to the sixth leave nothing to guess.
TRIES_PER_MACHINE = 240
BROWSER_LIMIT = 120


@dataclass(frozen=True)
class Viewer:
    """Who looks at a page: the actor, and what the header shows."""

    actor: Actor
    person_id: int
    name: str
    email: str
    locale: str
    session_id: int


def ask_for_link(
    session: Session, email: str, *, machine: str, next_path: str, now: datetime
) -> None:
    """Mail a sign-in link if the address is known; the answer is the same if not.

    Raises ``TooManyTries``.
    """
    with transaction(session):
        count_try(session, f"link:{email.strip().lower()}", LINKS_PER_ADDRESS, now=now)
        count_try(session, f"link-from:{machine}", LINKS_PER_MACHINE, now=now)
        person = access.person_by_email(session, email)
        if person is None or person.blocked:
            return
        link = links.mint(
            session,
            LinkPurpose.SIGN_IN,
            person_id=person.id,
            expires_at=now + LINK_LIFE,
            now=now,
            next_path=next_path,
        )
        outbox.record(
            session,
            kind="sign_in",
            locale=person.locale,
            name=person.name,
            address=person.email,
            payload={
                "link": {"purpose": LinkPurpose.SIGN_IN.value, "id": link.id},
                "expires_at": link.expires_at.isoformat(),
                "audience": None,
            },
            now=now,
            person_id=person.id,
        )


def look_at_link(session: Session, secret: str, *, now: datetime) -> str:
    """Whether the link still works; the person's name. Changes nothing (P5)."""
    row = links.look_up(session, secret, LinkPurpose.SIGN_IN, now=now)
    person = session.get_one(PersonRow, row.person_id)
    return person.name


def sign_in(
    session: Session, secret: str, *, browser: str, now: datetime
) -> tuple[str, str]:
    """Spend the link. Returns the new session's secret and where to go next.

    Raises ``LinkSpent``.
    """
    with transaction(session):
        row = access.link_to_spend(session, links.digest(secret))
        if (
            row is None
            or row.purpose is not LinkPurpose.SIGN_IN
            or row.spent_at is not None
            or row.expires_at <= now
        ):
            raise LinkSpent(purpose=LinkPurpose.SIGN_IN.value)
        row.spent_at = now
        next_path = row.next_path
        return _open(session, row.person_id, browser=browser, now=now), next_path


def open_session(
    session: Session, person_id: int, *, browser: str, now: datetime
) -> str:
    """A session without a link: the demo's "sign in as"."""
    with transaction(session):
        return _open(session, person_id, browser=browser, now=now)


def viewer(session: Session, secret: str, *, now: datetime) -> Viewer | None:
    """Who is behind a session's secret, if it lives."""
    row = access.live_session(session, links.digest(secret), now=now)
    if row is None:
        return None
    person = access.person_with_roles(session, row.person_id)
    if person is None or person.blocked:
        return None
    found = Viewer(
        actor=Actor(
            person_id=person.id,
            name=person.name,
            memberships=frozenset(each.as_domain() for each in person.memberships),
        ),
        person_id=person.id,
        name=person.name,
        email=person.email,
        locale=person.locale,
        session_id=row.id,
    )
    if now - row.last_seen_at > SEEN_EVERY:
        _seen(session, row.id, person.id, now=now)
    return found


def sessions(
    session: Session, person_id: int, *, now: datetime
) -> Sequence[SessionRow]:
    """The person's live sessions."""
    return access.sessions_of(session, person_id, now=now)


def revoke(session: Session, session_id: int, *, by: Actor, now: datetime) -> None:
    """End one session of one's own."""
    with transaction(session):
        row = session.get(SessionRow, session_id)
        if row is None or row.person_id != by.person_id:
            raise NotFound
        row.revoked_at = now


def set_locale(session: Session, person_id: int, locale: str) -> None:
    """The language of pages and mails."""
    with transaction(session):
        session.get_one(PersonRow, person_id).locale = locale


def count_try(session: Session, key: str, most: int, *, now: datetime) -> None:
    """Count one try inside the caller's transaction; raises ``TooManyTries``.

    The key is stored as a digest: no address lies in the table.
    """
    row = access.tries_to_count(session, _key_digest(key), now=now)
    if now - row.since > WINDOW:
        row.since, row.count = now, 0
    if row.count >= most:
        again = row.since + WINDOW
        raise TooManyTries(again_at=again.isoformat())
    row.count += 1


def demand_patience(session: Session, key: str, *, most: int, now: datetime) -> None:
    """Raise ``TooManyTries`` if the key was tried that often; counts nothing."""
    row = access.tries(session, _key_digest(key))
    if row is not None and row.count >= most and now - row.since <= WINDOW:
        raise TooManyTries(again_at=(row.since + WINDOW).isoformat())


def throttle(session: Session, key: str, *, most: int, now: datetime) -> None:
    """Count one try in a transaction of its own."""
    with transaction(session):
        count_try(session, key, most, now=now)


def _key_digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _open(session: Session, person_id: int, *, browser: str, now: datetime) -> str:
    secret = secrets.token_urlsafe(24)
    session.add(
        SessionRow(
            digest=links.digest(secret),
            person_id=person_id,
            browser=browser[:BROWSER_LIMIT],
            created_at=now,
            last_seen_at=now,
            expires_at=now + SESSION_LIFE,
        )
    )
    session.get_one(PersonRow, person_id).last_seen_at = now
    return secret


def _seen(session: Session, session_id: int, person_id: int, *, now: datetime) -> None:
    with transaction(session):
        session.get_one(SessionRow, session_id).last_seen_at = now
        session.get_one(PersonRow, person_id).last_seen_at = now
