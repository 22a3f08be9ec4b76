"""What hosts open: offers with their rules of welcome, and dated slots."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.domain.offers import (
    Confirmation,
    OfferState,
    PhoneRule,
    PhotoRule,
    Rules,
    VehicleAccess,
    Wheelchair,
)
from scheduler.domain.parties import Seats
from scheduler.domain.slots import Slot, SlotState
from scheduler.persistence.base import Base
from scheduler.persistence.models.network import HostRow
from scheduler.persistence.models.reference import FieldRow, OfferKindRow

offer_field = Table(
    "offer_field",
    Base.metadata,
    Column("offer_id", ForeignKey("offer.id"), primary_key=True),
    Column("field_code", ForeignKey("field.code"), primary_key=True),
)


class OfferRow(Base):
    """``ppe``: list of {code, detail}. Texts are in the host's language (French)."""

    __tablename__ = "offer"
    __table_args__ = (
        CheckConstraint("max_students > 0", name="max_students"),
        CheckConstraint("min_students > 0", name="min_students"),
        CheckConstraint("subgroup_size > 0", name="subgroup_size"),
        CheckConstraint("max_groups > 0", name="max_groups"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"), index=True)
    kind_code: Mapped[str] = mapped_column(ForeignKey("offer_kind.code"))
    state: Mapped[OfferState] = mapped_column(default=OfferState.DRAFT)
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    see: Mapped[list[str]] = mapped_column(default=list)
    wear: Mapped[str] = mapped_column(default="")
    bring: Mapped[str] = mapped_column(default="")
    ppe: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    people_met: Mapped[str] = mapped_column(default="")
    women_witnesses: Mapped[int] = mapped_column(default=0)
    street: Mapped[str] = mapped_column(default="")
    arrival: Mapped[str] = mapped_column(default="")
    meeting_point: Mapped[str] = mapped_column(default="")
    wheelchair: Mapped[Wheelchair] = mapped_column(default=Wheelchair.NO)
    wheelchair_note: Mapped[str] = mapped_column(default="")
    vehicle_access: Mapped[VehicleAccess] = mapped_column(default=VehicleAccess.STREET)
    phone_rule: Mapped[PhoneRule] = mapped_column(default=PhoneRule.SILENT)
    photo_rule: Mapped[PhotoRule] = mapped_column(default=PhotoRule.NONE)
    max_students: Mapped[int]
    min_students: Mapped[int] = mapped_column(default=1)
    max_people: Mapped[int | None]
    max_groups: Mapped[int] = mapped_column(default=1)
    subgroup_size: Mapped[int]
    min_grade_rank: Mapped[int] = mapped_column(default=7)
    min_age: Mapped[int | None]
    min_notice_days: Mapped[int] = mapped_column(default=21)
    name_list_days: Mapped[int] = mapped_column(default=0)
    duration_minutes: Mapped[int] = mapped_column(default=120)
    confirmation: Mapped[Confirmation] = mapped_column(default=Confirmation.BY_HOST)
    note: Mapped[str] = mapped_column(default="")
    paused_until: Mapped[date | None]
    created_at: Mapped[datetime]
    host: Mapped[HostRow] = relationship(lazy="raise")
    kind: Mapped[OfferKindRow] = relationship(lazy="raise")
    fields: Mapped[list[FieldRow]] = relationship(
        secondary=offer_field, lazy="raise", order_by=FieldRow.position
    )
    witnesses: Mapped[list[WitnessRow]] = relationship(
        lazy="raise", order_by="WitnessRow.id"
    )

    @property
    def address(self) -> str:
        """On one line: its own street or the host's, and the town. Needs the host."""
        organisation = self.host.organisation
        street = self.street or organisation.street
        return ", ".join(part for part in (street, organisation.town) if part)

    @property
    def women(self) -> int:
        """Women who tell their trade there. Needs ``witnesses`` loaded."""
        named = sum(each.gender == "W" for each in self.witnesses)
        return max(self.women_witnesses, named)

    def as_domain(self) -> Rules:
        """Needs ``host`` and ``kind`` loaded."""
        return Rules(
            state=self.state,
            bookable=self.kind.bookable,
            min_grade_rank=self.min_grade_rank,
            min_age=self.min_age,
            subgroup_size=self.subgroup_size,
            min_notice_days=self.min_notice_days,
            confirmation=self.confirmation,
            wheelchair=self.wheelchair,
            cap_per_day=self.host.cap_per_day,
            cap_per_month=self.host.cap_per_month,
            cap_per_year=self.host.cap_per_year,
        )


class WitnessRow(Base):
    """Someone who tells her or his trade. ``gender``: W, M or N (not stated)."""

    __tablename__ = "witness"
    __table_args__ = (CheckConstraint("gender in ('W', 'M', 'N')", name="gender"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    first_name: Mapped[str]
    job: Mapped[str]
    path: Mapped[str] = mapped_column(default="")
    gender: Mapped[str] = mapped_column(default="N")


class SlotRow(Base):
    """``*_taken`` is recounted with every change; CHECKs are the last guard (P1)."""

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="order"),
        CheckConstraint("students_taken <= max_students", name="students"),
        CheckConstraint(
            "max_people is null or people_taken <= max_people", name="people"
        ),
        CheckConstraint("groups_taken <= max_groups", name="groups"),
        CheckConstraint("students_taken >= 0", name="taken"),
        Index("ix_slot_offer_id_starts_at", "offer_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    place: Mapped[str] = mapped_column(default="")
    max_students: Mapped[int]
    max_people: Mapped[int | None]
    max_groups: Mapped[int] = mapped_column(default=1)
    state: Mapped[SlotState] = mapped_column(default=SlotState.OPEN)
    students_taken: Mapped[int] = mapped_column(default=0)
    people_taken: Mapped[int] = mapped_column(default=0)
    groups_taken: Mapped[int] = mapped_column(default=0)
    offer: Mapped[OfferRow] = relationship(lazy="raise")

    @property
    def address(self) -> str:
        """Where to go, on one line: the slot's own place or the offer's address."""
        organisation = self.offer.host.organisation
        if not self.place:
            return self.offer.address
        if organisation.commune.name.lower() in self.place.lower():
            return self.place
        return f"{self.place}, {organisation.town}"

    @property
    def seats(self) -> Seats:
        return Seats(
            students=self.max_students, people=self.max_people, groups=self.max_groups
        )

    @property
    def taken(self) -> Seats:
        return Seats(
            students=self.students_taken,
            people=self.people_taken,
            groups=self.groups_taken,
        )

    def as_domain(self) -> Slot:
        """Needs ``offer`` loaded."""
        return Slot(
            id=self.id,
            host_id=self.offer.host_id,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            seats=self.seats,
            state=self.state,
        )
