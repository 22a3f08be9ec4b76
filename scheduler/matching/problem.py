"""What goes into the engine, frozen: classes, their wishes, slots and their rules.

``read_problem`` takes parsed JSON of the format ``visites/1`` (docs/matching.md). It
does no file access: whoever calls it decides where a problem comes from.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.matching.plan import LEVELS, Visit, read_visit
from scheduler.matching.reading import Node

FORMAT = "visites/1"
MOST_STUDENTS = 10_000
MOST_PRIORITY = 1000


class Split(enum.StrEnum):
    """Which half-groups a class accepts."""

    NONE = "none"
    SAME_HOST = "same_host"
    NEARBY = "nearby"
    ROTATION = "rotation"


@dataclass(frozen=True, slots=True)
class Params:
    """Rules for everybody; what "nearby", "parallel" and "back-to-back" mean."""

    min_group: int
    near_m: int
    parallel_min: int
    gap_min: int
    walk_min: int
    objective: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class School:
    """``quota``: the most visits for all its classes together."""

    id: str
    x: int
    y: int
    rural: bool
    quota: int | None = None


@dataclass(frozen=True, slots=True)
class SlotWish:
    slot: str


@dataclass(frozen=True, slots=True)
class HostWish:
    host: str


@dataclass(frozen=True, slots=True)
class FieldWish:
    """Any slot in one of the fields, between two dates (both included), not too far."""

    sectors: frozenset[str]
    first: str
    last: str
    max_m: int


Wish = SlotWish | HostWish | FieldWish


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """``order`` is the rank of arrival: for first come, first served only.

    ``forbidden`` slots the class may not have although it wishes them; ``pinned`` slots
    it must have.
    """

    id: str
    school: str
    level: str
    size: int
    needs: frozenset[str]
    unavailable: frozenset[str]
    max_visits: int
    max_m: int
    split: Split
    max_parts: int
    priority: int
    order: int
    wishes: tuple[Wish, ...]
    forbidden: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``groups`` groups at a host between two dates, both included."""

    first: str
    last: str
    groups: int

    def covers(self, slot: Slot) -> bool:
        return self.first <= slot.date <= self.last


@dataclass(frozen=True, slots=True)
class Host:
    id: str
    kind: str
    sector: str
    month_cap: int
    caps: tuple[Cap, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    host: str
    x: int
    y: int
    access: frozenset[str]


@dataclass(frozen=True, slots=True)
class Slot:
    """``least`` to ``most`` students in at most ``groups`` groups, if it is used."""

    id: str
    host: str
    site: str
    date: str
    start: int
    end: int
    least: int
    most: int
    groups: int
    levels: frozenset[str]

    @property
    def month(self) -> str:
        return self.date[:7]

    @property
    def is_shared(self) -> bool:
        return self.groups > 1


@dataclass(frozen=True, slots=True)
class Published:
    """A visit of the plan that was published; a frozen one stays whatever happens."""

    visit: Visit
    frozen: bool


@dataclass(frozen=True, slots=True)
class Problem:
    name: str
    params: Params
    schools: Mapping[str, School]
    classes: Mapping[str, SchoolClass]
    hosts: Mapping[str, Host]
    sites: Mapping[str, Site]
    slots: Mapping[str, Slot]
    previous: tuple[Published, ...] = ()

    def distance(self, one: SchoolClass, slot: Slot) -> int:
        """Metres between school and site, rounded down."""
        return self.school_distance(self.schools[one.school], self.sites[slot.site])

    @staticmethod
    def school_distance(school: School, site: Site) -> int:
        return math.isqrt((school.x - site.x) ** 2 + (school.y - site.y) ** 2)

    def caps_on(self, slot: Slot) -> tuple[tuple[str, int], ...]:
        """The caps that count a slot: its host and the number of each in its list."""
        caps = self.hosts[slot.host].caps
        return tuple(
            (slot.host, number) for number, cap in enumerate(caps) if cap.covers(slot)
        )

    def are_near(self, one: str, other: str) -> bool:
        """Two sites within walking distance."""
        a, b = self.sites[one], self.sites[other]
        apart = math.isqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2)
        return apart <= self.params.near_m


# ---------------------------------------------------------------- reading


def read_problem(data: object) -> Problem:
    """The problem of parsed JSON; raises ``BadFile`` at the first thing wrong.

    A wish or a published visit may name a slot that is not offered any more: after a
    cancellation that is the normal case. The wish then matches nothing.
    """
    root = Node(data)
    if root["format"].value != FORMAT:
        raise root["format"].wrong(f'"{FORMAT}"')
    params = _params(root["params"])
    schools = root["schools"].table(_school)
    classes = root["classes"].table(lambda node: _class(node, schools))
    hosts = root["hosts"].table(_host)
    sites = root["sites"].table(lambda node: _site(node, hosts))
    slots = root["slots"].table(lambda node: _slot(node, hosts, sites))
    previous = tuple(
        _published(each, classes, slots) for each in root.optional("previous")
    )
    name = root["name"].value if "name" in root else ""
    return Problem(
        name=name if isinstance(name, str) else "",
        params=params,
        schools=schools,
        classes=classes,
        hosts=hosts,
        sites=sites,
        slots=slots,
        previous=previous,
    )


