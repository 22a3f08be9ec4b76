"""Phases by the clock, the order of the days, and the points of a class."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler.domain import campaigns as rules
from scheduler.domain.campaigns import (
    USUAL_POINTS,
    Campaign,
    CampaignState,
    Criterion,
    Phase,
    Standing,
    Timing,
)
from scheduler.domain.refusals import CampaignDates, CampaignFixed, WrongState

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TIMING = Timing(
    opens_at=NOW,
    closes_at=NOW + timedelta(days=14),
    allocation_on=date(2026, 12, 10),
    first_visit_on=date(2027, 1, 11),
    last_visit_on=date(2027, 4, 16),
)
CAMPAIGN = Campaign(
    id=1, name="Term 2", state=CampaignState.ANNOUNCED, timing=TIMING, seed=7
)


@pytest.mark.parametrize(
    ("state", "moment", "expected"),
    [
        (CampaignState.DRAFT, timedelta(), Phase.DRAFT),
        (CampaignState.ANNOUNCED, -timedelta(seconds=1), Phase.UPCOMING),
        (CampaignState.ANNOUNCED, timedelta(), Phase.WISHING),
        (CampaignState.ANNOUNCED, timedelta(days=14, seconds=-1), Phase.WISHING),
        (CampaignState.ANNOUNCED, timedelta(days=14), Phase.CLOSED),
        (CampaignState.PUBLISHING, timedelta(days=1), Phase.PUBLISHING),
        (CampaignState.PUBLISHED, timedelta(days=1), Phase.PUBLISHED),
        (CampaignState.ENDED, timedelta(days=1), Phase.ENDED),
    ],
)
def test_the_phase_follows_the_state_and_the_clock(
    state: CampaignState, moment: timedelta, expected: Phase
) -> None:
    campaign = replace(CAMPAIGN, state=state)
    assert rules.phase(campaign, now=NOW + moment) is expected


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"closes_at": NOW}, "closes_at"),
        ({"allocation_on": date(2026, 12, 6)}, "allocation_on"),
        ({"first_visit_on": date(2026, 12, 10)}, "first_visit_on"),
        ({"last_visit_on": date(2027, 1, 10)}, "last_visit_on"),
        ({"last_visit_on": date(2028, 4, 16)}, "too_long"),
    ],
)
def test_each_day_has_to_follow_the_one_before(
    changes: dict[str, datetime], wrong: str
) -> None:
    found = rules.timing_refusals(replace(TIMING, **changes))
    assert [refusal.facts["wrong"] for refusal in found] == [wrong]


def test_days_in_order_are_not_refused() -> None:
    assert rules.timing_refusals(TIMING) == []


def test_announced_rules_are_not_announced_again_nor_after_the_closing() -> None:
    with pytest.raises(CampaignFixed):
        rules.announce(CAMPAIGN, now=NOW)
    draft = replace(CAMPAIGN, state=CampaignState.DRAFT)
    assert rules.announce(draft, now=NOW) is CampaignState.ANNOUNCED
    with pytest.raises(CampaignDates):
        rules.announce(draft, now=TIMING.closes_at)


def test_wishes_may_get_more_time_and_never_less() -> None:
    later = TIMING.closes_at + timedelta(days=2)
    given = rules.postpone_closing(
        CAMPAIGN, closes_at=later, allocation_on=date(2026, 12, 12), now=NOW
    )
    assert (given.closes_at, given.allocation_on) == (later, date(2026, 12, 12))
    with pytest.raises(CampaignDates):
        rules.postpone_closing(
            CAMPAIGN,
            closes_at=TIMING.closes_at - timedelta(days=1),
            allocation_on=TIMING.allocation_on,
            now=NOW,
        )
    published = replace(CAMPAIGN, state=CampaignState.PUBLISHED)
    with pytest.raises(WrongState):
        rules.postpone_closing(
            published, closes_at=later, allocation_on=TIMING.allocation_on, now=NOW
        )


def test_a_draft_is_dropped_not_ended() -> None:
    with pytest.raises(WrongState):
        rules.end(replace(CAMPAIGN, state=CampaignState.DRAFT))
    assert rules.end(CAMPAIGN) is CampaignState.ENDED


FULL = Standing(
    school_has_visit=False, class_has_visit=False, rural=True, km_to_nearest_host=41
)


def test_every_criterion_that_holds_gives_its_points() -> None:
    given = rules.reasons_for_points(FULL, points=USUAL_POINTS, far_km=40)
    assert given == {
        Criterion.SCHOOL_NOTHING: 2,
        Criterion.CLASS_NOTHING: 1,
        Criterion.RURAL: 1,
        Criterion.FAR_FROM_HOSTS: 1,
    }
    assert rules.priority(given) == 5


def test_a_class_that_had_everything_gets_nothing() -> None:
    served = Standing(
        school_has_visit=True, class_has_visit=True, rural=False, km_to_nearest_host=40
    )
    assert rules.reasons_for_points(served, points=USUAL_POINTS, far_km=40) == {}


def test_late_cancellations_take_points_but_never_below_nothing() -> None:
    points = {Criterion.CLASS_NOTHING: 1, Criterion.LATE_CANCELLATIONS: 3}
    given = rules.reasons_for_points(
        replace(FULL, late_cancellations=1), points=points, far_km=40
    )
    assert given == {Criterion.CLASS_NOTHING: 1, Criterion.LATE_CANCELLATIONS: -3}
    assert rules.priority(given) == 0
