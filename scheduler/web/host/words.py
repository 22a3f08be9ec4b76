"""Short words that the host's pages need and nobody else."""

from __future__ import annotations

from datetime import date, datetime

from babel import Locale
from babel.dates import format_date

from scheduler import wording


def date_tile(value: date | datetime, locale: str) -> tuple[str, str, str, str]:
    """The block beside a row: weekday, day, month, ISO date (mar., 12, janv., …)."""
    on = wording.local(value).date() if isinstance(value, datetime) else value
    language = Locale.parse(locale)
    return (
        format_date(on, "EEE", locale=language),
        str(on.day),
        format_date(on, "MMM", locale=language),
        on.isoformat(),
    )


def weekdays(locale: str) -> list[tuple[str, str]]:
    """Monday to Sunday, short and long."""
    monday = date(2024, 1, 1)
    language = Locale.parse(locale)
    return [
        (
            format_date(on, "EEE", locale=language),
            format_date(on, "EEEE", locale=language),
        )
        for on in (monday.replace(day=number) for number in range(1, 8))
    ]
