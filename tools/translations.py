"""Bring the French catalogue in step with the sentences of code and templates.

`./run translations` writes messages.po (new sentences with an empty French, those
that nobody says any more removed) and compiles it to messages.mo.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FRENCH = ROOT / "scheduler" / "translations" / "fr" / "LC_MESSAGES" / "messages.po"
KEYWORDS = DEFAULT_KEYWORDS | {
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
}

# No date of today: the same sentences give the same bytes.
HEADER = {
    "project": "company-visits-scheduler",
    "version": "1",
    "msgid_bugs_address": "",
    "last_translator": "",
    "language_team": "",
    "creation_date": datetime(2026, 9, 1, tzinfo=UTC),
    "revision_date": datetime(2026, 9, 1, tzinfo=UTC),
}

Sentence = str | tuple[str, ...]


def said() -> Iterator[tuple[str, Sentence, str | None]]:
    """Each sentence in gettext: where, the text (or its two forms), its context."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        mappings = tomllib.load(file)["tool"]["babel"]["mappings"]
    found = extract_from_dir(
        ROOT,
        method_map=[(each["pattern"], each["method"]) for each in mappings],
        options_map={each["pattern"]: each.get("options", {}) for each in mappings},
        keywords=KEYWORDS,
        # Babel's own filter leaves out _layout and _parts.
        directory_filter=lambda path: not Path(path).name.startswith("."),
    )
    for name, line, sentence, _, context in found:
        yield f"{name}:{line}", sentence, context


def french() -> Catalog:
    with FRENCH.open("rb") as file:
        return read_po(file, locale="fr")


def is_told(message: Message) -> bool:
    """Whether all its forms have their French."""
    return all([message.string] if isinstance(message.id, str) else message.string)


def in_step(catalogue: Catalog) -> Catalog:
    """The same French for what is said now, and nothing else."""
    fresh = Catalog(locale="fr", fuzzy=False, header_comment="", **HEADER)
    for _, sentence, context in said():
        known = catalogue.get(sentence, context)
        fresh.add(sentence, known.string if known else "", context=context)
    return fresh


def main() -> int:
    """Write both files; 1 when a sentence still has no French.

    Such sentences stay out of the compiled file: people read them in English.
    """
    catalogue = in_step(french())
    with FRENCH.open("wb") as file:
        write_po(file, catalogue, sort_output=True, no_location=True, width=100)
    untold = [message for message in catalogue if not is_told(message)]
    print(f"{len(catalogue)} sentences, {len(untold)} without French")
    for message in untold:
        print(f"  {message.id}")
        catalogue.delete(message.id, message.context)
    with FRENCH.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)
    return 1 if untold else 0


if __name__ == "__main__":
    sys.exit(main())
