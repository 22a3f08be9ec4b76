"""Dates in words, and what becomes of typed text."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as some

from scheduler import wording
from scheduler.wording import clean_line, clean_text

WINTER = datetime(2027, 1, 12, 8, tzinfo=UTC)
SUMMER = datetime(2027, 6, 1, 12, 5, tzinfo=UTC)
TWO_HOURS = timedelta(hours=2)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("fr", "mardi 12 janvier 2027, de 9 h 00 à 11 h 00"),
        ("en", "Tuesday 12 January 2027, 09:00 to 11:00"),
    ],
)
def test_a_span_says_weekday_date_and_both_times(locale, words):
    said = wording.span(WINTER, WINTER + TWO_HOURS, locale)

    assert said.replace("\N{NO-BREAK SPACE}", " ") == words


def test_french_hours_do_not_break_over_lines():
    assert wording.time_of_day(SUMMER, "fr") == "14\u00a0h\u00a005"


def test_a_span_over_two_days_names_both():
    night = WINTER + timedelta(hours=15)

    assert wording.span(WINTER, night, "fr").replace("\u00a0", " ") == (
        "du mardi 12 janvier 2027, 9 h 00, au mercredi 13 janvier 2027, 0 h 00"
    )
    assert wording.span(WINTER, night, "en") == (
        "Tuesday 12 January 2027, 09:00, to Wednesday 13 January 2027, 00:00"
    )


def test_french_says_first_and_english_says_one():
    new_year = date(2027, 1, 1)

    assert wording.day(new_year, "fr") == "vendredi 1er janvier 2027"
    assert wording.day(new_year, "en") == "Friday 1 January 2027"
    assert wording.day_and_month(new_year, "fr") == "vendredi 1er janvier"
    assert wording.short_day(new_year, "fr") == "ven. 1er janv."


def test_the_short_forms():
    assert wording.short_day(WINTER, "fr") == "mar. 12 janv."
    assert wording.short_day(WINTER, "en") == "Tue 12 Jan"
    assert wording.month(WINTER, "fr") == "janvier 2027"
    assert wording.month(WINTER, "en_GB") == "January 2027"


def test_an_instant_late_in_the_utc_day_is_the_next_day_in_paris():
    at = datetime(2027, 1, 11, 23, 30, tzinfo=UTC)

    assert wording.moment(at, "en") == "Tuesday 12 January 2027, 00:30"


@pytest.mark.parametrize(
    ("utc", "paris"),
    [
        (datetime(2027, 3, 28, 0, 59, tzinfo=UTC), "01:59"),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "03:00"),
        (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), "02:30"),
        (datetime(2027, 10, 31, 1, 30, tzinfo=UTC), "02:30"),
        (datetime(2027, 10, 31, 2, 0, tzinfo=UTC), "03:00"),
    ],
)
def test_both_nights_of_the_clock_change(utc, paris):
    assert wording.time_of_day(utc, "en") == paris


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="naive_time"):
        wording.local(datetime(2027, 1, 12, 9))  # noqa: DTZ001 - the point of it


HOSTILE = {
    "line breaks": ("a\r\nBcc: x@example.org\rb\nc\u2028d\u2029e\x85f", 1),
    "controls": ("a\x00b\x07c\x1bd\x7fe", 1),
    "directions": ("\u202eabc\u202c\u2066d\u2069\u200f", 1),
    "invisible": ("a\u200bb\ufeffc\u00add", 1),
    "surrogate": ("a\ud800b", 1),
    "encoded word": ("=?utf-8?q?a=0ABcc:_x@y?=", 1),
    "hidden encoded word": ("=\u200b?utf-8?q?a=0ABcc:_x@y?\u200b=", 1),
}


@pytest.mark.parametrize("typed", [text for text, _ in HOSTILE.values()], ids=HOSTILE)
def test_a_clean_line_has_nothing_that_breaks_headers(typed):
    line = clean_line(typed)

    assert line.isprintable()
    assert "=?" not in line
    assert line.encode("utf-8")


def test_a_clean_line_keeps_what_people_mean():
    assert clean_line("  L’été à Saint-Sébastien\t🎉 ") == "L’été à Saint-Sébastien 🎉"
    assert clean_line("e\u0301te\u0301") == "été"


def test_a_clean_line_is_cut_with_a_sign():
    assert clean_line("a" * 10_000, 10) == "aaaaaaaaa…"
    assert clean_line("a" * 10, 10) == "a" * 10


def test_a_clean_text_keeps_its_lines():
    assert clean_text(" a \r\n\r\n\r\n\r\nb\u2028c\x00 \n") == "a\n\nb\nc"


def test_a_long_run_of_marks_is_cut_before_it_costs_anything():
    typed = "\u0301\u0327" * 1_000_000

    assert len(clean_line("a" + typed, 100)) <= 100


@given(some.text(), some.integers(min_value=1, max_value=50))
def test_cleaning_twice_changes_nothing_more(typed, limit):
    for clean in (clean_line, clean_text):
        once = clean(typed, limit)

        assert len(once) <= limit
        assert clean(once, limit) == once


def test_a_heading_keeps_the_capitals_that_follow():
    assert wording.headed("tuesday 9 February 2027") == "Tuesday 9 February 2027"
