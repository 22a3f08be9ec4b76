"""Distance and travel time, as the estimate of DOMAIN rule 6: never a promise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, ceil, cos, log, pi, radians, sin, sqrt, tan

from scheduler.domain.policy import Policy

EARTH_KM = 6371.0
LEAST_SPAN = 0.1
"""Degrees of latitude: a plane for one town is made as if for its surroundings."""


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


@dataclass(frozen=True)
class Plane:
    """A flat map of a region: metres by the estimated road, as the engine counts them.

    Lambert's conic projection (conformal, two parallels): within a region a distance
    on it is that of ``trip`` to about one in a thousand.
    """

    n: float
    scale: float
    origin: Place
    metres: float

    def point(self, place: Place) -> tuple[int, int]:
        """Whole metres east and north of the region's middle."""
        turned = self.n * radians(place.lon - self.origin.lon)
        radius, middle = self._radius(place.lat), self._radius(self.origin.lat)
        x, y = radius * sin(turned), middle - radius * cos(turned)
        return round(x * self.metres), round(y * self.metres)

    def _radius(self, lat: float) -> float:
        return self.scale / float(tan(pi / 4 + radians(lat) / 2) ** self.n)


def plane(places: Iterable[Place], *, policy: Policy) -> Plane:
    """The map on which these places lie with the least distortion."""
    known = list(places) or [Place(0, 0)]
    south, north = min(p.lat for p in known), max(p.lat for p in known)
    west, east = min(p.lon for p in known), max(p.lon for p in known)
    middle = Place((south + north) / 2, (west + east) / 2)
    sixth = max(north - south, LEAST_SPAN) / 6
    one, two = radians(middle.lat - 2 * sixth), radians(middle.lat + 2 * sixth)
    opened = log(tan(pi / 4 + two / 2) / tan(pi / 4 + one / 2))
    n = log(cos(one) / cos(two)) / opened
    return Plane(
        n=n,
        scale=cos(one) * tan(pi / 4 + one / 2) ** n / n,
        origin=middle,
        metres=EARTH_KM * 1000 * policy.travel_detour_factor,
    )
