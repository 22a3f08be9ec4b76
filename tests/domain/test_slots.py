"""Hours that a slot can have, and when seats may be taken on it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scheduler.domain.refusals import BadTimes, SlotNotOpen, TooLate
from scheduler.domain.slots import FURTHEST, SlotState, check_open, check_times
from tests.builders import NOW, TUESDAY, a_slot, at

START = at(TUESDAY)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("length", "wrong"),
    [
        (timedelta(hours=-1), "too_short"),
        (timedelta(0), "too_short"),
        (timedelta(minutes=15) - SECOND, "too_short"),
        (timedelta(hours=12) + SECOND, "too_long"),
    ],
)
def test_a_visit_lasts_from_a_quarter_of_an_hour_to_twelve(length, wrong):
    with pytest.raises(BadTimes) as refusal:
        check_times(START, START + length, now=NOW)

    assert refusal.value.facts["wrong"] == wrong


@pytest.mark.parametrize("length", [timedelta(minutes=15), timedelta(hours=12)])
def test_the_shortest_and_the_longest_visit_are_possible(length):
    check_times(START, START + length, now=NOW)


def test_a_slot_does_not_begin_in_the_past():
    with pytest.raises(TooLate):
        check_times(NOW, NOW + timedelta(hours=1), now=NOW)


def test_a_slot_lies_at_most_three_years_ahead():
    starts_at = NOW + FURTHEST + SECOND

    with pytest.raises(BadTimes) as refusal:
        check_times(starts_at, starts_at + timedelta(hours=1), now=NOW)

    assert refusal.value.facts == {"wrong": "too_far", "years": 3}


def test_seats_may_be_taken_on_an_open_slot():
    check_open(a_slot(), now=NOW)


@pytest.mark.parametrize("state", [SlotState.CLOSED, SlotState.CANCELLED])
def test_no_seat_is_taken_on_another_slot(state):
    with pytest.raises(SlotNotOpen) as refusal:
        check_open(a_slot(state=state), now=NOW)

    assert refusal.value.facts == {"state": state.value}


def test_no_seat_is_taken_once_the_slot_has_begun():
    check_open(a_slot(), now=START - SECOND)
    with pytest.raises(TooLate):
        check_open(a_slot(), now=START)
