"""Reference data that a coordinator may edit: nothing of it is frozen in code."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.persistence.base import Base


class Listed:
    """An entry of an editable list. ``code`` never changes, labels may."""

    code: Mapped[str] = mapped_column(primary_key=True)
    label_fr: Mapped[str]
    label_en: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class FieldRow(Listed, Base):
    __tablename__ = "field"


class LevelRow(Listed, Base):
    """``grade_rank`` after DOMAIN rule 3; ``exam_block`` after rule 8."""

    __tablename__ = "level"

    grade_rank: Mapped[int]
    stage: Mapped[str]
    exam_block: Mapped[bool] = mapped_column(default=False)


class SchoolKindRow(Listed, Base):
    """``own_calendar``: the zone's holidays say nothing about it (MFR, CFA, IUT)."""

    __tablename__ = "school_kind"

    is_college: Mapped[bool] = mapped_column(default=False)
    own_calendar: Mapped[bool] = mapped_column(default=False)


class OrganisationKindRow(Listed, Base):
    __tablename__ = "organisation_kind"


class OfferKindRow(Listed, Base):
    """``bookable``: by slot, now. The other kinds come without a new model."""

    __tablename__ = "offer_kind"

    bookable: Mapped[bool] = mapped_column(default=False)


class PpeRow(Listed, Base):
    """Protective equipment, with the plain phrase for students."""

    __tablename__ = "ppe"

    phrase_fr: Mapped[str]
    phrase_en: Mapped[str]


class TrainingPathRow(Listed, Base):
    """A diploma that leads to a field: what students see as "les parcours"."""

    __tablename__ = "training_path"

    field_code: Mapped[str] = mapped_column(ForeignKey("field.code"), index=True)
    diploma: Mapped[str]


class CommuneRow(Base):
    """Key = INSEE code, text: 44190 is a commune here and a postcode elsewhere."""

    __tablename__ = "commune"
    __table_args__ = (
        CheckConstraint("density_level between 1 and 7", name="density_level"),
    )

    insee: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    postcodes: Mapped[str]
    department: Mapped[str] = mapped_column(index=True)
    population: Mapped[int | None]
    lat: Mapped[float]
    lon: Mapped[float]
    approximate: Mapped[bool] = mapped_column(default=False)
    density_level: Mapped[int | None]
