"""Every reference file reads, and its codes mean something."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.reference.tables import LISTS, REFERENCE, codes, column, rows

KEYS = {
    "calendars.csv": "code",
    "communes.csv": "insee",
    "fields.csv": "code",
    "levels.csv": "code",
    "offer_kinds.csv": "code",
    "organisation_kinds.csv": "code",
    "ppe.csv": "code",
    "school_kinds.csv": "code",
    "training_paths.csv": "code",
    "sample/classes.csv": "class_id",
    "sample/host_rules.csv": "host_id",
    "sample/hosts.csv": "host_id",
    "sample/network.csv": "member_id",
    "sample/offers.csv": "host_id",
    "sample/schools.csv": "school_id",
    "sample/teachers.csv": "teacher_id",
    "sample/wishes.csv": "class_id",
}
EMPTY_ALLOWED = {
    ("calendars.csv", "known_from"),
    ("calendars.csv", "known_until"),
    ("calendars.csv", "source"),
    ("communes.csv", "density_level"),
    ("communes.csv", "postcodes"),
    ("sample/classes.csv", "remark_fr"),
    ("sample/host_rules.csv", "note_fr"),
    ("sample/stories.csv", "then"),
    ("sample/wishes.csv", "message_fr"),
    ("sample/stories.csv", "note_fr"),
    ("sample/stories.csv", "message_fr"),
    ("sample/stories.csv", "arrangements_fr"),
}
MANY_KEYS = {
    "school_calendar.csv",
    "sample/contacts.csv",
    "sample/stories.csv",
    "sample/witnesses.csv",
}


@pytest.mark.parametrize("name", LISTS, ids=str)
def test_every_line_has_every_column(name: Path) -> None:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file, delimiter=";", strict=True)

    assert lines
    assert len(set(header)) == len(header)
    assert {len(line) for line in lines} == {len(header)}


@pytest.mark.parametrize("name", LISTS, ids=str)
def test_cells_are_filled_and_trimmed(name: Path) -> None:
    wrong = [
        (number, key, cell)
        for number, row in enumerate(rows(str(name)), 2)
        for key, cell in row.items()
        if cell != cell.strip(" \t\r\n")
        or (not cell and (str(name), key) not in EMPTY_ALLOWED)
    ]

    assert wrong == []


@pytest.mark.parametrize("name", LISTS, ids=str)
def test_text_is_plain_utf8_without_byte_order_mark(name: Path) -> None:
    raw = (REFERENCE / name).read_bytes()

    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert "\ufffd" not in raw.decode("utf-8")


def test_every_list_says_its_key() -> None:
    assert {str(name) for name in LISTS} == KEYS.keys() | MANY_KEYS


@pytest.mark.parametrize(("name", "key"), sorted(KEYS.items()))
def test_keys_are_unique(name: str, key: str) -> None:
    counts = Counter(column(name, key))

    assert [value for value, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", ["fields.csv", "levels.csv", "ppe.csv"])
def test_labels_are_unique_in_both_languages(name: str) -> None:
    for key in ("label_fr", "label_en"):
        assert len(set(column(name, key))) == len(rows(name))


def test_there_are_the_seventeen_fields_of_the_campus_in_order() -> None:
    assert column("fields.csv", "position") == [str(n) for n in range(1, 18)]


def test_levels_rank_as_the_rule_says() -> None:
    ranks = {row["code"]: int(row["grade_rank"]) for row in rows("levels.csv")}

    assert len(ranks) == 25
    expected = {
        "CINQUIEME": 7,
        "QUATRIEME": 8,
        "TROISIEME": 9,
        "TROISIEME_PREPA_METIERS": 9,
        "TROISIEME_MFR": 9,
        "SEGPA": 9,
        "CAP1": 10,
        "SECONDE_GT": 10,
        "SECONDE_PRO": 10,
        "CAP2": 11,
        "PREMIERE_PRO": 11,
        "TERMINALE_PRO": 12,
        "BTS1": 13,
        "BUT1": 13,
        "BTS2": 14,
        "BUT2": 14,
        "BUT3": 15,
        "LICENCE_PRO": 15,
    }
    assert {code: ranks[code] for code in expected} == expected


def test_adults_are_shut_out_by_no_lowest_level() -> None:
    ranks = {row["code"]: int(row["grade_rank"]) for row in rows("levels.csv")}

    assert max(ranks, key=lambda code: ranks[code]) == "ADULT"


def test_only_terminale_pro_is_blocked_after_the_exam() -> None:
    blocked = [r["code"] for r in rows("levels.csv") if r["exam_block"] == "1"]

    assert blocked == ["TERMINALE_PRO"]


def test_stages_follow_the_ranks() -> None:
    order = ["college", "lycee", "superieur", "adulte"]
    steps = sorted(
        (int(row["grade_rank"]), order.index(row["stage"]))
        for row in rows("levels.csv")
    )

    assert [stage for _, stage in steps] == sorted(stage for _, stage in steps)


def test_flags_are_zero_or_one() -> None:
    flags = {
        *column("levels.csv", "exam_block"),
        *column("offer_kinds.csv", "bookable"),
        *column("school_kinds.csv", "college"),
        *column("school_kinds.csv", "own_calendar"),
    }

    assert flags == {"0", "1"}


def test_only_a_visit_can_be_booked_now() -> None:
    bookable = [r["code"] for r in rows("offer_kinds.csv") if r["bookable"] == "1"]

    assert bookable == ["CLASS_VISIT"]


def test_every_field_has_three_to_six_training_paths_in_order() -> None:
    positions: dict[str, list[int]] = {code: [] for code in codes("fields.csv")}
    for row in rows("training_paths.csv"):
        positions[row["field_code"]].append(int(row["position"]))

    for field, found in positions.items():
        assert 3 <= len(found) <= 6, field
        assert found == list(range(1, len(found) + 1)), field


def test_training_paths_rise_from_cap_to_engineer() -> None:
    ladder = ["CAP", "BAC_PRO", "MC", "BTS", "BUT", "LICENCE_PRO", "INGENIEUR"]
    climbs: dict[str, list[int]] = {}
    for row in rows("training_paths.csv"):
        climbs.setdefault(row["field_code"], []).append(ladder.index(row["diploma"]))

    assert all(climb == sorted(climb) for climb in climbs.values())


def test_one_diploma_has_one_name() -> None:
    names: dict[str, set[tuple[str, str]]] = {}
    for row in rows("training_paths.csv"):
        diploma = row["code"].removeprefix(row["field_code"])
        names.setdefault(diploma, set()).add((row["label_fr"], row["label_en"]))

    assert {diploma for diploma, found in names.items() if len(found) > 1} == set()


def test_replaced_diplomas_are_not_offered() -> None:
    offered = " ".join(column("training_paths.csv", "label_fr"))

    assert "Systèmes numériques" not in offered
    assert "Technicien d’usinage" not in offered
    assert "DUT" not in offered


def test_equipment_says_who_brings_it() -> None:
    assert set(column("ppe.csv", "provided_by")) == {"host", "group", "nobody"}
