"""The wheel carries everything and works from anywhere; the locks fit the project."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
import tomllib
import venv
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scheduler import paths

ROOT = paths.ROOT
REQUIREMENTS = ROOT / "requirements"


def pins(name: str) -> dict[str, str]:
    """Each package of a lock with its version."""
    lines = (REQUIREMENTS / name).read_text(encoding="utf-8").splitlines()
    pinned = [line.split()[0].split("==") for line in lines if "==" in line]
    return {canonicalize_name(package): version for package, version in pinned}


def asked() -> list[Requirement]:
    """What pyproject.toml asks for at run time, PostgreSQL included."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extra = project["optional-dependencies"]["postgresql"]
    return [Requirement(line) for line in project["dependencies"] + extra]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with our wheel, and the locked packages of this one beside it."""
    wheels = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)),
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = wheels.glob("*.whl")
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, symlinks=True, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    packages = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "locked.pth").write_text("\n".join(sorted(packages)))
    subprocess.run(
        (sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"),
         "install", "--quiet", "--disable-pip-version-check", "--no-index",
         "--no-deps", str(wheel)),
        check=True,
    )  # fmt: skip
    return home


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, Any]:
    """How to run something far from the checkout, with a database of its own."""
    keep = {"LANG", "LC_ALL", "PATH", "TMPDIR"} & os.environ.keys()
    environment = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'visits.db'}",
        "SEAL_KEYS": "a key for tests",
        "SECRET_KEY": "a secret for tests",
    }
    environment |= {key: os.environ[key] for key in keep}
    return {"cwd": tmp_path, "env": environment, "text": True}


def said(*command: str | Path, **elsewhere: Any) -> str:
    done = subprocess.run(command, capture_output=True, check=False, **elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_works_away_from_the_checkout(
    installed: Path, elsewhere: dict[str, Any]
):
    script = "import scheduler.paths; print(scheduler.paths.ROOT)"

    root = said(installed / "bin" / "python", "-c", script, **elsewhere)
    said(installed / "bin" / "scheduler", "migrate", **elsewhere)
    health = said(installed / "bin" / "scheduler", "doctor", **elsewhere)

    assert Path(root.strip()).is_relative_to(installed)
    assert "WRONG" not in health


def test_the_installed_service_shows_its_first_page(
    installed: Path, elsewhere: dict[str, Any]
):
    said(installed / "bin" / "scheduler", "migrate", **elsewhere)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"

    with subprocess.Popen(
        (installed / "bin" / "scheduler", "serve", "--bind", address),
        stdout=subprocess.PIPE,
        **elsewhere,
    ) as service:
        try:
            greeting = service.stdout.readline().strip()
            with urlopen(f"http://{address}/") as answer:
                status, page = answer.status, answer.read().decode()
        finally:
            service.terminate()

    assert greeting == f"Serving on http://{address}"
    assert status == HTTPStatus.OK
    assert "<html" in page


def test_the_run_lock_fits_what_the_project_asks_for():
    pinned = pins("run.lock")

    unmet = [
        str(each)
        for each in asked()
        if not each.specifier.contains(pinned.get(canonicalize_name(each.name), "0"))
    ]

    assert unmet == []


def test_the_develop_lock_holds_the_run_lock():
    """`./run` takes an environment made from the one for one made from the other."""
    assert pins("develop.lock").items() >= pins("run.lock").items()
