"""The sample, stored once; each test gets a copy, on the morning of the journeys."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Settings
from scheduler import clock
from scheduler.demo.sample import load_sample
from scheduler.persistence.engine import make_engine, make_session
from scheduler.persistence.queries import access
from scheduler.persistence.sealed import Seal
from scheduler.services import accounts
from scheduler.services.house import House
from scheduler.services.reference import load_reference
from tests.conftest import SEAL_KEY
from tests.journeys.service import MORNING

NOW = datetime.fromisoformat(MORNING)
SignedIn = Callable[[str], FlaskClient]


@pytest.fixture(scope="session")
def sample_file(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    file = tmp_path_factory.mktemp("sample") / "sample.db"
    shutil.copyfile(sqlite_template, file)
    engine = make_engine(f"sqlite:///{file}")
    with make_session(engine, Seal((SEAL_KEY,))) as session:
        session.info["house"] = House(link_key=b"only for making the sample")
        load_reference(session)
        load_sample(session, now=NOW)
    engine.dispose()
    return file


@pytest.fixture
def database_url(sample_file: Path, tmp_path: Path) -> str:
    file = tmp_path / "visits.db"
    shutil.copyfile(sample_file, file)
    return f"sqlite:///{file}"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The demo's own pages are looked at too; a port of its own for the mail."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return replace(settings, demo=True, smtp_port=port, catcher_port=port)


@pytest.fixture(autouse=True)
def morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The application's own kind of session, outside any request."""
    with app.app_context():
        yield app.extensions["sqlalchemy"].session()
        app.extensions["sqlalchemy"].session.remove()


@pytest.fixture
def signed_in(app: Flask) -> SignedIn:
    """A browser in which the person of this address is signed in."""

    def make(email: str) -> FlaskClient:
        client = app.test_client()
        with app.app_context():
            session = app.extensions["sqlalchemy"].session()
            person = access.person_by_email(session, email)
            assert person is not None
            secret = accounts.open_session(
                session, person.id, browser="Firefox", now=NOW
            )
        with client.session_transaction() as cookie:
            cookie["_user_id"] = secret
            cookie["_fresh"] = True
        return client

    return make
