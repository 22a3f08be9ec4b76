"""The projection: dots fall inside their department, on the drawing we ship."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from scheduler.domain.projection import HEIGHT, VIEW_BOX, WIDTH, point

ROOT = Path(__file__).parents[2]
PART = (ROOT / "templates" / "_parts" / "basemap.svg").read_text("utf-8")
PICTURE = ROOT / "scheduler" / "static" / "basemap-pays-de-la-loire.svg"
PATH = re.compile(
    r'<path id="d-(\w+)" class="d (d-in|d-out)" d="([^"]+)"><title>([^<]+)</title>'
)
SLACK = 2.0
"""A place on a border may miss by this much: about 1 km."""


def read(name: str) -> list[dict[str, str]]:
    file = ROOT / "scheduler" / "reference" / name
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=";"))


def place(commune: dict[str, str]) -> tuple[float, float]:
    return point(float(commune["lat"]), float(commune["lon"]))


def corners(outline: str) -> list[tuple[float, float]]:
    """Absolute corners of a path written with ``M``, ``l`` and ``z``."""
    found = []
    for ring in outline.removesuffix("z").split("z"):
        numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+", ring)]
        x, y = numbers[:2]
        found.append((x, y))
        for dx, dy in zip(numbers[2::2], numbers[3::2], strict=True):
            x, y = x + dx, y + dy
            found.append((x, y))
    return found


OUTLINES = {code: corners(outline) for code, _, outline, _ in PATH.findall(PART)}


def test_angers_lies_where_it_was_computed_by_hand() -> None:
    """With Mercator written the other way, asinh(tan(lat)).

    47.47 N 0.55 W: north is 54.0708, so (192.364, 230.250) on the map of France,
    less (103, 157), times 4.
    """
    x, y = point(47.47, -0.55)

    assert (x, y) == pytest.approx((357.46, 293.00), abs=0.01)


def test_north_is_up_and_east_is_right() -> None:
    here, north, east = point(47.0, -1.0), point(47.5, -1.0), point(47.0, -0.5)

    assert north[1] < here[1]
    assert east[0] > here[0]


def test_a_place_far_away_is_outside_and_not_refused() -> None:
    x, y = point(43.3, 5.4)

    assert x > WIDTH
    assert y > HEIGHT


@pytest.mark.parametrize("name", ["sample/hosts.csv", "sample/schools.csv"])
def test_towns_of_the_demo_lie_in_the_box_of_their_department(name: str) -> None:
    communes = {row["insee"]: row for row in read("communes.csv")}

    for row in read(name):
        commune = communes[row["insee"]]
        x, y = place(commune)
        across, down = zip(*OUTLINES[commune["department"]], strict=True)
        assert min(across) - SLACK <= x <= max(across) + SLACK, row["name"]
        assert min(down) - SLACK <= y <= max(down) + SLACK, row["name"]


def test_nearly_all_communes_lie_inside_their_department() -> None:
    region = {"44", "49", "53", "72", "85"}
    exact = [
        row
        for row in read("communes.csv")
        if row["department"] in region and row["precision"] == "exact"
    ]

    inside = [row for row in exact if holds(OUTLINES[row["department"]], place(row))]

    assert len(inside) / len(exact) > 0.97


def holds(ring: list[tuple[float, float]], at: tuple[float, float]) -> bool:
    """Whether the outline runs around the point (even-odd rule)."""
    x, y = at
    odd = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def test_the_five_departments_are_inside_the_frame() -> None:
    kinds = {code: kind for code, kind, _, _ in PATH.findall(PART)}

    inside = {code for code, kind in kinds.items() if kind == "d-in"}
    assert inside == {"44", "49", "53", "72", "85"}
    for code in inside:
        for x, y in OUTLINES[code]:
            assert 0 < x < WIDTH
            assert 0 < y < HEIGHT


def test_the_neighbours_are_cut_close_to_the_frame() -> None:
    for outline in OUTLINES.values():
        for x, y in outline:
            assert -10 < x < WIDTH + 10
            assert -10 < y < HEIGHT + 10


def test_the_map_is_small_and_without_inline_style() -> None:
    picture = PICTURE.read_text("utf-8")

    for drawing in (PART, picture):
        assert "style" not in drawing
        assert len(drawing.encode()) < 16_000
    assert f'viewBox="{VIEW_BOX}"' in picture
    assert 'id="base"' in picture


def test_both_drawings_have_the_same_outlines() -> None:
    picture = PICTURE.read_text("utf-8")

    drawn = re.findall(r' d="([^"]+)"', picture)

    assert drawn == [outline for _, _, outline, _ in PATH.findall(PART)]
