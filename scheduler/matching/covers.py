"""Rows that every valid plan keeps and that the plain seats row does not imply.

A slot for 24 students and three groups takes one class of 20 or two of 12. "At most 24
students" alone lets a relaxation take six fifths of a class of 20; these rows do not.
On an académie they bring the bound on served classes from 4.5 % to 0.6 % above the
best plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """A group that may come to a shared slot: its visit and its least students."""

    column: int
    least: int
    weight: int
    size_column: int | None


Cover = tuple[int, list[tuple[int, int]]]


def covers(groups: Sequence[Group], *, most: int, most_groups: int) -> Iterator[Cover]:
    """Each cover once: at most ``high`` of these columns, counted with their factor."""
    seen: set[tuple[int, tuple[tuple[int, int], ...]]] = set()
    for high, terms in (
        *_too_many(groups, most, most_groups),
        *_one_large(groups, most, most_groups),
    ):
        key = (high, tuple(terms))
        if key not in seen and sum(factor for _, factor in terms) > high:
            seen.add(key)
            yield high, terms


def _too_many(groups: Sequence[Group], most: int, most_groups: int) -> Iterator[Cover]:
    """Of the groups with more than a (j+1)th of the seats, at most j come."""
    for number in range(1, most_groups):
        large = [each for each in groups if each.least * (number + 1) > most]
        yield number, [(each.column, 1) for each in large]


def _one_large(groups: Sequence[Group], most: int, most_groups: int) -> Iterator[Cover]:
    """A group of ``size`` or more leaves room for fewer than ``beside`` middling ones.

    Two of them do not fit together, so at most one of the large ones is counted.
    """
    for size in sorted({each.least for each in groups if 2 * each.least > most}):
        for beside in range(1, most_groups):
            middling = (most - size) // beside + 1
            fit = min(most_groups, most // middling)
            if fit <= beside:
                continue
            terms = [
                (each.column, 1 + (fit - beside if each.least >= size else 0))
                for each in groups
                if each.least >= middling
            ]
            if any(factor == 1 for _, factor in terms):
                yield fit, terms
