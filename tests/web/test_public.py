"""Pages for anybody, and the two for machines."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from scheduler.domain.offers import OfferState
from scheduler.domain.visits import VisitState
from scheduler.mail.mailboxes import Maildir
from scheduler.persistence.models.offers import OfferRow
from scheduler.persistence.models.outbox import LeaseRow, MessageRow, MessageState
from scheduler.persistence.models.people import PersonRow
from scheduler.web.public.pages import MANIFEST, shipped
from tests import rows

PAGES = (
    "/",
    "/accessibility",
    "/credits",
    "/privacy",
    "/sign-in",
    "/sign-in/sent",
    "/c",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_for_anybody_opens_in_both_languages(client, world, path):
    french = client.get(path, headers={"Accept-Language": "fr"})
    english = client.get(path, headers={"Accept-Language": "en"})

    assert (french.status_code, english.status_code) == (200, 200)
    assert '<html lang="fr">' in french.text
    assert '<html lang="en">' in english.text


def test_the_first_page_works_on_an_empty_service(client):
    page = client.get("/")

    assert page.status_code == 200
    assert "Ouvert aux classes en ce moment" not in page.text


def test_the_figures_count_what_is_published_and_ahead(client, session, world):
    session.get_one(OfferRow, world.other_offer).state = OfferState.DRAFT
    rows.store_slot(session, world.offer, rows.NOW - timedelta(days=9))

    page = client.get("/").text

    figures = re.findall(r'tile__number">(\d+)<', page)
    assert figures == ["1", "3", "1", "1"]


def test_who_is_signed_in_is_offered_the_own_room(signed_in):
    assert 'href="/teacher/"' in signed_in("teacher").get("/").text
    assert 'href="/coordinator/"' in signed_in("coordinator").get("/").text


# ------------------------------------------------------------------ language


def test_the_chosen_language_stays(client, world):
    answer = client.post("/language", data={"locale": "en", "next": "/privacy"})

    assert (answer.status_code, answer.location) == (303, "/privacy")
    page = client.get("/privacy", headers={"Accept-Language": "fr"})
    assert '<html lang="en">' in page.text


def test_the_chosen_language_is_that_of_the_mails_too(signed_in, session, world):
    signed_in("teacher").post("/language", data={"locale": "en", "next": "/"})

    assert session.get_one(PersonRow, world.teacher.id).locale == "en"


@pytest.mark.parametrize("locale", ["", "de", "../x", "x" * 5000])
def test_an_unknown_language_changes_nothing(signed_in, session, world, locale):
    answer = signed_in("teacher").post("/language", data={"locale": locale})

    assert (answer.status_code, answer.location) == (303, "/")
    assert session.get_one(PersonRow, world.teacher.id).locale == "fr"


@pytest.mark.parametrize("wanted", ["//x.example", "https://x.example", "/\\x"])
def test_the_language_switch_leads_nowhere_else(client, world, wanted):
    answer = client.post("/language", data={"locale": "en", "next": wanted})

    assert answer.location == "/"


# ------------------------------------------------------------------ for machines


def beat(session, at, *, name="loop"):
    session.add(LeaseRow(name=name, owner="me", until=at, beat_at=at))
    session.commit()


def test_health_is_good_while_the_loop_beats(client, session, world):
    beat(session, rows.NOW - timedelta(seconds=30))

    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json == {
        "status": "ok",
        "database": "reachable",
        "loop": {"alive": True, "seconds_since_beat": 30},
        "answers": {"read": None, "seconds_since_read": None},
        "messages": {
            "waiting": 0,
            "dead": 0,
            "oldest_due_seconds": None,
            "moving": True,
        },
    }


def test_health_says_what_waits_and_what_is_dead(client, session, world):
    beat(session, rows.NOW)
    rows.visit_in(session, world, VisitState.REQUESTED)
    first = session.query(MessageRow).first()
    first.state = MessageState.DEAD
    session.commit()

    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json["messages"] == {
        "waiting": 2,
        "dead": 1,
        "oldest_due_seconds": 0,
        "moving": True,
    }


@pytest.mark.parametrize(("minutes", "is_read"), [(1, True), (16, False)])
def test_health_says_when_answers_were_last_read(
    client, session, monkeypatch, minutes, is_read
):
    monkeypatch.setitem(
        client.application.extensions, "answers", Maildir(folder=Path("nowhere"))
    )
    beat(session, rows.NOW)
    beat(session, rows.NOW - timedelta(minutes=minutes), name="answers")

    answer = client.get("/healthz")

    # A mailbox that cannot be read is a matter for people, not for a restart.
    assert answer.status_code == 200
    assert answer.json["answers"] == {
        "read": is_read,
        "seconds_since_read": 60 * minutes,
    }


@pytest.mark.parametrize("minutes", [None, 6])
def test_health_is_bad_when_the_loop_is_silent(client, session, world, minutes):
    if minutes:
        beat(session, rows.NOW - timedelta(minutes=minutes))

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json["loop"]["alive"] is False


def test_health_is_bad_without_a_database(client, session):
    session.execute(text("drop table message"))
    session.commit()

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json["database"] == "unreachable"


def test_feeds_are_not_closed_to_calendar_programs(client):
    answer = client.get("/robots.txt")

    assert answer.content_type == "text/plain; charset=utf-8"
    assert "Allow: /feeds/" in answer.text.splitlines()


# ------------------------------------------------------------------ credits


def test_everything_shipped_is_named_with_its_licence(client, world):
    page = client.get("/credits").text

    for each in shipped():
        assert each.licence
        assert (MANIFEST.parents[1] / each.licence_file).is_file()
        assert f"{each.name} {each.version}" in page
        with client.get(f"/static/{each.licence_file}") as file:
            assert file.status_code == 200


@pytest.mark.parametrize("who", ["teacher", "contact", "coordinator"])
def test_the_first_page_leads_nowhere_where_one_may_not_go(signed_in, who):
    client = signed_in(who)
    page = client.get("/").text

    doors = re.findall(r'class="stretched" href="([^"]+)"', page)

    assert [client.get(door).status_code for door in doors] == [200] * len(doors)
