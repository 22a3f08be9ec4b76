"""The class page on paper: one sheet of A4 for the bag, whatever visit it is."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

from tests.journeys.service import Demo
from tests.journeys.visitors import new_context

PAGE_OF_A_PDF = re.compile(rb"/Type\s*/Page\b")
AGREED = "SELECT class_code FROM visit WHERE state IN ('confirmed', 'moving')"


def codes_of_agreed_visits(demo: Demo) -> list[str]:
    with closing(sqlite3.connect(demo.folder / "visits.db")) as database:
        return [code for (code,) in database.execute(AGREED)]


def test_the_class_page_of_every_agreed_visit_is_one_sheet(browser, demo):
    codes = codes_of_agreed_visits(demo)
    with new_context(browser, demo) as context:
        page = context.new_page()

        sheets = {}
        for code in codes:
            page.goto(f"/c/{code}")
            page.evaluate("document.fonts.ready")
            sheets[code] = len(PAGE_OF_A_PDF.findall(page.pdf(format="A4")))

    assert len(codes) >= 5
    assert sheets == dict.fromkeys(codes, 1)


def test_the_printed_class_page_says_where_it_is_and_shows_no_buttons(browser, demo):
    code = codes_of_agreed_visits(demo)[0]
    with new_context(browser, demo) as context:
        page = context.new_page()
        page.goto(f"/c/{code}")

        page.emulate_media(media="print")

        words = page.locator("body").inner_text()
        assert f"{demo.url}/c/{code}" in words
        assert f"code de la classe\N{NO-BREAK SPACE}: {code}" in words
        assert not page.locator("#calendar").is_visible()
        assert page.locator("main svg.map__drawing").is_hidden()
