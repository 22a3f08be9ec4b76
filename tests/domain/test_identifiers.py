"""UAI, SIRET and commune codes (rule 10), against a second implementation."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from stdnum.fr import siret as stdnum_siret

from scheduler.domain.identifiers import department, siret, uai
from scheduler.domain.refusals import BadSiret, BadUai
from tests.reference import tables

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


@pytest.mark.parametrize("school", tables.column("sample/schools.csv", "uai_fictif"))
def test_the_schools_of_the_sample_have_right_identifiers(school):
    assert uai(school) == school


@pytest.mark.parametrize("host", tables.column("sample/hosts.csv", "siret_fictif"))
def test_the_hosts_of_the_sample_have_right_identifiers(host):
    assert siret(host) == host


@pytest.mark.parametrize(
    "typed", ["0449901Y", " 044 9901 y", "0449901.y", "\t0449901Y\n"]
)
def test_an_uai_is_read_as_people_type_it(typed):
    assert uai(typed) == "0449901Y"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("0449901A", "letter"),
        ("0449901I", "form"),
        ("0449901O", "form"),
        ("0449901Q", "form"),
        ("449901Y", "form"),
        ("", "form"),
        ("\u0660449901Y", "form"),
    ],
)
def test_a_wrong_uai_says_what_is_wrong(typed, wrong):
    with pytest.raises(BadUai) as refusal:
        uai(typed)

    assert refusal.value.facts["wrong"] == wrong


@given(number=st.integers(0, 9_999_999))
def test_exactly_one_letter_fits_each_number(number):
    right = []
    for letter in LETTERS:
        try:
            right.append(uai(f"{number:07d}{letter}"))
        except BadUai:
            continue

    assert right == [f"{number:07d}{LETTERS[number % 23]}"]


@pytest.mark.parametrize("typed", ["732 829 320 00074", "732.829.320.00074"])
def test_a_siret_is_read_as_people_type_it(typed):
    assert siret(typed) == "73282932000074"


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("73282932000075", "digit"),
        ("7328293200007", "form"),
        ("732829320000744", "form"),
        ("7328293200007A", "form"),
        ("\u06673282932000074", "form"),
        ("", "form"),
    ],
)
def test_a_wrong_siret_says_what_is_wrong(typed, wrong):
    with pytest.raises(BadSiret) as refusal:
        siret(typed)

    assert refusal.value.facts["wrong"] == wrong


def test_la_poste_has_a_rule_of_its_own():
    assert siret("35600000049837") == "35600000049837"
    assert siret("35600000000048") == "35600000000048"
    with pytest.raises(BadSiret):
        siret("35600000049838")


def ours(text: str) -> bool:
    try:
        siret(text)
    except BadSiret:
        return False
    return True


@given(digits=st.text("0123456789", min_size=14, max_size=14))
def test_sirets_agree_with_python_stdnum(digits):
    assert ours(digits) is stdnum_siret.is_valid(digits)


@given(tail=st.text("0123456789", min_size=5, max_size=5))
def test_sirets_of_la_poste_agree_with_python_stdnum(tail):
    digits = f"356000000{tail}"

    assert ours(digits) is stdnum_siret.is_valid(digits)


@pytest.mark.parametrize(
    ("insee", "code"),
    [
        ("01004", "01"),
        ("44109", "44"),
        ("2A004", "2A"),
        ("97411", "974"),
        ("98818", "988"),
    ],
)
def test_the_department_of_a_commune_keeps_its_zeros_and_letters(insee, code):
    assert department(insee) == code
