"""The commune file: text keys, believable places, small."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.reference.tables import REFERENCE, parts, rows

Communes = dict[str, dict[str, str]]
REGION = {"44", "49", "53", "72", "85"}
AROUND = {"17", "28", "35", "37", "41", "50", "56", "61", "79", "86"}


@pytest.fixture(scope="module")
def communes() -> Communes:
    return {row["insee"]: row for row in rows("communes.csv")}


def test_it_stays_small() -> None:
    assert (REFERENCE / "communes.csv").stat().st_size < 400_000


def test_it_covers_the_region_and_what_touches_it(communes: Communes) -> None:
    counts = Counter(row["department"] for row in communes.values())

    assert counts.keys() == REGION | AROUND
    assert sum(counts[code] for code in REGION) > 1200


def test_keys_and_postcodes_are_five_characters(communes: Communes) -> None:
    for insee, row in communes.items():
        assert re.fullmatch(r"\d{5}", insee)
        assert insee.startswith(row["department"])
        assert all(re.fullmatch(r"\d{5}", code) for code in parts(row["postcodes"]))


def test_lines_are_sorted_so_that_a_new_build_compares(communes: Communes) -> None:
    assert list(communes) == sorted(communes)


def test_44190_is_one_place_as_a_key_and_another_as_a_postcode(
    communes: Communes,
) -> None:
    by_postcode = [r["name"] for r in communes.values() if "44190" in r["postcodes"]]

    assert communes["44190"]["name"] == "Saint-Sébastien-sur-Loire"
    assert "Clisson" in by_postcode
    assert "Saint-Sébastien-sur-Loire" not in by_postcode


def test_places_lie_in_the_west_of_france(communes: Communes) -> None:
    for row in communes.values():
        assert 45.0 < float(row["lat"]) < 49.8, row["name"]
        assert -3.8 < float(row["lon"]) < 2.3, row["name"]


def test_a_guess_promises_fewer_digits(communes: Communes) -> None:
    digits = {
        (row["precision"], len(row[axis].partition(".")[2]))
        for row in communes.values()
        for axis in ("lat", "lon")
    }

    assert digits == {("exact", 4), ("approximate", 2)}


def test_most_people_live_at_an_exact_place(communes: Communes) -> None:
    people: Counter[str] = Counter()
    for row in communes.values():
        people[row["precision"]] += int(row["population"] or 0)

    assert people["exact"] > 9 * people["approximate"]


def test_density_waits_for_the_official_grid(communes: Communes) -> None:
    assert {row["density_level"] for row in communes.values()} == {""}


def test_the_island_is_in_the_sea(communes: Communes) -> None:
    assert float(communes["85113"]["lon"]) < -2.2


def test_the_source_note_names_both_licences() -> None:
    note = (REFERENCE / "communes.source.md").read_text("utf-8")

    assert "Licence Ouverte" in note
    assert "CC BY 4.0" in note
    assert "approximate" in note
