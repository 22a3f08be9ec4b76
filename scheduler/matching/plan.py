"""What comes out of the engine: who visits whom, in which groups, what is claimed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scheduler.matching.reading import Node

ENGINE = "1"
"""Rises when the same problem and seed may give another plan."""
LEVELS = (
    "served",
    "schools",
    "priority",
    "visits",
    "rank",
    "travel",
    "changes",
    "students",
)
"""What a plan is judged by; ``score.py`` says which way is better."""


@dataclass(frozen=True, slots=True)
class Part:
    slot: str
    students: int
    group: int = 1


@dataclass(frozen=True, slots=True)
class Visit:
    """A class, in one group or several; a group of a rotation is at two slots."""

    class_id: str
    parts: tuple[Part, ...]

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(part.slot for part in self.parts)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a class has nothing: a code of the format, who is in the way, what helps.

    ``detail`` names the rule beyond the format that stood in the way, if one did;
    ``contest`` who had a better claim (``contest.py``).
    """

    class_id: str
    code: str
    blockers: tuple[str, ...] = ()
    needs: Mapping[str, Any] | None = None
    detail: str | None = None
    contest: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The visits; what is claimed about them is checked by ``verify``."""

    visits: tuple[Visit, ...]
    objective: Mapping[str, int] | None = None
    bound: Mapping[str, int] | None = None
    reasons: tuple[Reason, ...] | None = None
    made_by: Mapping[str, Any] = field(default_factory=dict)


def read_visit(node: Node) -> Visit:
    parts = tuple(
        Part(
            slot=each["slot"].text(),
            students=each["students"].integer(),
            group=each["group"].integer() if "group" in each else 1,
        )
        for each in node["parts"]
    )
    return Visit(class_id=node["class"].text(), parts=parts)


def read_plan(data: object) -> Plan:
    """The plan of parsed JSON; raises ``BadFile``. Whether it is valid, verify says."""
    root = Node(data)
    return Plan(
        visits=tuple(read_visit(each) for each in root["visits"]),
        objective=_levels(root, "objective"),
        bound=_levels(root, "bound"),
        reasons=_reasons(root),
        made_by=root["made_by"].value if "made_by" in root else {},
    )


def _levels(root: Node, key: str) -> dict[str, int] | None:
    if key not in root or root[key].value is None:
        return None
    node = root[key]
    return {name: node[name].integer() for name in node.names() if name in LEVELS}


def _reasons(root: Node) -> tuple[Reason, ...] | None:
    if "reasons" not in root:
        return None
    return tuple(
        Reason(
            class_id=each["class"].text(),
            code=each["code"].text(),
            blockers=each["blockers"].texts() if "blockers" in each else (),
            needs=each["needs"].value if "needs" in each else None,
            detail=each["detail"].text() if "detail" in each else None,
            contest=each["contest"].value if "contest" in each else None,
        )
        for each in root["reasons"]
    )


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """The same plan gives the same text: visits and reasons are in a fixed order."""
    told: dict[str, Any] = {
        "visits": [visit_as_json(each) for each in in_order(plan.visits)]
    }
    if plan.objective is not None:
        told["objective"] = dict(plan.objective)
    if plan.bound is not None:
        told["bound"] = dict(plan.bound)
    if plan.reasons is not None:
        told["reasons"] = [_reason(each) for each in plan.reasons]
    if plan.made_by:
        told["made_by"] = dict(plan.made_by)
    return told


def in_order(visits: Iterable[Visit]) -> list[Visit]:
    return sorted(visits, key=lambda visit: (visit.class_id, sorted(visit.slots)))


def visit_as_json(visit: Visit) -> dict[str, Any]:
    parts = [
        {"slot": part.slot, "group": part.group, "students": part.students}
        for part in visit.parts
    ]
    return {"class": visit.class_id, "parts": parts}


def _reason(reason: Reason) -> dict[str, Any]:
    told: dict[str, Any] = {"class": reason.class_id, "code": reason.code}
    if reason.blockers:
        told["blockers"] = list(reason.blockers)
    if reason.needs is not None:
        told["needs"] = dict(reason.needs)
    if reason.detail is not None:
        told["detail"] = reason.detail
    if reason.contest is not None:
        told["contest"] = dict(reason.contest)
    return told
