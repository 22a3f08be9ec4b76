"""What a demo keeps: its keys, its day, its place; and how it forgets them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from smtplib import SMTP

import pytest

from config import Settings
from scheduler import clock
from scheduler.demo import serve
from scheduler.domain.localtime import local, local_day
from tests.mail.peers import free_port

SPRING_2029 = datetime(2029, 4, 1, 9, tzinfo=UTC)
WINTER_2027 = datetime(2027, 1, 11, 9, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> serve.Place:
    return serve.place_of({"DATABASE_URL": f"sqlite:///{tmp_path / 'visits.db'}"})


@pytest.fixture(autouse=True)
def _machine_clock() -> Iterator[None]:
    yield
    clock.shift(timedelta(0))


def machine_shows(moment: datetime) -> None:
    clock.shift(timedelta(0))
    clock.shift(moment - clock.now())


def environment(place: serve.Place, **given: str) -> dict[str, str]:
    return serve.environment(given, place, port=8000, mail_port=8025)


def test_its_environment_is_complete(place: serve.Place):
    settings = Settings.from_env(environment(place))

    assert settings.demo
    assert settings.loop_in_web
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.smtp_port == settings.catcher_port == 8025


def test_what_the_caller_sets_stands(place: serve.Place):
    assert environment(place, OUTBOX_SECONDS="9")["OUTBOX_SECONDS"] == "9"


def test_its_keys_are_made_once_and_are_the_owners(place: serve.Place):
    first, second = environment(place), environment(place)

    mode = stat.S_IMODE((place.folder / serve.KEYS).stat().st_mode)
    assert first["SEAL_KEYS"] == second["SEAL_KEYS"]
    assert first["SECRET_KEY"] == second["SECRET_KEY"] != first["SEAL_KEYS"]
    assert mode == 0o600


def test_in_the_samples_year_its_day_is_today(place: serve.Place):
    machine_shows(WINTER_2027)

    assert "CLOCK_STARTS_AT" not in environment(place)


def test_at_another_time_it_begins_on_a_monday_in_november(place: serve.Place):
    machine_shows(SPRING_2029)

    starts_at = datetime.fromisoformat(environment(place)["CLOCK_STARTS_AT"])

    assert local(starts_at).strftime("%A %d %B %Y %H:%M") == (
        "Monday 23 November 2026 08:30"
    )


def test_its_time_never_goes_back(place: serve.Place):
    machine_shows(SPRING_2029)
    environment(place)

    machine_shows(SPRING_2029 + timedelta(days=3))
    later = datetime.fromisoformat(environment(place)["CLOCK_STARTS_AT"])

    assert local_day(later) == date(2026, 11, 26)


def test_it_says_when_its_year_is_over():
    assert not serve.is_over(WINTER_2027)
    assert serve.is_over(SPRING_2029)


def test_its_place_is_beside_its_database(tmp_path: Path):
    file = serve.place_of({"DATABASE_URL": f"sqlite:///{tmp_path}/a/visits.db"})
    server = serve.place_of({"DATABASE_URL": "postgresql://somewhere/visits"})
    none = serve.place_of({})

    assert (file.folder, file.is_file) == (tmp_path / "a", True)
    assert (server.folder, server.is_file) == (Path("instance"), False)
    assert none.database == Path("instance/visits.db")


def test_reset_forgets_everything_and_may_come_first(place: serve.Place):
    serve.reset(place)
    environment(place)
    place.database.write_text("rows")
    mailbox = place.folder / serve.MAILBOX / "new"
    mailbox.mkdir(parents=True)

    serve.reset(place)

    assert list(place.folder.iterdir()) == []


def test_the_catcher_listens_until_it_is_ended(place: serve.Place):
    port = free_port()
    folder = place.folder / serve.MAILBOX

    end = serve.start_catcher(
        folder,
        port=port,
        answers=place.folder / serve.ANSWERS,
        addresses=["visites@example.org"],
    )
    with SMTP("127.0.0.1", port) as client:
        client.sendmail("a@example.org", ["b@example.org"], b"Subject: x\r\n\r\nx")
    end()

    assert len(list((folder / "new").iterdir())) == 1
    with pytest.raises(ConnectionRefusedError):
        SMTP("127.0.0.1", port)
