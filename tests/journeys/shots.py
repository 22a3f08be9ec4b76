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
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests import chromium
from tests.journeys.crawl import crawl, kind_of
from tests.journeys.service import ROOT, Demo, newest_links, running_demo
from tests.journeys.visitors import (
    PHONE,
    ROLES,
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
        number = 0
        for role, state in signed_in(browser, demo, english=asked.english):
            addresses = found(browser, demo, role, state, each=asked.each)
            wanted = {n: path for n, path in addresses.items() if asked.only.search(n)}
            for look in asked.looks:
                take(browser, demo, wanted, state, look=look, outdir=asked.outdir)
            number += len(wanted)
            if asked.readme and role == "teacher":
                take_readme(browser, demo, state)
        browser.close()
    print(f"{number} pages, {len(asked.looks)} pictures of each, in {asked.outdir}")


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
    starts = [person.room] if person else [*PUBLIC, *newest_links(demo)]
    with new_context(browser, demo, storage_state=state) as context:
        pages = crawl(fetcher(context), starts, each=each)
    names: dict[str, str] = {}
    for page in pages:
        mine = person is None or page.path.startswith(person.room)
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
