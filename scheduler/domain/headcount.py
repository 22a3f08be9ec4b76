"""How many come, as far as they have said.

    invited ──▶ coming · maybe · not coming · silent

A class may be bigger than the list of its addresses: whoever was not asked is counted
as coming, because nobody has said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.domain.answers import Answer


@dataclass(frozen=True, kw_only=True)
class Headcount:
    """Of the students who were invited one by one. ``silent``: no answer yet."""

    coming: int = 0
    maybe: int = 0
    not_coming: int = 0
    silent: int = 0

    @property
    def invited(self) -> int:
        return self.coming + self.maybe + self.not_coming + self.silent

    @property
    def answered(self) -> int:
        return self.invited - self.silent


def headcount(answers: Mapping[Answer | None, int]) -> Headcount:
    """From how often each answer was given; ``None``: not yet."""
    return Headcount(
        coming=answers.get(Answer.ACCEPTED, 0),
        maybe=answers.get(Answer.TENTATIVE, 0),
        not_coming=answers.get(Answer.DECLINED, 0),
        silent=answers.get(None, 0),
    )


def most_who_come(counted: Headcount, *, students: int) -> int:
    """How many may still come of a group of ``students``."""
    if counted.invited >= students:
        return min(students, counted.invited - counted.not_coming)
    return max(0, students - counted.not_coming)


def too_few(counted: Headcount, *, students: int, minimum: int) -> bool:
    """Whether so many have said no that the host's smallest group is not reached.

    A group that was smaller from the first is the host's own decision.
    """
    if not counted.not_coming:
        return False
    return most_who_come(counted, students=students) < minimum
