"""Observation only: what is an offence, and the much longer list of what is none."""

from __future__ import annotations

import pytest

from scheduler.domain.handling import check_observation_only, handling_words
from scheduler.domain.refusals import HandlingWords
from tests.reference import tables

OFFENCES = [
    ("Vous soudez votre première pièce", ["soudez"]),
    ("Les élèves essaient la machine", ["essaient la machine"]),
    ("Chaque élève manipule un robot", ["manipule"]),
    ("Manipuler un bras articulé", ["manipuler"]),
    ("Venez essayer une presse !", ["essayer une presse"]),
    ("Pilotez un cobot.", ["pilotez"]),
    ("Tu soudes deux fils.", ["tu soudes"]),
    ("À vous de conduire le chariot", ["conduire"]),
    ("Vous pourrez usiner une pièce", ["usiner"]),
    ("Usinez, soudez et repartez avec l’objet", ["usinez", "soudez"]),
    ("VOUS MANIPULEREZ LES OUTILS", ["manipulerez"]),
    ("Les jeunes conduisent un engin", ["conduisent"]),
    ("Students operate a milling machine", ["operate"]),
    ("You can weld a tube", ["weld"]),
    ("You drive the fork-lift", ["you drive"]),
    ("Hands-on with our robots", ["hands-on"]),
    # The negation belongs to the clause before.
    ("Vous ne faites pas que regarder : vous soudez", ["soudez"]),
    ("Sans danger, les élèves manipulent un cobot", ["manipulent"]),
]
HARMLESS = [
    "",
    "Vous voyez comment on soude sans se brûler les yeux",
    "Un robot soude des cadres, l’équipe pilote la ligne",
    "Les opératrices conduisent la presse et manipulent des tôles",
    "Les élèves verront souder un tube",
    "Les élèves découvrent comment on usine une pièce",
    "Vous observez une soudeuse souder au TIG",
    "Vous ne manipulez aucune machine",
    "Les élèves n’usinent pas : ils regardent",
    "Sans manipuler ni piloter",
    "Aucun élève ne manipule les pièces",
    "Il est interdit de manipuler les pièces",
    "Souder, plier, assembler : un métier de précision",
    "Conduire un projet industriel",
    "L’usinage de petites séries, la soudure et la conduite de ligne",
    "Une machine qui fabrique des vis, des essais de résistance",
    "Le pilote d’atelier, le manipulateur de pièces et la robotique",
    "Essayez de deviner à quoi sert cette pièce",
    "Vous essayez les lunettes de protection",
    "Les élèves essaient un simulateur de soudage",
    "Nous fabriquons ce que vous utilisez tous les jours",
    "How we handle orders; workers operate five presses",
    "Students watch a welder weld a frame",
    "You do not operate anything",
    "You don't handle any machine",
    "See how robots weld",
]


@pytest.mark.parametrize(("text", "words"), OFFENCES)
def test_handling_by_students_is_found(text, words):
    assert handling_words(text) == words


@pytest.mark.parametrize("text", HARMLESS)
def test_the_work_of_others_and_negations_are_no_offence(text):
    assert handling_words(text) == []


@pytest.mark.parametrize(
    "offer", tables.rows("sample/offers.csv"), ids=lambda offer: offer["host_id"]
)
def test_no_offer_of_the_sample_is_refused(offer):
    texts = (offer["title_fr"], offer["summary_fr"], *tables.parts(offer["see_fr"]))

    check_observation_only("\n".join(texts))


def test_the_refusal_names_each_word_once():
    with pytest.raises(HandlingWords) as refusal:
        check_observation_only("Vous soudez.\nPuis vous soudez et vous usinez.")

    assert refusal.value.facts == {"words": ["soudez", "usinez"]}
