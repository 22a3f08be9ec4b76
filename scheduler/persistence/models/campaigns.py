"""Campaigns: rules, wish lists, runs of the engine with their plans, placements."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.domain.announcements import Audience
from scheduler.domain.campaigns import (
    Campaign,
    CampaignState,
    Criterion,
    PinKind,
    PlacementState,
    RunPurpose,
    RunState,
    Timing,
)
from scheduler.domain.wishes import Days, Splitting, Wish, WishList, WishListState
from scheduler.persistence.base import Base
from scheduler.persistence.models.network import SchoolClassRow
from scheduler.persistence.models.people import PersonRow


class CampaignRow(Base):
    """A round of wishes with its rules. ``points``: criterion to points.

    ``near_m`` and the ``*_min`` say what nearby, parallel and back-to-back mean for
    half-groups; ``min_group`` is their smallest size.
    """

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint("opens_at < closes_at", name="wishing"),
        CheckConstraint("first_visit_on <= last_visit_on", name="term"),
        CheckConstraint("school_quota > 0", name="school_quota"),
        CheckConstraint("visits_per_class > 0", name="visits_per_class"),
        CheckConstraint("most_wishes > 0", name="most_wishes"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    theme: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    state: Mapped[CampaignState] = mapped_column(default=CampaignState.DRAFT)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    allocation_on: Mapped[date]
    first_visit_on: Mapped[date]
    last_visit_on: Mapped[date]
    level_codes: Mapped[list[str]] = mapped_column(default=list)
    school_quota: Mapped[int | None]
    visits_per_class: Mapped[int] = mapped_column(default=1)
    most_wishes: Mapped[int] = mapped_column(default=10)
    points: Mapped[dict[str, Any]] = mapped_column(default=dict)
    far_km: Mapped[int] = mapped_column(default=40)
    seed: Mapped[int]
    min_group: Mapped[int] = mapped_column(default=6)
    near_m: Mapped[int] = mapped_column(default=1500)
    parallel_min: Mapped[int] = mapped_column(default=30)
    gap_min: Mapped[int] = mapped_column(default=60)
    walk_min: Mapped[int] = mapped_column(default=15)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    announced_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    sample_key: Mapped[str | None] = mapped_column(unique=True)

    @property
    def timing(self) -> Timing:
        return Timing(
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            allocation_on=self.allocation_on,
            first_visit_on=self.first_visit_on,
            last_visit_on=self.last_visit_on,
        )

    def take_timing(self, timing: Timing) -> None:
        self.opens_at = timing.opens_at
        self.closes_at = timing.closes_at
        self.allocation_on = timing.allocation_on
        self.first_visit_on = timing.first_visit_on
        self.last_visit_on = timing.last_visit_on

    def as_domain(self) -> Campaign:
        return Campaign(
            id=self.id,
            name=self.name,
            state=self.state,
            timing=self.timing,
            level_codes=frozenset(self.level_codes),
            school_quota=self.school_quota,
            visits_per_class=self.visits_per_class,
            most_wishes=self.most_wishes,
            points={Criterion(key): value for key, value in self.points.items()},
            far_km=self.far_km,
            seed=self.seed,
        )


class WishListRow(Base):
    """What a teacher wishes for one class.

    ``arrival``: rank of arrival, to compare with first come, first served only.
    ``absent``: list of {first, last} ISO days, on top of the class's own absences.
    """

    __tablename__ = "wish_list"
    __table_args__ = (
        UniqueConstraint("campaign_id", "class_id"),
        CheckConstraint("students > 0", name="students"),
        CheckConstraint("adults >= 0", name="adults"),
        CheckConstraint("max_parts > 0", name="max_parts"),
        CheckConstraint("max_km > 0", name="max_km"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"), index=True)
    teacher_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    state: Mapped[WishListState] = mapped_column(default=WishListState.SUBMITTED)
    students: Mapped[int]
    adults: Mapped[int]
    support_assistants: Mapped[int] = mapped_column(default=0)
    split: Mapped[Splitting] = mapped_column(default=Splitting.NONE)
    max_parts: Mapped[int] = mapped_column(default=1)
    max_km: Mapped[int]
    wheelchair: Mapped[bool] = mapped_column(default=False)
    absent: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    leave_from: Mapped[time | None]
    back_by: Mapped[time | None]
    arrangements: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(default="")
    arrival: Mapped[int]
    submitted_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    campaign: Mapped[CampaignRow] = relationship(lazy="raise")
    school_class: Mapped[SchoolClassRow] = relationship(lazy="raise")
    teacher: Mapped[PersonRow] = relationship(lazy="raise")
    wishes: Mapped[list[WishRow]] = relationship(
        lazy="raise", order_by="WishRow.position", cascade="all, delete-orphan"
    )

    def as_domain(self) -> WishList:
        """Needs ``wishes`` loaded."""
        return WishList(
            students=self.students,
            adults=self.adults,
            support_assistants=self.support_assistants,
            wishes=tuple(each.as_domain() for each in self.wishes),
            max_km=self.max_km,
            split=self.split,
            max_parts=self.max_parts,
            wheelchair=self.wheelchair,
            absent=tuple(
                Days(
                    date.fromisoformat(each["first"]), date.fromisoformat(each["last"])
                )
                for each in self.absent
            ),
            leave_from=self.leave_from,
            back_by=self.back_by,
            arrangements=self.arrangements,
            message=self.message,
        )

    def take(self, wanted: WishList) -> None:
        """Needs ``wishes`` loaded; the old ones have to be flushed away before."""
        self.students = wanted.students
        self.adults = wanted.adults
        self.support_assistants = wanted.support_assistants
        self.max_km = wanted.max_km
        self.split = wanted.split
        self.max_parts = wanted.max_parts
        self.wheelchair = wanted.wheelchair
        self.absent = [
            {"first": each.first.isoformat(), "last": each.last.isoformat()}
            for each in wanted.absent
        ]
        self.leave_from = wanted.leave_from
        self.back_by = wanted.back_by
        self.arrangements = wanted.arrangements
        self.message = wanted.message
        self.wishes = [
            WishRow(
                position=position,
                slot_id=wish.slot_id,
                host_id=wish.host_id,
                field_codes=list(wish.field_codes),
                first_on=wish.first_on,
                last_on=wish.last_on,
                max_km=wish.max_km,
            )
            for position, wish in enumerate(wanted.wishes, 1)
        ]


class WishRow(Base):
    """One wish: a slot, a host, or criteria. ``position`` counts from 1, best first."""

    __tablename__ = "wish"
    __table_args__ = (UniqueConstraint("wish_list_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    wish_list_id: Mapped[int] = mapped_column(ForeignKey("wish_list.id"))
    position: Mapped[int]
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id"), index=True)
    host_id: Mapped[int | None] = mapped_column(ForeignKey("host.id"), index=True)
    field_codes: Mapped[list[str]] = mapped_column(default=list)
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    max_km: Mapped[int | None]

    def as_domain(self) -> Wish:
        return Wish(
            slot_id=self.slot_id,
            host_id=self.host_id,
            field_codes=tuple(self.field_codes),
            first_on=self.first_on,
            last_on=self.last_on,
            max_km=self.max_km,
        )


class PinRow(Base):
    """A coordinator's hand: this class there, or never there. Read by the next run."""

    __tablename__ = "match_pin"
    __table_args__ = (UniqueConstraint("campaign_id", "class_id", "slot_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"))
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    kind: Mapped[PinKind]
    reason: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]


