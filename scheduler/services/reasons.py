"""Why a class got nothing, and what would have helped, ready to be said.

The engine's codes and needs (docs/matching.md) with the names and dates that they are
about, in the reader's language; the sentences are in templates/_parts/match_words.html,
for pages and mails alike. Primitives only: a mail freezes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from scheduler import wording
from scheduler.persistence.models.campaigns import OutcomeRow
from scheduler.persistence.queries import outcomes as queries

METRES = 1000
MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Need:
    """A change that would by itself have made a visit possible.

    ``kind``: distance, dates, split, seats, slots, wishes, cap or quota; the other
    fields as it needs them. ``serves``: proven that the class would have had a visit.
    """

    kind: str
    km: int = 0
    days: tuple[str, ...] = ()
    split: str = ""
    parts: int = 0
    seats: int = 0
    slots: tuple[str, ...] = ()
    serves: bool = False


@dataclass(frozen=True, kw_only=True)
class Reason:
    """``rules``: codes of the rules that forbade slots, the most frequent first.

    ``others``: how many classes have what was wished. ``contest``: the level on which
    the plan would get worse with this class in it.
    """

    code: str
    detail: str = ""
    rules: tuple[str, ...] = ()
    others: int = 0
    contest: str = ""
    students: int = 0
    max_km: int = 0
    needs: tuple[Need, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Why:
    """Why this visit: the place of its wish, the way, and points by criterion."""

    rank: int | None
    km: int | None
    points: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def whys(outcome: OutcomeRow) -> Why:
    """What speaks for the visit that the class got."""
    return Why(
        rank=outcome.rank,
        km=None if outcome.metres is None else round(outcome.metres / METRES),
        points=dict(outcome.facts.get("points") or {}),
    )


def reasons(
    session: Session, campaign_id: int, outcomes: Sequence[OutcomeRow], *, locale: str
) -> dict[int, Reason]:
    """Class → why it has no visit, for those that have none."""
    unserved = [each for each in outcomes if not each.visits]
    if not unserved:
        return {}
    facts = {each.class_id: each.facts for each in unserved}
    hosts = queries.named_hosts(
        session,
        {number for each in facts.values() for number in _hosts_of(each)},
    )
    slots = queries.named_slots(
        session, {slot for each in facts.values() for slot in _slots_of(each)}
    )
    wished = queries.wished_by(session, campaign_id, facts)

    def said(slot_id: int) -> str:
        found = slots.get(slot_id)
        if found is None:
            return ""
        return f"{found.host_name}, {wording.day_and_month(found.starts_at, locale)}"

    return {
        each.class_id: Reason(
            code=each.code,
            detail=str(each.facts.get("detail") or ""),
            rules=_most(each.facts.get("forbidden") or {}),
            others=len(each.facts.get("blockers") or ()),
            contest=str((each.facts.get("contest") or {}).get("level") or ""),
            students=wished[each.class_id].students,
            max_km=wished[each.class_id].max_km,
            needs=tuple(
                _needs(_with_host(each.facts, hosts), said=said, locale=locale)
            ),
        )
        for each in unserved
        if each.class_id in wished
    }


def _most(counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(counts, key=lambda code: (-counts[code], code)))


def _hosts_of(facts: Mapping[str, Any]) -> list[int]:
    key = str((facts.get("needs") or {}).get("host") or "")
    return [int(key[1:])] if key[:1] == "H" else []


def _with_host(facts: Mapping[str, Any], hosts: Mapping[int, str]) -> dict[str, Any]:
    needs = dict(facts.get("needs") or {})
    for number in _hosts_of(facts):
        needs["host_name"] = hosts.get(number, "")
    return needs


def _slots_of(facts: Mapping[str, Any]) -> Iterable[int]:
    """Every slot that the needs name."""
    needs = facts.get("needs") or {}
    for key in ("forbidden", "wishes", "slot"):
        yield from _ids(needs.get(key) or ())


def _ids(keys: str | Sequence[str]) -> list[int]:
    """Row ids behind keys of the problem; what-if slots have none."""
    given = [keys] if isinstance(keys, str) else keys
    return [int(key[1:]) for key in given if key[:1] == "S"]


def _needs(
    needs: Mapping[str, Any], *, said: Callable[[int], str], locale: str
) -> Iterable[Need]:
    serves = bool(needs.get("serves"))

    def named(key: str) -> tuple[str, ...]:
        found = [said(each) for each in _ids(needs.get(key) or ())]
        return tuple(each for each in found if each)[:MOST_NAMED]

    if needs.get("max_m"):
        yield Need(kind="distance", km=-(-needs["max_m"] // METRES), serves=serves)
    if needs.get("dates"):
        days = [date.fromisoformat(each) for each in needs["dates"][:MOST_NAMED]]
        words = tuple(wording.day_and_month(each, locale) for each in days)
        yield Need(kind="dates", days=words, serves=serves)
    if needs.get("split"):
        parts = int(needs.get("max_parts") or 2)
        yield Need(kind="split", split=needs["split"], parts=parts, serves=serves)
    if needs.get("seats"):
        yield Need(
            kind="seats",
            seats=int(needs["seats"]),
            slots=named("slot"),
            serves=serves,
        )
    for key, kind in (("forbidden", "slots"), ("wishes", "wishes")):
        if named(key):
            yield Need(kind=kind, slots=named(key), serves=serves)
    if needs.get("host") and needs.get("host_name"):
        yield Need(kind="cap", slots=(str(needs["host_name"]),), serves=serves)
    if needs.get("school"):
        yield Need(kind="quota", serves=serves)
