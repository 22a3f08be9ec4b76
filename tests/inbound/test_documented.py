"""The table of reason codes in the documentation is whole and true."""

import re
from pathlib import Path

from tests.inbound.bombs import BOMBS
from tests.inbound.messages import matrix

PAGE = Path(__file__).resolve().parents[2] / "docs" / "invitations.md"
# What the reading itself says, or a failure that no message can be written for.
WITHOUT_A_MESSAGE = {"already_read", "broken", "unreadable", "bad_uid"}


def documented() -> dict[str, tuple[str, bool]]:
    """Effect and whether a person looks, by code."""
    table = PAGE.read_text(encoding="utf-8").partition("### Reason codes")[2]
    rows = re.findall(r"^\| (`.*?) \| (\w+) \|(.*?)\|", table, re.MULTILINE)
    return {
        code: (effect, bool(person.strip()))
        for codes, effect, person in rows
        for code in re.findall(r"`(\w+)`", codes)
    }


def test_every_code_of_the_matrix_is_explained_as_it_is():
    shown = {
        row.code: (row.effect, row.person == "yes")
        for row in sorted(matrix(), key=lambda row: row.person)
    }

    explained = documented()

    assert {code: explained.get(code) for code in shown} == shown


def test_every_code_of_a_bomb_is_explained():
    assert {code for _, code in BOMBS.values()} <= set(documented())


def test_every_code_that_is_explained_has_a_message():
    shown = {row.code for row in matrix()} | {code for _, code in BOMBS.values()}

    assert set(documented()) - shown - WITHOUT_A_MESSAGE == set()
