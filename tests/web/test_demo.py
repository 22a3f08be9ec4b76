"""What exists only in the demo: the list of people and the mailbox."""

from __future__ import annotations

import dataclasses
import mailbox
from pathlib import Path

import pytest

from scheduler.domain.visits import VisitState
from scheduler.persistence.models.people import PersonRow
from tests import rows

INVITATION = "\r\n".join(  # noqa: FLY002 - one line of a calendar a line
    (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "UID:1@example.org",
        "DTSTAMP:20261123T080000Z",
        "DTSTART:20270112T080000Z",
        "DTEND:20270112T100000Z",
        "SUMMARY:Visite <b>grasse</b>",
        "SEQUENCE:3",
        "ATTENDEE:mailto:a@example.org",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
)
MAIL = f"""\
From: Visites <visites@example.org>
To: {{to}}
Subject: {{subject}}
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=cut

--cut
Content-Type: text/plain; charset=utf-8

Bonjour en texte
--cut
Content-Type: text/html; charset=utf-8

<p>Bonjour</p><script>alert(1)</script><a href="http://127.0.0.1/h/x">Oui</a>
--cut
Content-Type: text/calendar; charset=utf-8; method=REQUEST

{INVITATION}
--cut--
"""


@pytest.fixture
def settings(settings):
    return dataclasses.replace(settings, demo=True)


@pytest.fixture
def box(settings):
    return mailbox.Maildir(settings.mailbox_dir, create=True)


def caught(box, *, to="a@example.org", subject="Demande"):
    return box.add(MAIL.format(to=to, subject=subject).encode())


# ------------------------------------------------------------------ people


def test_everybody_is_in_the_list(client, world):
    page = client.get("/demo/").text

    for each in (world.teacher, world.contact, world.coordinator, world.other_teacher):
        assert f"/demo/people/{each.id}" in page


def test_the_list_says_what_waits_for_whom(client, session, world):
    rows.visit_in(session, world, VisitState.REQUESTED)

    assert "1 demande attend une réponse" in client.get("/demo/people").text


@pytest.mark.parametrize(
    ("who", "room"),
    [("teacher", "/teacher/"), ("contact", "/host/"), ("coordinator", "/coordinator/")],
)
def test_one_can_be_anybody(client, world, who, room):
    answer = client.post(f"/demo/people/{getattr(world, who).id}")

    assert (answer.status_code, answer.location) == (303, room)
    assert client.get(room).status_code == 200


def test_one_is_one_person_at_a_time(client, world):
    client.post(f"/demo/people/{world.teacher.id}")
    client.post(f"/demo/people/{world.contact.id}")

    assert client.get("/host/").status_code == 200
    assert client.get("/teacher/").status_code == 404


def test_nobody_becomes_who_is_not_there_or_blocked(client, session, world):
    session.get_one(PersonRow, world.teacher.id).blocked = True
    session.commit()

    assert client.post("/demo/people/99999").status_code == 404
    assert client.post(f"/demo/people/{world.teacher.id}").status_code == 404
    assert client.get(f"/demo/people/{world.contact.id}").status_code == 404


# ------------------------------------------------------------------ mailbox


def test_an_empty_mailbox_has_a_sentence(client, world):
    assert "Pas encore de message." in client.get("/demo/mailbox").text


def test_the_mailbox_lists_mails_and_filters_by_recipient(client, world, box):
    caught(box, to="a@example.org", subject="Pour A")
    caught(box, to="b@example.org", subject="Pour B")

    everything = client.get("/demo/mailbox").text
    only_b = client.get("/demo/mailbox?to=b@example.org").text
    unknown = client.get("/demo/mailbox?to=zzz").text

    assert "Pour A" in everything
    assert "Pour B" in everything
    assert "Pour A" not in only_b
    assert "Pour A" in unknown


def test_the_open_mailbox_learns_what_has_come(client, world, box):
    first = caught(box)

    assert client.get(f"/demo/mailbox/news?after={first}").text.strip() == ""
    caught(box)
    assert "1 nouveau message" in client.get(f"/demo/mailbox/news?after={first}").text


@pytest.mark.parametrize("view", ["", "html", "text", "calendar", "source", "nothing"])
def test_a_mail_can_be_looked_at_in_each_way(client, world, box, view):
    key = caught(box, subject="<b>Objet</b>")

    page = client.get(f"/demo/mailbox/{key}?view={view}")

    assert page.status_code == 200
    assert "&lt;b&gt;Objet" in page.text
    assert "<script>alert" not in page.text


def test_the_calendar_part_is_read(client, world, box):
    key = caught(box)

    page = client.get(f"/demo/mailbox/{key}?view=calendar").text

    assert "METHOD: REQUEST" in page
    assert "Visite &lt;b&gt;grasse" in page
    assert "mardi 12 janvier 2027, 9\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}00" in page


def test_the_html_of_a_mail_is_locked_in(client, world, box):
    key = caught(box)

    answer = client.get(f"/demo/mailbox/{key}/html")
    policy = answer.headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy


def test_a_mail_and_its_invitation_can_be_kept(client, world, box):
    key = caught(box)

    mail = client.get(f"/demo/mailbox/{key}/message.eml")
    invitation = client.get(f"/demo/mailbox/{key}/invite.ics")

    assert mail.data.startswith(b"From: Visites")
    assert invitation.data.startswith(b"BEGIN:VCALENDAR")
    for answer in (mail, invitation):
        assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_mail_without_parts_is_shown_all_the_same(client, world, box):
    key = box.add(b"Subject: seul\n\nrien")

    assert client.get(f"/demo/mailbox/{key}?view=calendar").status_code == 200
    assert client.get(f"/demo/mailbox/{key}/invite.ics").status_code == 404


@pytest.mark.parametrize("key", ["x", "..%2f..%2fetc%2fpasswd", "1.M1P1Q1.host", "%00"])
@pytest.mark.parametrize("part", ["", "/html", "/message.eml", "/invite.ics"])
def test_no_other_file_is_opened(client, world, box, key, part):
    assert client.get(f"/demo/mailbox/{key}{part}").status_code == 404


def test_the_mailbox_stays_where_the_settings_say(settings, box):
    key = caught(box)

    assert any(key in file.name for file in Path(settings.mailbox_dir).glob("*/*"))
