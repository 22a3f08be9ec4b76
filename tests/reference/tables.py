"""The reference files as tests read them: rows of text, nothing converted."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "scheduler" / "reference"
LISTS = sorted(file.relative_to(REFERENCE) for file in REFERENCE.glob("**/*.csv"))

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";", strict=True))


def column(name: str, key: str) -> list[str]:
    return [row[key] for row in rows(name)]


def codes(name: str) -> set[str]:
    return set(column(name, "code"))


def parts(cell: str) -> list[str]:
    return cell.split("|")


def days(row: Row) -> set[date]:
    """Every day of a calendar line, both ends included."""
    first, last = (date.fromisoformat(row[end]) for end in ("starts_on", "ends_on"))
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}
