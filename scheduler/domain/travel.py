"""Distance and travel time, as the estimate of DOMAIN rule 6: never a promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, ceil, cos, radians, sin, sqrt

from scheduler.domain.policy import Policy

EARTH_KM = 6371.0


@dataclass(frozen=True)
class Place:
    """Degrees, WGS 84. ``approximate``: the commune's centre is itself estimated."""

    lat: float
    lon: float
    approximate: bool = False


@dataclass(frozen=True)
class Trip:
    """One way. ``km`` by the estimated road, ``minutes`` with the coach."""

    km: int
    minutes: int


def straight_km(a: Place, b: Place) -> float:
    """Great-circle distance (haversine)."""
    lat = radians(b.lat - a.lat) / 2
    lon = radians(b.lon - a.lon) / 2
    chord = sin(lat) ** 2 + cos(radians(a.lat)) * cos(radians(b.lat)) * sin(lon) ** 2
    return 2 * EARTH_KM * asin(sqrt(chord))


def trip(a: Place, b: Place, *, policy: Policy) -> Trip:
    """Straight line × detour at the usual speed, plus a fixed part."""
    km = straight_km(a, b) * policy.travel_detour_factor
    minutes = km / policy.travel_km_per_hour * 60 + policy.travel_extra_minutes
    return Trip(km=ceil(km), minutes=ceil(minutes))


@dataclass(frozen=True)
class Away:
    """From leaving the school to being back."""

    leaves_at: datetime
    back_at: datetime

    def overlaps(self, other: Away) -> bool:
        return self.leaves_at < other.back_at and other.leaves_at < self.back_at


def away(starts_at: datetime, ends_at: datetime, way: Trip | None) -> Away:
    """The time a class is away for a visit; without places, the visit alone."""
    minutes = timedelta(minutes=way.minutes if way else 0)
    return Away(starts_at - minutes, ends_at + minutes)
