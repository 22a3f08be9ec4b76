"""How many come, and when that is too few."""

from __future__ import annotations

import pytest

from scheduler.domain.answers import Answer
from scheduler.domain.headcount import Headcount, headcount, most_who_come, too_few


def test_answers_are_counted_by_what_they_say():
    counted = headcount({Answer.ACCEPTED: 22, Answer.DECLINED: 1, None: 3})

    assert counted == Headcount(coming=22, not_coming=1, silent=3)
    assert (counted.invited, counted.answered) == (26, 23)


@pytest.mark.parametrize(
    ("counted", "students", "at_most"),
    [
        (Headcount(silent=24), 24, 24),
        (Headcount(coming=20, not_coming=4), 24, 20),
        # Whoever was not asked by mail is counted as coming.
        (Headcount(not_coming=3), 24, 21),
        # More were asked than are announced: the places are what counts.
        (Headcount(silent=28, not_coming=2), 24, 24),
        (Headcount(maybe=2, not_coming=28), 24, 2),
        (Headcount(), 24, 24),
    ],
)
def test_most_who_come(counted, students, at_most):
    assert most_who_come(counted, students=students) == at_most


def test_too_few_is_what_refusals_have_made_of_the_group():
    declined = Headcount(coming=5, not_coming=15)

    assert too_few(declined, students=20, minimum=6)
    assert not too_few(declined, students=20, minimum=5)
    assert not too_few(Headcount(silent=4), students=4, minimum=6)
