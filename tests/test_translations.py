"""Every sentence is said in French too, and said in the way French is printed.

The English is the text in the code itself; so what is French-only would be missing
from the code, and what is English-only is missing from the catalogue.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import read_mo

from tools import translations

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]|{(\w*)}")
# "une classe" may leave out the number that "%(num)s classes" shows.
NUMBER = {"%(num)s", "%(num)d"}
# An apostrophe of a typewriter, or a sign that may begin a line: French prints
# a no-break space before it.
MISPRINT = re.compile(r"\w'\w| [:;?!»]|« |\w[;?!»]|«\w")

Key = tuple[str | None, str]


def key_of(sentence: str | tuple[str, ...] | list[str], context: str | None) -> Key:
    """As in a catalogue: a plural is found by its singular."""
    return (context, sentence if isinstance(sentence, str) else sentence[0])


@cache
def said_in_the_code() -> dict[Key, str]:
    """Each sentence and one place where it is said."""
    return {
        key_of(sentence, context): place
        for place, sentence, context in translations.said()
    }


def texts(message: Message) -> list[tuple[str, str]]:
    """Each French form with the English one that it stands for."""
    if isinstance(message.id, str):
        return [(message.id, message.string)]
    singular, plural = message.id[0], message.id[1]
    return list(zip((singular, plural), message.string, strict=True))


@cache
def translated() -> dict[Key, Message]:
    return {
        key_of(each.id, each.context): each
        for each in translations.french()
        if each.id and translations.is_told(each)
    }


def test_every_sentence_has_its_french():
    known = translated()

    missing = [
        f"{place}: {sentence!r}"
        for (context, sentence), place in said_in_the_code().items()
        if (message := known.get((context, sentence))) is None or message.fuzzy
    ]

    assert not missing, "\n".join(missing)


def test_the_catalogue_holds_only_what_is_said():
    unused = [
        f"{context or ''} {sentence!r}"
        for context, sentence in translated().keys() - said_in_the_code().keys()
    ]

    assert not unused, "\n".join(unused)


def test_placeholders_are_those_of_the_english():
    def names(text: str) -> set[str]:
        return {match[0] for match in PLACEHOLDER.finditer(text)} - NUMBER

    wrong = [
        (english, text)
        for message in translated().values()
        for english, text in texts(message)
        if names(text) != names(english)
    ]

    assert not wrong, "\n".join(map(str, wrong))


def test_the_french_is_printed_as_french_is():
    wrong = [
        text
        for message in translated().values()
        for _, text in texts(message)
        if MISPRINT.search(text)
    ]

    assert not wrong, "\n".join(map(str, wrong))


def test_the_compiled_catalogue_is_the_readable_one():
    with translations.FRENCH.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)

    # Babel reads a compiled context as bytes.
    compiled_texts = {
        key_of(message.id, message.context and message.context.decode()): texts(message)
        for message in compiled
        if message.id
    }

    assert compiled_texts == {
        key: texts(message) for key, message in translated().items()
    }


@pytest.mark.parametrize("text", ["l'école", "Qui ?", "« oui »", "Quoi?", "fin;"])
def test_a_misprint_is_seen(text: str):
    assert MISPRINT.search(text)
