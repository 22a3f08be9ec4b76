"""The console script ``scheduler``: run the service and look after it.

Whoever types a command gets sentences. What is wrong with the settings, the database
or a file is told in one; a traceback here is a bug.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask import Flask
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from scheduler import clock, logs, paths, wording
from scheduler.app import answers_mailbox, create_app
from scheduler.demo import serve as demo_parts
from scheduler.demo.network import COORDINATOR_NAME
from scheduler.demo.sample import load_sample
from scheduler.domain.refusals import NotFound, Refusal, Refused
from scheduler.extensions import db
from scheduler.jobs.runner import Loop
from scheduler.jobs.table import jobs
from scheduler.jobs.workshop import Workshop
from scheduler.mail.mailboxes import ENOUGH, Unreadable
from scheduler.match_commands import (
    FILE as PLAN_FILE,
    NEW_FILE,
    match_group,
    read_file,
    write_file,
)
from scheduler.matching.plan import read_plan
from scheduler.matching.writing import problem_as_json
from scheduler.persistence import migrate as migrations
from scheduler.persistence.engine import absolute, make_engine
from scheduler.persistence.queries import outbox as messages, outbox_lists
from scheduler.services import (
    campaign_problem,
    contacts,
    directory,
    inbox,
    lease,
    outbox as post_room,
    reference,
    run_work,
    runs,
)
from scheduler.web.server import THREADS, Server, Serving, Stop

if TYPE_CHECKING:
    from config import Settings

LOCAL = "127.0.0.1"
WEB_PORT, MAIL_PORT = 8000, 8025
STUCK_SHOWN = FAULTS_SHOWN = 20
SHORT_WAIT_SECONDS = 3
TERMINATED = 128 + signal.SIGTERM


class Sentences(click.Group):
    """Turns what an operator can mend into a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except _config().BadSettings as wrong:
            lines = "\n".join(f"  - {line}" for line in str(wrong).splitlines())
            raise click.ClickException(f"Settings to mend:\n{lines}") from wrong
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as wrong:
            raise click.ClickException(
                f"DATABASE_URL cannot be used: {_first_line(wrong)}"
            ) from wrong
        except DBAPIError as wrong:
            raise click.ClickException(
                f"The database does not answer as it should: {_first_line(wrong.orig)}"
            ) from wrong
        except reference.UnreadableFile as wrong:
            raise click.ClickException(str(wrong)) from wrong
        except OSError as wrong:
            raise click.ClickException(str(wrong)) from wrong


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="company-visits-scheduler")
def main() -> None:
    """Company visits by school classes: run the service and look after it."""


main.add_command(match_group)

# ---------------------------------------------------------------- processes


@main.command()
@click.option("--port", default=WEB_PORT, show_default=True, help="Of the pages.")
@click.option("--mail-port", default=MAIL_PORT, show_default=True, help="Of the mail.")
@click.option("--reset", is_flag=True, help="Begin again with fresh sample data.")
def demo(port: int, mail_port: int, *, reset: bool) -> None:
    """Everything in one: sample data, pages, loop, and a mail catcher."""
    place = demo_parts.place_of(os.environ)
    _demand_free(LOCAL, port, "--port")
    _demand_free(LOCAL, mail_port, "--mail-port")
    if reset:
        if not place.is_file:
            raise click.ClickException(
                "--reset works where the database is a SQLite file; "
                "empty this one with its own tools."
            )
        demo_parts.reset(place)
    env = demo_parts.environment(os.environ, place, port=port, mail_port=mail_port)
    settings = _settings(env)
    app = create_app(settings)
    with app.app_context():
        _prepare_demo(db.engine)
        # The process that serves is forked from this one: no connection may be shared.
        db.engine.dispose()

    def beside(running: Flask) -> Stop:
        end_catcher = demo_parts.start_catcher(
            Path(settings.mailbox_dir),
            port=settings.catcher_port,
            answers=Path(settings.answers_dir),
            addresses={
                settings.mail_from,
                settings.bounce_address or settings.mail_from,
            },
        )
        end_loop = _start_loop(running, settings, env)

        def end() -> None:
            end_loop()
            end_catcher()

        return end

    Server(
        lambda: app,
        Serving(
            bind=f"{LOCAL}:{port}",
            ready=lambda: click.echo(_welcome(settings)),
            beside=beside,
        ),
    ).run()