def _params(node: Node) -> Params:
    levels = tuple(each.one_of(LEVELS) for each in node["objective"])
    if not levels or len(set(levels)) != len(levels):
        raise node["objective"].wrong("at least one level, none twice")
    return Params(
        min_group=node["min_group"].integer(least=1),
        near_m=node["near_m"].integer(least=0),
        parallel_min=node["parallel_min"].integer(least=0),
        gap_min=node["gap_min"].integer(least=0),
        walk_min=node["walk_min"].integer(least=0),
        objective=levels,
    )


def _school(node: Node) -> School:
    return School(
        id=node["id"].text(),
        x=node["x"].integer(),
        y=node["y"].integer(),
        rural=node["rural"].yes_or_no(),
        quota=node["quota"].integer(least=0) if "quota" in node else None,
    )


def _class(node: Node, schools: Mapping[str, School]) -> SchoolClass:
    return SchoolClass(
        id=node["id"].text(),
        school=node["school"].known(schools, what="schools"),
        level=node["level"].text(),
        size=node["size"].integer(least=1, most=MOST_STUDENTS),
        needs=frozenset(node["needs"].texts()),
        unavailable=frozenset(each.date() for each in node["unavailable"]),
        max_visits=node["max_visits"].integer(least=0),
        max_m=node["max_m"].integer(least=0),
        split=Split(node["split"].one_of(Split)),
        max_parts=node["max_parts"].integer(least=1),
        priority=node["priority"].integer(least=0, most=MOST_PRIORITY),
        order=node["order"].integer(),
        wishes=tuple(_wish(each) for each in node["wishes"]),
        forbidden=frozenset(each.text() for each in node.optional("forbidden")),
        pinned=frozenset(each.text() for each in node.optional("pinned")),
    )


def _wish(node: Node) -> Wish:
    if "slot" in node:
        return SlotWish(node["slot"].text())
    if "host" in node:
        return HostWish(node["host"].text())
    if "sectors" not in node:
        raise node.wrong('an object with "slot", "host" or "sectors"')
    return FieldWish(
        sectors=frozenset(node["sectors"].texts()),
        first=node["from"].date(),
        last=node["to"].date(),
        max_m=node["max_m"].integer(least=0),
    )


def _host(node: Node) -> Host:
    return Host(
        id=node["id"].text(),
        kind=node["kind"].text(),
        sector=node["sector"].text(),
        month_cap=node["month_cap"].integer(least=0),
        caps=tuple(_cap(each) for each in node.optional("caps")),
    )


def _cap(node: Node) -> Cap:
    cap = Cap(
        first=node["from"].date(),
        last=node["to"].date(),
        groups=node["groups"].integer(least=0),
    )
    if cap.last < cap.first:
        raise node["to"].wrong(f"a date from {cap.first} on")
    return cap


def _site(node: Node, hosts: Mapping[str, Host]) -> Site:
    return Site(
        id=node["id"].text(),
        host=node["host"].known(hosts, what="hosts"),
        x=node["x"].integer(),
        y=node["y"].integer(),
        access=frozenset(node["access"].texts()),
    )


def _slot(node: Node, hosts: Mapping[str, Host], sites: Mapping[str, Site]) -> Slot:
    slot = Slot(
        id=node["id"].text(),
        host=node["host"].known(hosts, what="hosts"),
        site=node["site"].known(sites, what="sites"),
        date=node["date"].date(),
        start=node["start"].integer(least=0),
        end=node["end"].integer(least=0),
        least=node["min"].integer(least=0, most=MOST_STUDENTS),
        most=node["max"].integer(least=1, most=MOST_STUDENTS),
        groups=node["groups"].integer(least=1),
        levels=frozenset(node["levels"].texts()),
    )
    if sites[slot.site].host != slot.host:
        raise node["site"].wrong(f"a site of host {slot.host}")
    if slot.end <= slot.start:
        raise node["end"].wrong(f"an end after the start ({slot.start})")
    if slot.least > slot.most:
        raise node["min"].wrong(f"at most the max ({slot.most})")
    return slot


def _published(
    node: Node, classes: Mapping[str, SchoolClass], slots: Mapping[str, Slot]
) -> Published:
    visit = read_visit(node)
    frozen = "frozen" in node and node["frozen"].yes_or_no()
    if frozen:
        node["class"].known(classes, what="classes")
        for part in node["parts"]:
            part["slot"].known(slots, what="slots")
    return Published(visit=visit, frozen=frozen)
