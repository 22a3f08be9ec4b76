"""Every page, as each role sees it: axe, light and dark, phone and desktop.

axe-core finds perhaps half of what hinders people; what it finds is never there. The
same walk looks for whatever the browser complains about and for requests elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.journeys.crawl import crawl
from tests.journeys.service import Demo, links_in_mails, newest_links
from tests.journeys.visitors import (
    PHONE,
    ROLES,
    WIDE,
    choose_english,
    enter,
    fetcher,
    new_context,
)

VENDOR = Path(__file__).parent / "vendor"
AXE = (VENDOR / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
EVERYTHING = {"type": "tag", "values": TAGS}
# Nothing else in a page depends on the theme.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}

PUBLIC = ("/", "/sign-in", "/sign-in/sent", "/sign-in/1.spent", "/c", "/nowhere")
UNSEEN = """
  document.querySelectorAll("details:not([data-menu], [data-dialog])").forEach(
    (fold) => { fold.open = true; });
"""
RUN = """
  async (rules) => {
    const options = { runOnly: rules, resultTypes: ["violations"], iframes: false };
    const found = await axe.run(document, options);
    return found.violations.flatMap((violation) => violation.nodes.map(
      (node) => `${violation.id}: ${node.target.join(" ")} ${node.failureSummary}`));
  }
"""
TOO_WIDE = """
  () => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return "";
    const wide = [...document.querySelectorAll("body *")].filter(
      (each) => each.getBoundingClientRect().right > root.clientWidth + 1);
    return `${root.scrollWidth} px: ` + wide.slice(0, 3).map(
      (each) => `<${each.localName} class="${each.className}">`).join(" ");
  }
"""
# axe has given this rule up, but a label speaks for the first of two ids only.
TWICE = """
  () => {
    const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
    return [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))].join(" ");
  }
"""


class Watch:
    """What the browser complains about while somebody walks through pages."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.path = ""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.note(f"script: {error}"))
        page.on("request", lambda request: self._request(request.url))

    def note(self, words: str) -> None:
        self.complaints.append(f"{self.path} {words}")

    def note_all(self, found: list[str]) -> None:
        for words in found:
            self.note(words)

    def _console(self, message: ConsoleMessage) -> None:
        # The browser reports the status of the page itself as an error too.
        own = urlsplit(message.location["url"]).path == urlsplit(self.path).path
        if (own and "Failed to load" in message.text) or " 422 " in message.text:
            return
        if message.type in {"error", "warning"}:
            self.note(f"console: {message.text}")

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname != "127.0.0.1":
            self.note(f"asks another host: {url}")


def axe(page: Page, rules: dict[str, Any]) -> list[str]:
    page.evaluate(UNSEEN)
    found: list[str] = page.evaluate(RUN, rules)
    return found


def look_at(page: Page, watch: Watch, path: str) -> None:
    """One page in its four looks."""
    watch.path = path
    for size, theme, other in ((WIDE, "light", "dark"), (PHONE, "dark", "light")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme)
        page.goto(path)
        look = f"{size['width']} {theme}"
        if size is PHONE and (words := page.evaluate(TOO_WIDE)):
            watch.note(f"scrolls sideways: {words}")
        if words := page.evaluate(TWICE):
            watch.note(f"ids used twice: {words}")
        for words in axe(page, EVERYTHING):
            watch.note(f"{look} {words}")
        page.emulate_media(color_scheme=other)
        for words in axe(page, COLOURS):
            watch.note(f"{size['width']} {other} {words}")


@contextmanager
def walking(browser: Browser, demo: Demo, state: Any) -> Iterator[BrowserContext]:
    with new_context(browser, demo, storage_state=state) as context:
        context.add_init_script(AXE)
        yield context


def mine(path: str, room: str | None) -> bool:
    """Rooms of others answer 404, which is looked at once; files are no pages."""
    return not path.endswith((".ics", "/raw")) and (room is None or room in path)


def test_vendored_axe_is_the_one_of_its_note():
    note = (VENDOR / "README.md").read_text(encoding="utf-8")

    named = re.findall(r"sha256 `([0-9a-f]{64})`", note)

    assert named == [hashlib.sha256((VENDOR / "axe.min.js").read_bytes()).hexdigest()]