@main.command()
@click.option("--bind", default=f"{LOCAL}:{WEB_PORT}", show_default=True)
@click.option("--workers", type=click.IntRange(1), help="1 on SQLite, else 2.")
@click.option("--threads", default=THREADS, show_default=True)
def serve(bind: str, workers: int | None, threads: int) -> None:
    """The pages, for production: behind a web server that speaks TLS."""
    settings = _settings(os.environ)
    _demand_migrated(settings)
    host, _, port = bind.rpartition(":")
    if host and port.isdecimal():
        _demand_free(host, int(port), "--bind")
    on_sqlite = settings.database_url.startswith("sqlite")
    Server(
        lambda: create_app(settings),
        Serving(
            bind=bind,
            workers=workers or (1 if on_sqlite else 2),
            threads=threads,
            ready=lambda: click.echo(f"Serving on http://{bind}"),
            beside=lambda app: (
                _start_loop(app, settings, os.environ)
                if settings.loop_in_web
                else _no_loop
            ),
        ),
    ).run()


@main.command()
def worker() -> None:
    """The loop, for production: mail, reminders, expiries. Any number may run."""
    settings = _settings(os.environ)
    _demand_migrated(settings)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told.set())
    end = _start_loop(create_app(settings), settings, os.environ)
    click.echo("The loop runs. Stop it with Ctrl+C or SIGTERM.")
    told.wait()
    end()


# ---------------------------------------------------------------- data


@main.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    with _engine(_settings(os.environ)) as engine:
        before = migrations.current(engine)
        migrations.upgrade(engine)
        after = migrations.current(engine)
    told = "is" if before == after else f"went from {before or 'nothing'} and is now"
    click.echo(f"The database {told} at revision {after}.")


@main.command()
@click.option("--sample", is_flag=True, help="Also the invented hosts and schools.")
def seed(*, sample: bool) -> None:
    """Fill the reference lists. What is there already is never changed."""
    with _session() as session:
        added = reference.load_reference(session)
        click.echo(_list_of(added.items()) or "The reference lists were complete.")
        if not sample:
            return
        loaded = load_sample(session, now=clock.now())
        click.echo(
            "The sample is loaded."
            if loaded
            else "There are organisations already: the sample was left out."
        )


@main.command("import")
@click.argument("what", type=click.Choice(["members", "schools", "hosts", "people"]))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def import_table(what: str, file: Path) -> None:
    """Take organisations or people from a table (CSV, UTF-8, ;): all lines or none."""
    lines = _table(file)
    try:
        with _session() as session:
            if what == "people":
                done = contacts.import_people(session, lines, now=clock.now())
            else:
                take = {
                    "members": directory.import_members,
                    "schools": directory.import_schools,
                    "hosts": directory.import_hosts,
                }[what]
                done = take(session, lines)
    except Refused as refused:
        told = "\n".join(_wrong_line(each) for each in refused.refusals)
        raise click.ClickException(f"Nothing was taken.\n{told}") from refused
    click.echo(f"{done} of {len(lines)} lines were new.")


@main.command("import-density")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def import_density(file: Path) -> None:
    """Take INSEE's density levels (7-level grid, CSV) into the communes."""
    with _session() as session:
        done = reference.import_density(session, file)
    click.echo(
        f"{done.changed} communes have their level; "
        f"{done.unknown} of the file are not in this service."
    )


@main.group("outbox", invoke_without_command=True)
@click.pass_context
def outbox_group(ctx: click.Context) -> None:
    """How the mail stands; `outbox retry ID` sends one again."""
    if ctx.invoked_subcommand is not None:
        return
    with _session() as session:
        counts = messages.state_counts(session)
        stuck = outbox_lists.stuck(session, limit=STUCK_SHOWN)
    click.echo(_list_of(counts.items()) or "No message was ever recorded.")
    for each in stuck:
        click.echo(
            f"  {each.id}  {each.kind}  {each.state.value}, "
            f"tried {each.attempts} times, due {each.due_at:%Y-%m-%d %H:%M} UTC: "
            f"{each.error}"
        )


