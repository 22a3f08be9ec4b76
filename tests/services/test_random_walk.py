"""Hundreds of use cases in random order, and after each the promises P1, P2 and P4.

Nothing is chosen cleverly: a step may be refused, and then nothing may have changed.
Every few steps the outbox is delivered to calendars that behave as people's calendars
do; whatever came before, they must then show what is true.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.localtime import half_day, instant, local, local_day, school_year
from scheduler.domain.offers import Confirmation
from scheduler.domain.parties import Party
from scheduler.domain.policy import Policy
from scheduler.domain.refusals import Refusal
from scheduler.domain.slots import SlotState
from scheduler.domain.travel import away
from scheduler.domain.visits import (
    HOLDS_SEATS,
    INVITED,
    USES_CAP,
    WAITS_FOR_HOST,
    CancelReason,
    DeclineReason,
    VisitState,
)
from scheduler.persistence.models.network import HostRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import access, visits
from scheduler.persistence.sealed import Seal, seal_of
from scheduler.services import (
    answers,
    clockwork,
    fitting,
    offers,
    requests,
    slots,
    students,
)
from scheduler.services.slots import SeatsWanted, SlotTimes
from tests import rows
from tests.services.mailbox import Calendars, everything

STEPS = 300
FRIDAY = 4
START = instant(date(2027, 3, 2), time(9, 0))
"""Six weeks of school lie ahead, with a change of the clocks and Easter Monday."""
LOOK_EVERY = 5
POLICY = Policy()
FORMS = [f"eleve{number}@example.net" for number in range(6)]


class Walk:
    """The world, a clock that runs on, and a die."""

    def __init__(self, session: Session, *, seed: int) -> None:
        self.session = session
        self.die = random.Random(seed)
        self.now = START
        self.calendars = Calendars()
        self.world = rows.store_world(session)
        self.done: Counter[str] = Counter()
        self._furnish()

    def _furnish(self) -> None:
        """More slots than the world has: shared, small, capped, automatic."""
        session, world = self.session, self.world
        host = session.get_one(HostRow, world.host)
        host.cap_per_day, host.cap_per_month, host.cap_per_year = 2, 5, 14
        session.get_one(OfferRow, world.offer).min_notice_days = 2
        session.get_one(OfferRow, world.other_offer).min_notice_days = 1
        session.commit()
        at_once = rows.store_offer(
            session,
            world.other_host,
            min_notice_days=0,
            confirmation=Confirmation.AUTOMATIC,
        )
        self.teachers = [world.teacher, world.colleague, world.other_teacher]
        self.classes = {
            world.teacher: [world.school_class, world.second_class],
            world.colleague: [world.school_class, world.second_class],
            world.other_teacher: [world.other_class],
        }
        self.contacts = [world.contact, world.substitute, world.other_contact]
        self.offers = [world.offer, world.other_offer, at_once]
        for number in range(24):
            rows.store_slot(
                session,
                self.offers[number % 3],
                self._some_time(),
                max_students=self.die.choice([12, 25, 40]),
                max_people=self.die.choice([None, 30, 45]),
                max_groups=self.die.choice([1, 2, 3]),
            )

    def _some_time(self) -> datetime:
        day = self.now + timedelta(days=self.die.randint(3, 35))
        if local(day).weekday() > FRIDAY:
            day += timedelta(days=2)
        clock = self.die.choice([8, 9, 10, 13, 14, 15])
        return local(day).replace(hour=clock, minute=0, second=0, microsecond=0)

    # -------------------------------------------------------------- what is there

    def visit(self, *states: VisitState) -> int:
        """Mostly one in such a state, else any."""
        rows_ = self.session.execute(
            select(VisitRow.id, VisitRow.state).order_by(VisitRow.id)
        ).all()
        self.session.rollback()
        fitting_ = [number for number, state in rows_ if state in states]
        any_ = [number for number, _ in rows_[-20:]]
        if fitting_ and self.die.random() < 0.9:
            return self.die.choice(fitting_)
        return self.die.choice(any_ or [0])

    def slot(self, *, like: int = 0) -> int:
        """One that is open; mostly of the host that the visit goes to."""
        query = select(SlotRow.id).where(
            SlotRow.starts_at > self.now, SlotRow.state == SlotState.OPEN
        )
        visit = self.session.get(VisitRow, like)
        if visit is not None and self.die.random() < 0.9:
            host = visits.host_of_slot(self.session, visit.slot_id)
            query = query.join(OfferRow).where(OfferRow.host_id == host)
        found = self.session.scalars(query.order_by(SlotRow.id)).all()
        self.session.rollback()
        return self.die.choice(list(found) or [0])

    def party(self) -> Party:
        students = self.die.randint(1, 26)
        return Party(
            students=students,
            adults=self.die.randint(1, 4),
            support_assistants=self.die.choice([0, 0, 1]),
            girls=self.die.choice([None, 0, students]),
        )

    def by_school(self) -> dict[str, Any]:
        """Mostly somebody who may."""
        others = [*self.teachers, self.world.contact]
        who = self.die.choice([self.world.coordinator] * 12 + others)
        return {"by": who.actor, "now": self.now}

    def by_host(self) -> dict[str, Any]:
        who = self.die.choice([self.world.coordinator] * 12 + self.contacts)
        return {"by": who.actor, "now": self.now}

    # -------------------------------------------------------------- steps

    def ask(self) -> None:
        teacher = self.die.choice(self.teachers)
        request = requests.Request(
            slot_id=self.slot(),
            class_id=self.die.choice(self.classes[teacher]),
            party=self.party(),
        )
        visit = requests.request_visit(
            self.session, request, by=teacher.actor, now=self.now
        )
        if self.die.random() < 0.7:
            lines = self.die.sample(FORMS, 2)
            students.set_addresses(
                self.session, visit, lines, by=teacher.actor, now=self.now
            )

    def accept(self) -> None:
        answers.accept_visit(
            self.session, self.visit(*WAITS_FOR_HOST), **self.by_host()
        )

    def decline(self) -> None:
        answers.decline_visit(
            self.session,
            self.visit(*WAITS_FOR_HOST, VisitState.PROPOSED),
            reason=self.die.choice(list(DeclineReason)),
            note=self.die.choice(["", "Inventaire"]),
            **self.by_host(),
        )

    def propose(self) -> None:
        visit = self.visit(VisitState.REQUESTED)
        others = [self.slot(like=visit) for _ in range(self.die.randint(0, 2))]
        answers.propose_slots(self.session, visit, others, note="", **self.by_host())

    def choose(self) -> None:
        visit = self.visit(VisitState.PROPOSED)
        offered = [each.slot_id for each in visits.proposals_for(self.session, visit)]
        requests.choose_slot(
            self.session, visit, self.die.choice(offered or [0]), **self.by_school()
        )

    def withdraw(self) -> None:
        requests.withdraw_visit(
            self.session,
            self.visit(*WAITS_FOR_HOST, VisitState.PROPOSED),
            **self.by_school(),
        )

    def move(self) -> None:
        visit = self.visit(*HOLDS_SEATS)
        requests.move_visit(
            self.session, visit, self.slot(like=visit), **self.by_school()
        )

    def change_numbers(self) -> None:
        requests.change_numbers(
            self.session,
            self.visit(*HOLDS_SEATS),
            self.party(),
            arrangements=self.die.choice(["", "1 fauteuil roulant"]),
            **self.by_school(),
        )

    def set_addresses(self) -> None:
        lines = self.die.sample(FORMS, self.die.randint(0, 4))
        students.set_addresses(
            self.session, self.visit(*HOLDS_SEATS), lines, **self.by_school()
        )

    def cancel_by_school(self) -> None:
        requests.cancel_by_school(
            self.session,
            self.visit(*INVITED),
            reason=self.die.choice(list(CancelReason)),
            note=self.die.choice(["", "Car en panne"]),
            **self.by_school(),
        )

    def cancel_by_host(self) -> None:
        answers.cancel_by_host(
            self.session,
            self.visit(*INVITED),
            reason=self.die.choice(list(CancelReason)),
            note=self.die.choice(["", "Machine en panne"]),
            **self.by_host(),
        )

    def ask_again(self) -> None:
        visit = self.visit(VisitState.CANCELLED_BY_SCHOOL)
        requests.ask_again(self.session, visit, **self.by_school())

    def offer_again(self) -> None:
        visit = self.visit(VisitState.CANCELLED_BY_HOST)
        answers.offer_again(self.session, visit, note="", **self.by_host())

    def hand_over(self) -> None:
        to = self.die.choice(self.teachers).id
        requests.hand_over(
            self.session, self.visit(*HOLDS_SEATS), to, **self.by_school()
        )

    def change_slot(self) -> None:
        slot = self.session.get(SlotRow, self.slot())
        if slot is None:
            return
        starts = self.die.choice(
            [
                self._some_time(),
                local(slot.starts_at),
                local(slot.starts_at + timedelta(hours=1)),
            ]
        )
        ends = self.die.choice([1, 2, 3])
        place = self.die.choice([slot.place, "2 rue des Essais, Derval"])
        slots.change_slot(
            self.session,
            slot.id,
            SlotTimes(
                day=starts.date(),
                starts=starts.time(),
                ends=time(starts.hour + ends),
                place=place,
            ),
            wanted=SeatsWanted(students=self.die.choice([None, 12, 25, 40])),
            **self.by_host(),
        )

    def close_slot(self) -> None:
        slots.close_slot(self.session, self.slot(), **self.by_host())

    def reopen_slot(self) -> None:
        closed = self.session.scalars(
            select(SlotRow.id)
            .where(SlotRow.state == SlotState.CLOSED)
            .order_by(SlotRow.id)
        ).all()
        slots.reopen_slot(
            self.session, self.die.choice(list(closed) or [0]), **self.by_host()
        )

    def cancel_slot(self) -> None:
        slots.cancel_slot(
            self.session,
            self.slot(),
            reason=CancelReason.WEATHER,
            note="",
            **self.by_host(),
        )

    def add_slot(self) -> None:
        starts = self._some_time()
        slots.add_slot(
            self.session,
            self.die.choice(self.offers),
            SlotTimes(
                day=starts.date(), starts=starts.time(), ends=time(starts.hour + 2)
            ),
            wanted=SeatsWanted(students=30, groups=self.die.choice([1, 2])),
            **self.by_host(),
        )

    def pause_or_resume(self) -> None:
        step = self.die.choice([offers.resume_offer, self._pause])
        step(self.session, self.die.choice(self.offers), **self.by_host())

    def _pause(self, session: Session, offer: int, **who: Any) -> None:
        until = local_day(self.now + timedelta(days=2))
        offers.pause_offer(session, offer, until=until, **who)

    def time_passes(self) -> None:
        self.now += timedelta(hours=self.die.randint(1, 20), seconds=self.die.random())
        for work in self.die.sample(LOOP, len(LOOP)):
            work(self.session, now=self.now)

    # -------------------------------------------------------------- the walk

    def step(self) -> None:
        names = list(WEIGHTS)
        name = self.die.choices(names, [WEIGHTS[each] for each in names])[0]
        before = everything(self.session) if self.die.random() < 0.1 else None
        try:
            getattr(self, name)()
        except Refusal as refusal:
            self.done[f"{name}: {refusal.code}"] += 1
            assert before is None or everything(self.session) == before
        else:
            self.done[name] += 1


LOOP: list[Callable[..., object]] = [
    clockwork.remind_hosts,
    clockwork.expire_requests,
    clockwork.remind_week_before,
    clockwork.remind_eve,
    clockwork.complete_visits,
    clockwork.resume_offers,
    clockwork.purge_personal_data,
]
WEIGHTS = {
    "ask": 30,
    "accept": 9,
    "decline": 4,
    "propose": 7,
    "choose": 6,
    "withdraw": 2,
    "move": 8,
    "change_numbers": 5,
    "set_addresses": 5,
    "cancel_by_school": 2,
    "cancel_by_host": 2,
    "ask_again": 3,
    "offer_again": 3,
    "hand_over": 3,
    "change_slot": 6,
    "close_slot": 1,
    "reopen_slot": 2,
    "cancel_slot": 0.6,
    "add_slot": 4,
    "pause_or_resume": 1,
    "time_passes": 9,
}


# ------------------------------------------------------------------ the promises


def whole(session: Session) -> list[VisitRow]:
    session.rollback()
    return list(session.scalars(select(VisitRow).options(*visits.visit_whole())))


def check_seats(session: Session, found: list[VisitRow]) -> None:
    """P1: what is stored is what the visits hold, and never more than there is."""
    held: dict[int, list[VisitRow]] = {}
    for visit in found:
        if visit.state in USES_CAP:
            for slot_id in {visit.slot_id, visit.wanted_slot_id} - {None}:
                held.setdefault(slot_id, []).append(visit)
    for slot in session.scalars(select(SlotRow)):
        mine = held.get(slot.id, [])
        counted = (
            sum(each.students for each in mine),
            sum(each.party.people for each in mine),
            len(mine),
        )
        assert (slot.students_taken, slot.people_taken, slot.groups_taken) == counted
        assert slot.students_taken <= slot.max_students
        assert slot.groups_taken <= slot.max_groups
        assert slot.max_people is None or slot.people_taken <= slot.max_people


def check_time(found: list[VisitRow]) -> None:
    """P2: no class and no teacher in two places, the ways counted."""
    held = [
        (
            visit,
            slot.starts_at,
            away(
                slot.starts_at,
                slot.ends_at,
                fitting.way_between(visit.school_class, slot, POLICY),
            ),
        )
        for visit in found
        if visit.state in HOLDS_SEATS
        for slot in (visit.slot, visit.wanted_slot)
        if slot is not None
    ]
    for (one, one_at, one_away), (two, two_at, two_away) in combinations(held, 2):
        if one is two:
            continue
        if one.class_id == two.class_id:
            same_day = local_day(one_at) == local_day(two_at)
            assert not (same_day and half_day(one_at) is half_day(two_at))
            assert not one_away.overlaps(two_away)
        if one.organiser_id == two.organiser_id:
            assert not one_away.overlaps(two_away)


def check_caps(session: Session, found: list[VisitRow]) -> None:
    """P2: a host's caps per day, month and school year.

    A visit that moves within a month is one visit of that month.
    """
    uses: Counter[tuple[int, str, object]] = Counter()
    for visit in found:
        if visit.state not in USES_CAP:
            continue
        periods = set()
        for slot in (visit.slot, visit.wanted_slot):
            if slot is not None:
                host, day = slot.offer.host_id, local_day(slot.starts_at)
                periods.add((host, "day", day))
                periods.add((host, "month", (day.year, day.month)))
                periods.add((host, "year", school_year(day)))
        uses.update(periods)
    caps = {
        (host.id, period): getattr(host, f"cap_per_{period}")
        for host in session.scalars(select(HostRow))
        for period in ("day", "month", "year")
    }
    for (host_id, period, _), used in uses.items():
        cap = caps[host_id, period]
        assert cap is None or used <= cap, f"{period}: {used} of {cap}"


def _due(session: Session, visit: VisitRow, seal: Seal) -> list[str]:
    """Whose calendars show the visit: of a request, the host's alone."""
    people = []
    if visit.state in INVITED | {VisitState.REQUESTED}:
        contacts = access.contacts_of(session, visit.slot.offer.host_id)
        people += [each.person.email for each in contacts]
    if visit.state in INVITED:
        people.append(visit.organiser.email)
        people += [
            seal.open(each.address) for each in visits.addressees_of(session, visit.id)
        ]
    return people


