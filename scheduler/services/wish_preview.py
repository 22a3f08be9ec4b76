"""Before wishes are filed: how many slots could serve, and what would open more.

The draft is read by the same eyes as the plan later: it is written, made a problem of
the engine, and taken back. What opens more is tried one change at a time, so each
figure is what that change alone would do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor
from scheduler.domain.wishes import MOST_PARTS, Splitting, WishList
from scheduler.matching.explain import filters
from scheduler.matching.possible import Offer, Possible, Wished, admits, visits_of
from scheduler.matching.problem import FieldWish, SchoolClass, Split
from scheduler.persistence.queries.campaign_facts import ClassFacts
from scheduler.services.campaign_problem import (
    METRES,
    Snapshot,
    class_key,
    snapshot,
)
from scheduler.services.transaction import rehearsal
from scheduler.services.wishes import put_list

MOST_GAINS = 4
FARTHER_KM = (20, 40, 80)
STEPS = tuple(timedelta(minutes=minutes) for minutes in (30, 60, 90, 120))
HALVES = (
    (Splitting.SAME_HOST, 2),
    (Splitting.SAME_HOST, MOST_PARTS),
    (Splitting.NEARBY, 2),
    (Splitting.NEARBY, MOST_PARTS),
    (Splitting.ROTATION, 2),
)


class Change(StrEnum):
    """What a teacher could say differently."""

    SPLIT = "split"
    DISTANCE = "distance"
    BACK_BY = "back_by"
    LEAVE_FROM = "leave_from"
    ABSENT = "absent"
    ANYTHING = "anything"


@dataclass(frozen=True, kw_only=True)
class Gain:
    """``slots`` more, if that alone were different. ``value``: how, as text."""

    change: Change
    value: str
    slots: int


@dataclass(frozen=True, kw_only=True)
class Preview:
    """``slots`` that could serve the class as it wishes; ``by_wish``: per wish.

    A slot counts for the first wish that it matches. ``in_halves``: of the slots, how
    many serve only a part of the class. ``blocks``: of the dates wished, how many each
    rule takes away, the strongest first; a date counts for the first rule that speaks.
    """

    slots: int
    in_halves: int
    by_wish: tuple[int, ...]
    gains: tuple[Gain, ...]
    blocks: tuple[tuple[str, int], ...]


def preview(
    session: Session,
    campaign_id: int,
    class_id: int,
    wanted: WishList,
    *,
    by: Actor,
    now: datetime,
) -> Preview:
    """What the list could get if the class were alone; nothing is kept.

    Raises what filing it would raise.
    """
    with rehearsal(session):
        put_list(session, campaign_id, class_id, wanted, by=by, now=now, copy=False)
        found = snapshot(session, campaign_id, now=now, class_ids=frozenset({class_id}))
        return _Look(found, class_key(class_id)).preview()


class _Look:
    """One class among all slots."""

    def __init__(self, found: Snapshot, key: str) -> None:
        self.problem, self.rules = found.problem, found.rules
        self.offer = Offer(found.problem)
        self.one = found.problem.classes[key]
        self.mine = found.rules.by_key[key]
        denied = self._denied(self.one, self.mine)
        self.by_hand = self.one.forbidden - denied

    def preview(self) -> Preview:
        visits = self._visits(self.one)
        mine = {slot for each in visits for slot in each.slots}
        whole = {slot for each in visits if each.is_whole for slot in each.slots}
        ranks = {each.slot.id: each.rank for each in self.offer.wished(self.one)}
        places = [ranks[slot] for slot in mine]
        return Preview(
            slots=len(mine),
            in_halves=len(mine - whole),
            by_wish=tuple(
                places.count(rank) for rank in range(1, len(self.one.wishes) + 1)
            ),
            gains=tuple(self._gains(mine)),
            blocks=tuple(self._blocks(mine).most_common()),
        )

    def _blocks(self, mine: set[str]) -> Counter[str]:
        return Counter(
            self._block(each)
            for each in self.offer.wished(self.one)
            if each.slot.id not in mine
        )

    def _block(self, wished: Wished) -> str:
        """A code of the funnel, or of the service's own rules where these speak."""
        for code, passes in filters(self.problem, self.one):
            if not passes(wished):
                if wished.slot.id not in self.one.forbidden or code != "no_date":
                    return code
                at = self.rules.slots[wished.slot.id]
                return self.rules.refusal(self.mine, at) or code
        return "no_seats"

    # ------------------------------------------------------------ one change at a time

    def _gains(self, mine: set[str]) -> list[Gain]:
        tried = (
            self._first(Change.SPLIT, self._splits(), mine),
            self._first(Change.BACK_BY, self._later(), mine),
            self._first(Change.LEAVE_FROM, self._earlier(), mine),
            self._first(Change.DISTANCE, self._farther(), mine),
            self._best(Change.ABSENT, self._present(), mine),
            self._first(Change.ANYTHING, self._anything(), mine),
        )
        return [each for each in tried if each is not None][:MOST_GAINS]

    def _first(
        self,
        change: Change,
        tries: Iterator[tuple[str, SchoolClass]],
        mine: set[str],
    ) -> Gain | None:
        """The smallest change that opens anything."""
        for value, other in tries:
            more = len(self._slots(other) - mine)
            if more:
                return Gain(change=change, value=value, slots=more)
        return None

    def _best(
        self,
        change: Change,
        tries: Iterator[tuple[str, SchoolClass]],
        mine: set[str],
    ) -> Gain | None:
        gains = [
            Gain(change=change, value=value, slots=len(self._slots(other) - mine))
            for value, other in tries
        ]
        best = max(gains, key=lambda each: each.slots, default=None)
        return best if best is not None and best.slots else None

    def _splits(self) -> Iterator[tuple[str, SchoolClass]]:
        order = list(Split)
        for split, parts in HALVES:
            kind = Split(split.value)
            wider = order.index(kind) > order.index(self.one.split)
            if wider or (kind is self.one.split and parts > self.one.max_parts):
                yield (
                    split.value,
                    replace(
                        self.one, split=kind, max_parts=max(parts, self.one.max_parts)
                    ),
                )

    def _farther(self) -> Iterator[tuple[str, SchoolClass]]:
        for more in FARTHER_KM:
            metres = self.one.max_m + more * METRES
            wishes = tuple(
                replace(each, max_m=max(each.max_m, metres))
                if isinstance(each, FieldWish) and each.max_m >= self.one.max_m
                else each
                for each in self.one.wishes
            )
            yield (
                str(metres // METRES),
                self._judged(replace(self.one, max_m=metres, wishes=wishes), self.mine),
            )

    def _later(self) -> Iterator[tuple[str, SchoolClass]]:
        for hour in _hours(self.mine.back_by, later=True):
            mine = self.mine._replace(back_by=hour)
            yield hour.isoformat("minutes"), self._judged(self.one, mine)

    def _earlier(self) -> Iterator[tuple[str, SchoolClass]]:
        for hour in _hours(self.mine.leave_from, later=False):
            mine = self.mine._replace(leave_from=hour)
            yield hour.isoformat("minutes"), self._judged(self.one, mine)

    def _present(self) -> Iterator[tuple[str, SchoolClass]]:
        days = sorted(
            {date.fromisoformat(each.date) for each in self.problem.slots.values()}
        )
        for away in self.mine.absent:
            mine = self.mine._replace(
                absent=[each for each in self.mine.absent if each != away]
            )
            one = replace(self.one, unavailable=self.rules.unavailable(mine, days))
            yield f"{away['first']}/{away['last']}", one

    def _anything(self) -> Iterator[tuple[str, SchoolClass]]:
        """One more wish: whatever fits the class."""
        dates = sorted(each.date for each in self.problem.slots.values())
        if dates:
            every = FieldWish(
                sectors=frozenset(each.sector for each in self.problem.hosts.values()),
                first=dates[0],
                last=dates[-1],
                max_m=self.one.max_m,
            )
            wishes = (*self.one.wishes, every)
            yield "", self._judged(replace(self.one, wishes=wishes), self.mine)

    # ------------------------------------------------------------ what is possible

    def _slots(self, one: SchoolClass) -> set[str]:
        return {slot for each in self._visits(one) for slot in each.slots}

    def _visits(self, one: SchoolClass) -> list[Possible]:
        admitted = [
            each for each in self.offer.wished(one) if admits(self.problem, one, each)
        ]
        return visits_of(self.problem, one, admitted)

    def _judged(self, one: SchoolClass, mine: ClassFacts) -> SchoolClass:
        """The class with the slots that the service's own rules deny it."""
        return replace(one, forbidden=self.by_hand | self._denied(one, mine))

    def _denied(self, one: SchoolClass, mine: ClassFacts) -> frozenset[str]:
        return frozenset(
            each.slot.id
            for each in self.offer.wished(one)
            if self.rules.refusal(mine, self.rules.slots[each.slot.id])
        )


def _hours(hour: time | None, *, later: bool) -> Iterator[time]:
    """Other hours of the same day, step by step away from this one."""
    if hour is None:
        return
    day = date(2000, 1, 2)
    for step in STEPS:
        wall = datetime.combine(day, hour)
        other = wall + step if later else wall - step
        if other.date() == day:
            yield other.time()
