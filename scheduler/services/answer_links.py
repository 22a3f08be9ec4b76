"""Who holds the link of a request: a host contact, for one visit, without an account.

The link opens as long as it lives; once the visit has ended it only tells so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, for_host
from scheduler.domain.refusals import LinkSpent
from scheduler.domain.visits import ENDED
from scheduler.persistence.models.access import LinkPurpose, LinkRow
from scheduler.persistence.queries import access, visits
from scheduler.services import links
from scheduler.services.accounts import TRIES_PER_MACHINE, throttle


@dataclass(frozen=True, kw_only=True)
class Holder:
    """``over``: the visit has ended, the link answers nothing any more."""

    actor: Actor
    visit_id: int
    locale: str
    over: bool


def holder_of(session: Session, secret: str, *, machine: str, now: datetime) -> Holder:
    """Who opened the link. Nothing changes; only a wrong address is counted.

    Raises ``LinkSpent``, ``TooManyTries``.
    """
    row = access.link_by_digest(session, links.digest(secret))
    holder = _holder(session, row, now=now)
    if holder is None:
        throttle(session, f"answer-from:{machine}", most=TRIES_PER_MACHINE, now=now)
        raise LinkSpent(purpose=LinkPurpose.ANSWER_VISIT.value)
    return holder


def _holder(session: Session, row: LinkRow | None, *, now: datetime) -> Holder | None:
    """A link is spent with its visit: what became of it may still be read (P5).

    One that was taken back while the visit went on opens nothing, nor does the link
    of somebody who is no contact of the host any more.
    """
    if (
        row is None
        or row.visit_id is None
        or row.purpose is not LinkPurpose.ANSWER_VISIT
        or row.expires_at <= now
    ):
        return None
    person = access.person_with_roles(session, row.person_id)
    visit = visits.visit_to_show(session, row.visit_id)
    if person is None or person.blocked or visit is None:
        return None
    over = visit.state in ENDED
    actor = Actor(
        person_id=person.id,
        name=person.name,
        memberships=frozenset(each.as_domain() for each in person.memberships),
        visit_id=row.visit_id,
    )
    if row.spent_at is not None and not over:
        return None
    if not for_host(actor, visit.slot.offer.host_id, visit_id=row.visit_id):
        return None
    return Holder(actor=actor, visit_id=row.visit_id, locale=person.locale, over=over)
