"""Adults who sign in or are written to, and what they are where."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.domain.actors import Membership, Role
from scheduler.persistence.base import Base
from scheduler.persistence.models.network import OrganisationRow


class MailRhythm(StrEnum):
    """How news that asks for nothing reach a person."""

    AT_ONCE = "at_once"
    DAILY = "daily"


class PersonRow(Base):
    """``email`` is stored in lower case. ``reminders``: whether they are wanted.

    ``summaries``: whether a host wants to hear in the morning how students' answers
    stand. ``digested_at``: up to which morning the daily mail has told everything.
    """

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    phone: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="fr")
    blocked: Mapped[bool] = mapped_column(default=False)
    mail_rhythm: Mapped[MailRhythm] = mapped_column(default=MailRhythm.AT_ONCE)
    reminders: Mapped[bool] = mapped_column(default=True)
    summaries: Mapped[bool] = mapped_column(default=True)
    digested_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    memberships: Mapped[list[MembershipRow]] = relationship(
        lazy="raise", back_populates="person"
    )


class MembershipRow(Base):
    """A person's role in one organisation; ``position`` 0 is the first contact."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), index=True
    )
    role: Mapped[Role]
    position: Mapped[int] = mapped_column(default=0)
    person: Mapped[PersonRow] = relationship(lazy="raise", back_populates="memberships")
    organisation: Mapped[OrganisationRow] = relationship(lazy="raise")

    def as_domain(self) -> Membership:
        return Membership(self.role, self.organisation_id)
