"""Ways in: sign-in links, sessions, personal links, and the counts of tries.

Of every secret only a digest is stored (P5).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.domain.feeds import FeedKind
from scheduler.persistence.base import Base


class LinkPurpose(StrEnum):
    SIGN_IN = "sign_in"
    ANSWER_VISIT = "answer_visit"


class LinkRow(Base):
    """A single-purpose link for one person. ``spent_at``: used once, or revoked."""

    __tablename__ = "link"

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[LinkPurpose]
    digest: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"), index=True)
    next_path: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class SessionRow(Base):
    """A signed-in browser."""

    __tablename__ = "signed_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    browser: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class TryRow(Base):
    """How often a key was tried in the window that began at ``since``."""

    __tablename__ = "tried"

    key: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    count: Mapped[int]


class FeedRow(Base):
    """An adult's calendar to subscribe to, at a secret address of its own.

    The address is derived from the id and ``generation``: a rise makes the old one
    worthless; ``revoked_at`` closes it for good.
    """

    __tablename__ = "feed"
    __table_args__ = (UniqueConstraint("kind", "person_id", "organisation_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[FeedKind]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    generation: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
