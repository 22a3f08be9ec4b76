"""Pinned slots: what a class was promised before the plan is made.

``with_pins`` starts every plan: the frozen visits, then a visit for each pinned slot.
Pins that cannot be are named in ``PinsRefused``, each with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from scheduler.matching.explain import filters, willing
from scheduler.matching.ledger import Ledger, NoPlan, frozen_possible, with_frozen
from scheduler.matching.model import Model, build, parts, visits_of as planned
from scheduler.matching.plan import Visit
from scheduler.matching.possible import Offer, Possible, admits, visits_of
from scheduler.matching.problem import Problem, SchoolClass

TOGETHER = "together"
"""Each of the pins could be by itself, all of them cannot."""
NOT_FOUND = "not_found"
"""Nobody knows: the search for a plan with all of the pins was cut."""
REFUSALS = frozenset(
    {"forbidden", "unknown_slot", "max_visits", "school_quota", TOGETHER, NOT_FOUND}
)
TRIES = 2000
"""Visits tried one by one before the solver is asked."""

Choices = Mapping[str, Sequence[Possible]]


class Cut(Exception):
    """The search ended before it knew whether there is a plan."""


AnyPlan = Callable[[Model], list[float] | None]
"""Some plan of a model, or None if there is none; may raise ``Cut``."""


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    class_id: str
    slot: str


@dataclass(frozen=True, slots=True)
class RefusedPin:
    """``why`` is a code of the funnel or one of ``REFUSALS``."""

    pin: Pin
    why: str


class PinsRefused(NoPlan):
    """No plan has all of these pins, which are as few as can be named."""

    def __init__(self, problem: Problem, refused: Iterable[RefusedPin]) -> None:
        self.refused = tuple(refused)
        numbers = {name: number for number, name in enumerate(problem.classes)}
        told = [
            f"classes[{numbers[each.pin.class_id]}].pinned: "
            f"{each.pin.class_id} cannot have {each.pin.slot} ({each.why})"
            for each in self.refused
        ]
        self.path = told[0].partition(":")[0]
        Exception.__init__(self, "; ".join(told))


def pins_of(problem: Problem) -> list[Pin]:
    return [
        Pin(one.id, slot)
        for one in problem.classes.values()
        for slot in sorted(one.pinned)
    ]


def only_pins(problem: Problem, pins: Iterable[Pin]) -> Problem:
    """The same problem without any other pin."""
    kept: dict[str, set[str]] = {}
    for pin in pins:
        kept.setdefault(pin.class_id, set()).add(pin.slot)
    classes = {
        name: replace(one, pinned=frozenset(kept.get(name, ())))
        for name, one in problem.classes.items()
    }
    return replace(problem, classes=classes)


# ---------------------------------------------------------------- one pin


def impossible_pins(
    problem: Problem, possible: Choices, *, offer: Offer | None = None
) -> tuple[RefusedPin, ...]:
    """The pins that no plan can have, whatever else is pinned."""
    refused = []
    for pin in pins_of(problem):
        one = problem.classes[pin.class_id]
        if not _with_slot(possible[one.id], pin.slot):
            offer = offer or Offer(problem)
            refused.append(RefusedPin(pin, _obstacle(offer, one, pin.slot)))
        elif one.max_visits < 1:
            refused.append(RefusedPin(pin, "max_visits"))
        elif problem.schools[one.school].quota == 0:
            refused.append(RefusedPin(pin, "school_quota"))
    return tuple(refused)


def _with_slot(choices: Iterable[Possible], slot: str) -> list[Possible]:
    return [each for each in choices if slot in each.slots]


def _obstacle(offer: Offer, one: SchoolClass, slot: str) -> str:
    """What stands between the class and the slot: the codes of the funnel."""
    problem = offer.problem
    if slot not in problem.slots:
        return "unknown_slot"
    if slot in one.forbidden:
        return "forbidden"
    wished = offer.wished(one)
    mine = [each for each in wished if each.slot.id == slot]
    if not mine:
        return "no_wish_match"
    for code, passes in filters(problem, one):
        if not passes(mine[0]):
            return code
    admitted = [each for each in wished if admits(problem, one, each)]
    in_parts = any(
        _with_slot(visits_of(problem, other, admitted), slot) for other in willing(one)
    )
    return "split_refused" if in_parts else "no_seats"


# ---------------------------------------------------------------- all pins


def with_pins(problem: Problem, possible: Choices) -> Ledger:
    """A ledger with the frozen visits and a visit for each pin; raises ``NoPlan``.

    It tries one visit after the other and may miss what ``optimum`` finds: classes that
    reach a slot's least number only together.
    """
    ledger = with_frozen(problem, possible)
    pins = pins_of(problem)
    if not pins:
        return ledger
    if refused := impossible_pins(problem, possible):
        raise PinsRefused(problem, refused)
    choices = {pin: _with_slot(possible[pin.class_id], pin.slot) for pin in pins}
    pins.sort(key=lambda pin: (len(choices[pin]), pin))
    if not _place(ledger, pins, choices, tries=iter(range(TRIES))):
        raise PinsRefused(problem, [RefusedPin(pin, NOT_FOUND) for pin in pins])
    return ledger


def _place(
    ledger: Ledger,
    pins: Sequence[Pin],
    choices: Mapping[Pin, Sequence[Possible]],
    *,
    tries: Iterable[int],
) -> bool:
    held = {(v.class_id, slot) for v in ledger.visits for slot in v.slots}
    left = [pin for pin in pins if (pin.class_id, pin.slot) not in held]
    if not left:
        return True
    for each in choices[left[0]]:
        if next(iter(tries), None) is None:
            return False
        if ledger.take(each) is not None:
            if _place(ledger, left[1:], choices, tries=tries):
                return True
            ledger.undo()
    return False


# ---------------------------------------------------------------- with a solver


def with_pins_by(problem: Problem, possible: Choices, any_plan: AnyPlan) -> Ledger:
    """As ``with_pins``, and sure: a solver finds the places or proves there are none.

    ``PinsRefused`` then names as few pins as are impossible together.
    """
    ledger = Ledger(problem)
    kept = [each for _, each in frozen_possible(problem, possible)]
    done: set[str] = set()
    for piece in parts(problem, possible):
        pins = [pin for pin in pins_of(problem) if pin.class_id in piece]
        if pins:
            part = _Part(problem, piece, kept, any_plan)
            for visit in part.visits(pins):
                ledger.note(visit)
            done |= piece.keys()
    for visit in with_frozen(problem, possible).visits:
        if visit.class_id not in done:
            ledger.note(visit)
    return ledger


@dataclass(frozen=True, slots=True)
class _Part:
    problem: Problem
    piece: Choices
    kept: Sequence[Possible]
    any_plan: AnyPlan

    def visits(self, pins: Sequence[Pin]) -> list[Visit]:
        model = self._model(pins)
        try:
            values = self.any_plan(model)
        except Cut:
            refused = [RefusedPin(pin, NOT_FOUND) for pin in pins]
            raise PinsRefused(self.problem, refused) from None
        if values is None:
            few = self._conflict(pins)
            raise PinsRefused(self.problem, [RefusedPin(p, TOGETHER) for p in few])
        return planned(model, values)

    def _model(self, pins: Iterable[Pin]) -> Model:
        kept = [each for each in self.kept if each.class_id in self.piece]
        return build(only_pins(self.problem, pins), self.piece, kept)

    def _conflict(self, pins: Sequence[Pin]) -> list[Pin]:
        """Pins that are impossible together, each of them needed for that."""
        few = list(pins)
        for pin in pins:
            less = [each for each in few if each != pin]
            if self._is_impossible(less):
                few = less
        return few

    def _is_impossible(self, pins: Iterable[Pin]) -> bool:
        try:
            return self.any_plan(self._model(pins)) is None
        except Cut:
            return False
