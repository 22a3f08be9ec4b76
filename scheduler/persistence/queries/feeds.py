"""What a class's subscribed calendar is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.visits import INVITED, VisitState
from scheduler.persistence.models.network import OrganisationRow, SchoolClassRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries.visits import visit_whole

CALLED_OFF = frozenset({VisitState.CANCELLED_BY_SCHOOL, VisitState.CANCELLED_BY_HOST})
SHOWN = INVITED | CALLED_OFF | {VisitState.DONE}


class FeedOfClass(NamedTuple):
    """``generation`` rises when the class gets another address for its calendar."""

    class_id: int
    label: str
    school_name: str
    generation: int


def feed_of_class(session: Session, class_id: int) -> FeedOfClass | None:
    """What the calendar's name and address depend on."""
    row = session.execute(
        select(
            SchoolClassRow.id,
            SchoolClassRow.label,
            OrganisationRow.name,
            SchoolClassRow.feed_generation,
        )
        .join(OrganisationRow, OrganisationRow.id == SchoolClassRow.school_id)
        .where(SchoolClassRow.id == class_id)
    ).one_or_none()
    return FeedOfClass(*row) if row else None


def visits_to_show(
    session: Session, class_id: int, *, since: datetime
) -> Sequence[VisitRow]:
    """The class's agreed, finished and cancelled visits that ended after ``since``."""
    return session.scalars(
        select(VisitRow)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(
            VisitRow.class_id == class_id,
            VisitRow.state.in_(SHOWN),
            SlotRow.ends_at >= since,
        )
        .options(*visit_whole())
        .order_by(SlotRow.starts_at, VisitRow.id)
    ).all()
