"""Addresses at rest: closed, opened, compared, and keys that change."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from sqlalchemy.orm import Session

from scheduler.persistence.sealed import BrokenSeal, Seal, seal_of

OLD, NEW = "the first key", "the second key"
SEAL = Seal((OLD,))


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_is_closed_can_be_opened_and_not_read(text):
    closed = SEAL.close(text)

    assert closed.isascii()
    assert SEAL.open(closed) == text
    assert len(text) < 8 or text not in closed


def test_the_same_text_is_closed_differently_each_time():
    assert SEAL.close("ana@example.net") != SEAL.close("ana@example.net")


def test_a_digest_compares_whatever_the_case():
    digest = SEAL.digest("ana@example.net")

    assert SEAL.digest(" ANA@Example.net ") == digest
    assert SEAL.digest("ben@example.net") != digest
    assert Seal((NEW,)).digest("ana@example.net") != digest


def test_a_new_key_in_front_still_opens_and_compares_what_is_there():
    closed, digest = SEAL.close("ana@example.net"), SEAL.digest("ana@example.net")
    rotated = Seal((NEW, OLD))

    assert rotated.open(closed) == "ana@example.net"
    assert rotated.digest("ana@example.net") == digest
    with pytest.raises(BrokenSeal):
        SEAL.open(rotated.close("ana@example.net"))


@pytest.mark.parametrize("broken", ["", "nonsense", "gAAAAA=="])
def test_what_was_not_closed_cannot_be_opened(broken):
    with pytest.raises(BrokenSeal):
        SEAL.open(broken)


def test_a_session_without_a_seal_says_so(session: Session):
    session.info["seal"] = None

    with pytest.raises(TypeError):
        seal_of(session)
