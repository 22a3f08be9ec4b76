"""School calendars: editable data with source and date, unknown past a day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.domain.schooldays import Closure, SchoolCalendar
from scheduler.persistence.base import Base


class CalendarRow(Base):
    """``base``: the calendar it builds on (public holidays hold for every school)."""

    __tablename__ = "calendar"

    code: Mapped[str] = mapped_column(primary_key=True)
    label_fr: Mapped[str]
    label_en: Mapped[str]
    known_until: Mapped[date | None]
    source: Mapped[str]
    entered_on: Mapped[date]
    base_code: Mapped[str | None] = mapped_column(ForeignKey("calendar.code"))
    closures: Mapped[list[ClosureRow]] = relationship(
        lazy="raise", order_by="ClosureRow.first_on"
    )
    base: Mapped[CalendarRow | None] = relationship(
        lazy="raise", remote_side="CalendarRow.code"
    )

    def as_domain(self) -> SchoolCalendar:
        """Needs ``closures`` and ``base`` with its own loaded."""
        rows = [*self.closures, *(self.base.closures if self.base else [])]
        return SchoolCalendar(
            closures=tuple(
                Closure(row.first_on, row.last_on, row.kind, row.name_fr)
                for row in rows
            ),
            known_until=self.known_until,
        )


class ClosureRow(Base):
    """Days without school, both ends included."""

    __tablename__ = "closure"
    __table_args__ = (CheckConstraint("first_on <= last_on", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    calendar_code: Mapped[str] = mapped_column(ForeignKey("calendar.code"), index=True)
    kind: Mapped[str]
    name_fr: Mapped[str]
    name_en: Mapped[str]
    first_on: Mapped[date]
    last_on: Mapped[date]
    source: Mapped[str]
    entered_on: Mapped[date]
