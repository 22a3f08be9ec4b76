"""Dates, times and typed text, in the words and characters that people get to see.

Inside the service an instant is an aware UTC datetime; people read Paris time. This is
the one place where the one becomes the other, so that a page, a mail and a calendar
say "mardi 12 janvier 2027, 9 h 00" and never two different things. It is also the one
place that decides which characters of a typed text go on to a page, a mail or a
calendar.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date

PARIS = ZoneInfo("Europe/Paris")
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

LINE_LIMIT = 200
TEXT_LIMIT = 2000

_LINE_BREAKS = re.compile("\r\n|[\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
# No-break spaces are meant: "9 h 00" and "Visite :" stay together.
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_SPACING = ("Cc", "Zl", "Zp")
_REMOVED = ("Cf", "Cs", "Co", "Cn")


def local(at: datetime) -> datetime:
    """The same instant on a Paris clock. Naive times are a bug, not a guess."""
    if at.tzinfo is None:
        raise ValueError("naive_time")
    return at.astimezone(PARIS)


def headed(words: str) -> str:
    """As a heading begins: “Mardi 12 janvier”. What follows keeps its capitals."""
    return words[:1].upper() + words[1:]


def day(value: date | datetime, locale: str) -> str:
    """The weekday is always said: it is what a teacher checks first."""
    on = _on(value)
    words = format_date(on, "EEEE d MMMM y", locale=_known(locale))
    return _numbered(words, on, locale)


def short_day(value: date | datetime, locale: str) -> str:
    """For lists and calendars, where the year is said elsewhere."""
    on = _on(value)
    words = format_date(on, "EEE d MMM", locale=_known(locale))
    return _numbered(words, on, locale)


def day_and_month(value: date | datetime, locale: str) -> str:
    """For subjects and links, where the year would only make them longer."""
    on = _on(value)
    words = format_date(on, "EEEE d MMMM", locale=_known(locale))
    return _numbered(words, on, locale)


def month(value: date | datetime, locale: str) -> str:
    """The month and its year, as a heading."""
    return format_date(_on(value), "MMMM y", locale=_known(locale))


def weekdays(locale: str) -> list[tuple[str, str]]:
    """The names of the days, short and long, from Monday on."""
    language = _known(locale)
    week = [date(2024, 1, number) for number in range(1, 8)]
    short, long = (
        [format_date(on, pattern, locale=language) for on in week]
        for pattern in ("EEE", "EEEE")
    )
    return list(zip(short, long, strict=True))


def time_of_day(at: datetime, locale: str) -> str:
    """Twenty-four hours in both languages: nobody has to know what 12:00 am means."""
    at = local(at)
    if _known(locale).language == "fr":
        return f"{at.hour}{NO_BREAK_SPACE}h{NO_BREAK_SPACE}{at.minute:02}"
    return f"{at.hour:02}:{at.minute:02}"


def moment(at: datetime, locale: str) -> str:
    """The day and the time of one instant."""
    return f"{day(at, locale)}, {time_of_day(at, locale)}"


def span(starts_at: datetime, ends_at: datetime, locale: str) -> str:
    """From when to when; the day is said twice only when there are two."""
    french = _known(locale).language == "fr"
    if local(starts_at).date() != local(ends_at).date():
        first, last = moment(starts_at, locale), moment(ends_at, locale)
        return f"du {first}, au {last}" if french else f"{first}, to {last}"
    on = day(starts_at, locale)
    first, last = time_of_day(starts_at, locale), time_of_day(ends_at, locale)
    return f"{on}, de {first} à {last}" if french else f"{on}, {first} to {last}"


def clean_line(text: str, limit: int = LINE_LIMIT) -> str:
    """One line that is safe in a header, a calendar line and a page.

    ``=?`` is broken apart last: typed into a name, an encoded word is decoded by the
    standard library's header classes and can come out as a header of its own
    (CVE-2024-6923); a removed invisible character must not put it together again.
    """
    kept = _without_controls(_LINE_BREAKS.sub(" ", _bounded(text, limit)))
    line = _SPACES.sub(" ", kept).strip().replace("=?", "= ?")
    return _cut(line, limit)


def clean_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Several lines, without what a person did not mean to type.

    Control characters, direction overrides, other invisible format characters and
    lone surrogates go; calendars and mails would pass them on to the next program.
    """
    kept = _without_controls(_LINE_BREAKS.sub("\n", _bounded(text, limit)))
    lines = "\n".join(line.strip() for line in kept.split("\n"))
    return _cut(_BLANK_LINES.sub("\n\n", lines).strip(), limit)


def _bounded(text: str, limit: int) -> str:
    """Normalising long runs of combining marks is quadratic: look at the front only."""
    return unicodedata.normalize("NFC", text.strip()[: 4 * limit + 100])


def _without_controls(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_allowed, text))


@lru_cache(maxsize=4096)
def _allowed(character: str) -> str:
    if character == "\n":
        return character
    category = unicodedata.category(character)
    if category in _SPACING:
        return " "
    return "" if category in _REMOVED else character


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return text[: limit - 1].rstrip() + "…"


def _on(value: date | datetime) -> date:
    return local(value).date() if isinstance(value, datetime) else value


def _known(locale: str) -> Locale:
    return Locale.parse(locale.replace("-", "_"))


def _numbered(words: str, on: date, locale: str) -> str:
    """French says "1er" for the first day; the Unicode patterns have no word for it."""
    if on.day == 1 and _known(locale).language == "fr":
        return words.replace(" 1 ", " 1er ", 1)
    return words
