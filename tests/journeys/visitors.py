"""People of the sample, and their way in: the mailed link, as for everybody."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page

from tests.journeys.crawl import Fetched
from tests.journeys.service import Demo, link_in


@dataclass(frozen=True, kw_only=True)
class Person:
    name: str
    email: str
    room: str


TEACHER = Person(
    name="Hélène Marchais", email="helene.marchais@example.org", room="/teacher/"
)
HOST = Person(name="Gérard Lebreton", email="visites.h01@example.org", room="/host/")
COORDINATOR = Person(
    name="Anne Kerbrat", email="coordination@example.org", room="/coordinator/"
)

ROLES: dict[str, Person | None] = {
    "public": None,
    "teacher": TEACHER,
    "host": HOST,
    "coordinator": COORDINATOR,
}

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def new_context(browser: Browser, demo: Demo, **more: object) -> BrowserContext:
    """A browser of its own, as a French person has it."""
    options: dict[str, object] = {
        "base_url": demo.url,
        "locale": "fr-FR",
        "timezone_id": "Europe/Paris",
        "viewport": WIDE,
        # A colour on its way to another one is no colour to be judged.
        "reduced_motion": "reduce",
        **more,
    }
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    return context


def enter(page: Page, demo: Demo, person: Person) -> None:
    """Ask for the link, find it in the mail, press its button."""
    post = demo.postbox()
    page.goto("/sign-in")
    page.locator("input[type=email]").fill(person.email)
    page.get_by_role("main").locator("button[type=submit]").click()
    page.wait_for_url("**/sign-in/sent")
    page.goto(link_in(post.take(to=person.email)))
    page.get_by_role("main").get_by_role("button").click()
    page.wait_for_url("**" + person.room)


def choose_english(page: Page) -> None:
    """In this browser only: before somebody enters, whose mails stay as they are."""
    page.goto("/")
    page.get_by_role("button", name="English").click()
    page.locator("html[lang=en]").wait_for()


def fetcher(context: BrowserContext) -> object:
    """What the crawler asks pages of: this browser's cookies, without drawing."""

    def fetch(path: str) -> Fetched:
        reply = context.request.get(path)
        content_type = reply.headers.get("content-type", "")
        is_text = content_type.startswith("text/html")
        return Fetched(
            status=reply.status,
            content_type=content_type,
            body=reply.text() if is_text else "",
        )

    return fetch