def check_calendars(session: Session, walk: Walk, found: list[VisitRow]) -> None:
    """P4: once all mail is out, every calendar shows what is true, and no more."""
    walk.calendars.deliver(session, now=walk.now)
    seal = seal_of(session)
    shown: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for (address, _), entry in walk.calendars.entries.items():
        shown.setdefault((address, entry["id"]), []).append(entry)
    due: set[tuple[str, int]] = set()
    for visit in found:
        if visit.state is VisitState.DONE:
            due |= {key for key in shown if key[1] == visit.id}
        people = _due(session, visit, seal)
        truth = {
            "id": visit.id,
            "starts_at": visit.slot.starts_at.isoformat(),
            "ends_at": visit.slot.ends_at.isoformat(),
            "place": visit.slot.address,
        }
        for address in people:
            assert shown.get((address, visit.id)) == [truth]
            due.add((address, visit.id))
    assert set(shown) == due
    session.rollback()


@pytest.mark.long
@pytest.mark.parametrize("seed", [2026])
def test_no_order_of_use_cases_breaks_a_promise(session: Session, seed: int):
    walk = Walk(session, seed=seed)

    for number in range(STEPS):
        walk.step()
        found = whole(session)
        check_seats(session, found)
        check_time(found)
        check_caps(session, found)
        if number % LOOK_EVERY == 0:
            check_calendars(session, walk, whole(session))

    check_calendars(session, walk, whole(session))
    taken = {name for name in walk.done if ":" not in name}
    assert taken >= {"ask", "accept", "move", "change_slot", "cancel_by_host"}
