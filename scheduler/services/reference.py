"""Fill the reference lists from the files that come with the service.

What is there already is never touched: a coordinator may have edited it. So a code
that a later release adds arrives, and a label that it corrects does not; entries that
nobody wants are made inactive, not deleted, and stay so. A calendar's closed days
arrive with the calendar and never again, because their dates are what is edited.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from scheduler import paths
from scheduler.persistence.models.calendars import CalendarRow, ClosureRow
from scheduler.persistence.models.reference import (
    CommuneRow,
    FieldRow,
    LevelRow,
    Listed,
    OfferKindRow,
    OrganisationKindRow,
    PpeRow,
    SchoolKindRow,
    TrainingPathRow,
)
from scheduler.persistence.queries import seeding
from scheduler.services.transaction import transaction

Line = Mapping[str, str]

# Public holidays hold in every calendar.
BASE_CALENDAR = "FRANCE"
DENSITY_LEVELS = range(1, 8)
DENSITY_CODES = ("insee", "codgeo", "code_commune", "depcom", "com")
DENSITY_VALUES = ("density_level", "dens7", "dens", "densite", "degre_densite")


class UnreadableFile(Exception):
    """The file is not what the command needs; the sentence says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """``unknown``: communes of the file that the service does not hold."""

    changed: int
    unknown: int


def lines_of(file: Path) -> list[dict[str, str]]:
    """The lines of one of our own tables."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";", strict=True))


def load_reference(session: Session) -> dict[str, int]:
    """Insert what is missing; how many rows of each table were new."""
    with transaction(session):
        added = {name: _fill(session, *_LISTS[name]) for name in _LISTS}
        added["calendars"] = _fill_calendars(session)
        added["communes"] = _fill_communes(session)
        return added


def import_density(session: Session, file: Path) -> Imported:
    """INSEE's density grid (7 levels) into the communes; the file decides.

    Any CSV with a column of INSEE codes and one of levels 1 to 7 will do.
    """
    levels = _density_levels(file)
    with transaction(session):
        known = seeding.keys_of(session, CommuneRow.insee)
        wanted = {code: level for code, level in levels.items() if code in known}
        if wanted:
            seeding.set_density(session, wanted)
        return Imported(changed=len(wanted), unknown=len(levels) - len(wanted))


def _fill(
    session: Session,
    table: type[Any],
    file: str,
    more: Callable[[Line], dict[str, Any]],
) -> int:
    known = seeding.keys_of(session, table.code)
    rows = [
        {
            "code": line["code"],
            "label_fr": line["label_fr"],
            "label_en": line["label_en"],
            "position": int(line.get("position") or place),
            "active": True,
            **more(line),
        }
        for place, line in enumerate(lines_of(paths.REFERENCE / file), start=1)
        if line["code"] not in known
    ]
    seeding.insert_all(session, table, rows)
    return len(rows)


def _fill_calendars(session: Session) -> int:
    known = seeding.keys_of(session, CalendarRow.code)
    new = {
        line["code"]: _calendar(line)
        for line in lines_of(paths.REFERENCE / "calendars.csv")
        if line["code"] not in known
    }
    # The base first: the others point at it.
    rows = sorted(new.values(), key=lambda row: row["base_code"] is not None)
    seeding.insert_all(session, CalendarRow, rows)
    closures = [
        _closure(line)
        for line in lines_of(paths.REFERENCE / "school_calendar.csv")
        if line["calendar"] in new
    ]
    seeding.insert_all(session, ClosureRow, closures)
    return len(new)


def _calendar(line: Line) -> dict[str, Any]:
    known_until = line["known_until"]
    return {
        "code": line["code"],
        "label_fr": line["label_fr"],
        "label_en": line["label_en"],
        "known_until": date.fromisoformat(known_until) if known_until else None,
        "source": line["source"],
        "entered_on": date.fromisoformat(line["entered_on"]),
        "base_code": None if line["code"] == BASE_CALENDAR else BASE_CALENDAR,
    }


def _closure(line: Line) -> dict[str, Any]:
    return {
        "calendar_code": line["calendar"],
        "kind": line["kind"],
        "name_fr": line["name_fr"],
        "name_en": line["name_en"],
        "first_on": date.fromisoformat(line["starts_on"]),
        "last_on": date.fromisoformat(line["ends_on"]),
        "source": line["source"],
        "entered_on": date.fromisoformat(line["entered_on"]),
    }


def _fill_communes(session: Session) -> int:
    known = seeding.keys_of(session, CommuneRow.insee)
    rows = [
        {
            "insee": line["insee"],
            "name": line["name"],
            "postcodes": line["postcodes"],
            "department": line["department"],
            "population": int(line["population"]) if line["population"] else None,
            "lat": float(line["lat"]),
            "lon": float(line["lon"]),
            "approximate": line["precision"] != "exact",
            "density_level": int(line["density_level"] or 0) or None,
        }
        for line in lines_of(paths.REFERENCE / "communes.csv")
        if line["insee"] not in known
    ]
    seeding.insert_all(session, CommuneRow, rows)
    return len(rows)


def _density_levels(file: Path) -> dict[str, int]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise UnreadableFile(f"{file} cannot be read: {wrong}") from wrong
    head, _, _ = text.partition("\n")
    delimiter = ";" if head.count(";") >= head.count(",") else ","
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    names = {name.strip().lower(): name for name in reader.fieldnames or ()}
    code = next((names[name] for name in DENSITY_CODES if name in names), None)
    value = next((names[name] for name in DENSITY_VALUES if name in names), None)
    if code is None or value is None:
        raise UnreadableFile(
            f"{file} needs a column of INSEE codes ({', '.join(DENSITY_CODES)}) "
            f"and one of levels ({', '.join(DENSITY_VALUES)})"
        )
    levels = {}
    for number, line in enumerate(reader, start=2):
        level = (line[value] or "").strip()
        if not level.isdecimal() or int(level) not in DENSITY_LEVELS:
            raise UnreadableFile(
                f"{file}, line {number}: {level!r} is no level from 1 to 7"
            )
        levels[(line[code] or "").strip()] = int(level)
    return levels


def _nothing(_line: Line) -> dict[str, Any]:
    return {}


_LISTS: dict[str, tuple[type[Listed], str, Callable[[Line], dict[str, Any]]]] = {
    "fields": (FieldRow, "fields.csv", _nothing),
    "levels": (
        LevelRow,
        "levels.csv",
        lambda line: {
            "grade_rank": int(line["grade_rank"]),
            "stage": line["stage"],
            "exam_block": line["exam_block"] == "1",
        },
    ),
    "school_kinds": (
        SchoolKindRow,
        "school_kinds.csv",
        lambda line: {
            "is_college": line["college"] == "1",
            "own_calendar": line["own_calendar"] == "1",
        },
    ),
    "organisation_kinds": (OrganisationKindRow, "organisation_kinds.csv", _nothing),
    "offer_kinds": (
        OfferKindRow,
        "offer_kinds.csv",
        lambda line: {"bookable": line["bookable"] == "1"},
    ),
    "ppe": (
        PpeRow,
        "ppe.csv",
        lambda line: {
            "phrase_fr": line["phrase_fr"],
            "phrase_en": line["phrase_en"],
        },
    ),
    "training_paths": (
        TrainingPathRow,
        "training_paths.csv",
        lambda line: {
            "field_code": line["field_code"],
            "diploma": line["diploma"],
        },
    ),
}
