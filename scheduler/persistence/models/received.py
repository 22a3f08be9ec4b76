"""Mail that came back: calendar answers, bounces, and what nobody can read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.domain.answers import Effect
from scheduler.persistence.base import Base


class ReceivedRow(Base):
    """A received message and its verdict; acted upon at most once.

    ``octets_digest`` and ``message_id`` know a second copy. ``sender``, ``subject``,
    ``comment`` and ``excerpt`` are sealed: a person may look at them. ``proposed_*``:
    the other time that a host asked for (COUNTER); ``settled_at``: a person dealt with
    it.
    """

    __tablename__ = "received"

    id: Mapped[int] = mapped_column(primary_key=True)
    octets_digest: Mapped[str] = mapped_column(unique=True)
    message_id: Mapped[str] = mapped_column(default="", index=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
    size: Mapped[int]
    effect: Mapped[Effect]
    code: Mapped[str]
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"), index=True)
    invitation_id: Mapped[int | None] = mapped_column(
        ForeignKey("invitation.id"), index=True
    )
    bounced_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    sequence: Mapped[int | None]
    dtstamp: Mapped[datetime | None]
    sender: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    comment: Mapped[str] = mapped_column(default="")
    excerpt: Mapped[str] = mapped_column(default="")
    proposed_starts_at: Mapped[datetime | None]
    proposed_ends_at: Mapped[datetime | None]
    for_person: Mapped[bool] = mapped_column(default=False)
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
