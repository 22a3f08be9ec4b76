"""Pictures of every page of the demo, to be looked at by people.

    python -m tests.journeys.shots OUTDIR [--only REGEX] [--each N] [--english]
        [--looks LOOK ...] [--readme]

Starts a demo of its own, enters as each role, follows the links, and photographs one
page of each kind at 390 and 1280 px, light and dark: OUTDIR/1280-light/teacher-….png.
Not a test: nothing is compared. With --readme also the picture of the README.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests import chromium
from tests.journeys import comebacks, steps
from tests.journeys.crawl import crawl, kind_of
from tests.journeys.service import ROOT, Demo, newest_links, running_demo, until
from tests.journeys.visitors import (
    PHONE,
    ROLES,
    TEACHER,
    WIDE,
    choose_english,
    enter,
    fetcher,
    new_context,
)

LOOKS = {
    f"{size['width']}-{theme}": {"viewport": size, "color_scheme": theme}
    for size in (WIDE, PHONE)
    for theme in ("light", "dark")
}
README = ROOT / "docs" / "pictures" / "offers.png"
PUBLIC = ("/", "/sign-in", "/sign-in/sent", "/sign-in/1.spent", "/c", "/nowhere")
ACCOUNT = ("/account/calendars", "/account/mails")
LOST = "lou.perdu@example.org"
MOST_KNOCKS = 300
READ_BY_PROGRAMS = re.compile(r"\.ics$|\.txt$|^/healthz|/raw$")


def main() -> None:
    """Read the arguments, take the pictures, say where they are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--only", type=re.compile, default=re.compile(""))
    parser.add_argument("--each", type=int, default=1, help="pages of each kind")
    parser.add_argument("--looks", nargs="*", choices=list(LOOKS), default=list(LOOKS))
    parser.add_argument("--english", action="store_true", help="instead of French")
    parser.add_argument("--readme", action="store_true", help="its picture too")
    asked = parser.parse_args()
    executable = chromium.executable()
    if executable is None:
        raise SystemExit("No Chromium here: set CHROMIUM to its path.")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder)) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=list(chromium.ARGUMENTS),
        )
        set_the_stage(browser, demo)
        number = 0
        for role, state in signed_in(browser, demo, english=asked.english):
            addresses = found(browser, demo, role, state, each=asked.each)
            wanted = {n: path for n, path in addresses.items() if asked.only.search(n)}
            for look in asked.looks:
                take(browser, demo, wanted, state, look=look, outdir=asked.outdir)
            number += len(wanted)
            if asked.readme and role == "teacher":
                take_readme(browser, demo, state)
        # The last one of them makes the service deaf to this machine for a while.
        number += take_errors(browser, demo, asked.only, asked.looks, asked.outdir)
        browser.close()
    print(f"{number} pages, {len(asked.looks)} pictures of each, in {asked.outdir}")


def set_the_stage(browser: Browser, demo: Demo) -> None:
    """What a first start does not have: mail that came back, words of a stranger."""
    with new_context(browser, demo) as context:
        page = context.new_page()
        enter(page, demo, TEACHER)
        page.goto("/teacher/visits?tab=confirmed")
        steps.main(page).locator("a.stretched").first.click()
        page.wait_for_url(re.compile(r"/teacher/visits/\d+$"))
        visit = page.url[page.url.index("/teacher/") :]
        post = demo.postbox()
        steps.give_addresses(page, visit, [LOST, "lou@example.org"])
        comebacks.send_back(demo, post.take(to=LOST), to=LOST)
        comebacks.write_in_words(demo)
        page.goto("/account/calendars")
        steps.main(page).get_by_role("button", name="Ouvrir l’adresse").first.click()
        page.wait_for_load_state()
    until(lambda: demo.health()["messages"]["dead"] or None, what="the report")  # type: ignore[index]


