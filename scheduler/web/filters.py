"""Jinja filters: dates, times and sizes as people read them."""

from __future__ import annotations

from datetime import date, datetime

from flask import Flask

from scheduler import wording
from scheduler.web.signed_in import locale


def init_app(app: Flask) -> None:
    """Attach the filters."""
    app.jinja_env.filters.update(
        day=_day, moment=_moment, span=_span, clock_time=_time, short_day=_short_day
    )


def _day(value: date | datetime) -> str:
    return wording.day(value, locale())


def _short_day(value: date | datetime) -> str:
    return wording.short_day(value, locale())


def _moment(value: datetime) -> str:
    return wording.moment(value, locale())


def _time(value: datetime) -> str:
    return wording.time_of_day(value, locale())


def _span(value: tuple[datetime, datetime]) -> str:
    return wording.span(value[0], value[1], locale())
