"""Received mail that a person of the campus looks at, and what the rest was.

Where the message is about an invitation, its words are the school's affair: a student's
may be about health. Then only the verdict and the visit are shown here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, need
from scheduler.domain.answers import Effect
from scheduler.domain.refusals import NotFound
from scheduler.persistence.queries import received
from scheduler.persistence.sealed import BrokenSeal, seal_of
from scheduler.services.transaction import transaction

MOST_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Item:
    """A message to look at. The three texts are the claims of a stranger."""

    id: int
    received_at: datetime
    effect: str
    code: str
    visit_id: int | None
    about: str
    sender: str
    subject: str
    excerpt: str


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """How many messages had one effect, by code."""

    effect: str
    number: int
    codes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class ReceivedMail:
    items: tuple[Item, ...]
    verdicts: tuple[Verdicts, ...]


def overview(session: Session, *, by: Actor) -> ReceivedMail:
    """What waits for a person, and how many of each verdict there are."""
    need(by.is_coordinator)
    items = []
    for row in received.waiting_for_a_person(session, limit=MOST_SHOWN):
        private = row.visit_id is not None
        items.append(
            Item(
                id=row.id,
                received_at=row.received_at,
                effect=row.effect.value,
                code=row.code,
                visit_id=row.visit_id,
                about=received.class_label_of(session, row.visit_id)
                if row.visit_id
                else "",
                sender="" if private else _open(session, row.sender),
                subject="" if private else _open(session, row.subject),
                excerpt="" if private else _open(session, row.excerpt),
            )
        )
    counts: dict[Effect, list[tuple[str, int]]] = {}
    for effect, code, number in received.verdict_counts(session):
        counts.setdefault(effect, []).append((code, number))
    return ReceivedMail(
        items=tuple(items),
        verdicts=tuple(
            Verdicts(
                effect=effect.value,
                number=sum(number for _, number in codes),
                codes=tuple(codes),
            )
            for effect, codes in counts.items()
        ),
    )


def settle(session: Session, received_id: int, *, by: Actor, now: datetime) -> None:
    """Somebody has seen to it. A second press changes nothing."""
    need(by.is_coordinator)
    with transaction(session):
        row = received.received_to_settle(session, received_id)
        if row is None:
            raise NotFound
        if row.settled_at is None:
            row.settled_at, row.settled_by_id = now, by.person_id


def _open(session: Session, sealed: str) -> str:
    try:
        return seal_of(session).open(sealed) if sealed else ""
    except BrokenSeal:
        return ""
