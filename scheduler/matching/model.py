"""The plans of some classes as a mixed-integer model: columns, rows, costs per level.

    x  a possible visit is made            y  a class with several visits is served
    u  a school has a served class         z  a shared slot is used
    g  students of a half-group at a shared slot

Only what can bind becomes a row. Slots for one group need no sizes: their limits were
spent in ``possible.py``, so a slot is one row "at most one visit". Knows no solver.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scheduler.matching.covers import Group, covers
from scheduler.matching.ledger import spread
from scheduler.matching.plan import Part, Visit
from scheduler.matching.possible import Possible, group_limits
from scheduler.matching.problem import Problem, SchoolClass, Slot
from scheduler.matching.score import rank_cost

INFINITE = float("inf")
Terms = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """``host`` is whose slots or months it is about; a class's own rows have none."""

    low: float
    high: float
    terms: Terms
    host: str | None = None


@dataclass(slots=True)
class Model:
    problem: Problem
    choices: list[Possible] = field(default_factory=list)
    lower: list[int] = field(default_factory=list)
    upper: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    costs: dict[str, dict[int, int]] = field(default_factory=dict)
    served: dict[str, int] = field(default_factory=dict)
    schools: dict[str, int] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    sizes: dict[tuple[int, int], int] = field(default_factory=dict)
    """The column of the size of a group (choice, group) that is at a shared slot."""
    has_limits: bool = False
    """A quota, a cap or a pin binds: rows that would break a network."""

    @property
    def has_flow(self) -> bool:
        """Whole classes, one visit each, one group per slot: a network of flows."""
        return (
            not self.has_limits
            and not self.served
            and not self.opened
            and not self.sizes
            and all(
                each.is_whole and not self.problem.slots[each.slots[0]].is_shared
                for each in self.choices
            )
        )

    def column(self, upper: int) -> int:
        self.lower.append(0)
        self.upper.append(upper)
        return len(self.upper) - 1

    def at_most(self, high: int, terms: Terms, host: str | None = None) -> None:
        self.rows.append(Row(-INFINITE, high, terms, host))

    def limit(self, high: int, terms: Terms, host: str | None = None) -> None:
        """A row of a quota or a cap."""
        self.at_most(high, terms, host)
        self.has_limits = True

    def slots_of(self, choice: int) -> list[list[Slot]]:
        slots = self.problem.slots
        return [
            [slots[name] for name in group] for group in self.choices[choice].groups
        ]


def build(
    problem: Problem,
    possible: Mapping[str, Sequence[Possible]],
    frozen: Iterable[Possible] = (),
) -> Model:
    """The model of the classes of ``possible``, which no other class may touch."""
    model = Model(problem)
    kept = {(each.class_id, each.groups) for each in frozen}
    by_class: dict[str, list[int]] = {}
    for name, choices in possible.items():
        by_class[name] = [model.column(1) for _ in choices]
        model.choices += choices
    for number, each in enumerate(model.choices):
        if (each.class_id, each.groups) in kept:
            model.lower[number] = 1
    for name, columns in by_class.items():
        _class(model, problem.classes[name], columns)
        _pins(model, problem.classes[name], columns)
    _schools(model, by_class)
    _slots(model)
    _costs(model, by_class)
    return model


# ---------------------------------------------------------------- classes and schools


def _class(model: Model, one: SchoolClass, columns: Sequence[int]) -> None:
    if len(columns) > 1 or one.max_visits < 1:
        model.at_most(one.max_visits, [(column, 1) for column in columns])
    if one.max_visits < 2 or len(columns) < 2:  # noqa: PLR2004 - several visits
        return
    dates: dict[str, list[int]] = defaultdict(list)
    hosts: dict[str, list[int]] = defaultdict(list)
    for column in columns:
        dates[model.choices[column].date].append(column)
        for host in model.choices[column].hosts:
            hosts[host].append(column)
    rows = {tuple(group) for group in (*dates.values(), *hosts.values())}
    for group in sorted(rows):
        if len(group) > 1:
            model.at_most(1, [(column, 1) for column in group])
    served = model.served[one.id] = model.column(1)
    model.at_most(0, [(served, 1), *((column, -1) for column in columns)])


