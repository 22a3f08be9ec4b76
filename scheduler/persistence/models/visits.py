"""Visits, the slots proposed for them, and the invitations they caused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.domain.announcements import Audience
from scheduler.domain.answers import Answer, AnswerWay
from scheduler.domain.invitations import Invitation
from scheduler.domain.parties import Part, Party
from scheduler.domain.visits import Visit, VisitState
from scheduler.persistence.base import Base
from scheduler.persistence.models.network import SchoolClassRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.people import PersonRow


class VisitRow(Base):
    """``arrangements`` are counts ("1 wheelchair"), never a diagnosis or a name.

    ``students_answer``: whether students are asked to answer (RSVP).
    ``placement_id``, ``group_no``: the campaign's placement that it is a part of.
    ``below_minimum_at``: when the teacher was told that too few come.
    """

    __tablename__ = "visit"
    __table_args__ = (
        CheckConstraint("students > 0", name="students"),
        CheckConstraint("adults >= 0", name="adults"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[VisitState] = mapped_column(index=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"), index=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"), index=True)
    wanted_slot_id: Mapped[int | None] = mapped_column(
        ForeignKey("slot.id"), index=True
    )
    revision: Mapped[int] = mapped_column(default=0)
    students: Mapped[int]
    girls: Mapped[int | None]
    boys: Mapped[int | None]
    adults: Mapped[int]
    support_assistants: Mapped[int] = mapped_column(default=0)
    part: Mapped[Part] = mapped_column(default=Part.WHOLE)
    arrangements: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(default="")
    reason: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    late: Mapped[bool] = mapped_column(default=False)
    class_code: Mapped[str] = mapped_column(unique=True)
    requested_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None] = mapped_column(index=True)
    alert_at: Mapped[datetime | None]
    answer_due_at: Mapped[datetime | None] = mapped_column(index=True)
    week_reminder_at: Mapped[datetime | None] = mapped_column(index=True)
    eve_reminder_at: Mapped[datetime | None] = mapped_column(index=True)
    students_answer: Mapped[bool] = mapped_column(default=True)
    below_minimum_at: Mapped[datetime | None]
    placement_id: Mapped[int | None] = mapped_column(
        ForeignKey("placement.id"), index=True
    )
    group_no: Mapped[int | None]
    updated_at: Mapped[datetime]
    school_class: Mapped[SchoolClassRow] = relationship(lazy="raise")
    organiser: Mapped[PersonRow] = relationship(lazy="raise")
    slot: Mapped[SlotRow] = relationship(lazy="raise", foreign_keys=[slot_id])
    wanted_slot: Mapped[SlotRow | None] = relationship(
        lazy="raise", foreign_keys=[wanted_slot_id]
    )

    @property
    def party(self) -> Party:
        return Party(
            students=self.students,
            adults=self.adults,
            support_assistants=self.support_assistants,
            girls=self.girls,
            boys=self.boys,
            part=self.part,
        )

    def as_domain(self) -> Visit:
        return Visit(
            id=self.id,
            state=self.state,
            slot_id=self.slot_id,
            wanted_slot_id=self.wanted_slot_id,
            party=self.party,
            revision=self.revision,
            reason=self.reason,
            note=self.note,
            late=self.late,
        )

    def take(self, visit: Visit, *, now: datetime) -> None:
        """Remember what the rules decided."""
        self.state = visit.state
        self.slot_id = visit.slot_id
        self.wanted_slot_id = visit.wanted_slot_id
        self.revision = visit.revision
        self.take_party(visit.party)
        self.reason = visit.reason
        self.note = visit.note
        self.late = visit.late
        self.updated_at = now

    def take_party(self, party: Party) -> None:
        self.students = party.students
        self.adults = party.adults
        self.support_assistants = party.support_assistants
        self.girls = party.girls
        self.boys = party.boys
        self.part = party.part


class ProposalRow(Base):
    """Another slot that the host offers instead."""

    __tablename__ = "proposal"
    __table_args__ = (UniqueConstraint("visit_id", "slot_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    slot: Mapped[SlotRow] = relationship(lazy="raise")


class InvitationState(StrEnum):
    INVITED = "invited"
    CANCELLED = "cancelled"


class InvitationRow(Base):
    """One event in one person's calendar: UID for life, SEQUENCE only rises (P4).

    A student has no name and no person; the address is sealed, with a digest to
    find it again (P9). ``shared``: a mailing list, told by PUBLISH and asked nothing.
    ``time_sequence``: the SEQUENCE that last changed time or place; what was answered
    before it no longer counts. ``answer_sequence`` and ``answer_dtstamp`` order the
    answers of this person (RFC 5546 §2.1.5); the comment is sealed.
    """

    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("visit_id", "audience", "address_digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    audience: Mapped[Audience]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    address: Mapped[str] = mapped_column(default="")
    address_digest: Mapped[str]
    uid: Mapped[str] = mapped_column(unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    dtstamp: Mapped[datetime]
    state: Mapped[InvitationState] = mapped_column(default=InvitationState.INVITED)
    first_message_id: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    shared: Mapped[bool] = mapped_column(default=False)
    time_sequence: Mapped[int] = mapped_column(default=0)
    answer: Mapped[Answer | None]
    answer_way: Mapped[AnswerWay | None]
    answered_at: Mapped[datetime | None]
    answer_sequence: Mapped[int | None]
    answer_dtstamp: Mapped[datetime | None]
    answer_comment: Mapped[str] = mapped_column(default="")

    def as_domain(self) -> Invitation:
        return Invitation(
            sequence=self.sequence,
            dtstamp=self.dtstamp,
            invited=self.state is InvitationState.INVITED,
            shared=self.shared,
            time_sequence=self.time_sequence,
            answer=self.answer,
        )

    def take(self, invitation: Invitation) -> None:
        """Remember what the calendar is told. An answer that is void goes entirely."""
        self.sequence = invitation.sequence
        self.dtstamp = invitation.dtstamp
        self.state = (
            InvitationState.INVITED if invitation.invited else InvitationState.CANCELLED
        )
        self.shared = invitation.shared
        self.time_sequence = invitation.time_sequence
        self.answer = invitation.answer
        if invitation.answer is None:
            self.answer_way = self.answered_at = None
            self.answer_sequence = self.answer_dtstamp = None
            self.answer_comment = ""


class AddresseeRow(Base):
    """A student's address that the teacher gave for one visit, sealed (P9).

    ``shared``: a mailing list of the class, not one person's address. ``reminders``:
    whether this reader still wants them.
    """

    __tablename__ = "addressee"
    __table_args__ = (UniqueConstraint("visit_id", "address_digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    address: Mapped[str]
    address_digest: Mapped[str]
    created_at: Mapped[datetime]
    shared: Mapped[bool] = mapped_column(default=False)
    reminders: Mapped[bool] = mapped_column(default=True)
