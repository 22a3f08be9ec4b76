"""What filling an empty database asks: which keys exist, rows in bulk, old mail."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from scheduler.persistence.base import Base
from scheduler.persistence.models.network import OrganisationRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.reference import CommuneRow
from scheduler.persistence.queries.visits import slot_whole


def keys_of(session: Session, column: InstrumentedAttribute[str]) -> set[str]:
    """Every value of a key column."""
    return set(session.scalars(select(column)))


def insert_all(
    session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """All rows in one statement."""
    if rows:
        session.execute(insert(table), [dict(row) for row in rows])


def set_density(session: Session, levels: Mapping[str, int]) -> None:
    """The density level of each commune named, by INSEE code."""
    table = CommuneRow.__table__
    session.connection().execute(
        update(CommuneRow)
        .where(table.c.insee == bindparam("code"))
        .values(density_level=bindparam("level")),
        [{"code": code, "level": level} for code, level in levels.items()],
    )


def has_organisations(session: Session) -> bool:
    """Whether anybody is in the network yet."""
    return session.scalar(select(OrganisationRow.id).limit(1)) is not None


def slots_between(
    session: Session, host_ids: Collection[int], *, start: datetime, end: datetime
) -> Sequence[SlotRow]:
    """The hosts' slots that begin in a span of time, whole, in order."""
    return session.scalars(
        select(SlotRow)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(
            OfferRow.host_id.in_(host_ids),
            SlotRow.starts_at >= start,
            SlotRow.starts_at < end,
        )
        .options(*slot_whole())
        .order_by(SlotRow.starts_at, SlotRow.id)
    ).all()


def starts_between(
    session: Session, *, start: datetime, end: datetime
) -> Sequence[datetime]:
    """When slots begin in a span of time, in order."""
    return session.scalars(
        select(SlotRow.starts_at)
        .where(SlotRow.starts_at >= start, SlotRow.starts_at < end)
        .order_by(SlotRow.starts_at)
    ).all()


def slot_starts(session: Session, offer_id: int) -> set[datetime]:
    """When the slots of an offer begin."""
    return set(
        session.scalars(select(SlotRow.starts_at).where(SlotRow.offer_id == offer_id))
    )


def mark_sent_before(session: Session, *, before: datetime) -> None:
    """Mail of an invented past: it is history, nobody shall get it now."""
    session.execute(
        update(MessageRow)
        .where(MessageRow.created_at < before, MessageRow.state == MessageState.WAITING)
        .values(state=MessageState.SENT, sent_at=MessageRow.created_at, attempts=1)
        .execution_options(synchronize_session=False)
    )


def slot_of(session: Session, slot_id: int) -> SlotRow:
    """One slot, as it is now."""
    return session.get_one(SlotRow, slot_id, populate_existing=True)
