"""Distance and travel time, the estimate of rule 6."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from scheduler.domain.travel import Away, Place, Trip, away, straight_km, trip
from tests.builders import DERVAL, NANTES, POLICY, TUESDAY, at

PLACES = st.builds(Place, st.floats(46.0, 49.0), st.floats(-3.0, 1.0))


def test_nantes_and_derval_are_fifty_kilometres_apart():
    assert round(straight_km(NANTES, DERVAL), 1) == 50.9


def test_a_trip_is_the_line_by_a_third_longer_at_fifty_plus_ten_minutes():
    # 50.9 km × 1.3 = 66.2 km; 66.2 / 50 × 60 = 79.4 min, and 10.
    assert trip(NANTES, DERVAL, policy=POLICY) == Trip(km=67, minutes=90)


def test_the_shortest_trip_is_the_ten_minutes():
    assert trip(NANTES, NANTES, policy=POLICY) == Trip(km=0, minutes=10)


@given(a=PLACES, b=PLACES)
def test_there_is_as_far_as_back(a, b):
    assert straight_km(a, b) == pytest.approx(straight_km(b, a))


def test_a_class_is_away_from_leaving_to_being_back():
    starts_at, ends_at = at(TUESDAY, "09:00"), at(TUESDAY, "11:00")

    found = away(starts_at, ends_at, Trip(km=67, minutes=90))

    assert found == Away(at(TUESDAY, "07:30"), at(TUESDAY, "12:30"))


def test_without_places_a_class_is_away_for_the_visit_alone():
    starts_at, ends_at = at(TUESDAY, "09:00"), at(TUESDAY, "11:00")

    assert away(starts_at, ends_at, None) == Away(starts_at, ends_at)


@pytest.mark.parametrize(("minutes", "overlap"), [(-1, True), (0, False), (1, False)])
def test_who_is_back_when_the_next_leaves_is_not_in_two_places(minutes, overlap):
    first = Away(at(TUESDAY, "09:00"), at(TUESDAY, "11:00"))
    leaves_at = first.back_at + timedelta(minutes=minutes)
    second = Away(leaves_at, leaves_at + timedelta(hours=2))

    assert first.overlaps(second) is overlap
    assert second.overlaps(first) is overlap
