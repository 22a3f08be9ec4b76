"""Every form of the service, found by walking through it, and what nobody should send.

A form may take a hostile value or refuse it with a sentence; it may not break, store
half of something, or hand it on unescaped.
"""

from __future__ import annotations

import io
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from scheduler.persistence.models.access import LinkPurpose, LinkRow
from scheduler.services import links
from scheduler.services.house import house_of
from tests.journeys.crawl import Fetched, Form, crawl

MARK = "x7hostile"
SCRIPT = f'"><script>alert("{MARK}")</script><b onmouseover={MARK}>'
TEXTS = {
    "long": "a" * 10_000,
    "long line of marks": "é̂" * 5_000,
    "controls": f"{MARK}\x00\x01\x08\x0b\x1b[31m\x7f\x85 fin",
    "html": SCRIPT,
    "template": "{{ 7*7 }}{% raw %}%(name)s%s${x}",
    "header": f"{MARK}\r\nBcc: {MARK}@example.org\r\n\r\n<b>",
    "calendar": f"{MARK}\nEND:VEVENT\nBEGIN:VEVENT\nX-INJECTED:1;\\,:",
    "directions": "\u202egnp.exe\u2066 \u200e\u200f\u2069\ufeff",
    "emoji": "👩‍🏭 ça 🇫🇷 \U0001f9d1\u200d\U0001f527",
    "surrogates": "\ud83d seul \udfff",
    "encoded word": "=?utf-8?q?Bcc:_a=40example.org?= =?",
    "blanks": " \t\u00a0\u2003\u3000\n ",
    "sql": "' OR 1=1; DROP TABLE visit; --",
    "formula": "=cmd|' /C calc'!A0",
}
# The first three of each go into a field alone, all of them into all its kind at once.
NUMBERS = ("9" * 30, "-1", "0", "1e9", "NaN", "inf", "1.5", "٣", "0x10", "--2", "")
DATES = ("9999-12-31", "1900-01-01", "demain", "2027-03-28", "2027-02-30", "0000-00-00")
TIMES = ("02:30", "25:00", "2h", "24:00", "-1:00", "99:99:99", "00:00:00.0000001")
CHOICES = ("9" * 24, "nobody", "", "0", "-1", SCRIPT)
ODD = (TEXTS["html"], TEXTS["long"], TEXTS["surrogates"], "\x00")
VALUES = {
    "number": (*NUMBERS, *ODD),
    "date": (*DATES, *ODD),
    "time": (*TIMES, *ODD),
    "select": (*CHOICES, *ODD),
    "radio": (*CHOICES, *ODD),
    "checkbox": (*CHOICES, *ODD),
    "hidden": (*CHOICES, *ODD),
    "text": tuple(TEXTS.values()),
    "email": tuple(TEXTS.values()),
}

# Counts of tries, sessions and links are written by looking and refusing too.
BESIDE = ("tried", "signed_in", "commune")
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
SAID = re.compile(
    r"field__error|error-summary|callout--(danger|warning)|error-page|flash--"
)

PEOPLE = {
    "teachers": (
        "helene.marchais@example.org",  # a visit that is confirmed
        "claire.rousselet@example.org",  # one that waits for her choice
        "fanny.jouanneau@example.org",  # one that moves
        "bertrand.merlet@example.org",  # one that is asked for
    ),
    "companies": (
        "visites.h23@example.org",  # two requests
        "visites.h12@example.org",  # a visit to come
        "visites.h01@example.org",  # an offer without visits
    ),
    "others": ("coordination@example.org", ""),  # and nobody in particular
}
AT_LEAST = {"teachers": 12, "companies": 15, "others": 5}


