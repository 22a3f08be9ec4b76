"""What the racers do: values that can be sent to another process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor
from scheduler.domain.parties import Party
from scheduler.domain.visits import CancelReason
from scheduler.services import answers, requests, slots


@dataclass(frozen=True, kw_only=True)
class Ask:
    slot: int
    school_class: int
    by: Actor
    now: datetime
    students: int = 12
    adults: int = 2

    def __call__(self, session: Session) -> int:
        request = requests.Request(
            slot_id=self.slot,
            class_id=self.school_class,
            party=Party(students=self.students, adults=self.adults),
        )
        return requests.request_visit(session, request, by=self.by, now=self.now)


@dataclass(frozen=True, kw_only=True)
class Accept:
    visit: int
    by: Actor
    now: datetime

    def __call__(self, session: Session) -> None:
        answers.accept_visit(session, self.visit, by=self.by, now=self.now)


@dataclass(frozen=True, kw_only=True)
class Move:
    visit: int
    slot: int
    by: Actor
    now: datetime

    def __call__(self, session: Session) -> None:
        requests.move_visit(session, self.visit, self.slot, by=self.by, now=self.now)


@dataclass(frozen=True, kw_only=True)
class ChangeNumbers:
    visit: int
    students: int
    by: Actor
    now: datetime

    def __call__(self, session: Session) -> None:
        requests.change_numbers(
            session,
            self.visit,
            Party(students=self.students, adults=2),
            arrangements="",
            by=self.by,
            now=self.now,
        )


@dataclass(frozen=True, kw_only=True)
class Cancel:
    visit: int
    by: Actor
    now: datetime

    def __call__(self, session: Session) -> None:
        requests.cancel_by_school(
            session,
            self.visit,
            reason=CancelReason.COST,
            note="",
            by=self.by,
            now=self.now,
        )


@dataclass(frozen=True, kw_only=True)
class ChangeSlot:
    slot: int
    day: date
    starts: time
    ends: time
    by: Actor
    now: datetime

    def __call__(self, session: Session) -> None:
        slots.change_slot(
            session,
            self.slot,
            slots.SlotTimes(day=self.day, starts=self.starts, ends=self.ends),
            wanted=slots.SeatsWanted(),
            by=self.by,
            now=self.now,
        )
