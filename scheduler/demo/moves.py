"""What may happen in a story of the sample: each move is one call of a service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict

from sqlalchemy.orm import Session

from scheduler.demo.network import Known
from scheduler.demo.stories import Step, Story
from scheduler.domain import fit
from scheduler.domain.actors import Actor
from scheduler.domain.localtime import local
from scheduler.domain.parties import Party
from scheduler.domain.visits import CancelReason, DeclineReason
from scheduler.persistence.queries import seeding, visits
from scheduler.services import answers, fitting, requests, slots, students
from scheduler.services.house import house_of

HALF_AN_HOUR = timedelta(minutes=30)
SOON = timedelta(days=4)
SEASON = timedelta(days=150)
MOST_PROPOSED = 2


class Signed(TypedDict):
    by: Actor
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A visit of the sample and everything needed to go on with it."""

    session: Session
    known: Known
    story: Story
    visit_id: int
    slot_id: int
    host: str
    party: Party
    at: datetime

    @property
    def teacher(self) -> Signed:
        return {"by": self.known.actors[self.story.teacher], "now": self.at}

    @property
    def contact(self) -> Signed:
        return {"by": self.known.actors[self.host], "now": self.at}

    def other_slots(self) -> list[int]:
        """The host's slots of the coming months that would do as well."""
        row = visits.visit_to_show(self.session, self.visit_id)
        if row is None:
            return []
        offered = seeding.slots_between(
            self.session,
            [self.known.organisations[self.host]],
            start=self.at + SOON,
            end=self.at + SEASON,
        )
        cases = fitting.cases(
            self.session,
            row.school_class,
            offered,
            organiser_id=row.organiser_id,
            party=row.party,
            besides=row,
        )
        policy = house_of(self.session).policy
        return [
            slot.id
            for slot, case in zip(offered, cases, strict=True)
            if slot.id != row.slot_id
            and not fit.refusals(case, now=self.at, policy=policy)
        ]


def go_on(scene: Scene, step: Step) -> None:
    """Play one step. Raises what the service refuses."""
    MOVES[step.move](scene, step.detail)


def _accept(scene: Scene, _detail: str) -> None:
    answers.accept_visit(scene.session, scene.visit_id, **scene.contact)


def _decline(scene: Scene, reason: str) -> None:
    answers.decline_visit(
        scene.session,
        scene.visit_id,
        reason=DeclineReason(reason),
        note=scene.story.note,
        **scene.contact,
    )


def _propose(scene: Scene, _detail: str) -> None:
    answers.propose_slots(
        scene.session,
        scene.visit_id,
        scene.other_slots()[:MOST_PROPOSED],
        note=scene.story.note,
        **scene.contact,
    )


def _withdraw(scene: Scene, _detail: str) -> None:
    requests.withdraw_visit(scene.session, scene.visit_id, **scene.teacher)


def _ask_to_move(scene: Scene, _detail: str) -> None:
    for slot_id in scene.other_slots()[:1]:
        requests.move_visit(scene.session, scene.visit_id, slot_id, **scene.teacher)


def _one_less(scene: Scene, _detail: str) -> None:
    party = replace(scene.party, students=scene.party.students - 1, boys=None)
    requests.change_numbers(
        scene.session,
        scene.visit_id,
        party,
        arrangements=scene.story.arrangements,
        **scene.teacher,
    )


def _cancel_by_school(scene: Scene, reason: str) -> None:
    requests.cancel_by_school(
        scene.session,
        scene.visit_id,
        reason=CancelReason(reason),
        note=scene.story.note,
        **scene.teacher,
    )


def _cancel_by_host(scene: Scene, reason: str) -> None:
    answers.cancel_by_host(
        scene.session,
        scene.visit_id,
        reason=CancelReason(reason),
        note=scene.story.note,
        **scene.contact,
    )


def _half_an_hour_later(scene: Scene, _detail: str) -> None:
    """The host changes the time under a confirmed visit."""
    slot = seeding.slot_of(scene.session, scene.slot_id)
    starts, ends = local(slot.starts_at), local(slot.ends_at)
    times = slots.SlotTimes(
        day=starts.date(),
        starts=(starts + HALF_AN_HOUR).time(),
        ends=(ends + HALF_AN_HOUR).time(),
        place=slot.place,
    )
    slots.change_slot(
        scene.session,
        scene.slot_id,
        times,
        wanted=slots.SeatsWanted(),
        **scene.contact,
    )


def _addresses(scene: Scene, number: str) -> None:
    """The teacher gives the addresses of some students."""
    name = scene.story.class_key.lower()
    students.set_addresses(
        scene.session,
        scene.visit_id,
        [f"eleve{n:02}.{name}@example.org" for n in range(1, int(number) + 1)],
        **scene.teacher,
    )


MOVES: dict[str, Callable[[Scene, str], None]] = {
    "accept": _accept,
    "addresses": _addresses,
    "ask_to_move": _ask_to_move,
    "cancel_by_host": _cancel_by_host,
    "cancel_by_school": _cancel_by_school,
    "decline": _decline,
    "half_an_hour_later": _half_an_hour_later,
    "one_less": _one_less,
    "propose": _propose,
    "withdraw": _withdraw,
}