def take_errors(
    browser: Browser, demo: Demo, only: re.Pattern[str], looks: list[str], outdir: Path
) -> int:
    """Pages that no link leads to. How many."""
    wanted = {name: make for name, make in ERRORS.items() if only.search(name)}
    for name, make in wanted.items():
        for look in looks:
            (outdir / look).mkdir(parents=True, exist_ok=True)
            with new_context(browser, demo, **LOOKS[look]) as context:
                page = context.new_page()
                make(page)
                page.evaluate("document.fonts.ready")
                page.screenshot(path=outdir / look / f"{name}.png", full_page=True)
    return len(wanted)


def send_form(page: Page, *, letters: int) -> None:
    """A form without our token, as long as that."""
    page.goto("/")
    page.evaluate(
        """letters => {
          const form = document.createElement("form");
          form.method = "post"; form.action = "/language";
          const text = document.createElement("textarea");
          text.name = "next"; text.value = "x".repeat(letters);
          form.append(text); document.body.append(form); form.submit();
        }""",
        letters,
    )
    page.wait_for_url("**/language")


def knock(page: Page) -> None:
    """Try one link after another, until the service asks for patience."""
    for _ in range(MOST_KNOCKS):
        if page.request.get("/r/1.nobody").status == 429:
            break
    page.goto("/r/1.nobody")


ERRORS: dict[str, Callable[[Page], object]] = {
    "error-400": lambda page: send_form(page, letters=1),
    "error-404": lambda page: page.goto("/nowhere"),
    "error-410": lambda page: page.goto("/r/1.nobody"),
    "error-413": lambda page: send_form(page, letters=3_000_000),
    "error-429": knock,
}


def signed_in(
    browser: Browser, demo: Demo, *, english: bool
) -> Iterator[tuple[str, StorageState]]:
    """Each role with its cookies."""
    for role, person in ROLES.items():
        with new_context(browser, demo) as context:
            page = context.new_page()
            if english:
                choose_english(page)
            if person is not None:
                enter(page, demo, person)
            yield role, context.storage_state()


def found(
    browser: Browser, demo: Demo, role: str, state: StorageState, *, each: int
) -> Mapping[str, str]:
    """The pages that a role reaches, by a name that a file can have."""
    person = ROLES[role]
    starts = [person.room, *ACCOUNT] if person else [*PUBLIC, *newest_links(demo)]
    with new_context(browser, demo, storage_state=state) as context:
        pages = crawl(fetcher(context), starts, each=each)
    names: dict[str, str] = {}
    for page in pages:
        mine = person is None or page.path.startswith((person.room, "/account/"))
        if not mine or READ_BY_PROGRAMS.search(page.path):
            continue
        words = f"{kind_of(page.path)} {page.state.replace('badge', '')}"
        words = re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-").removeprefix(role)
        name = f"{role}-{words.strip('-') or 'home'}"
        while name in names:
            name += "+"
        names[name] = page.path
    return names


def take(
    browser: Browser,
    demo: Demo,
    addresses: Mapping[str, str],
    state: StorageState,
    *,
    look: str,
    outdir: Path,
) -> None:
    """One look of every page, whole length."""
    (outdir / look).mkdir(parents=True, exist_ok=True)
    with new_context(browser, demo, storage_state=state, **LOOKS[look]) as context:
        page = context.new_page()
        for name, path in addresses.items():
            show(page, path)
            page.screenshot(path=outdir / look / f"{name}.png", full_page=True)


def take_readme(browser: Browser, demo: Demo, state: StorageState) -> None:
    """A teacher looks for a visit for her class."""
    README.parent.mkdir(parents=True, exist_ok=True)
    with new_context(browser, demo, storage_state=state) as context:
        page = context.new_page()
        show(page, "/teacher/offers")
        page.screenshot(path=README)


def show(page: Page, path: str) -> None:
    """Open a page and wait for its font."""
    page.goto(path)
    page.evaluate("document.fonts.ready")


if __name__ == "__main__":
    main()
