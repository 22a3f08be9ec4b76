"""Whether a signed agreement is needed (DOMAIN rule 9, F-14)."""

from __future__ import annotations

from enum import StrEnum

CONVENTION_AGE = 16


class Agreement(StrEnum):
    NEEDED = "needed"
    RECOMMENDED = "recommended"


def agreement(*, is_college: bool, youngest_age: int | None) -> Agreement:
    """Needed for a collège or when any student is under 16, else recommended.

    An unknown age counts as under 16: a paper too many harms nobody.
    """
    if is_college or youngest_age is None or youngest_age < CONVENTION_AGE:
        return Agreement.NEEDED
    return Agreement.RECOMMENDED
