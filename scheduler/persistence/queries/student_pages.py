"""What a class's page says beyond the visit itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Change
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.offers import offer_field
from scheduler.persistence.models.reference import FieldRow, TrainingPathRow

SAID_ON_THE_PAGE = (Change.MOVED.value, Change.SLOT_CHANGED.value)


class Field(NamedTuple):
    code: str
    label_fr: str
    label_en: str


class Training(NamedTuple):
    """``diploma``: the rung (CAP, BAC_PRO, BTS…)."""

    code: str
    diploma: str
    label_fr: str
    label_en: str


def fields_of_offer(session: Session, offer_id: int) -> list[Field]:
    """The fields that an offer shows, in their order."""
    rows = session.execute(
        select(FieldRow.code, FieldRow.label_fr, FieldRow.label_en)
        .join(offer_field, offer_field.c.field_code == FieldRow.code)
        .where(offer_field.c.offer_id == offer_id)
        .order_by(FieldRow.position)
    )
    return [Field(*row) for row in rows]


def trainings_for(session: Session, field_codes: Iterable[str]) -> list[Training]:
    """The training paths that lead to the fields."""
    rows = session.execute(
        select(
            TrainingPathRow.code,
            TrainingPathRow.diploma,
            TrainingPathRow.label_fr,
            TrainingPathRow.label_en,
        )
        .join(FieldRow, FieldRow.code == TrainingPathRow.field_code)
        .where(
            TrainingPathRow.field_code.in_(list(field_codes)), TrainingPathRow.active
        )
        .order_by(FieldRow.position, TrainingPathRow.position, TrainingPathRow.code)
    )
    return [Training(*row) for row in rows]


def changed_last(session: Session, visit_id: int) -> datetime | None:
    """When date, time or place of the visit changed for the last time."""
    return session.scalar(
        select(JournalRow.at)
        .where(JournalRow.visit_id == visit_id, JournalRow.what.in_(SAID_ON_THE_PAGE))
        .order_by(JournalRow.at.desc(), JournalRow.id.desc())
        .limit(1)
    )