def _pins(model: Model, one: SchoolClass, columns: Sequence[int]) -> None:
    """One of the visits with the pinned slot: ``pins.py`` saw that there is one."""
    for slot in sorted(one.pinned):
        fulfil = [c for c in columns if slot in model.choices[c].slots]
        if len(fulfil) == 1:
            model.lower[fulfil[0]] = 1
        elif fulfil:
            model.rows.append(Row(1, INFINITE, [(column, 1) for column in fulfil]))
            model.has_limits = True


def _schools(model: Model, by_class: Mapping[str, Sequence[int]]) -> None:
    """A school whose only class has one visit at most needs no column of its own."""
    members: dict[str, list[str]] = defaultdict(list)
    for name, columns in by_class.items():
        if columns:
            members[model.problem.classes[name].school].append(name)
    for school, names in members.items():
        if len(names) > 1:
            column = model.schools[school] = model.column(1)
            served = [c for name in names for c in served_by(model, name, by_class)]
            model.at_most(0, [(column, 1), *((each, -1) for each in served)])
        _quota(model, school, [by_class[name] for name in names])


def _quota(model: Model, school: str, classes: Sequence[Sequence[int]]) -> None:
    quota = model.problem.schools[school].quota
    if quota is not None and _most_visits(model, classes) > quota:
        model.limit(quota, [(column, 1) for columns in classes for column in columns])


def _most_visits(model: Model, classes: Sequence[Sequence[int]]) -> int:
    """How many visits these classes could make by their own limits."""
    one_of = model.problem.classes
    return sum(
        min(len(columns), one_of[model.choices[columns[0]].class_id].max_visits)
        for columns in classes
    )


def served_by(
    model: Model, name: str, by_class: Mapping[str, Sequence[int]]
) -> Sequence[int]:
    """The columns whose sum says whether the class is served."""
    return [model.served[name]] if name in model.served else by_class[name]


# ---------------------------------------------------------------- slots and months


Users = Mapping[str, Sequence[tuple[int, int]]]
"""Who may come to a slot: (choice, group)."""


def _slots(model: Model) -> None:
    at: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for choice, each in enumerate(model.choices):
        for group, names in enumerate(each.groups):
            for slot in names:
                at[slot].append((choice, group))
    slots = model.problem.slots
    months = full_months(model.problem, at)
    capped = {name for several in months.values() for name in several}
    for name, users in at.items():
        if slots[name].is_shared:
            _shared(model, slots[name], users, capped=name in capped)
        elif len(users) > 1:
            model.at_most(1, [(choice, 1) for choice, _ in users], slots[name].host)
    _sizes_add_up(model)
    for (host, _), several in months.items():
        _month(model, at, several, host)
    for (host, number), several in tight_caps(model.problem, at).items():
        groups = Counter(choice for name in several for choice, _ in at[name])
        cap = model.problem.hosts[host].caps[number]
        if groups.total() > cap.groups:
            model.limit(cap.groups, sorted(groups.items()), host)


def tight_caps(
    problem: Problem, names: Iterable[str]
) -> dict[tuple[str, int], list[str]]:
    """The slots of each cap that takes fewer groups than its slots would."""
    capped: dict[tuple[str, int], list[str]] = defaultdict(list)
    for name in names:
        for key in problem.caps_on(problem.slots[name]):
            capped[key].append(name)
    return {
        (host, number): several
        for (host, number), several in capped.items()
        if sum(problem.slots[name].groups for name in several)
        > problem.hosts[host].caps[number].groups
    }


def full_months(
    problem: Problem, names: Iterable[str]
) -> dict[tuple[str, str], list[str]]:
    """The slots of each month of a host that may use fewer than it offers."""
    months: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        slot = problem.slots[name]
        months[slot.host, slot.month].append(name)
    return {
        (host, month): names
        for (host, month), names in months.items()
        if len(names) > problem.hosts[host].month_cap
    }


def _month(model: Model, at: Users, names: Sequence[str], host: str) -> None:
    """A shared slot counts when it is used, any other with its one visit."""
    used: Counter[int] = Counter()
    for name in names:
        opened = model.opened.get(name)
        used.update([c for c, _ in at[name]] if opened is None else [opened])
    model.at_most(model.problem.hosts[host].month_cap, sorted(used.items()), host)


