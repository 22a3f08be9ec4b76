"""The sample tables, as rows of text."""

from __future__ import annotations

from scheduler import paths
from scheduler.services.reference import lines_of


def table(name: str) -> list[dict[str, str]]:
    """One of the tables in ``scheduler/reference/sample``."""
    return lines_of(paths.REFERENCE / "sample" / f"{name}.csv")


def parts(cell: str, separator: str = "|") -> list[str]:
    """The values in one cell."""
    return [part.strip() for part in cell.split(separator) if part.strip()]
