"""When a signed agreement is needed (rule 9)."""

from __future__ import annotations

import pytest

from scheduler.domain.agreement import Agreement, agreement


@pytest.mark.parametrize(
    ("is_college", "youngest_age", "said"),
    [
        (True, 17, Agreement.NEEDED),
        (True, None, Agreement.NEEDED),
        (False, 15, Agreement.NEEDED),
        (False, None, Agreement.NEEDED),
        (False, 16, Agreement.RECOMMENDED),
        (False, 19, Agreement.RECOMMENDED),
    ],
)
def test_a_college_or_a_student_under_16_needs_an_agreement(
    is_college, youngest_age, said
):
    assert agreement(is_college=is_college, youngest_age=youngest_age) is said
