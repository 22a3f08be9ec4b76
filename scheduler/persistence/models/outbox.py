"""Mail to be sent, one row for each recipient and change, and the loop's lease."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.domain.announcements import Audience, Method
from scheduler.persistence.base import Base

TO_AN_ADULT = text("person_id IS NOT NULL")
# The few that somebody waits for before a screen (domain.sending.WAITED_FOR).
WAITED_FOR_UNSENT = text("kind = 'sign_in' AND state != 'sent'")


class MessageState(StrEnum):
    """``superseded``: not worth sending any more.

    A newer revision for the same calendar replaced it, it went into a digest, or what
    it is about is past.
    """

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    SUPERSEDED = "superseded"


class MessageRow(Base):
    """Frozen when the change happened; rendered when it is sent.

    ``address`` is sealed. UID, SEQUENCE, DTSTAMP and Message-ID never change, so a
    second copy after a crash is harmless (P3). ``bounced_at``: the server had taken it
    (``sent_at``), and a delivery report said later that it did not arrive, with the
    status ``bounce_status`` (RFC 3463). ``domain_digest`` tells messages to one mail
    domain without naming it. ``for_digest``: waits for its reader's daily mail.
    ``first_tried_at``: since when it is tried; it is given up two days later.
    """

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_state_due_at_id", "state", "due_at", "id"),
        Index(
            "ix_message_waited_for",
            "due_at",
            "id",
            sqlite_where=WAITED_FOR_UNSENT,
            postgresql_where=WAITED_FOR_UNSENT,
        ),
        Index(
            "ix_message_person_id",
            "person_id",
            sqlite_where=TO_AN_ADULT,
            postgresql_where=TO_AN_ADULT,
        ),
        Index("ix_message_invitation_id_state", "invitation_id", "state"),
        Index("ix_message_sent_at", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"), index=True)
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id"))
    kind: Mapped[str]
    audience: Mapped[Audience | None]
    locale: Mapped[str]
    recipient_name: Mapped[str] = mapped_column(default="")
    address: Mapped[str]
    payload: Mapped[dict[str, Any]]
    uid: Mapped[str | None]
    method: Mapped[Method | None]
    sequence: Mapped[int] = mapped_column(default=0)
    dtstamp: Mapped[datetime]
    message_id: Mapped[str] = mapped_column(unique=True)
    thread_id: Mapped[str] = mapped_column(default="")
    state: Mapped[MessageState] = mapped_column(default=MessageState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    for_digest: Mapped[bool] = mapped_column(default=False)
    domain_digest: Mapped[str] = mapped_column(default="")
    bounced_at: Mapped[datetime | None]
    bounce_status: Mapped[str] = mapped_column(default="")
    first_tried_at: Mapped[datetime | None]


class LeaseRow(Base):
    """Who runs the loop, until when; ``beat_at`` tells whether it is alive."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    until: Mapped[datetime]
    beat_at: Mapped[datetime]
