"""Walks through parsed JSON and says where it is not what the format promises."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

SHOWN = 60
LARGEST = 10**9


class BadFile(Exception):
    """The file is not in the format: where, what was expected, what is there."""

    def __init__(self, path: str, *, expected: str, found: object) -> None:
        self.path, self.expected = path or "(the whole file)", expected
        self.found = _shown(found)
        super().__init__(f"{self.path}: expected {expected}, found {self.found}")


class Missing:
    """Stands for a key that is not there."""


def _shown(value: object) -> str:
    if value is Missing:
        return "nothing"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


@functools.cache
def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


class Node:
    """A value of the file and the path that leads to it."""

    __slots__ = ("path", "value")

    def __init__(self, value: Any, path: str = "") -> None:
        self.value, self.path = value, path

    def wrong(self, expected: str) -> BadFile:
        return BadFile(self.path, expected=expected, found=self.value)

    def __getitem__(self, key: str) -> Node:
        """The value of a key; its absence is told when somebody reads it."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        path = f"{self.path}.{key}" if self.path else key
        return Node(self.value.get(key, Missing), path)

    def __contains__(self, key: str) -> bool:
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return key in self.value

    def __iter__(self) -> Iterator[Node]:
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for number, value in enumerate(self.value):
            yield Node(value, f"{self.path}[{number}]")

    def names(self) -> Iterable[str]:
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return [str(key) for key in self.value]

    def optional(self, key: str) -> Iterator[Node]:
        """The items of a list that may be left out."""
        return iter(self[key]) if key in self else iter(())

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong("a text")
        return self.value

    def integer(self, *, least: int = -LARGEST, most: int = LARGEST) -> int:
        is_integer = isinstance(self.value, int) and not isinstance(self.value, bool)
        if not is_integer or not least <= self.value <= most:
            limits = [
                words
                for words, told in (
                    (f"at least {least}", least != -LARGEST),
                    (f"at most {most}", is_integer and self.value > most),
                )
                if told
            ]
            raise self.wrong("an integer" + "".join(f", {each}" for each in limits))
        return int(self.value)

    def yes_or_no(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def date(self) -> str:
        if not isinstance(self.value, str) or not _is_date(self.value):
            raise self.wrong("a date such as 2026-11-17")
        return self.value

    def one_of(self, words: Iterable[str]) -> str:
        allowed = list(words)
        if self.value not in allowed:
            raise self.wrong(f"one of {', '.join(allowed)}")
        return str(self.value)

    def texts(self) -> tuple[str, ...]:
        return tuple(each.text() for each in self)

    def known(self, table: Iterable[str], *, what: str) -> str:
        """A reference; ``what`` is the list where its target stands."""
        identifier = self.text()
        if identifier not in table:
            raise self.wrong(f"the id of one of {what}")
        return identifier

    def table(self, read: Callable[[Node], Any]) -> dict[str, Any]:
        """A list of things with an id, by their id, which must differ."""
        found: dict[str, Any] = {}
        for each in self:
            thing = read(each)
            if thing.id in found:
                raise each["id"].wrong(f"an id that no other of {self.path} has")
            found[thing.id] = thing
        return found