class RunRow(Base):
    """One computation of a plan: what went in, how far it is, what came out.

    ``problem``, ``plan`` and ``queue_plan`` (first come, first served, to compare) are
    gzipped JSON of the format ``visites/1`` (docs/matching.md), so that the same result
    can be computed again years later with ``seed`` and ``engine``. ``added``: slots
    that nobody opened yet and wider ones (what-if). ``progress`` and ``summary``: see
    services/runs.py. ``heartbeat_at`` stands still when the computing process died.
    ``note``: what the coordinator says to those whose visit a repair takes away.
    """

    __tablename__ = "match_run"
    __table_args__ = (Index("ix_match_run_state", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    based_on_id: Mapped[int | None] = mapped_column(ForeignKey("match_run.id"))
    purpose: Mapped[RunPurpose] = mapped_column(default=RunPurpose.PLAN)
    state: Mapped[RunState] = mapped_column(default=RunState.QUEUED)
    label: Mapped[str] = mapped_column(default="")
    seed: Mapped[int]
    seconds: Mapped[int] = mapped_column(default=60)
    added: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    engine: Mapped[str] = mapped_column(default="")
    problem: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    plan: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    queue_plan: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str] = mapped_column(default="")
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stop_asked_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str] = mapped_column(default="")
    campaign: Mapped[CampaignRow] = relationship(lazy="raise")


class OutcomeRow(Base):
    """What a run gives one class: ``visits`` placed, or the ``code`` of why none.

    ``facts``: points by criterion, wish rank, distance, blockers, needs (explain).
    """

    __tablename__ = "match_outcome"
    __table_args__ = (UniqueConstraint("run_id", "class_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("match_run.id"))
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"), index=True)
    visits: Mapped[int] = mapped_column(default=0)
    code: Mapped[str] = mapped_column(default="")
    priority: Mapped[int] = mapped_column(default=0)
    rank: Mapped[int | None]
    metres: Mapped[int | None]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    school_class: Mapped[SchoolClassRow] = relationship(lazy="raise")


class PlaceRow(Base):
    """A group of a class on a slot in a run's plan. ``added_slot``: a what-if one."""

    __tablename__ = "match_place"
    __table_args__ = (Index("ix_match_place_run_id_class_id", "run_id", "class_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("match_run.id"))
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id"), index=True)
    added_slot: Mapped[str] = mapped_column(default="")
    visit_no: Mapped[int] = mapped_column(default=1)
    group_no: Mapped[int] = mapped_column(default=1)
    students: Mapped[int]


class PlacementRow(Base):
    """A visit of a published plan for one class: its parts are visits of the ledger.

    ``refusals``: codes of the rules that said no when it was asked for. ``told_at``:
    when its teacher and hosts were written to.
    """

    __tablename__ = "placement"
    __table_args__ = (UniqueConstraint("run_id", "class_id", "visit_no"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("match_run.id"))
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"), index=True)
    visit_no: Mapped[int] = mapped_column(default=1)
    state: Mapped[PlacementState] = mapped_column(default=PlacementState.WAITING)
    refusals: Mapped[list[str]] = mapped_column(default=list)
    placed_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]


class CampaignLetterRow(Base):
    """Somebody was written to about a published plan: once, whatever crashes (P3)."""

    __tablename__ = "campaign_letter"
    __table_args__ = (UniqueConstraint("run_id", "person_id", "audience"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("match_run.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    audience: Mapped[Audience]
    told_at: Mapped[datetime]
