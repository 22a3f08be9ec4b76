"""Adults open, renew and close the addresses of the calendars they subscribe to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, need
from scheduler.domain.feeds import FeedKind, followable, may_follow
from scheduler.domain.refusals import NotFound
from scheduler.persistence.models.access import FeedRow
from scheduler.persistence.queries import feeds as queries
from scheduler.services import journal
from scheduler.services.feed_tokens import token_of_feed
from scheduler.services.transaction import transaction


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A calendar that somebody may follow. ``token`` is empty until it is opened."""

    kind: FeedKind
    organisation_id: int
    organisation_name: str
    token: str


def subscriptions(session: Session, *, by: Actor) -> list[Subscription]:
    """Every calendar that the actor may follow, opened or not."""
    wanted = followable(by)
    names = queries.organisation_names(session, [number for _, number in wanted])
    mine = queries.feeds_of(session, by.person_id) if by.person_id else []
    tokens = {
        (row.kind, row.organisation_id): token_of_feed(session, row) for row in mine
    }
    return [
        Subscription(
            kind=kind,
            organisation_id=organisation_id,
            organisation_name=names.get(organisation_id, ""),
            token=tokens.get((kind, organisation_id), ""),
        )
        for kind, organisation_id in wanted
    ]


def open_feed(
    session: Session, kind: FeedKind, organisation_id: int, *, by: Actor, now: datetime
) -> None:
    """Give the calendar an address; one that has one keeps it.

    After it was closed it gets another: the old one stays worthless.
    """
    person_id = _follower(by, kind, organisation_id)
    with transaction(session):
        queries.add_feed(
            session, kind, person_id=person_id, organisation_id=organisation_id, now=now
        )
        row = _mine(session, kind, person_id, organisation_id)
        if row.revoked_at is not None:
            row.revoked_at = None
            row.generation += 1
        _note(session, row, "feed_opened", by=by, now=now)


def renew_feed(
    session: Session, kind: FeedKind, organisation_id: int, *, by: Actor, now: datetime
) -> None:
    """Another address; the old one is dead."""
    person_id = _follower(by, kind, organisation_id)
    with transaction(session):
        row = _mine(session, kind, person_id, organisation_id)
        need(row.revoked_at is None)
        row.generation += 1
        _note(session, row, "feed_rotated", by=by, now=now)


def close_feed(
    session: Session, kind: FeedKind, organisation_id: int, *, by: Actor, now: datetime
) -> None:
    """The address opens nothing any more. Closing twice is closing."""
    person_id = _follower(by, kind, organisation_id)
    with transaction(session):
        row = _mine(session, kind, person_id, organisation_id)
        if row.revoked_at is None:
            row.revoked_at = now
            _note(session, row, "feed_closed", by=by, now=now)


def _follower(by: Actor, kind: FeedKind, organisation_id: int) -> int:
    need(may_follow(by, kind, organisation_id))
    if by.person_id is None:
        raise NotFound
    return by.person_id


def _mine(
    session: Session, kind: FeedKind, person_id: int, organisation_id: int
) -> FeedRow:
    row = queries.feed_to_change(
        session, kind, person_id=person_id, organisation_id=organisation_id
    )
    if row is None:
        raise NotFound
    return row


def _note(
    session: Session, row: FeedRow, what: str, *, by: Actor, now: datetime
) -> None:
    journal.note_organisation(
        session, row.organisation_id, what, by=by, now=now, feed=row.kind.value
    )
