"""Links, sessions, tries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler.persistence.models.access import (
    LinkPurpose,
    LinkRow,
    SessionRow,
    TryRow,
)
from scheduler.persistence.models.people import MembershipRow, PersonRow

INSERT: dict[str, Callable[..., Any]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


def link_by_digest(session: Session, digest: str) -> LinkRow | None:
    """The link, whatever its state."""
    return session.scalars(
        select(LinkRow).where(LinkRow.digest == digest)
    ).one_or_none()


def link_to_spend(session: Session, digest: str) -> LinkRow | None:
    """The link, locked."""
    return session.scalars(
        select(LinkRow).where(LinkRow.digest == digest).with_for_update()
    ).one_or_none()


def links_for_visit(
    session: Session, visit_id: int, purpose: LinkPurpose
) -> Sequence[LinkRow]:
    """Unspent links of one purpose that lead to a visit."""
    return session.scalars(
        select(LinkRow).where(
            LinkRow.visit_id == visit_id,
            LinkRow.purpose == purpose,
            LinkRow.spent_at.is_(None),
        )
    ).all()


def live_session(session: Session, digest: str, *, now: datetime) -> SessionRow | None:
    """A session that is neither revoked nor over."""
    return session.scalars(
        select(SessionRow).where(
            SessionRow.digest == digest,
            SessionRow.revoked_at.is_(None),
            SessionRow.expires_at > now,
        )
    ).one_or_none()


def sessions_of(
    session: Session, person_id: int, *, now: datetime
) -> Sequence[SessionRow]:
    """A person's live sessions, the newest use first."""
    return session.scalars(
        select(SessionRow)
        .where(
            SessionRow.person_id == person_id,
            SessionRow.revoked_at.is_(None),
            SessionRow.expires_at > now,
        )
        .order_by(SessionRow.last_seen_at.desc(), SessionRow.id.desc())
    ).all()


def person_by_email(session: Session, email: str) -> PersonRow | None:
    """The person who is written to at that address."""
    return session.scalars(
        select(PersonRow).where(PersonRow.email == email.strip().lower())
    ).one_or_none()


def person_with_roles(session: Session, person_id: int) -> PersonRow | None:
    """A person with memberships and their organisations."""
    return session.scalars(
        select(PersonRow)
        .where(PersonRow.id == person_id)
        .options(
            selectinload(PersonRow.memberships).joinedload(MembershipRow.organisation)
        )
    ).one_or_none()


def tries(session: Session, key: str) -> TryRow | None:
    """The count of tries for a key, as it stands."""
    return session.scalars(select(TryRow).where(TryRow.key == key)).one_or_none()


def tries_to_count(session: Session, key: str, *, now: datetime) -> TryRow:
    """The count of tries for a key, locked; of two first tries one begins it."""
    insert = INSERT[session.get_bind().dialect.name]
    session.execute(
        insert(TryRow).values(key=key, since=now, count=0).on_conflict_do_nothing()
    )
    return session.scalars(
        select(TryRow).where(TryRow.key == key).with_for_update()
    ).one()


def forget_tries_before(session: Session, moment: datetime) -> None:
    """Drop windows that are over."""
    session.execute(delete(TryRow).where(TryRow.since < moment))


def contacts_of(session: Session, host_id: int) -> Sequence[MembershipRow]:
    """The host's contact and substitute, the first contact first, not the blocked."""
    return session.scalars(
        select(MembershipRow)
        .join(PersonRow)
        .where(
            MembershipRow.organisation_id == host_id,
            MembershipRow.role == "host_contact",
            PersonRow.blocked.is_(False),
        )
        .options(joinedload(MembershipRow.person))
        .order_by(MembershipRow.position, MembershipRow.id)
    ).all()


def hosts_of(session: Session, person_id: int) -> Sequence[int]:
    """The hosts that the person speaks for."""
    return session.scalars(
        select(MembershipRow.organisation_id).where(
            MembershipRow.person_id == person_id,
            MembershipRow.role == "host_contact",
        )
    ).all()
