"""A daily mail: each of its news in the words of the mail that it replaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scheduler.mail.facts import VisitFacts, visit_facts
from scheduler.mail.press import Press

Facts = Callable[[Mapping[str, Any]], dict[str, object]]


@dataclass(frozen=True, kw_only=True)
class Item:
    """``title`` would have been the subject; ``lines`` are what matters of the rest."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The news of one visit."""

    visit: VisitFacts
    audience: str
    page: str | None
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the answers to one visit stand."""

    visit: VisitFacts
    page: str | None
    coming: int
    maybe: int
    not_coming: int
    silent: int


@dataclass(frozen=True, kw_only=True)
class Digest:
    groups: tuple[Group, ...]
    standings: tuple[Standing, ...]

    @property
    def news(self) -> int:
        return sum(len(group.items) for group in self.groups)


def digest(
    recorded: Mapping[str, Any],
    press: Press,
    *,
    facts: Facts,
    page: Callable[[str, int, str], str | None],
) -> Digest:
    """What was recorded, in words. ``facts``: those of one recorded message."""
    return Digest(
        groups=tuple(
            _group(each, press, facts=facts, page=page) for each in recorded["groups"]
        ),
        standings=tuple(
            _standing(each, press, page=page) for each in recorded["standings"]
        ),
    )


def _group(
    recorded: Mapping[str, Any],
    press: Press,
    *,
    facts: Facts,
    page: Callable[[str, int, str], str | None],
) -> Group:
    audience = str(recorded["audience"])
    visit = visit_facts(recorded["visit"], audience=audience, locale=press.locale)
    return Group(
        visit=visit,
        audience=audience,
        page=page(audience, visit.id, visit.class_code),
        items=tuple(
            _item(str(each["kind"]), facts(each["payload"]), press)
            for each in recorded["messages"]
        ),
    )


def _item(kind: str, facts: dict[str, object], press: Press) -> Item:
    folder = f"mail/{kind}"
    text = press.text("mail/_item.txt", body=f"{folder}/body.txt", **facts)
    lines = (line.strip() for line in text.splitlines())
    return Item(
        title=press.line(f"{folder}/subject.txt", **facts),
        lines=tuple(line for line in lines if line),
    )


def _standing(
    recorded: Mapping[str, Any],
    press: Press,
    *,
    page: Callable[[str, int, str], str | None],
) -> Standing:
    audience = str(recorded["audience"])
    visit = visit_facts(recorded["visit"], audience=audience, locale=press.locale)
    return Standing(
        visit=visit,
        page=page(audience, visit.id, visit.class_code),
        coming=int(recorded["coming"]),
        maybe=int(recorded["maybe"]),
        not_coming=int(recorded["not_coming"]),
        silent=int(recorded["silent"]),
    )
