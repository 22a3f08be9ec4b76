"""Hostile words, typed wherever a form takes words, after real delivery.

Looked at are the subject, text, HTML and calendar part of every mail that they cause,
and the pages that show them.
"""

from __future__ import annotations

import re
from datetime import date
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path

import pytest
import vobject
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from scheduler.demo.catcher import Catcher, CaughtMail, caught_mails
from scheduler.domain.localtime import local_day
from scheduler.jobs.table import Desk, deliver_outbox
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.outbox import MessageState
from scheduler.persistence.queries.outbox import state_counts
from tests.hostile.conftest import NOW
from tests.hostile.test_forms import MARK, SCRIPT, TEXTS
from tests.journeys.crawl import Fetched, read_page

TEACHER = "helene.marchais@example.org"
HOST = "visites.h12@example.org"
OFFER, SCHOOL_CLASS = 12, 2
DAY = date(2027, 3, 16)
STUDENTS = ("lea@example.org", "noe@example.org")
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
    "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
}  # fmt: skip
EVENT = {
    "uid", "dtstamp", "dtstart", "dtend", "summary", "location", "description", "geo",
    "organizer", "attendee", "sequence", "status", "transp", "created", "url",
    "last-modified", "class", "categories", "comment", "x-microsoft-disallow-counter",
}  # fmt: skip
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]"
)
TYPED = {
    "html": SCRIPT,
    "header": TEXTS["header"],
    "calendar": TEXTS["calendar"],
    "controls": TEXTS["controls"],
    "directions": f"{MARK} {TEXTS['directions']} fin",
    "emoji": f"{MARK} {TEXTS['emoji']}",
    "encoded word": f"{MARK} {TEXTS['encoded word']}",
    "template": f"{MARK} {TEXTS['template']}",
}


class Tags(HTMLParser):
    """What a mail reader would make elements of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def is_safe_text(text: str) -> None:
    assert not INVISIBLE.search(text)


def is_safe_mail(mail: CaughtMail) -> None:
    parsed = message_from_bytes(mail.raw, policy=policy.default)
    assert set(parsed.keys()) <= HEADERS
    assert len(parsed["To"].addresses) == 1
    is_safe_text(parsed["Subject"])
    is_safe_text(mail.text)
    found = Tags(mail.html)
    assert "script" not in found.tags
    assert not {name for name in found.attributes if name.startswith("on")}
    is_safe_text(mail.html)


def is_safe_calendar(octets: bytes) -> None:
    """Only properties of ours, each line folded, one event with one attendee."""
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert max(map(len, octets.split(b"\r\n"))) <= 75
    calendar = vobject.readOne(octets.decode("utf-8"))
    assert len(calendar.vevent_list) == 1
    assert set(calendar.vevent.contents) <= EVENT
    is_safe_text(octets.decode("utf-8").replace("\r\n", "\n"))


def fill_in(
    client: FlaskClient, path: str, typed: str, *, to: str = "", **more: object
) -> str:
    """Send a form as it stands, with ``typed`` in every field for words.

    The form is the one that goes to ``to``, else the longest; returns where it leads.
    """
    page = client.get(path)
    assert page.status_code == 200
    fetched = Fetched(status=200, content_type="text/html", body=page.text)
    forms = [form for form in read_page(path, fetched).forms if form.method == "post"]
    form = max(forms, key=lambda each: (each.action.endswith(to), len(each.kinds)))
    sent: dict[str, object] = {}
    for name, kind in form.kinds.items():
        usual = [value for key, value in form.values if key == name]
        if kind != "submit":
            sent[name] = typed if kind == "text" else usual
    answer = client.post(form.action, data={**sent, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def slot_on(app: Flask, day: date) -> int:
    with app.app_context():
        session = app.extensions["sqlalchemy"].session()
        slots = session.scalars(select(SlotRow).where(SlotRow.offer_id == OFFER))
        return next(each.id for each in slots if local_day(each.starts_at) == day)


def play(app: Flask, teacher: FlaskClient, host: FlaskClient, typed: str) -> list[str]:
    """A visit with hostile words wherever there is room; the pages that show them."""
    slot = slot_on(app, DAY)
    first_names = {f"witnesses-{row}-first_name": "Ana" for row in range(3)}
    fill_in(host, f"/host/offers/{OFFER}/edit", typed, **first_names)
    fill_in(teacher, f"/teacher/classes/{SCHOOL_CLASS}", typed)
    asking = f"/teacher/slots/{slot}?school_class={SCHOOL_CLASS}"
    visit = fill_in(teacher, asking, typed, to=f"/slots/{slot}")
    number = visit.rpartition("/")[2]
    assert host.post(f"/host/visits/{number}/accept").status_code == 303
    addresses = {"addresses": "\n".join(STUDENTS)}
    fill_in(teacher, f"{visit}/students", typed, to="/students", **addresses)
    code = re.search(r'class="class-code">(\w+)<', teacher.get(visit).text)
    assert code
    fill_in(host, f"/host/slots/{slot}/edit", typed)
    fill_in(teacher, f"{visit}/numbers", typed, to="/numbers")
    fill_in(host, f"/host/visits/{number}/cancel", typed, to="/cancel", reason="other")
    return [
        visit,
        f"/c/{code[1]}",
        f"/teacher/offers/{OFFER}",
        f"/host/visits/{number}",
        f"/host/offers/{OFFER}",
        f"/host/slots/{slot}",
        f"/coordinator/visits/{number}",
        "/coordinator/",
        "/teacher/classes",
        "/teacher/offers",
    ]


def delivered(app: Flask, folder: Path) -> list[CaughtMail]:
    """What the loop sends, as a real server takes it."""
    port = app.config["SETTINGS"].smtp_port
    parts = app.extensions
    desk = Desk(now=lambda: NOW, compose=parts["compose"], post=parts["post"])
    with Catcher(folder, port=port), app.app_context():
        deliver_outbox(parts["sqlalchemy"].session(), desk)
        counts = state_counts(parts["sqlalchemy"].session())
    assert set(counts) <= {MessageState.SENT, MessageState.SUPERSEDED}
    return caught_mails(folder)


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_typed_words_arrive_as_words(app, signed_in, tmp_path, typed):
    teacher, host = signed_in(TEACHER), signed_in(HOST)
    coordinator = signed_in("coordination@example.org")
    before = len(delivered(app, tmp_path / "mailbox"))

    pages = play(app, teacher, host, typed)
    mails = delivered(app, tmp_path / "mailbox")
    new = mails[: len(mails) - before]

    # One by one: an invitation replaced before it was sent need not go out.
    addressed = {address for mail in new for address in STUDENTS if address in mail.to}
    assert addressed == set(STUDENTS)
    assert any(MARK in mail.text for mail in new)
    for mail in new:
        is_safe_mail(mail)
        if mail.calendar is not None:
            is_safe_calendar(mail.calendar)
    rooms = {"teacher": teacher, "host": host, "coordinator": coordinator}
    for path in pages:
        shown = rooms.get(path.split("/")[1], app.test_client()).get(path)
        assert shown.status_code == 200, path
        assert SCRIPT not in shown.text
        assert f"onmouseover={MARK}>" not in shown.text
        is_safe_text(shown.text)
