"""Identifiers of schools, companies and communes (DOMAIN rule 10)."""

from __future__ import annotations

import re

from scheduler.domain.refusals import BadSiret, BadUai

UAI_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
UAI = re.compile(r"[0-9]{7}[A-HJ-NPR-Z]")
SIRET_LENGTH = 14
SIREN_LENGTH = 9
LA_POSTE = "356000000"
LA_POSTE_HEAD_OFFICE = "35600000000048"


def uai(text: str) -> str:
    """The school identifier without blanks, upper case; raises ``BadUai``.

    Seven digits and the letter at (number mod 23): no I, O, Q (DOMAIN F-55).
    """
    compact = re.sub(r"[\s.]", "", text).upper()
    if not UAI.fullmatch(compact):
        raise BadUai(uai=text[:20], wrong="form")
    if UAI_LETTERS[int(compact[:7]) % 23] != compact[7]:
        raise BadUai(uai=compact, wrong="letter")
    return compact


def siret(text: str) -> str:
    """The 14 digits without blanks and dots; raises ``BadSiret``.

    Luhn on the 14 digits and on the first nine, which are the company's SIREN; the
    establishments of La Poste other than its head office follow their own rule: digit
    sum divisible by 5 (DOMAIN F-52).
    """
    compact = re.sub(r"[\s.]", "", text)
    if len(compact) != SIRET_LENGTH or not (compact.isascii() and compact.isdigit()):
        raise BadSiret(siret=text[:30], wrong="form")
    if compact.startswith(LA_POSTE) and compact != LA_POSTE_HEAD_OFFICE:
        valid = sum(map(int, compact)) % 5 == 0
    else:
        valid = _luhn(compact) and _luhn(compact[:SIREN_LENGTH])
    if not valid:
        raise BadSiret(siret=compact, wrong="digit")
    return compact


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    total = sum(sum(divmod(each, 10)) for each in doubled)
    return (total + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def department(insee: str) -> str:
    """The département of a commune code: 2 characters, 3 overseas. Text, always."""
    return insee[:3] if insee.startswith(("97", "98")) else insee[:2]
