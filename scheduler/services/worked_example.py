"""The example of the page that explains the method: four classes, three dates.

The plan and the queue's outcome stand here in full, so that the page needs no solver;
``tests/services/test_worked_example.py`` has the engine compute both.
"""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.matching.problem import (
    Host,
    Params,
    Problem,
    School,
    SchoolClass,
    Site,
    Slot,
    SlotWish,
    Split,
)

DAY = "2027-01-12"
NINE, ELEVEN = 9 * 60, 11 * 60
ANYWHERE = 100_000


@dataclass(frozen=True, kw_only=True)
class Line:
    """A class, in the order of arrival, and the date that each way gives it."""

    name: str
    students: int
    points: int
    wishes: tuple[str, ...]
    queue: str = ""
    plan: str = ""


SEATS = {"A": 30, "B": 16, "C": 16}
LINES = (
    Line(name="1", students=15, points=1, wishes=("A", "C"), queue="A"),
    Line(name="2", students=14, points=3, wishes=("B", "C"), queue="B", plan="C"),
    Line(name="3", students=28, points=4, wishes=("A",), plan="A"),
    Line(name="4", students=16, points=3, wishes=("B",), plan="B"),
)


@dataclass(frozen=True, kw_only=True)
class Example:
    """``seats``: date → students that it takes, one class at a time."""

    seats: dict[str, int]
    lines: tuple[Line, ...]

    @property
    def served_by_queue(self) -> int:
        return sum(bool(each.queue) for each in self.lines)

    @property
    def served_by_plan(self) -> int:
        return sum(bool(each.plan) for each in self.lines)


EXAMPLE = Example(seats=SEATS, lines=LINES)


def problem() -> Problem:
    """The example as the engine reads it: a school and a company for each."""
    return Problem(
        name="worked example",
        params=Params(
            min_group=6,
            near_m=0,
            parallel_min=0,
            gap_min=0,
            walk_min=0,
            objective=("served", "schools", "priority", "visits", "rank", "travel"),
        ),
        schools={
            f"E{each.name}": School(f"E{each.name}", 0, 0, rural=False)
            for each in LINES
        },
        classes={each.name: _class(each, order) for order, each in enumerate(LINES)},
        hosts={name: Host(name, "PME", "metal", 9) for name in SEATS},
        sites={name: Site(name, name, 1000, 0, frozenset()) for name in SEATS},
        slots={name: _slot(name, most) for name, most in SEATS.items()},
    )


def _class(line: Line, order: int) -> SchoolClass:
    return SchoolClass(
        id=line.name,
        school=f"E{line.name}",
        level="TROISIEME",
        size=line.students,
        needs=frozenset(),
        unavailable=frozenset(),
        max_visits=1,
        max_m=ANYWHERE,
        split=Split.NONE,
        max_parts=1,
        priority=line.points,
        order=order,
        wishes=tuple(SlotWish(wish) for wish in line.wishes),
    )


def _slot(name: str, most: int) -> Slot:
    return Slot(
        id=name,
        host=name,
        site=name,
        date=DAY,
        start=NINE,
        end=ELEVEN,
        least=1,
        most=most,
        groups=1,
        levels=frozenset({"TROISIEME"}),
    )