def _shared(
    model: Model, slot: Slot, users: Sequence[tuple[int, int]], *, capped: bool
) -> None:
    """Students and groups of a slot that several groups share, if it is used at all."""
    groups = [_group(model, choice, group) for choice, group in users]
    has_least = any(each.least < slot.least for each in groups)
    opened = model.column(1) if has_least or capped else None
    if opened is not None:
        model.opened[slot.id] = opened

    def limit(high: int, terms: Terms) -> None:
        """At most ``high``, and nothing in a slot that is not used."""
        if opened is None:
            model.at_most(high, terms, slot.host)
        else:
            model.at_most(0, [*terms, (opened, -high)], slot.host)

    load = [(each.size_column or each.column, each.weight) for each in groups]
    limit(slot.most, load)
    if len(users) > slot.groups:
        limit(slot.groups, [(each.column, 1) for each in groups])
    for high, terms in covers(groups, most=slot.most, most_groups=slot.groups):
        limit(high, terms)
    if opened is not None and has_least:
        less = [(column, -weight) for column, weight in load]
        model.at_most(0, [*less, (opened, slot.least)], slot.host)
    if opened is not None:
        terms = [(opened, 1), *((each.column, -1) for each in groups)]
        model.at_most(0, terms, slot.host)


def _group(model: Model, choice: int, group: int) -> Group:
    possible = model.choices[choice]
    size = model.problem.classes[possible.class_id].size
    if possible.is_whole:
        return Group(choice, least=size, weight=size, size_column=None)
    limits = limits_of(model, choice)
    key = (choice, group)
    if key not in model.sizes:
        model.sizes[key] = model.column(limits[group][1])
        low, high = limits[group]
        column = model.sizes[key]
        model.at_most(0, [(column, 1), (choice, -high)])
        model.at_most(0, [(column, -1), (choice, low)])
    return Group(choice, least=limits[group][0], weight=1, size_column=model.sizes[key])


def limits_of(model: Model, choice: int) -> list[tuple[int, int]]:
    """The least and most students of each group, given what the others can take."""
    size = model.problem.classes[model.choices[choice].class_id].size
    wide = [group_limits(model.problem, slots) for slots in model.slots_of(choice)]
    least, most = (sum(each[n] for each in wide) for n in (0, 1))
    return [
        (max(low, size - (most - high)), min(high, size - (least - low)))
        for low, high in wide
    ]


def _sizes_add_up(model: Model) -> None:
    """The groups of a class at shared slots leave what the others can take."""
    by_choice: dict[int, list[int]] = defaultdict(list)
    for choice, group in model.sizes:
        by_choice[choice].append(group)
    for choice, groups in by_choice.items():
        limits = limits_of(model, choice)
        others = [limits[n] for n in range(len(limits)) if n not in groups]
        size = model.problem.classes[model.choices[choice].class_id].size
        least = size - sum(high for _, high in others)
        most = size - sum(low for low, _ in others)
        columns = [(model.sizes[choice, group], 1) for group in groups]
        if len(groups) > 1:
            model.at_most(0, [*columns, (choice, -most)])
            model.at_most(0, [*((c, -1) for c, _ in columns), (choice, least)])


# ---------------------------------------------------------------- costs


def _costs(model: Model, by_class: Mapping[str, Sequence[int]]) -> None:
    problem = model.problem
    before = Counter(
        (each.visit.class_id, each.visit.slots) for each in problem.previous
    )
    served: dict[int, str] = {
        column: name for name in by_class for column in served_by(model, name, by_class)
    }
    schools = dict.fromkeys(model.schools.values(), 1)
    alone = {
        column: 1
        for column, name in served.items()
        if problem.classes[name].school not in model.schools
    }
    numbered = list(enumerate(model.choices))
    costs = {
        "served": dict.fromkeys(served, 1),
        "schools": schools | alone,
        "priority": {c: problem.classes[n].priority for c, n in served.items()},
        "students": {c: problem.classes[n].size for c, n in served.items()},
        "visits": {c: 1 for c, _ in numbered},
        "rank": {c: rank_cost(each.rank) for c, each in numbered},
        "travel": {c: each.travel for c, each in numbered},
        "changes": {
            c: -before[each.class_id, frozenset(each.slots)] for c, each in numbered
        },
    }
    model.costs = {
        level: {c: cost for c, cost in costs[level].items() if cost}
        for level in problem.params.objective
    }


