"""What tests may ask for: a database of their own, a session, a browser.

Each test gets its own copy of one migrated database, so that it may commit, start
processes and break things. A tool that this machine lacks skips its tests by name
and reason; with CI=true it fails them.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from config import Settings
from scheduler.persistence import migrate
from scheduler.persistence.engine import make_engine, make_session
from scheduler.persistence.sealed import Seal
from scheduler.services.house import House
from tests import chromium, engines, postgres, rows

SEAL_KEY = "a key for tests"
# Two cores shared by many processes say nothing about how fast an example ran.
hypothesis_settings.register_profile(
    "shared-machine", hypothesis_settings(deadline=None)
)
hypothesis_settings.load_profile("shared-machine")


MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there has names of its own
ROOM = 2 * 1024**3


def pytest_configure() -> None:
    """Keep databases where files never reach a disk, if there is room; share engines.

    They come and go by the thousand, and copying one takes a tenth of the time there.
    """
    fits = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    if "TMPDIR" not in os.environ and fits:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
    engines.share()


def lacking(tool: str, *, remedy: str) -> NoReturn:
    """This machine cannot run the test: a skip for a person, an error for CI."""
    reason = f"no {tool} on this machine ({remedy})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


# ------------------------------------------------------------------ databases


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = make_engine(f"sqlite:///{file}")
    migrate.upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def stored_world(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, rows.World]:
    """A SQLite file with the world in it; whoever asks for the world gets a copy."""
    file = tmp_path_factory.mktemp("world") / "world.db"
    shutil.copyfile(sqlite_template, file)
    return file, store_world(f"sqlite:///{file}")


def store_world(url: str) -> rows.World:
    engine = make_engine(url)
    with make_session(engine, Seal((SEAL_KEY,))) as session:
        session.info["house"] = House(link_key=b"only for making the world")
        world = rows.store_world(session)
    engine.dispose()
    return world


@pytest.fixture
def sqlite_start(request: pytest.FixtureRequest, sqlite_template: Path) -> Path:
    """What the test's database begins as: with the world if the test asks for it."""
    if "world" not in request.fixturenames:
        return sqlite_template
    file: Path = request.getfixturevalue("stored_world")[0]
    return file


@pytest.fixture
def sqlite_url(sqlite_start: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of this test's own."""
    file = tmp_path / "visits.db"
    shutil.copyfile(sqlite_start, file)
    return f"sqlite:///{file}"


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[postgres.Databases]:
    """The server of TEST_DATABASE_URL, else one started for this test process."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        with closing(postgres.Databases(given)) as made:
            yield made
        return
    programs = postgres.binaries()
    if programs is None:
        lacking("PostgreSQL", remedy="set TEST_DATABASE_URL or install it")
    with postgres.server(programs) as url, closing(postgres.Databases(url)) as made:
        yield made


@pytest.fixture(scope="session")
def postgres_world(
    postgres_databases: postgres.Databases, stored_world: tuple[Path, rows.World]
) -> str:
    """The database with the world in it: the same numbers as in SQLite's."""
    url = postgres_databases.make_migrated()
    assert store_world(url) == stored_world[1]
    return url


@pytest.fixture
def postgres_url(
    request: pytest.FixtureRequest, postgres_databases: postgres.Databases
) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own, or a copy of the world."""
    if "world" in request.fixturenames:
        url = postgres_databases.make_like(request.getfixturevalue("postgres_world"))
    else:
        url = postgres_databases.make_migrated()
    yield url
    postgres_databases.drop(url)


@pytest.fixture
def empty_postgres_url(postgres_databases: postgres.Databases) -> Iterator[str]:
    url = postgres_databases.make_empty()
    yield url
    postgres_databases.drop(url)


BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database: the test runs once on SQLite, once on PostgreSQL."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return request.getfixturevalue(name)


@pytest.fixture(params=BOTH)
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a database without any table, on each kind in turn."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres_url")
    engine = make_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def world(database_url: str, stored_world: tuple[Path, rows.World]) -> rows.World:
    """Two schools, two hosts, offers and slots: they are in the database already."""
    return stored_world[1]


@pytest.fixture
def seal() -> Seal:
    return Seal((SEAL_KEY,))


@pytest.fixture
def session(engine: Engine, seal: Seal) -> Iterator[Session]:
    """A plain session, no Flask: what services and queries take first."""
    with make_session(engine, seal) as session:
        yield session


# ------------------------------------------------------------------ application


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        secret_key="a secret for tests",
        seal_keys=(SEAL_KEY,),
        database_url=database_url,
        mailbox_dir=str(tmp_path / "mailbox"),
        testing=True,
    )


@pytest.fixture(scope="session")
def compiled_templates(
    tmp_path_factory: pytest.TempPathFactory,
) -> FileSystemBytecodeCache:
    """Each test makes an application; its templates are compiled once for all."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


def make_app(settings: Settings, templates: FileSystemBytecodeCache) -> Flask:
    """The application; forms need no token in tests.

    It is imported here, so that tests of rules do not wait for all its parts.
    """
    made: Flask = importlib.import_module("scheduler.app").create_app(settings)
    made.config["WTF_CSRF_ENABLED"] = False
    made.jinja_env.bytecode_cache = templates
    return made


def let_go(app: Flask) -> None:
    """Close what the application has open in its database."""
    database = app.extensions["sqlalchemy"]
    with app.app_context():
        database.session.remove()
        for engine in database.engines.values():
            engine.dispose()


@pytest.fixture
def app(
    settings: Settings, compiled_templates: FileSystemBytecodeCache
) -> Iterator[Flask]:
    """The application on the database of ``session``."""
    made = make_app(settings, compiled_templates)
    yield made
    let_go(made)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


# ------------------------------------------------------------------ browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the test process; each page has a context of its own."""
    path = chromium.executable()
    if path is None:
        lacking("Chromium", remedy="install chromium or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(chromium.ARGUMENTS)
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page as a French person's desktop shows it."""
    context = browser.new_context(
        locale="fr-FR",
        timezone_id="Europe/Paris",
        viewport={"width": 1280, "height": 900},
    )
    yield context.new_page()
    context.close()


# ------------------------------------------------------------------ collection, report


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark what needs a tool; one worker runs all browser tests, one after another.

    Whatever the order is otherwise, long tests begin it: a worker that came to one
    last would keep all others waiting.
    """
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        if "postgres_databases" in asked:
            item.add_marker(pytest.mark.postgres)
        if "browser" in asked:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
    yield
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests did not run and why: a silent skip looks like a pass."""
    skipped = terminalreporter.stats.get("skipped", [])
    terminalreporter.write_line(f"tests skipped: {len(skipped)}")
    for report in skipped:
        _, _, reason = report.longrepr
        terminalreporter.write_line(f"  {report.nodeid}: {reason}")
