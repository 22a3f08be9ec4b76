"""What makes a demo of the service: its own keys, day, mail catcher and sample."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from scheduler import clock
from scheduler.demo.catcher import Answers, Catcher
from scheduler.domain.localtime import instant, local_day
from scheduler.mail.mailboxes import Maildir

FOLDER = Path("instance")
DATABASE = "visits.db"
KEYS = "demo-keys"
MAILBOX = "mailbox"
ANSWERS = "answers"
SQLITE = "sqlite:///"
OWNER_ONLY = 0o600
KEY_BYTES = 32

# The sample's slots lie in the school year 2026-27 (docs/decisions/0004).
FIRST_DAY, LAST_DAY = date(2026, 9, 1), date(2027, 4, 15)
OTHERWISE = instant(date(2026, 11, 23), time(8, 30))


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a demo keeps itself: beside its database."""

    folder: Path
    database_url: str

    @property
    def is_file(self) -> bool:
        return self.database_url.startswith(SQLITE)

    @property
    def database(self) -> Path:
        return Path(self.database_url.removeprefix(SQLITE))


def place_of(env: Mapping[str, str]) -> Place:
    """The folder of DATABASE_URL if that is a file, else ``instance``."""
    url = env.get("DATABASE_URL") or f"{SQLITE}{FOLDER / DATABASE}"
    folder = Path(url.removeprefix(SQLITE)).parent if url.startswith(SQLITE) else FOLDER
    return Place(folder=folder, database_url=url)


def environment(
    env: Mapping[str, str], place: Place, *, port: int, mail_port: int
) -> dict[str, str]:
    """The settings of a demo; what the caller's environment says stands."""
    kept = _kept(place.folder / KEYS)
    defaults = {
        "SECRET_KEY": kept.secret_key,
        "SEAL_KEYS": kept.seal_key,
        "DATABASE_URL": place.database_url,
        "DEMO": "1",
        "LOOP_IN_WEB": "1",
        "OUTBOX_SECONDS": "2",
        # Whoever tries it out in the evening waits for every mail.
        "POLICY_QUIET_FROM": "00:00",
        "POLICY_QUIET_UNTIL": "00:00",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mail_port),
        "CATCHER_PORT": str(mail_port),
        "MAILBOX_DIR": str(place.folder / MAILBOX),
        "ANSWERS_MAILBOX": "maildir",
        "ANSWERS_DIR": str(place.folder / ANSWERS),
        "ANSWERS_SECONDS": "2",
    }
    if kept.clock_ahead is not None:
        # The same distance at each start: the demo's time must never go back.
        shown = clock.now() + kept.clock_ahead
        defaults["CLOCK_STARTS_AT"] = shown.astimezone(UTC).isoformat()
    return {**defaults, **env}


def reset(place: Place) -> None:
    """Forget everything that a demo has kept."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{place.database}{suffix}").unlink(missing_ok=True)
    (place.folder / KEYS).unlink(missing_ok=True)
    for name in (MAILBOX, ANSWERS):
        shutil.rmtree(place.folder / name, ignore_errors=True)


def is_over(now: datetime) -> bool:
    """Whether the demo's day has left the sample's school year."""
    return local_day(now) > LAST_DAY


def start_catcher(
    folder: Path, *, port: int, answers: Path, addresses: Iterable[str]
) -> Callable[[], None]:
    """Catch mail in this process; returns what ends it.

    What is sent to one of the addresses goes to the folder that the loop reads.
    """
    mailbox = Maildir(folder=answers)
    mailbox.make()
    catcher = Catcher(
        folder,
        port=port,
        answers=Answers(
            mailbox=mailbox, addresses=frozenset(each.lower() for each in addresses)
        ),
    )
    catcher.start()
    return catcher.stop


@dataclass(frozen=True, kw_only=True)
class _Kept:
    secret_key: str
    seal_key: str
    clock_ahead: timedelta | None


def _kept(file: Path) -> _Kept:
    """The keys and the day, made at the first start."""
    if not file.exists():
        _make(file)
    found = json.loads(file.read_text(encoding="utf-8"))
    ahead = found["clock_ahead_seconds"]
    return _Kept(
        secret_key=found["secret_key"],
        seal_key=found["seal_key"],
        clock_ahead=None if ahead is None else timedelta(seconds=ahead),
    )


def _make(file: Path) -> None:
    now = clock.now()
    fits = FIRST_DAY <= local_day(now) <= LAST_DAY
    made = {
        "secret_key": secrets.token_urlsafe(KEY_BYTES),
        "seal_key": secrets.token_urlsafe(KEY_BYTES),
        "clock_ahead_seconds": None if fits else (OTHERWISE - now).total_seconds(),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=OWNER_ONLY)
    file.chmod(OWNER_ONLY)
    file.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