@dataclass
class Place:
    """A browser, and the database behind it, which can be put back as it was."""

    client: FlaskClient
    file: Path
    app: Flask
    kept: Path

    def __post_init__(self) -> None:
        self.watch = sqlite3.connect(self.file)
        self.cookie = self.client.get_cookie("visits")

    def commits(self) -> int:
        """A number that another connection's commit changes."""
        number: int = self.watch.execute("PRAGMA data_version").fetchone()[0]
        return number

    def keep(self) -> None:
        """What ``restore`` goes back to."""
        self._let_go()
        shutil.copyfile(self.file, self.kept)

    def restore(self) -> None:
        self._let_go()
        self.watch.close()
        for suffix in ("-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.kept, self.file)
        self.watch = sqlite3.connect(self.file)

    def come_back(self) -> None:
        """Whoever was signed out, or somebody else, is who came."""
        if self.cookie is None:
            self.client.delete_cookie("visits")
        else:
            self.client.set_cookie("visits", self.cookie.value)

    def changed(self) -> list[str]:
        """The tables whose rows are not those that were kept."""
        with closing(sqlite3.connect(self.kept)) as kept:
            return [
                name
                for (name,) in kept.execute(TABLES).fetchall()
                if name not in BESIDE and rows(kept, name) != rows(self.watch, name)
            ]

    def _let_go(self) -> None:
        self.watch.close()
        with self.app.app_context():
            for engine in self.app.extensions["sqlalchemy"].engines.values():
                with engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                engine.dispose()
        self.watch = sqlite3.connect(self.file)


def rows(database: sqlite3.Connection, table: str) -> list[Any]:
    return database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


def fetcher(client: FlaskClient) -> Any:
    def fetch(path: str) -> Fetched:
        with closing(client.get(path, follow_redirects=True)) as reply:
            is_page = reply.mimetype == "text/html"
            return Fetched(
                status=reply.status_code,
                content_type=reply.content_type or "",
                body=reply.text if is_page else "",
            )

    return fetch


def answer_links(app: Flask) -> list[str]:
    """The pages behind the mails that wait for a company's answer."""
    with app.app_context():
        session = app.extensions["sqlalchemy"].session()
        key = house_of(session).link_key
        found = session.scalars(
            select(LinkRow).where(
                LinkRow.purpose == LinkPurpose.ANSWER_VISIT, LinkRow.spent_at.is_(None)
            )
        ).all()
        paths = []
        for row in found:
            # The sample was made with another key than this application has.
            row.digest = links.digest(links.token(row.id, key=key))
            paths.append("/h/" + links.token(row.id, key=key))
        session.commit()
    return paths


def forms_of(place: Place, email: str) -> list[Form]:
    """One of each kind of POST form that this person reaches."""
    starts = ["/teacher/", "/host/", "/coordinator/", "/account/sessions"]
    if not email:
        starts = ["/", "/sign-in", "/c", *answer_links(place.app)]
    found: dict[object, Form] = {}
    for page in crawl(fetcher(place.client), starts):
        for form in page.forms:
            if form.method == "post" and "/language" not in form.action:
                found.setdefault(form.kind, form)
    return list(found.values())


def attacks(form: Form) -> Iterator[tuple[str, MultiDict[str, Any]]]:
    """The form with each of its fields spoilt alone, and those of a kind together."""
    fields: dict[str, list[str]] = {}
    for name, kind in form.kinds.items():
        if name != "csrf_token" and kind in VALUES:
            fields.setdefault(kind, []).append(name)
    for kind, names in fields.items():
        for value in VALUES[kind]:
            yield f"{kind} fields = {value[:40]!r}", spoilt(form, names, value)
        for name, value in product(names, VALUES[kind][:3]):
            yield f"{name} = {value[:40]!r}", spoilt(form, [name], value)
    yield "nothing at all", MultiDict()
    yield "fields that are not there", MultiDict({"id": "1", "state": "confirmed"})
    twice = MultiDict(
        [(name, value) for name in form.names for value in ("1", SCRIPT, "\x00")]
    )
    yield "each field three times", twice
    files = MultiDict(
        {name: (io.BytesIO(b"\x00\xff" * 32), "x.exe\r\n.ics") for name in form.names}
    )
    yield "files", files


def spoilt(form: Form, names: list[str], value: str) -> MultiDict[str, Any]:
    values = MultiDict(form.values)
    for name in names:
        values.setlist(name, [value])
    return values


def body_of(values: MultiDict[str, Any]) -> dict[str, Any]:
    """As a program would send it that does not mind what UTF-8 is."""
    sent = list(values.items(multi=True))
    if any(not isinstance(value, str) for _, value in sent):
        return {"data": values}
    return {
        "data": urlencode(sent, errors="surrogatepass"),
        "content_type": "application/x-www-form-urlencoded",
    }


def send(place: Place, form: Form, values: MultiDict[str, Any]) -> list[str]:
    """What is wrong with the answer; the database is put back after a change."""
    before = place.commits()
    reply = place.client.post(form.action, **body_of(values))
    committed = place.commits() != before
    changed = place.changed() if committed else []
    wrong = []
    # A form that only looks answers with a page, and nothing may then be stored.
    looked = reply.status_code == 200 and not changed
    if not (looked or reply.status_code == 303 or 400 <= reply.status_code < 500):
        wrong.append(f"answers {reply.status_code}, changed {changed}")
    if reply.status_code >= 400:
        if changed:
            wrong.append(f"answers {reply.status_code} and changes {changed}")
        if not SAID.search(reply.text):
            wrong.append(f"answers {reply.status_code} and says nothing")
    shown = reply.text
    if reply.status_code == 303:
        if place.cookie is not None and reply.location.startswith("/sign-in"):
            wrong.append("does not know who is there")
        shown += place.client.get(reply.location, follow_redirects=True).text
    if f'<script>alert("{MARK}")' in shown or f"<b onmouseover={MARK}>" in shown:
        wrong.append("shows a script as a script")
    if committed:
        place.restore()
    place.come_back()
    return wrong


@pytest.mark.long
@pytest.mark.parametrize("room", PEOPLE)
def test_no_form_breaks_or_does_half_of_a_thing(app, signed_in, tmp_path, room):
    file = Path(app.config["SETTINGS"].database_url.removeprefix("sqlite:///"))
    browsers = {
        email: signed_in(email) if email else app.test_client()
        for email in PEOPLE[room]
    }
    troubles, seen = [], set()
    for email, client in browsers.items():
        place = Place(client=client, file=file, app=app, kept=tmp_path / "kept.db")
        forms = [form for form in forms_of(place, email) if form.kind not in seen]
        place.keep()
        for form in forms:
            seen.add(form.kind)
            for title, values in attacks(form):
                troubles += [
                    f"{form.action} {title}: {wrong}"[:400]
                    for wrong in tried(place, form, values)
                ]
        place.restore()
        place.watch.close()

    assert len(seen) >= AT_LEAST[room]
    assert troubles == [], "\n".join(troubles)


def tried(place: Place, form: Form, values: MultiDict[str, Any]) -> list[str]:
    """The attack, and an exception as one more thing that is wrong."""
    try:
        return send(place, form, values)
    except Exception as error:  # noqa: BLE001 - each is a line of the report
        place.restore()
        place.come_back()
        return [f"raises {type(error).__name__}: {error}"]


NUMBERED = re.compile(r"<(?:id|int(?:\([^)]*\))?):\w+>")


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
@pytest.mark.parametrize(
    "email", [*PEOPLE["teachers"][:1], *PEOPLE["companies"][:1], PEOPLE["others"][0]]
)
def test_ids_that_no_table_holds_are_pages_that_do_not_exist(
    app, signed_in, email, number
):
    client = signed_in(email)
    answers = {}
    for rule in app.url_map.iter_rules():
        if not NUMBERED.search(rule.rule) or rule.endpoint == "auth.end_session":
            continue
        path = re.sub(r"<[^>]+>", str(number), rule.rule)
        for method in rule.methods & {"GET", "POST"}:
            try:
                answers[method, path] = client.open(path, method=method).status_code
            except Exception as error:  # noqa: BLE001 - each is a line of the report
                answers[method, path] = repr(error)

    assert {at: found for at, found in answers.items() if found != 404} == {}
