"""Codes are stable and told apart; no sentence lies in a refusal."""

from __future__ import annotations

from scheduler.domain import refusals
from scheduler.domain.refusals import GroupTooBig, Refusal, Refused, TooYoung

KINDS = [
    kind
    for kind in vars(refusals).values()
    if isinstance(kind, type) and issubclass(kind, Refusal)
]


def test_every_refusal_has_a_code_of_its_own():
    codes = [kind.code for kind in KINDS if kind is not Refused]

    assert len(codes) == len(set(codes))
    assert all(code == code.lower() for code in codes)


def test_a_refusal_shows_its_code_and_facts():
    assert str(TooYoung(min_age=14, youngest=12)) == (
        "too_young: {'min_age': 14, 'youngest': 12}"
    )


def test_several_refusals_are_told_at_once_and_the_first_names_the_code():
    first, second = GroupTooBig(unit="students", most=10, asked=15), TooYoung()

    several = Refused(first, second)

    assert several.code == "group_too_big"
    assert several.refusals == (first, second)
    assert several.facts == {"codes": ["group_too_big", "too_young"]}