@outbox_group.command()
@click.argument("message_id", type=int)
def retry(message_id: int) -> None:
    """Send a message that is dead or waits again, at once."""
    with _session() as session:
        try:
            post_room.retry(session, message_id, now=clock.now())
        except NotFound as wrong:
            raise click.ClickException(f"There is no message {message_id}.") from wrong
        except Refusal as wrong:
            raise click.ClickException(
                f"Message {message_id} cannot be sent again: it is sent, being sent, "
                "replaced by a newer one, or its words are erased."
            ) from wrong
    click.echo(f"Message {message_id} goes out with the next round.")


# ---------------------------------------------------------------- campaigns


@match_group.command("work", hidden=True)
@click.argument("run_id", type=int)
def work(run_id: int) -> None:
    """Compute a run that waits: the loop starts this in a process of its own."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(TERMINATED))
    with _session() as session:
        try:
            run_work.work(session, run_id, now=clock.now)
        except SystemExit:
            runs.interrupt(session, run_id, now=clock.now())
            # The search goes on in its thread: it must not meet the end of Python.
            os._exit(TERMINATED)


@match_group.command("export")
@click.argument("campaign", type=int)
@click.option("-o", "--output", type=NEW_FILE, required=True, help="The instance.")
def export(campaign: int, output: Path) -> None:
    """Write CAMPAIGN (its number) as it is now: what `match solve` reads."""
    with _session() as session:
        try:
            taken = campaign_problem.snapshot(session, campaign, now=clock.now())
        except NotFound as wrong:
            raise click.ClickException(f"There is no campaign {campaign}.") from wrong
    write_file(output, problem_as_json(taken.problem))
    click.echo(
        f"{len(taken.problem.classes)} classes and {len(taken.problem.slots)} slots."
    )


@match_group.command("import")
@click.argument("campaign", type=int)
@click.argument("plan", type=PLAN_FILE)
@click.option("--label", default="", help="How the list of plans calls it.")
def import_plan(campaign: int, plan: Path, label: str) -> None:
    """Take a PLAN made elsewhere for CAMPAIGN, if it breaks no rule of today."""
    told = read_file(plan, read_plan)
    with _session() as session:
        try:
            run_id, report = run_work.take_plan(
                session, campaign, told, label=label or plan.stem, now=clock.now()
            )
        except NotFound as wrong:
            raise click.ClickException(f"There is no campaign {campaign}.") from wrong
    if run_id is None:
        faults = "".join(
            f"\n  {each.code}: {each.where}" for each in report.faults[:FAULTS_SHOWN]
        )
        raise click.ClickException(f"The plan breaks rules; nothing is kept.{faults}")
    click.echo(f"Kept as plan {run_id}: {report.objective['served']} classes served.")


# ---------------------------------------------------------------- inbox


@main.group("inbox")
def inbox_group() -> None:
    """Answers and delivery reports that came back by mail."""


@inbox_group.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Judge it, and change nothing.")
def process(file: Path, *, dry_run: bool) -> None:
    """Take one message from a file, as the loop would; its verdict as JSON."""
    with file.open("rb") as stream:
        octets = stream.read(ENOUGH)
    take = inbox.rehearse if dry_run else inbox.receive
    with _session() as session:
        done = take(session, octets, now=clock.now(), size=file.stat().st_size)
    click.echo(json.dumps(_verdict(done, dry_run=dry_run), indent=2))


@inbox_group.command()
def read() -> None:
    """Read the mailbox of answers once, now."""
    settings = _settings(os.environ)
    mailbox = answers_mailbox(settings)
    if mailbox is None:
        raise click.ClickException(
            "No mailbox is read: ANSWERS_MAILBOX is empty. It takes maildir or imap."
        )
    with _session() as session:
        try:
            count = inbox.read_mailbox(session, mailbox, now=clock.now)
        except Unreadable as wrong:
            raise click.ClickException(
                f"The mailbox cannot be read: {wrong.reason}."
            ) from wrong
    click.echo(f"{count} messages were read.")


def _verdict(done: inbox.Outcome, *, dry_run: bool) -> dict[str, Any]:
    """What became of a message, for programs."""
    return {
        "effect": done.effect.value,
        "reason": done.code,
        "visit": done.visit_id,
        "person": done.person or None,
        "audience": done.audience.value if done.audience else None,
        "invitation": done.invitation_id,
        "sequence": done.sequence,
        "dtstamp": done.dtstamp.isoformat() if done.dtstamp else None,
        "proposed": [each.isoformat() for each in done.proposed or ()] or None,
        "for_person": done.for_person,
        "dry_run": dry_run,
    }


# ---------------------------------------------------------------- doctor


@main.command()
def doctor() -> None:
    """Look at everything that the service needs, and say what is missing."""
    settings = _settings(os.environ)
    _say(ok=True, what="settings", words="complete")
    sound = True
    for what, look in (
        ("database", _look_at_database),
        ("templates", _look_at_templates),
        ("translations", _look_at_translations),
    ):
        try:
            _say(ok=True, what=what, words=look(settings))
        except Exception as wrong:  # noqa: BLE001 - each trouble is a line of the report
            sound = False
            _say(ok=False, what=what, words=_first_line(wrong))
    _say(ok=None, what="mail", words=_look_at_mail(settings))
    _say(ok=None, what="answers", words=_look_at_answers(settings))
    if sound:
        with _session() as session:
            _say(ok=None, what="loop", words=_look_at_loop(session))
    sys.exit(0 if sound else 1)


def _look_at_database(settings: Settings) -> str:
    with _engine(settings) as engine:
        current, head = migrations.current(engine), migrations.head(engine)
        if current != head:
            raise click.ClickException(_behind(current, head))
        return f"{engine.dialect.name}, revision {current}"


def _look_at_templates(settings: Settings) -> str:
    environment = create_app(settings).jinja_env
    names = environment.list_templates(
        filter_func=lambda name: name.endswith(".html") and not name.startswith("mail/")
    )
    for name in names:
        environment.get_template(name)
    return f"{len(names)} pages and parts can be read"


def _look_at_translations(_settings: Settings) -> str:
    found = sorted(file.parts[-3] for file in paths.TRANSLATIONS.glob("*/*/*.mo"))
    if not found:
        raise click.ClickException("no compiled catalogue: run `./run translations`")
    return ", ".join([*found, "en"])


def _look_at_mail(settings: Settings) -> str:
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        address = (settings.smtp_host, settings.smtp_port)
        with socket.create_connection(address, timeout=SHORT_WAIT_SECONDS):
            return f"{where} answers"
    except OSError as wrong:
        return f"{where} does not answer, mail waits ({_first_line(wrong)})"


def _look_at_answers(settings: Settings) -> str:
    mailbox = answers_mailbox(settings)
    if mailbox is None:
        return "nobody reads answers by mail: ANSWERS_MAILBOX is empty"
    try:
        return f"{settings.answers_mailbox}, {mailbox.look()} messages wait"
    except Unreadable as wrong:
        return f"{settings.answers_mailbox} cannot be read ({wrong.reason})"


def _look_at_loop(session: Session) -> str:
    beat = lease.last_beat(session)
    if beat is None:
        return "never ran here: start `scheduler worker`"
    return f"last heard of {int((clock.now() - beat).total_seconds())} seconds ago"


def _say(*, ok: bool | None, what: str, words: str) -> None:
    mark = {True: "ok", False: "WRONG", None: "--"}[ok]
    click.echo(f"{mark:<7}{what:<14}{words}")


# ---------------------------------------------------------------- what they share


def _config() -> Any:
    """The module that reads settings; it lies beside the package, not in it."""
    if "config" in sys.modules:
        return sys.modules["config"]
    spec = importlib.util.spec_from_file_location("config", paths.CONFIG)
    if spec is None or spec.loader is None:
        raise ImportError(paths.CONFIG)
    module = importlib.util.module_from_spec(spec)
    sys.modules["config"] = module
    spec.loader.exec_module(module)
    return module


def _settings(env: Mapping[str, str]) -> Settings:
    settings: Settings = _config().Settings.from_env(env)
    logs.configure(level=settings.log_level, for_people=settings.demo)
    return settings


def _start_loop(
    app: Flask, settings: Settings, env: Mapping[str, str]
) -> Callable[[], None]:
    rhythms = {
        "outbox_seconds": settings.outbox_seconds,
        "answers_seconds": settings.answers_seconds,
    }
    loop = Loop(
        app,
        jobs(**rhythms),
        workshop=Workshop(lambda: _for_child(settings, env)),
    )
    loop.start()
    return loop.stop


def _for_child(settings: Settings, env: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that we start: our settings, and our clock."""
    moved = settings.clock_starts_at is not None
    return {**env, **({"CLOCK_STARTS_AT": clock.now().isoformat()} if moved else {})}


