"""The command line: what each command does, and that troubles are sentences."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler import logs, paths
from scheduler.cli import main
from scheduler.mail.mailboxes import Maildir
from scheduler.persistence.models.network import OrganisationRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.reference import CommuneRow
from scheduler.services.house import House
from tests.conftest import SEAL_KEY
from tests.mail.peers import free_port
from tests.rows import NOW
from tests.services.letters import store_note

PATIENCE_SECONDS = 90
Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def _same_logging_afterwards() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.TALKATIVE}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "MAILBOX_DIR": str(tmp_path / "mailbox"),
        "SEAL_KEYS": SEAL_KEY,
        "SECRET_KEY": "a secret for tests",
        "SMTP_PORT": str(free_port()),
    }


@pytest.fixture
def command(environment: dict[str, str]) -> Command:
    def run(*words: str, **more: str) -> Result:
        return CliRunner().invoke(main, words, env={**environment, **more})

    return run


# ------------------------------------------------------------------ troubles


def test_settings_are_told_all_at_once(command: Command):
    done = command("worker", SECRET_KEY="", SMTP_PORT="many", SMTP_TLS="perhaps")

    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "Error: Settings to mend:",
        "  - SMTP_PORT cannot be read: 'many'",
        "  - SECRET_KEY is missing (any long random text)",
        "  - SMTP_TLS must be none, starttls or tls",
    ]


@pytest.mark.parametrize("name", ["serve", "worker", "seed", "outbox"])
def test_a_database_that_is_behind_is_refused(
    command: Command, tmp_path: Path, name: str
):
    done = command(name, DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")

    assert done.exit_code == 1
    assert "Run `scheduler migrate` first" in done.output


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense://", "DATABASE_URL cannot be used"),
        ("not an address", "DATABASE_URL cannot be used"),
        ("postgresql://nobody@127.0.0.1:1/none", "The database does not answer"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(command: Command, url: str, said: str):
    done = command("outbox", DATABASE_URL=url)

    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "option"),
    [(("demo", "--port"), "--port"), (("demo", "--mail-port"), "--mail-port")],
)
def test_a_port_that_is_taken_is_told(
    command: Command, tmp_path: Path, words: tuple[str, str], option: str
):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        others = {"--port": "--mail-port", "--mail-port": "--port"}
        done = command(*words, str(port), others[option], str(free_port()))

    assert done.exit_code == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in done.output
    assert option in done.output


def test_a_port_that_serve_cannot_have_is_told(command: Command):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = command("serve", "--bind", f"127.0.0.1:{taken.getsockname()[1]}")

    assert done.exit_code == 1
    assert "--bind chooses another one" in done.output


def test_reset_is_for_files(command: Command):
    done = command(
        "demo",
        "--reset",
        "--port",
        str(free_port()),
        "--mail-port",
        str(free_port()),
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
    )

    assert done.exit_code == 1
    assert "--reset works where the database is a SQLite file" in done.output


# ------------------------------------------------------------------ data


def test_migrate_makes_a_database_and_does_no_more(command: Command, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'deep' / 'new.db'}"

    first, second = (command("migrate", DATABASE_URL=url) for _ in range(2))

    assert first.output.startswith("The database went from nothing and is now at")
    assert second.output.startswith("The database is at revision")


def test_seed_fills_the_lists_once(command: Command, session: Session):
    first, second = command("seed"), command("seed")

    assert "communes: 4516" in first.output
    assert second.output == "The reference lists were complete.\n"
    assert session.scalar(select(func.count(CommuneRow.insee))) == 4516
    assert session.scalar(select(func.count(OrganisationRow.id))) == 0


def test_seed_takes_the_sample_into_an_empty_database_only(
    command: Command, session: Session
):
    first, second = command("seed", "--sample"), command("seed", "--sample")

    assert first.output.endswith("The sample is loaded.\n")
    assert second.output.endswith("the sample was left out.\n")
    assert session.scalar(select(func.count(OrganisationRow.id))) > 50


def test_density_is_imported_from_a_file(command: Command, tmp_path: Path):
    file = tmp_path / "density.csv"
    file.write_text("CODGEO;DENS\n44051;6\n99999;7\n", encoding="utf-8")
    command("seed")

    done = command("import-density", str(file))
    wrong = command("import-density", str(paths.CONFIG))

    assert done.output == (
        "1 communes have their level; 1 of the file are not in this service.\n"
    )
    assert wrong.exit_code == 1
    assert "needs a column of INSEE codes" in wrong.output


def test_outbox_says_what_is_stuck_and_sends_it_again(
    command: Command, session: Session
):
    session.info["house"] = House(link_key=b"a key", mail_domain="visits.example")
    number = store_note(session, "secret@example.org", now=NOW)
    row = session.get_one(MessageRow, number)
    row.state, row.error = MessageState.DEAD, "recipient_refused: 550 unknown"
    session.commit()

    before = command("outbox").output
    again = command("outbox", "retry", str(number)).output
    session.expire_all()
    row = session.get_one(MessageRow, number)

    assert "dead: 1" in before
    assert "recipient_refused: 550 unknown" in before
    assert "secret" not in before
    assert again == f"Message {number} goes out with the next round.\n"
    assert row.state is MessageState.WAITING


def test_outbox_retries_only_what_can_be_sent(command: Command, session: Session):
    session.info["house"] = House(link_key=b"a key", mail_domain="visits.example")
    number = store_note(session, "a@example.org", now=NOW)
    session.get_one(MessageRow, number).state = MessageState.SENT
    session.commit()

    sent, unknown = (command("outbox", "retry", each) for each in (str(number), "999"))

    assert sent.exit_code == unknown.exit_code == 1
    assert "cannot be sent again" in sent.output
    assert unknown.output == "Error: There is no message 999.\n"


def test_an_empty_outbox_says_so(command: Command):
    assert command("outbox").output == "No message was ever recorded.\n"


# ------------------------------------------------------------------ inbox

PLAIN = b"From: a@example.org\r\nSubject: yes\r\n\r\nI am coming!\r\n"


def test_a_message_from_a_file_is_judged(command: Command, tmp_path: Path):
    file = tmp_path / "yes.eml"
    file.write_bytes(PLAIN)

    tried, done, again = (
        command("inbox", "process", str(file), *more)
        for more in (["--dry-run"], [], [])
    )

    verdict = json.loads(tried.stdout)
    assert tried.exit_code == done.exit_code == again.exit_code == 0
    assert (verdict["effect"], verdict["reason"]) == ("ignore", "no_calendar")
    assert verdict["for_person"]
    assert json.loads(done.stdout) == verdict | {"dry_run": False}
    assert json.loads(again.stdout)["reason"] == "already_read"


def test_a_huge_file_is_judged_by_its_beginning(command: Command, tmp_path: Path):
    file = tmp_path / "huge.eml"
    with file.open("wb") as stream:
        stream.write(PLAIN)
        stream.truncate(30_000_000)

    done = command("inbox", "process", str(file))

    verdict = json.loads(done.stdout)
    assert (verdict["effect"], verdict["reason"]) == ("reject", "too_large")


def test_a_file_that_is_not_there_is_told(command: Command, tmp_path: Path):
    done = command("inbox", "process", str(tmp_path / "nowhere.eml"))

    assert done.exit_code == 2
    assert "does not exist" in done.output


def test_the_mailbox_is_read_once(command: Command, tmp_path: Path):
    folder = tmp_path / "answers"
    Maildir(folder=folder).deliver(PLAIN, name="1.a")
    where = {"ANSWERS_MAILBOX": "maildir", "ANSWERS_DIR": str(folder)}

    nowhere = command("inbox", "read")
    first, second = command("inbox", "read", **where), command("inbox", "read", **where)

    assert nowhere.exit_code == 1
    assert first.stdout.endswith("1 messages were read.\n")
    assert second.stdout.endswith("0 messages were read.\n")


# ------------------------------------------------------------------ doctor


def test_doctor_finds_a_sound_service(command: Command):
    done = command("doctor")

    lines = {line.split()[1]: line.split()[0] for line in done.output.splitlines()}
    assert done.exit_code == 0
    assert lines == {
        "settings": "ok",
        "database": "ok",
        "templates": "ok",
        "translations": "ok",
        "mail": "--",
        "answers": "--",
        "loop": "--",
    }


def test_doctor_finds_a_mail_server(command: Command):
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        done = command("doctor", SMTP_PORT=str(server.getsockname()[1]))

    assert "answers" in done.output


def test_doctor_finds_a_database_without_tables(command: Command, tmp_path: Path):
    done = command("doctor", DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")

    assert done.exit_code == 1
    assert "WRONG  database" in done.output


# ------------------------------------------------------------------ logging


def test_in_production_a_line_is_json(capsys: pytest.CaptureFixture[str]):
    logs.configure(level="INFO", for_people=False)

    structlog.get_logger().info("purged", links=3)
    logging.getLogger("elsewhere").warning("careful")
    structlog.get_logger().debug("not shown")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("purged", "info"),
        ("careful", "warning"),
    ]
    assert lines[0]["links"] == 3


def test_in_the_demo_a_line_is_for_people(capsys: pytest.CaptureFixture[str]):
    logs.configure(level="nonsense", for_people=True)

    structlog.get_logger().info("purged", links=3)

    line = capsys.readouterr().err
    assert "purged" in line
    assert "links=3" in line
    assert not line.startswith("{")


# ------------------------------------------------------------------ processes


@contextmanager
def running(
    *words: str, env: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen]:
    """The real program, stopped as a person or a service manager stops it."""
    process = subprocess.Popen(
        (sys.executable, "-m", "scheduler.cli", *words),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(paths.ROOT), **env},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            code = process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
    assert code in {0, -signal.SIGTERM}


def wait_for(happened: Callable[[], bool], process: subprocess.Popen) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert process.poll() is None, "the program ended by itself"
        assert time.monotonic() < until
        time.sleep(0.1)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            return page.status == 200
    except OSError:
        return False


def test_the_demo_serves_sends_and_keeps_what_it_has(tmp_path: Path):
    """Two starts: pages, the sample, mail over real SMTP; then nothing new is made."""
    port, mail_port = free_port(), free_port()
    words = ("demo", "--port", str(port), "--mail-port", str(mail_port))
    url = f"sqlite:///{tmp_path / 'instance' / 'visits.db'}"
    caught = tmp_path / "instance" / "mailbox" / "new"

    def mails() -> int:
        return len(list(caught.iterdir())) if caught.is_dir() else 0

    with running(*words, env={}, folder=tmp_path) as process:
        wait_for(lambda: answers(port), process)
        wait_for(lambda: mails() > 2, process)
    first = mails()
    with running(*words, env={}, folder=tmp_path) as process:
        wait_for(lambda: answers(port), process)

    done = CliRunner().invoke(
        main,
        ["seed", "--sample"],
        env={"DATABASE_URL": url, "SECRET_KEY": "x", "SEAL_KEYS": "y"},
    )
    assert mails() >= first > 2
    assert "the sample was left out" in done.output


def test_serve_answers_and_stops_cleanly(environment: dict[str, str], tmp_path: Path):
    port = free_port()
    env = {**environment, "LOOP_IN_WEB": "1"}

    with running(
        "serve", "--bind", f"127.0.0.1:{port}", env=env, folder=tmp_path
    ) as process:
        wait_for(lambda: answers(port), process)
