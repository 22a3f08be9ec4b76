"""The wheel carries everything and works from anywhere; the locks fit the project."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

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


def run(installed: Path, tmp_path: Path, *command: str) -> str:
    """Run a program of that environment, far from the checkout."""
    keep = ("LANG", "LC_ALL", "PATH", "TMPDIR")
    done = subprocess.run(
        (str(installed / "bin" / command[0]), *command[1:]),
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={key: os.environ[key] for key in keep if key in os.environ}
        | {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'visits.db'}",
            "MAILBOX_DIR": str(tmp_path / "mailbox"),
            "SEAL_KEYS": "a key for tests",
            "SECRET_KEY": "a secret for tests",
        },
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


GET_THE_FIRST_PAGE = """
import os
from config import Settings
from scheduler.app import create_app
client = create_app(Settings.from_env(os.environ)).test_client()
answer = client.get("/", follow_redirects=True)
print(answer.status_code, answer.mimetype)
"""


def test_the_wheel_works_away_from_the_checkout(installed: Path, tmp_path: Path):
    where = run(
        installed,
        tmp_path,
        "python",
        "-c",
        "import scheduler.paths as p; print(p.ROOT)",
    )
    run(installed, tmp_path, "scheduler", "db", "upgrade")
    run(installed, tmp_path, "scheduler", "doctor")
    page = run(installed, tmp_path, "python", "-c", GET_THE_FIRST_PAGE)

    assert Path(where.strip()).is_relative_to(installed)
    assert page.split() == ["200", "text/html"]


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