def ceiling(model: Model, level: str) -> int | None:
    """What a level would be if each class got something; None if that says little."""
    classes = {each.class_id for each in model.choices}
    known = {name: model.problem.classes[name] for name in classes}
    match level:
        case "served":
            return len(known)
        case "schools":
            return len({one.school for one in known.values()})
        case "priority":
            return sum(one.priority for one in known.values())
    return None


# ---------------------------------------------------------------- plans and columns


def start_of(model: Model, visits: Iterable[Visit]) -> list[float]:
    """Every column of a plan; a solver completes part of one only slowly."""
    values = [0.0] * len(model.upper)
    wanted = {(visit.class_id, visit.slots): visit for visit in visits}
    used: set[str] = set()
    for number, each in enumerate(model.choices):
        visit = wanted.get((each.class_id, frozenset(each.slots)))
        if visit is None:
            continue
        values[number] = 1.0
        used |= visit.slots
        size = {part.slot: part.students for part in visit.parts}
        for group, names in enumerate(each.groups):
            if (number, group) in model.sizes:
                values[model.sizes[number, group]] = float(size[names[0]])
    classes = {visit.class_id for visit in wanted.values()}
    schools = {model.problem.classes[name].school for name in classes}
    for table, present in (
        (model.served, classes),
        (model.schools, schools),
        (model.opened, used),
    ):
        for name, column in table.items():
            values[column] = float(name in present)
    return values


def visits_of(model: Model, values: Sequence[float]) -> list[Visit]:
    """The plan that the columns describe."""
    return [
        _visit(model, number, values)
        for number in range(len(model.choices))
        if round(values[number])
    ]


def _visit(model: Model, number: int, values: Sequence[float]) -> Visit:
    possible = model.choices[number]
    size = model.problem.classes[possible.class_id].size
    limits = [(size, size)] if possible.is_whole else limits_of(model, number)
    for group in range(len(limits)):
        if (number, group) in model.sizes:
            fixed = round(values[model.sizes[number, group]])
            limits[group] = (fixed, fixed)
    sizes = spread(size, limits)
    if sizes is None:
        raise AssertionError(f"no group sizes for {possible}")
    return Visit(
        possible.class_id,
        tuple(
            Part(slot=name, students=students, group=group)
            for group, (names, students) in enumerate(
                zip(possible.groups, sizes, strict=True), 1
            )
            for name in names
        ),
    )


# ---------------------------------------------------------------- parts


def parts(
    problem: Problem, possible: Mapping[str, Sequence[Possible]]
) -> list[dict[str, Sequence[Possible]]]:
    """Sets of classes that share no slot, school, full month or tight cap.

    Every level adds up over them, so the best plan of each makes the best plan.
    """
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    offered = dict.fromkeys(name for each in _all(possible) for name in each.slots)
    limits = _limits_on(problem, offered)
    for each in _all(possible):
        links = {f"school {problem.classes[each.class_id].school}"}
        links |= {f"slot {name}" for name in each.slots}
        links.update(*(limits[name] for name in each.slots if name in limits))
        mine = find(f"class {each.class_id}")
        for link in sorted(links):
            leader[find(link)] = mine
    together: dict[str, dict[str, Sequence[Possible]]] = defaultdict(dict)
    for name, choices in possible.items():
        if choices:
            together[find(f"class {name}")][name] = choices
    return list(together.values())


def _limits_on(problem: Problem, names: Iterable[str]) -> dict[str, set[str]]:
    """For each slot the full months and tight caps that it is in."""
    names = list(names)
    found: dict[str, set[str]] = defaultdict(set)
    for month, several in full_months(problem, names).items():
        for name in several:
            found[name].add(f"month {month}")
    for cap, several in tight_caps(problem, names).items():
        for name in several:
            found[name].add(f"cap {cap}")
    return found


def _all(possible: Mapping[str, Sequence[Possible]]) -> Iterator[Possible]:
    for choices in possible.values():
        yield from choices
