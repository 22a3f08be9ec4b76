"""Observation only (DOMAIN rule 4, F-13): words of handling in the text of a visit."""

from __future__ import annotations

import re
import unicodedata

from scheduler.domain.refusals import HandlingWords

# Verbs of doing with the students as their subject would be enough for people; a
# machine looks for the verbs that announce handling in offers (DOMAIN HO-M8).
HANDLING = re.compile(
    r"\b(manipul\w+|usine(?:z|r|nt)|soude(?:z|r|nt)|condui(?:re|sez|sent)|"
    r"pilote(?:z|r|nt)|fabrique(?:z|r|nt) (?:vous|eux)|essaye[rz]|essaie\w*|"
    r"operate|handle|weld|try the machines?)\b"
)
NEGATION = re.compile(r"\b(ne|n|sans|aucun\w*|jamais|pas|not|never|without|no)\b")


def handling_words(text: str) -> list[str]:
    """The words of handling found, in order; a negated clause is no offence."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFD", text.lower())
        if not unicodedata.combining(letter)
    )
    found = []
    for clause in re.split(r"[.;:!?\n|]", plain):
        if not NEGATION.search(clause):
            found += [match.group(0) for match in HANDLING.finditer(clause)]
    return found


def check_observation_only(text: str) -> None:
    """Raise ``HandlingWords`` when a visit's text speaks of handling machines."""
    found = handling_words(text)
    if found:
        raise HandlingWords(words=sorted(set(found)))
