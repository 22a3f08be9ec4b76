"""What imports, pages and files may be: the promises that types cannot make."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scheduler import paths

ROOT = paths.ROOT
PACKAGE = paths.PACKAGE
SOURCES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted(
    page
    for page in paths.TEMPLATES.rglob("*")
    if page.suffix in {".html", ".svg"} and "mail" not in page.parts
)
PURE = ("domain", "matching")
SOLVERS_HOME = "scheduler/matching/highs.py"
SEARCHES = {
    SOLVERS_HOME,
    "scheduler/matching/improve.py",
    "scheduler/matching/optimum.py",
}

MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:work|root|tmp|home)/\w")
REGISTRY = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|npmjs\.com")
JINJA = re.compile(r"{[{%#].*?[}%#]}", re.DOTALL)


def under(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def tracked_files() -> list[Path]:
    """What is, or with the next `git add` would be, in the repository."""
    listed = subprocess.run(
        ("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"),
        capture_output=True, check=True, cwd=ROOT,
    )  # fmt: skip
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


class Forbidden(HTMLParser):
    """Collects what the strict Content-Security-Policy would refuse to apply."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(
        self, tag: str, attributes: list[tuple[str, str | None]]
    ) -> None:
        names = {name for name, _ in attributes}
        refused = {name for name in names if name == "style" or name.startswith("on")}
        if tag == "style" or (tag == "script" and "src" not in names):
            refused.add(f"inline {tag}")
        line, _ = self.getpos()
        self.found += [f"line {line}: <{tag}> {what}" for what in sorted(refused)]


def test_import_contracts_hold(tmp_path: Path):
    lint = "from importlinter.cli import lint_imports_command as lint; lint()"
    arguments = ("--no-logo", "--cache-dir", str(tmp_path))
    done = subprocess.run(
        (sys.executable, "-c", lint, *arguments),
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
    )

    assert done.returncode == 0, done.stdout


def test_rules_and_matching_need_the_standard_library_only():
    """-S leaves site-packages out: any import from there is an error."""
    modules = [
        module_of(path)
        for room in PURE
        for path in under(room)
        if name_of(path) not in SEARCHES
    ]

    done = subprocess.run(
        (sys.executable, "-S", "-c", f"import {', '.join(modules)}"),
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
    )

    assert done.returncode == 0, done.stderr


def test_the_solver_has_one_home():
    """Who only checks, explains or queues must not need a solver."""
    solver = re.compile(r"^(?:import|from) (?:highspy|numpy)", re.MULTILINE)
    places = {name_of(path) for path in SOURCES if solver.search(path.read_text())}

    assert places == {SOLVERS_HOME}


def test_there_is_one_commit():
    """Every use case is one transaction, and one helper ends it."""
    places = [
        name_of(path)
        for path in SOURCES
        for _ in re.findall(r"\.commit\(", path.read_text(encoding="utf-8"))
    ]

    assert places == ["scheduler/services/transaction.py"]


def test_current_app_stays_in_the_outer_rooms():
    allowed = ("scheduler/app.py", "scheduler/cli.py", "scheduler/demo/",
               "scheduler/jobs/", "scheduler/web/")  # fmt: skip
    places = {
        name_of(path)
        for path in SOURCES
        if "current_app" in path.read_text(encoding="utf-8")
    }

    assert {place for place in places if not place.startswith(allowed)} == set()


def test_the_package_itself_imports_nothing():
    """An import here would drag Flask into every pure module."""
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")

    assert re.findall(r"^(?:from (?!__future__)|import ).*", text, re.MULTILINE) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_holds_nothing_that_the_security_policy_refuses(page: Path):
    def keep_lines(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n")

    parser = Forbidden()
    parser.feed(JINJA.sub(keep_lines, page.read_text(encoding="utf-8")))

    assert not parser.found, "\n".join(parser.found)


def test_no_file_names_a_machine_or_a_registry():
    """A clone must work, and read well, anywhere."""
    mine = Path(__file__)
    found = [
        f"{name_of(path)}: {match[0]}"
        for path in tracked_files()
        if path != mine
        for pattern in (MACHINE_PATH, REGISTRY)
        for match in pattern.finditer(path.read_text("utf-8", errors="ignore"))
    ]

    assert not found, "\n".join(found)
