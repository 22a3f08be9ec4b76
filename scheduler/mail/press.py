"""Templates become words: Jinja2 over the templates folder, without Flask.

Text and HTML have an environment each, so that escaping follows from what is made and
not from a file's name; a body.html can then dress the very words of its body.txt.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scheduler.wording import clean_line

LINE_LIMIT = 500
TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"

_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_MANY_BLANK_LINES = re.compile(r"\n{3,}")
_BLANK_LINES = re.compile(r"\n\s*\n")


class Press:
    """All templates in one language."""

    def __init__(self, templates: Path, *, locale: str) -> None:
        self.locale = locale
        self._loader = FileSystemLoader(templates)
        self._translations = Translations.load(TRANSLATIONS, [locale])

    def line(self, template: str, **facts: object) -> str:
        """One line: a subject, a summary."""
        return clean_line(self._plain.get_template(template).render(facts), LINE_LIMIT)

    def text(self, template: str, **facts: object) -> str:
        """Paragraphs with one empty line between them, and a line end at the end."""
        words = _TRAILING.sub("", self._plain.get_template(template).render(facts))
        return _MANY_BLANK_LINES.sub("\n\n", words).strip() + "\n"

    def html(self, template: str, **facts: object) -> str:
        """A page, with everything that is put in escaped."""
        facts["only_words"] = True
        words = _TRAILING.sub("", self._escaping.get_template(template).render(facts))
        return _BLANK_LINES.sub("\n", words).strip() + "\n"

    @cached_property
    def _plain(self) -> Environment:
        # What it makes is read as text/plain, or cleaned into a header or a calendar.
        return self._environment(autoescape=False)

    @cached_property
    def _escaping(self) -> Environment:
        return self._environment(autoescape=True)

    def _environment(self, *, autoescape: bool) -> Environment:
        environment = Environment(
            loader=self._loader,
            autoescape=autoescape,  # noqa: S701 - see _plain
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            self._translations, newstyle=True
        )
        environment.filters["lines"] = _lines
        environment.filters["compact"] = _compact
        environment.globals["locale"] = self.locale
        # A body.html takes the words of its body.txt, and not the letter around them.
        environment.globals["only_words"] = False
        return environment


def _lines(text: str) -> list[str]:
    """The lines of a text; of an escaped one, escaped lines."""
    return text.splitlines()


def _compact(text: str) -> str:
    """The text without its empty lines."""
    return "\n".join(line for line in text.splitlines() if line.strip())
