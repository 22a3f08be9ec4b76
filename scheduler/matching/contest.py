"""What a class lost against, and the smallest change that would have helped it.

``explain`` names the first filter that leaves nothing and costs no search. Here the
class is put into the plan by force and its neighbourhood solved again: the first level
that gets worse is what it lost on, and whoever has less then had the better claim.
Advice is tried in the same way: it is given only if the class would have been served.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from scheduler.matching import draw
from scheduler.matching.explain import explain, willing
from scheduler.matching.greedy import Choices
from scheduler.matching.ledger import Ledger
from scheduler.matching.model import Model, start_of, visits_of as planned
from scheduler.matching.neighbourhood import (
    Minimum,
    Solve,
    Standing,
    Undecided,
    Web,
    bundles,
    choose_again,
    hold,
    value_of,
    weighed,
)
from scheduler.matching.plan import Reason, Visit
from scheduler.matching.possible import Offer, Possible, Wished, admits, visits_of
from scheduler.matching.problem import Problem, SchoolClass
from scheduler.matching.score import sign

NEAR, FAR = 60, 160
"""Classes that are solved again; far ones only where near ones leave a doubt."""
NOWHERE, NOT_BEST = "nowhere", "not_best"
DOUBTFUL = frozenset({NOWHERE, "served", "schools"})
MOST_SEATS = 3
"""More seats than that are another offer, and no advice."""
TRIED = 4
"""So many changes of each kind are tried with the solver."""
WISHES_TOLD = 5

Needs = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contest:
    """The first level on which the plan gets worse by ``loss`` with the class in it.

    ``losers`` would have less. ``draw``: equal on all levels, the lots decided.
    ``nowhere``: no plan near this one has a place for it. ``not_best``: the plan gets
    better, so the search for it was cut too early.
    """

    level: str
    loss: int = 0
    losers: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"level": self.level}
        if self.loss:
            told["loss"] = self.loss
        if self.losers:
            told["losers"] = list(self.losers)
        return told


def explain_fully(
    offer: Offer,
    possible: Choices,
    visits: Sequence[Visit],
    solve: Solve,
    *,
    drawn: Mapping[str, int] | None = None,
) -> tuple[Reason, ...]:
    """The reason of every class without a visit, with contest and proven advice."""
    inquiry = Inquiry(offer, possible, visits, solve, drawn=drawn)
    return tuple(inquiry.reason(name) for name in inquiry.reasons)


class Inquiry:
    """Questions about the classes that a plan leaves without a visit."""

    def __init__(
        self,
        offer: Offer,
        possible: Choices,
        visits: Sequence[Visit],
        solve: Solve,
        *,
        drawn: Mapping[str, int] | None = None,
    ) -> None:
        self.offer, self.problem, self.possible = offer, offer.problem, possible
        self.visits, self.solve, self.drawn = visits, solve, drawn
        self.reasons = {r.class_id: r for r in explain(offer, possible, visits)}
        self.web = Web(offer.problem, possible)
        self.ledger = _filled(self.problem, visits)
        self.frozen = {
            (each.visit.class_id, each.visit.slots)
            for each in self.problem.previous
            if each.frozen
        }

    def reason(self, name: str) -> Reason:
        """Why the class has nothing; ``needs`` with ``serves`` is proven advice."""
        told = self.reasons[name]
        contest: Contest | None = None
        advice: Needs | None = None
        # A search that was cut tells nothing: what was known before it stays.
        with suppress(Undecided):
            contest = self.contest(name) if self.possible[name] else None
            advice = self.advice(name)
        return replace(
            told,
            needs=advice or told.needs,
            contest=None if contest is None else contest.as_json(),
        )

    # ------------------------------------------------------------ what it lost on

    def contest(self, name: str) -> Contest:
        """What the plan would lose with the class in it, and who.

        Raises ``Undecided`` if the solver was cut; so does ``advice``.
        """
        found = self._forced(name, most=NEAR)
        return self._forced(name, most=FAR) if found.level in DOUBTFUL else found

    def _forced(self, name: str, *, most: int) -> Contest:
        names = self.web.near([name], most=most)
        model = self._small(self.problem, self.possible, names, least={name: 1})
        mine = self._in_model(model)
        now = start_of(model, mine)
        values: Sequence[float] = now
        for together in bundles(model):
            found = self._proven(model, together)
            if found is None:
                return Contest(NOWHERE)
            values = found.values
            for level in together:
                before = value_of(model, level, now)
                worse = sign(level) * (before - value_of(model, level, values))
                if worse < 0:
                    return Contest(NOT_BEST)
                if worse:
                    lost = _losers(mine, planned(model, values))
                    return Contest(level, 0 if level == draw.LEVEL else worse, lost)
                hold(model, level, before)
        return Contest(draw.LEVEL, 0, _losers(mine, planned(model, values)))

    def _proven(self, model: Model, levels: Sequence[str]) -> Minimum | None:
        found = self.solve(model, weighed(model, levels))
        if found is not None and not found.is_proven:
            raise Undecided
        return found

    def _small(
        self,
        problem: Problem,
        possible: Choices,
        names: Iterable[str],
        *,
        least: Mapping[str, int],
    ) -> Model:
        again = set(names)
        kept = [
            visit
            for visit in self.visits
            if visit.class_id not in again
            or (visit.class_id, visit.slots) in self.frozen
        ]
        stays = Standing(problem, possible, kept)
        choosing = {name: possible[name] for name in names}
        levels = self.problem.params.objective
        model = choose_again(stays, choosing, levels, least=least)
        if self.drawn is not None:
            draw.add_level(model, self.drawn)
        return model

    def _in_model(self, model: Model) -> list[Visit]:
        names = {each.class_id for each in model.choices}
        return [visit for visit in self.visits if visit.class_id in names]

    # ------------------------------------------------------------ what would help

    def advice(self, name: str) -> Needs | None:
        """The smallest change with which the class would be served, if there is one.

        First what the class itself can change, then wider wishes, then what a company
        or the campaign could change.
        """
        one = self.problem.classes[name]
        found = self._own_change(one) or self._wider_wish(one) or self._more_room(one)
        return found and {**found, "serves": True}

    def _own_change(self, one: SchoolClass) -> Needs | None:
        """Half-groups, dates, forbidden slots, distance: the first that serves it."""
        old = set(self.possible[one.id])
        changes: list[tuple[Needs, list[Possible]]] = []
        for needs, other in own_changes(self.offer, one):
            fresh = [each for each in self._choices(other) if each not in old]
            if any(map(self._is_free, fresh)):
                return needs
            if fresh:
                changes.append((needs, fresh))
        if not changes:
            return None
        everything = list(dict.fromkeys(e for _, fresh in changes for e in fresh))
        if not self._serves_one_more(one, everything):
            return None
        tries = (n for n, fresh in changes if self._serves_one_more(one, fresh))
        return next(tries, None)

    def _choices(self, one: SchoolClass) -> list[Possible]:
        wished = self.offer.wished(one)
        admitted = [each for each in wished if admits(self.problem, one, each)]
        return visits_of(self.problem, one, admitted)

    def _is_free(self, choice: Possible) -> bool:
        """Nobody else has to move for it."""
        if self.ledger.take(choice) is None:
            return False
        self.ledger.undo()
        return True

    def _serves_one_more(self, one: SchoolClass, fresh: Sequence[Possible]) -> bool:
        """A plan with one of these visits serves one class more than now.

        Without the class nothing is different, so every best plan then serves it.
        """
        possible = {**self.possible, one.id: [*self.possible[one.id], *fresh]}
        slots = [slot for each in fresh for slot in each.slots]
        names = self.web.near([one.id], slots, most=NEAR)
        model = self._small(self.problem, possible, names, least={one.id: 1})
        if "served" not in model.costs:
            return False
        served = value_of(model, "served", start_of(model, self._in_model(model)))
        hold(model, "served", served + 1)
        return self.solve(model, {}) is not None

    def _wider_wish(self, one: SchoolClass) -> Needs | None:
        """Slots that are left and would suit the class, had it wished them."""
        mine = {each.slot.id for each in self.offer.wished(one)}
        open_to_it = [
            each
            for each in self._left
            if each.id not in mine and one.level in each.levels
        ]
        others = [
            Wished(slot, len(one.wishes) + 1, self.problem.distance(one, slot))
            for slot in open_to_it
        ]
        admitted = [each for each in others if admits(self.problem, one, each)]
        choices = [
            each
            for each in visits_of(self.problem, one, admitted)
            if self._is_free(each)
        ]
        slots = dict.fromkeys(slot for each in choices for slot in each.slots)
        return {"wishes": list(slots)[:WISHES_TOLD]} if slots else None

    @cached_property
    def _left(self) -> list[Any]:
        """Slots where one more group could come."""
        stays = Standing(self.problem, self.possible, self.visits)
        return [slot for slot in self.problem.slots.values() if stays.is_open(slot)]

    # ------------------------------------------------------------ more room

    def _more_room(self, one: SchoolClass) -> Needs | None:
        """Seats, a month, a cap or a quota: one more, and no other class takes it."""
        tried = 0
        for needs, problem in self._wider(one):
            possible = self._possible_with(problem, needs)
            ledger = _filled(problem, self.visits)
            if possible is None or not any(map(ledger.take, possible[one.id])):
                continue
            if self._is_better_with(one.id, problem, possible):
                return needs
            tried += 1
            if tried == TRIED:
                break
        return None

    def _wider(self, one: SchoolClass) -> Iterator[tuple[Needs, Problem]]:
        problem = self.problem
        wished = self.offer.wished(one)
        admitted = [each.slot for each in wished if admits(problem, one, each)]
        seats = sorted(
            (missing, slot.id)
            for slot in admitted
            if 0 < (missing := self.ledger.seats_missing(slot, one.size)) <= MOST_SEATS
        )
        for missing, name in seats[:TRIED]:
            slot = problem.slots[name]
            wider = replace(slot, most=slot.most + missing)
            slots = {**problem.slots, name: wider}
            yield {"slot": name, "seats": missing}, replace(problem, slots=slots)
        for host in dict.fromkeys(slot.host for slot in admitted):
            cap = problem.hosts[host].month_cap + 1
            more = replace(problem.hosts[host], month_cap=cap)
            hosts = {**problem.hosts, host: more}
            yield {"host": host, "month_cap": cap}, replace(problem, hosts=hosts)
            if more.caps:
                caps = tuple(replace(c, groups=c.groups + 1) for c in more.caps)
                free = replace(problem.hosts[host], caps=caps)
                hosts = {**problem.hosts, host: free}
                yield {"host": host, "cap": 1}, replace(problem, hosts=hosts)
        school = problem.schools[one.school]
        if school.quota is not None:
            more_of = replace(school, quota=school.quota + 1)
            schools = {**problem.schools, school.id: more_of}
            needs = {"school": school.id, "quota": school.quota + 1}
            yield needs, replace(problem, schools=schools)

    def _possible_with(self, problem: Problem, needs: Needs) -> Choices | None:
        """What is possible with more seats; None if a visit of the plan is not."""
        if "slot" not in needs:
            return self.possible
        offer = Offer(problem)
        possible = dict(self.possible)
        for name in self._wishers[needs["slot"]]:
            other = problem.classes[name]
            admitted = [w for w in offer.wished(other) if admits(problem, other, w)]
            possible[name] = visits_of(problem, other, admitted)
        made = {name: {frozenset(e.slots) for e in possible[name]} for name in possible}
        holds = all(visit.slots in made[visit.class_id] for visit in self.visits)
        return possible if holds else None

    @cached_property
    def _wishers(self) -> Mapping[str, Sequence[str]]:
        """Who wishes a slot, whether it could come or not."""
        wishers: dict[str, list[str]] = defaultdict(list)
        for one in self.problem.classes.values():
            for each in self.offer.wished(one):
                wishers[each.slot.id].append(one.id)
        return wishers

    def _is_better_with(self, name: str, problem: Problem, possible: Choices) -> bool:
        """The best plan near this one serves the class, and no other is as good."""
        names = Web(problem, possible).near([name], most=NEAR)
        with_it = self._small(problem, possible, names, least={name: 1})
        others = {**possible, name: []}
        without = self._small(problem, others, names, least={})
        for together in bundles(with_it):
            levels = []
            for model in (with_it, without):
                found = self._proven(model, together)
                if found is None:
                    return model is without
                levels.append(
                    [value_of(model, each, found.values) for each in together]
                )
                for level, value in zip(together, levels[-1], strict=True):
                    hold(model, level, value)
            signed = [
                [sign(n) * v for n, v in zip(together, each, strict=True)]
                for each in levels
            ]
            if signed[0] != signed[1]:
                return signed[0] > signed[1]
        return False


# ---------------------------------------------------------------- small questions


def own_changes(offer: Offer, one: SchoolClass) -> Iterator[tuple[Needs, SchoolClass]]:
    """What the class could accept beside what it does, small changes first."""
    for other in dict.fromkeys(willing(one)):
        if other != one:
            yield {"split": other.split.value, "max_parts": other.max_parts}, other
    wished = offer.wished(one)
    for date in sorted({each.slot.date for each in wished} & one.unavailable):
        yield {"dates": [date]}, replace(one, unavailable=one.unavailable - {date})
    for slot in sorted({each.slot.id for each in wished} & one.forbidden):
        yield {"forbidden": [slot]}, replace(one, forbidden=one.forbidden - {slot})
    for distance in sorted({w.distance for w in wished if w.distance > one.max_m}):
        yield {"max_m": distance}, replace(one, max_m=distance)


def _filled(problem: Problem, visits: Iterable[Visit]) -> Ledger:
    ledger = Ledger(problem)
    for visit in visits:
        ledger.note(visit)
    return ledger


def _losers(before: Iterable[Visit], after: Iterable[Visit]) -> tuple[str, ...]:
    """Who has nothing any more; else who has less, else who has something else."""
    had, has = _by_class(before), _by_class(after)
    kinds = (
        [name for name in had if name not in has],
        [name for name in had if len(has.get(name, ())) < len(had[name])],
        [name for name in had if has.get(name) != had[name]],
    )
    return tuple(sorted(next((kind for kind in kinds if kind), [])))


def _by_class(visits: Iterable[Visit]) -> dict[str, set[frozenset[str]]]:
    found: dict[str, set[frozenset[str]]] = defaultdict(set)
    for visit in visits:
        found[visit.class_id].add(visit.slots)
    return found
