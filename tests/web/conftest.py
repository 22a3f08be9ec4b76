"""Pages are tested on SQLite: what differs between databases is below them.

Every test has the same Monday morning (``rows.NOW``) on the wall clock, which
``wall_clock`` may set forward.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request_tearing_down
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import Session

from config import Settings
from scheduler import clock
from scheduler.services import accounts
from tests import rows
from tests.conftest import let_go, make_app

SignedIn = Callable[..., FlaskClient]


class WallClock:
    """What ``scheduler.clock`` says; ``wall_clock.at = …`` sets it."""

    def __init__(self) -> None:
        self.at: datetime = rows.NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Stage:
    """Where all page tests of a test process play, one after another.

    The place is always the same, so that an application made for one test does for
    the next: making it and reading its templates takes longer than most tests.
    """

    folder: Path
    apps: dict[Settings, tuple[Flask, dict[str, Any]]] = field(default_factory=dict)

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    def app(self, settings: Settings, templates: FileSystemBytecodeCache) -> Flask:
        """The application of these settings, with its own keys for sessions."""
        if settings not in self.apps:
            made = make_app(settings, templates)
            factory = made.extensions["sqlalchemy"].session.session_factory
            self.apps[settings] = made, factory.kw["info"]
        app, info = self.apps[settings]
        app.extensions["sqlalchemy"].session.session_factory.configure(info=info)
        return app


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage") / "place")


@pytest.fixture
def sqlite_url(stage: Stage, sqlite_start: Path) -> str:
    """The stage's database, as each test finds it."""
    stage.clear()
    file = stage.folder / "visits.db"
    shutil.copyfile(sqlite_start, file)
    return f"sqlite:///{file}"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def settings(settings: Settings, stage: Stage) -> Settings:
    return replace(settings, mailbox_dir=str(stage.folder / "mailbox"))


@pytest.fixture
def app(
    stage: Stage, settings: Settings, compiled_templates: FileSystemBytecodeCache
) -> Iterator[Flask]:
    """The stage's application; what a test sets in it is put back."""
    app = stage.app(settings, compiled_templates)
    config, extensions = dict(app.config), dict(app.extensions)
    yield app
    let_go(app)
    app.config.clear()
    app.config.update(config)
    app.extensions.clear()
    app.extensions.update(extensions)


@pytest.fixture(autouse=True)
def wall_clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    hands = WallClock()
    monkeypatch.setattr(clock, "now", hands)
    return hands


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session beside the application's, with its seal and its keys.

    After each request it forgets what it has read, so that a test sees what the
    request stored.
    """
    database = app.extensions["sqlalchemy"]
    with app.app_context():
        made = Session(
            database.engine, info=database.session.session_factory.kw["info"]
        )

    def forget(_app: Flask, **_rest: object) -> None:
        made.rollback()

    with made, request_tearing_down.connected_to(forget, app):
        yield made


@pytest.fixture
def signed_in(app: Flask, session: Session, world: rows.World) -> SignedIn:
    """A browser in which somebody of the world is signed in: ``signed_in("teacher")``.

    Takes the name of a person of the world, or a ``Someone``.
    """

    def make(who: str | rows.Someone) -> FlaskClient:
        person = getattr(world, who) if isinstance(who, str) else who
        secret = accounts.open_session(
            session, person.id, browser="Firefox", now=clock.now()
        )
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = secret
            cookie["_fresh"] = True
        return client

    return make