def _no_loop() -> None:
    return None


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    """An engine without the application: a look at the database, or its migration."""
    engine = make_engine(absolute(settings.database_url))
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _session() -> Iterator[Session]:
    settings = _settings(os.environ)
    _demand_migrated(settings)
    app = create_app(settings)
    with app.app_context():
        try:
            yield db.session()
        finally:
            db.session.remove()
            db.engine.dispose()


def _demand_migrated(settings: Settings) -> None:
    with _engine(settings) as engine:
        current, head = migrations.current(engine), migrations.head(engine)
    if current != head:
        raise click.ClickException(_behind(current, head))


def _behind(current: str | None, head: str | None) -> str:
    return (
        f"The database is at revision {current or 'none'}, this release needs {head}. "
        "Run `scheduler migrate` first."
    )


def _demand_free(host: str, port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as wrong:
            raise click.ClickException(
                f"Port {port} of {host} cannot be used ({wrong.strerror}). "
                f"Is the service running already? {option} chooses another one."
            ) from wrong


def _prepare_demo(engine: Engine) -> None:
    if migrations.current(engine) != migrations.head(engine):
        click.echo("Making the database ...")
        migrations.upgrade(engine)
    session = db.session()
    reference.load_reference(session)
    if load_sample(session, now=clock.now()):
        click.echo(
            "The sample is loaded: 30 hosts, 16 schools, their slots and visits."
        )
    db.session.remove()


def _welcome(settings: Settings) -> str:
    base, now = settings.base_url, clock.now()
    lines = [
        "",
        "  Company visits: a demo in which everybody is invented",
        "",
        f"  Open         {base}",
        f"  Sign in as   {base}/demo/people",
        "               teacher:      Claire Rousselet, lycée de la Forêt-Blanche",
        "               host:         Gérard Lebreton, Férembois Usinage",
        f"               coordinator:  {COORDINATOR_NAME}",
        f"  Read mail    {base}/demo/mailbox",
        f"               (SMTP on {LOCAL}:{settings.catcher_port})",
    ]
    if settings.clock_starts_at is not None:
        day = wording.day(now, "en")
        lines += ["", f"  In the demo it is {day}: its slots lie in that school year."]
    if demo_parts.is_over(now):
        lines += ["", "  Its school year is nearly over: ./run --reset begins again."]
    lines += ["", "  Ctrl+C stops it; ./run goes on where it was.", ""]
    return "\n".join(lines)


def _table(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream, delimiter=";", strict=True, restval=""))
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise click.ClickException(f"{file} is no CSV table in UTF-8.") from wrong


def _wrong_line(refusal: Refusal) -> str:
    facts = {name: value for name, value in refusal.facts.items() if name != "line"}
    told = ", ".join(
        f"{name} {value}".strip() for name, value in facts.items() if value
    )
    return f"  line {refusal.facts.get('line')}: {refusal.code} ({told})"


def _list_of(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name}: {number}" for name, number in counts if number)


def _first_line(wrong: BaseException | None) -> str:
    if isinstance(wrong, click.ClickException):
        return wrong.message
    text = str(wrong).strip() or type(wrong).__name__
    return text.splitlines()[0]


if __name__ == "__main__":
    main()
