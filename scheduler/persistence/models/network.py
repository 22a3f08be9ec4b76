"""The campus as a network: organisations, and what makes one a school or a host."""

from __future__ import annotations

from datetime import date, time

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.domain.offers import SizeCategory
from scheduler.persistence.base import Base
from scheduler.persistence.models.calendars import CalendarRow
from scheduler.persistence.models.reference import (
    CommuneRow,
    LevelRow,
    OrganisationKindRow,
    SchoolKindRow,
)


class OrganisationRow(Base):
    """Any member or partner. Coordinates are its own where they are known."""

    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind_code: Mapped[str] = mapped_column(ForeignKey("organisation_kind.code"))
    name: Mapped[str] = mapped_column(index=True)
    street: Mapped[str] = mapped_column(default="")
    commune_insee: Mapped[str] = mapped_column(ForeignKey("commune.insee"), index=True)
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    website: Mapped[str] = mapped_column(default="")
    founding_member: Mapped[bool] = mapped_column(default=False)
    sample_key: Mapped[str | None] = mapped_column(unique=True)
    kind: Mapped[OrganisationKindRow] = relationship(lazy="raise")
    commune: Mapped[CommuneRow] = relationship(lazy="raise")

    @property
    def town(self) -> str:
        """Postcode and commune. Needs ``commune`` loaded."""
        return f"{self.commune.postcodes.split('|')[0]} {self.commune.name}".strip()


class SchoolRow(Base):
    __tablename__ = "school"

    id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    uai: Mapped[str] = mapped_column(unique=True)
    kind_code: Mapped[str] = mapped_column(ForeignKey("school_kind.code"))
    sector: Mapped[str]
    calendar_code: Mapped[str] = mapped_column(ForeignKey("calendar.code"))
    rural: Mapped[bool | None]
    back_by: Mapped[time | None]
    min_adults: Mapped[int] = mapped_column(default=1)
    wednesday_afternoons: Mapped[bool] = mapped_column(default=False)
    office_email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    organisation: Mapped[OrganisationRow] = relationship(lazy="raise")
    kind: Mapped[SchoolKindRow] = relationship(lazy="raise")
    calendar: Mapped[CalendarRow] = relationship(lazy="raise")


class HostRow(Base):
    """``size_category`` is the enterprise's, ``site_headcount`` the site's (F-51)."""

    __tablename__ = "host"
    __table_args__ = (
        CheckConstraint("cap_per_day > 0", name="cap_per_day"),
        CheckConstraint("cap_per_month > 0", name="cap_per_month"),
        CheckConstraint("cap_per_year > 0", name="cap_per_year"),
    )

    id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    siret: Mapped[str | None] = mapped_column(unique=True)
    naf_code: Mapped[str] = mapped_column(default="")
    naf_version: Mapped[str] = mapped_column(default="")
    size_category: Mapped[SizeCategory]
    site_headcount: Mapped[int | None]
    enterprise_headcount: Mapped[int | None]
    activity: Mapped[str] = mapped_column(default="")
    rural: Mapped[bool | None]
    phone: Mapped[str] = mapped_column(default="")
    cap_per_day: Mapped[int | None]
    cap_per_month: Mapped[int | None]
    cap_per_year: Mapped[int | None]
    languages: Mapped[list[str]] = mapped_column(default=list)
    leads: Mapped[list[str]] = mapped_column(default=list)
    organisation: Mapped[OrganisationRow] = relationship(lazy="raise")
    closed_days: Mapped[list[HostClosureRow]] = relationship(lazy="raise")


class HostClosureRow(Base):
    """Days that a host keeps for itself, both ends included."""

    __tablename__ = "host_closure"
    __table_args__ = (CheckConstraint("first_on <= last_on", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"), index=True)
    first_on: Mapped[date]
    last_on: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")


class SchoolClassRow(Base):
    """``girls`` and ``boys`` are optional; ages as the teacher gives them."""

    __tablename__ = "school_class"
    __table_args__ = (CheckConstraint("students > 0", name="students"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    label: Mapped[str]
    level_code: Mapped[str] = mapped_column(ForeignKey("level.code"))
    specialty: Mapped[str] = mapped_column(default="")
    students: Mapped[int]
    girls: Mapped[int | None]
    boys: Mapped[int | None]
    youngest_age: Mapped[int | None]
    oldest_age: Mapped[int | None]
    remark: Mapped[str] = mapped_column(default="")
    school_year: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
    feed_generation: Mapped[int] = mapped_column(default=0)
    sample_key: Mapped[str | None] = mapped_column(unique=True)
    school: Mapped[SchoolRow] = relationship(lazy="raise")
    level: Mapped[LevelRow] = relationship(lazy="raise")
    absences: Mapped[list[AbsenceRow]] = relationship(
        lazy="raise", order_by="AbsenceRow.first_on"
    )


class AbsenceRow(Base):
    """Weeks in which the class is away (PFMP, observation week), ends included."""

    __tablename__ = "absence"
    __table_args__ = (CheckConstraint("first_on <= last_on", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"), index=True)
    first_on: Mapped[date]
    last_on: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