@pytest.mark.parametrize("role", list(ROLES))
def test_every_page_of_a_role_is_accessible_and_quiet(browser, demo, cookies, role):
    person = ROLES[role]
    starts = [person.room] if person else [*PUBLIC, *newest_links(demo)]
    with walking(browser, demo, cookies[role]) as context:
        pages = crawl(fetcher(context), starts)
        page = context.new_page()
        watch = Watch(page)

        paths = [p.path for p in pages if mine(p.path, person and person.room)]
        for path in paths:
            look_at(page, watch, path)

    assert len(paths) >= 5
    assert [p.path for p in pages if p.status >= 500] == []
    assert watch.complaints == [], "\n".join(watch.complaints)


IN_ENGLISH = {
    "public": (*PUBLIC, "/privacy", "/accessibility"),
    "teacher": (
        "/teacher/",
        "/teacher/offers?view=list",
        "/teacher/offers?view=month",
        "/teacher/offers/1",
        "/teacher/visits",
        "/teacher/visits/13",
        "/teacher/classes",
    ),
    "host": ("/host/", "/host/offers", "/host/offers/1/slots", "/host/limits"),
    "coordinator": ("/coordinator/", "/coordinator/visits/13"),
}


@pytest.mark.parametrize("role", list(ROLES))
def test_the_main_pages_are_accessible_in_english_too(browser, demo, role):
    """Other words are longer or missing; what they stand in was looked at above."""
    with walking(browser, demo, None) as context:
        page = context.new_page()
        choose_english(page)
        # After the choice: a person's own language, and that of her mails, stays.
        if (person := ROLES[role]) is not None:
            enter(page, demo, person)
        page.set_viewport_size(PHONE)
        watch = Watch(page)
        for watch.path in IN_ENGLISH[role]:
            page.goto(watch.path)
            watch.note_all(axe(page, EVERYTHING))
            if words := page.evaluate(TOO_WIDE):
                watch.note(f"scrolls sideways: {words}")
            if page.locator("html").get_attribute("lang") != "en":
                watch.note("is not in English")

    assert watch.complaints == [], "\n".join(watch.complaints)


EMPTIED = """
  document.querySelectorAll("main form.form :is(input, textarea)").forEach((field) => {
    if (!["hidden", "checkbox", "radio"].includes(field.type)) field.value = "";
  });
"""
FORMS = [
    ("public", "/sign-in"),
    ("public", "/c"),
    ("teacher", "/teacher/classes/new"),
    ("teacher", "/teacher/slots/89?school_class=2"),
    ("host", "/host/offers/new"),
    ("host", "/host/offers/1/edit"),
    ("host", "/host/offers/1/slots/new"),
    ("host", "/host/limits"),
]


@pytest.mark.parametrize(("role", "path"), FORMS)
def test_forms_that_failed_are_accessible(browser, demo, cookies, role, path):
    with walking(browser, demo, cookies[role]) as context:
        page = context.new_page()
        watch = Watch(page)
        watch.path = path
        page.goto(path)
        page.evaluate(EMPTIED)

        page.locator("main form.form button[type=submit]").last.click()
        page.locator("main .field__error").first.wait_for()

        page.set_viewport_size(PHONE)
        watch.note_all(axe(page, EVERYTHING))

    assert watch.complaints == [], "\n".join(watch.complaints)


def test_dialogs_of_the_company_s_answer_are_accessible(browser, demo, cookies):
    """Other journeys may have answered some of the mailed requests before."""
    links = [path for path in links_in_mails(demo) if path.startswith("/h/")]
    with walking(browser, demo, cookies["public"]) as context:
        page = context.new_page()
        watch = Watch(page)
        dialogs = page.locator("main details[data-dialog] > summary")
        for watch.path in links:
            page.goto(watch.path)
            if dialogs.count():
                break

        summaries = dialogs.all()
        for summary in summaries:
            summary.click()
            watch.note_all(axe(page, EVERYTHING))
            page.keyboard.press("Escape")

    assert summaries
    assert watch.complaints == [], "\n".join(watch.complaints)
