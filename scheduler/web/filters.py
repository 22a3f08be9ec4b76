"""Jinja filters: dates, times and sizes as people read them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Flask
from flask_babel import format_decimal

from scheduler import wording
from scheduler.web.signed_in import locale


def init_app(app: Flask) -> None:
    """Attach the filters."""
    app.jinja_env.filters.update(
        headed=wording.headed,
        day=_day,
        moment=_moment,
        span=_span,
        clock_time=_time,
        about_time=_about_time,
        short_day=_short_day,
        isoday=_isoday,
        isomoment=_isomoment,
        date_words=_date_words,
        month_words=_month_words,
        day_and_month=_day_and_month,
        decimal=_decimal,
    )


def _day(value: date | datetime) -> str:
    return wording.day(value, locale())


def _short_day(value: date | datetime) -> str:
    return wording.short_day(value, locale())


def _moment(value: datetime) -> str:
    return wording.moment(value, locale())


def _time(value: datetime) -> str:
    return wording.time_of_day(value, locale())


def _about_time(value: datetime, *, up: bool = False) -> str:
    """An estimated time of day, to five minutes: nobody leaves at 8:34 sharp."""
    step = timedelta(minutes=5)
    past = timedelta(minutes=value.minute % 5, seconds=value.second)
    return _time(value + (step - past if up and past else -past))


def _span(value: tuple[datetime, datetime]) -> str:
    return wording.span(value[0], value[1], locale())


def _isoday(value: str) -> date:
    """The day in a refusal's facts, which are primitives."""
    return date.fromisoformat(value)


def _isomoment(value: str) -> datetime:
    """The instant in a refusal's facts or in a recorded visit."""
    return datetime.fromisoformat(value)


def _date_words(value: datetime) -> tuple[str, str, str, str]:
    """Weekday, day, month and ISO day, as ``date_block`` shows them."""
    weekday, number, month = wording.short_day(value, locale()).split(" ", 2)
    return weekday.rstrip(","), number, month, wording.local(value).date().isoformat()


def _month_words(value: date | datetime) -> str:
    return wording.month(value, locale())


def _decimal(value: float) -> str:
    """At most two decimals, after a comma or a point."""
    return str(format_decimal(round(value, 2)))


def _day_and_month(value: date | datetime) -> str:
    return wording.day_and_month(value, locale())
