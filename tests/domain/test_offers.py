"""Where the steps of an offer lead, and limits under which nobody could come."""

from __future__ import annotations

from itertools import product

import pytest

from scheduler.domain.offers import NEXT, OfferState, after, check_limits
from scheduler.domain.refusals import LimitTooLow, WrongState

STEPS = sorted({step for _, step in NEXT})


@pytest.mark.parametrize(
    ("state", "step"), sorted(set(product(OfferState, STEPS)) - set(NEXT))
)
def test_every_step_not_in_the_table_is_refused(state, step):
    with pytest.raises(WrongState):
        after(state, step)


def test_a_step_leads_where_the_table_says():
    assert after(OfferState.DRAFT, "publish") is OfferState.PUBLISHED


def test_every_limit_below_one_is_named():
    with pytest.raises(LimitTooLow) as refusal:
        check_limits(students=0, people=None, groups=1, per_day=-3)

    assert refusal.value.facts == {"limits": ["students", "per_day"]}


def test_no_limit_is_a_limit_too():
    check_limits(students=1, people=None)
