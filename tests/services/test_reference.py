"""Filling the reference lists: complete, repeatable, and never over somebody's edit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler.persistence.models.calendars import CalendarRow, ClosureRow
from scheduler.persistence.models.reference import (
    CommuneRow,
    FieldRow,
    LevelRow,
    SchoolKindRow,
)
from scheduler.services.reference import (
    Imported,
    UnreadableFile,
    import_density,
    load_reference,
)
from scheduler.services.transaction import transaction
from tests.reference import tables


@pytest.fixture
def loaded(session: Session) -> Session:
    load_reference(session)
    return session


def test_every_line_of_the_files_becomes_a_row(session: Session):
    added = load_reference(session)

    assert added == {
        name: len(tables.rows(f"{name}.csv"))
        for name in (
            "fields",
            "levels",
            "school_kinds",
            "organisation_kinds",
            "offer_kinds",
            "ppe",
            "training_paths",
            "calendars",
            "communes",
        )
    }
    assert session.scalar(select(func.count(ClosureRow.id))) == len(
        tables.rows("school_calendar.csv")
    )


def test_a_second_time_nothing_is_added(loaded: Session):
    assert set(load_reference(loaded).values()) == {0}


def test_what_a_coordinator_changed_stays(loaded: Session):
    with transaction(loaded):
        loaded.get_one(FieldRow, "DATA").label_fr = "Science des données"
        loaded.get_one(FieldRow, "ENERGY").active = False
        closure = loaded.scalars(select(ClosureRow).order_by(ClosureRow.id)).first()
        closure.last_on = date(2027, 12, 24)
        number, closures = closure.id, loaded.scalar(select(func.count(ClosureRow.id)))

    load_reference(loaded)

    assert loaded.get_one(FieldRow, "DATA").label_fr == "Science des données"
    assert not loaded.get_one(FieldRow, "ENERGY").active
    assert loaded.get_one(ClosureRow, number).last_on == date(2027, 12, 24)
    assert loaded.scalar(select(func.count(ClosureRow.id))) == closures


def test_a_code_that_is_missing_arrives(loaded: Session):
    with transaction(loaded):
        loaded.execute(delete(LevelRow).where(LevelRow.code == "SEGPA"))

    assert load_reference(loaded)["levels"] == 1


def test_flags_and_numbers_are_read(loaded: Session):
    level = loaded.get_one(LevelRow, "TERMINALE_PRO")
    derval = loaded.get_one(CommuneRow, "44051")

    assert (level.grade_rank, level.exam_block) == (12, True)
    assert loaded.get_one(SchoolKindRow, "COLLEGE").is_college
    assert loaded.get_one(SchoolKindRow, "MFR").own_calendar
    assert (derval.name, derval.department, derval.density_level) == (
        "Derval",
        "44",
        None,
    )


@pytest.mark.parametrize("code", ["ZONE_B", "OWN"])
def test_public_holidays_hold_in_every_calendar(loaded: Session, code: str):
    calendar = loaded.scalars(
        select(CalendarRow)
        .where(CalendarRow.code == code)
        .options(
            selectinload(CalendarRow.closures),
            joinedload(CalendarRow.base).selectinload(CalendarRow.closures),
        )
    ).one()

    known = calendar.as_domain()

    assert not known.is_open(date(2026, 11, 11))
    assert known.is_open(date(2026, 10, 20)) == (code == "OWN")


# ------------------------------------------------------------------ density


def a_file(folder: Path, text: str) -> Path:
    file = folder / "density.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "text",
    [
        "CODGEO;LIBGEO;DENS\n44051;Derval;6\n44109;Nantes;1\n99999;Nulle part;7\n",
        "insee,density_level\n44051,6\n44109,1\n99999,7\n",
        "\ufeffCODGEO,DENS\r\n44051,6\r\n44109,1\r\n99999,7\r\n",
    ],
)
def test_density_levels_come_from_the_file(loaded: Session, tmp_path: Path, text: str):
    done = import_density(loaded, a_file(tmp_path, text))

    assert done == Imported(changed=2, unknown=1)
    assert loaded.get_one(CommuneRow, "44051").density_level == 6
    assert loaded.get_one(CommuneRow, "44113").density_level is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a column"),
        ("CODGEO;NOM\n44051;Derval\n", "needs a column"),
        ("CODGEO;DENS\n44051;8\n", "line 2: '8' is no level"),
        ("CODGEO;DENS\n44051;6\n44109;x\n", "line 3: 'x' is no level"),
        ("CODGEO;DENS\n44051\n", "line 2: '' is no level"),
    ],
)
def test_a_file_that_cannot_be_used_changes_nothing(
    loaded: Session, tmp_path: Path, text: str, said: str
):
    with pytest.raises(UnreadableFile, match=said):
        import_density(loaded, a_file(tmp_path, text))

    assert loaded.get_one(CommuneRow, "44051").density_level is None


def test_a_file_in_another_encoding_is_told(loaded: Session, tmp_path: Path):
    file = tmp_path / "density.csv"
    file.write_bytes("CODGEO;LIBGEO;DENS\n44001;Abbaretz élargi;6\n".encode("cp1252"))

    with pytest.raises(UnreadableFile, match="cannot be read"):
        import_density(loaded, file)


def test_a_file_of_strangers_changes_nothing(loaded: Session, tmp_path: Path):
    done = import_density(loaded, a_file(tmp_path, "CODGEO;DENS\n99999;7\n"))

    assert done == Imported(changed=0, unknown=1)
