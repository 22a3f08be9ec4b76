"""One demo and one browser for all journeys of a test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState

from tests.journeys.service import Demo, running_demo
from tests.journeys.visitors import ROLES, Person, enter, new_context

Enters = Callable[..., Page]


@pytest.fixture(scope="session")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The real service in a process of its own, on the morning of the journeys.

    It asks for the browser so that without one no demo is started.
    """
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture(scope="session")
def cookies(browser: Browser, demo: Demo) -> dict[str, StorageState]:
    """Each role of the sample, signed in once."""
    states = {}
    for role, person in ROLES.items():
        with new_context(browser, demo) as context:
            if person is not None:
                enter(context.new_page(), demo, person)
            states[role] = context.storage_state()
    return states


@pytest.fixture
def enters(browser: Browser, demo: Demo) -> Iterator[Enters]:
    """``enters(person)``: a browser of that person's own, signed in by mailed link."""
    contexts: list[BrowserContext] = []

    def make(person: Person | None = None, **options: object) -> Page:
        context = new_context(browser, demo, **options)
        contexts.append(context)
        page = context.new_page()
        if person is not None:
            enter(page, demo, person)
        return page

    yield make
    for context in contexts:
        context.close()
