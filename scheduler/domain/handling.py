"""Observation only (DOMAIN rule 4, F-13): words of handling in the text of a visit.

Hosts tell of their own work with the same verbs ("un robot soude, l’équipe pilote"), so
a verb alone is no offence. It is one where the text gives it to the students: said to
them (vous soudez), said of them (les élèves manipulent), or as an invitation (venez
essayer une presse). What this misses a person still reads; what it found wrongly would
send a host away.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from scheduler.domain.refusals import HandlingWords

CLAUSES = re.compile(r"[.,;:!?()\n|]|\b(?:et|puis|mais|and|then|but)\b")
NEGATED = re.compile(
    r"\b(?:ne|n|ni|sans|aucun\w*|jamais|pas|interdit\w*|not|never|without|no|cannot|t)\b"
)
NO_MACHINE = re.compile(
    r"\b(?:simulat\w+|virtuel\w*|virtual\w*|maquettes?|casques?|lunettes|helmets?)\b"
)
WATCHED = re.compile(
    r"\b(?:voi\w*|voy\w*|verr\w*|regard\w*|observ\w*|assist\w*|suiv\w*|decouvr\w*|"
    r"comment|comprend\w*|see|sees|watch\w*|how)\b"
)

_STEM = r"(?:manipul|usin|soud|pilot|fabriqu|mani)"
_TOOL = (
    r"(?:(?:\w+ )?(?:machines?|robots?|cobots?|presses?|tours?|postes?|outils?|pinces?|"
    r"engins?|chariots?))"
)
_DO = (
    rf"(?:{_STEM}er|conduire|(?:essayer|utiliser) {_TOOL}|"
    r"operate|handle|weld|drive|(?:try|use) (?:out )?the \w+)"
)
_STUDENTS = (
    r"(?:eleves?|jeunes?|collegiens?|lyceens?|etudiante?s?|visiteurs?|chacune?|"
    r"pupils?|students?|visitors?|everyone)"
)
_INVITATION = (
    r"(?:venez|viens|vous de|toi de|pouvez|pourrez|allez|peux|pourras|vas|"
    r"possibilite de|occasion de|come)"
)
SAID_TO_THEM = re.compile(
    rf"\b(?:{_STEM}(?:er)?ez|condui(?:s|r)ez|(?:essay|utilis)(?:er)?ez {_TOOL}|"
    rf"tu (?:{_STEM}(?:er)?(?:as|es)|condui(?:s|ras))|"
    r"you (?:operate|handle|weld|drive|(?:try|use) (?:out )?the \w+)|"
    r"hands-on|^\s*try the \w+)\b"
)
SAID_OF_THEM = re.compile(
    rf"\b{_STUDENTS}\b(?P<between>.*?)\b(?P<found>{_STEM}(?:e|ent|era|eront)|"
    rf"condui(?:t|ra|sent|ront)|(?:essai|utilis)(?:e|ent) {_TOOL}|{_DO})\b"
)
INVITED = re.compile(
    rf"\b(?:{_INVITATION}|you (?:can|may|will))\b(?P<between>.*?)\b(?P<found>{_DO})\b"
)
OPENED = re.compile(rf"^\s*(?P<between>)(?P<found>manipuler|essayer {_TOOL})\b")


def handling_words(text: str) -> list[str]:
    """The words of handling found, in order; a negated clause is no offence."""
    found: list[str] = []
    for clause in CLAUSES.split(_plain(text)):
        if not NEGATED.search(clause) and not NO_MACHINE.search(clause):
            found += _given_to_students(clause)
    return found


def check_observation_only(text: str) -> None:
    """Raise ``HandlingWords`` when a visit's text speaks of handling machines."""
    found = handling_words(text)
    if found:
        raise HandlingWords(words=sorted(set(found)))


def _given_to_students(clause: str) -> Iterator[str]:
    for said in SAID_TO_THEM.finditer(clause):
        yield said.group().strip()
    for pattern in (SAID_OF_THEM, INVITED, OPENED):
        said_so = pattern.search(clause)
        if said_so and not WATCHED.search(said_so["between"]):
            yield said_so["found"]
            return


def _plain(text: str) -> str:
    """Lower case without accents; every apostrophe the same."""
    letters = unicodedata.normalize("NFD", text.lower().replace("’", "'"))
    return "".join(each for each in letters if not unicodedata.combining(each))
