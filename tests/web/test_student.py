"""The class's page: what a code opens, and what it never shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from icalendar import Calendar

from scheduler.domain.visits import CancelReason, VisitState
from scheduler.persistence.models.access import TryRow
from scheduler.persistence.models.offers import OfferRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services import requests
from scheduler.services.class_pages import WRONG_CODES, plain_code
from tests import rows

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SHOWN = (VisitState.CONFIRMED, VisitState.MOVING)
HIDDEN = (
    VisitState.REQUESTED,
    VisitState.PROPOSED,
    VisitState.DECLINED,
    VisitState.EXPIRED,
    VisitState.WITHDRAWN,
)


def code_of(session, visit):
    return session.get_one(VisitRow, visit).class_code


@pytest.mark.parametrize("state", SHOWN)
def test_an_agreed_visit_says_everything_that_matters(client, session, world, state):
    visit = rows.visit_in(session, world, state)

    page = client.get(f"/c/{code_of(session, visit)}").text

    for words in (
        "Férembois Usinage",
        "mardi 12 janvier 2027, de 9\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}00",
        "44590 Derval",
        "Un pantalon et des chaussures fermées.",
        "des lunettes",
        "De quoi noter.",
        "Maud, contrôleuse qualité",
        "CAP, puis Bac pro en mécanique.",
        "Un tour à commande numérique",
        "Comment mesure-t-on plus fin qu’un cheveu",
        "geo:47.66770,-1.67180",
        "webcal://",
        "visit.ics",
    ):
        assert words in page


@pytest.mark.parametrize("state", [*SHOWN, VisitState.CANCELLED_BY_HOST])
def test_no_person_of_the_school_and_no_telephone_is_shown(
    client, session, world, state
):
    visit = rows.visit_in(
        session, world, state, arrangements="1 fauteuil", message="Merci !"
    )

    page = client.get(f"/c/{code_of(session, visit)}").text

    for words in ("fauteuil roulant", "1 fauteuil", "Merci", "06 00 00", "02 61 91"):
        assert words not in page
    assert "Gérard" not in page
    assert "24 élèves" not in page


@pytest.mark.parametrize("state", HIDDEN)
def test_what_is_not_agreed_names_neither_company_nor_place(
    client, session, world, state
):
    visit = rows.visit_in(session, world, state)
    code = code_of(session, visit)

    page = client.get(f"/c/{code}")

    assert page.status_code == 200
    assert "Férembois" not in page.text
    assert "Derval" not in page.text
    assert client.get(f"/c/{code}/visit.ics").status_code == 404


@pytest.mark.parametrize(
    "state", [VisitState.CANCELLED_BY_SCHOOL, VisitState.CANCELLED_BY_HOST]
)
def test_a_cancelled_visit_says_so_first(client, session, world, state):
    visit = rows.visit_in(session, world, state)
    code = code_of(session, visit)

    page = client.get(f"/c/{code}").text

    assert "La visite chez Férembois Usinage est annulée" in page
    assert "N’y va pas" in page
    assert "Devant la porte bleue" not in page
    assert client.get(f"/c/{code}/visit.ics").status_code == 404


def test_a_visit_that_is_over_looks_back(client, session, world, wall_clock):
    visit = rows.visit_in(session, world, VisitState.DONE)
    wall_clock.at = rows.TUESDAY + DAY

    page = client.get(f"/c/{code_of(session, visit)}").text

    assert "Vous avez visité Férembois Usinage" in page
    assert "Ce que tu as vu" in page
    assert "À mettre" not in page


def test_between_its_end_and_the_loop_a_visit_is_over(
    client, session, world, wall_clock
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    wall_clock.at = rows.TUESDAY + 2 * HOUR

    page = client.get(f"/c/{code_of(session, visit)}").text

    assert "Vous avez visité" in page


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (50 * DAY, "Dans 50 jours."),
        (2 * DAY, "Dans 2 jours."),
        (12 * HOUR, "C’est demain."),
        (HOUR, "C’est aujourd’hui."),
        (-HOUR, "C’est aujourd’hui."),
    ],
)
def test_the_days_are_counted_down(  # noqa: PLR0917 - fixtures
    client, session, world, wall_clock, before, words
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    wall_clock.at = rows.TUESDAY - before

    assert words in client.get(f"/c/{code_of(session, visit)}").text


def test_a_change_of_time_is_said_for_two_weeks(client, session, world, wall_clock):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    rows.change_time(session, world)
    code = code_of(session, visit)

    assert "Quelque chose a changé" in client.get(f"/c/{code}").text
    wall_clock.at = rows.NOW + 15 * DAY
    assert "Quelque chose a changé" not in client.get(f"/c/{code}").text


def test_an_asked_move_is_said(client, session, world):
    visit = rows.visit_in(session, world, VisitState.MOVING)

    page = client.get(f"/c/{code_of(session, visit)}").text

    assert "La date peut encore changer" in page
    assert "21 janvier" not in page


def test_the_page_is_gone_after_fifteen_days(client, session, world, wall_clock):
    visit = rows.visit_in(session, world, VisitState.DONE)
    code = code_of(session, visit)

    wall_clock.at = rows.TUESDAY + 2 * HOUR + 15 * DAY
    assert client.get(f"/c/{code}").status_code == 200
    wall_clock.at += timedelta(seconds=1)
    assert client.get(f"/c/{code}").status_code == 410
    assert client.get(f"/c/{code}/visit.ics").status_code == 410


def test_english_readers_get_english(client, session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    page = client.get(
        f"/c/{code_of(session, visit)}", headers={"Accept-Language": "en"}
    ).text

    assert "Tuesday 12 January 2027, from 09:00 to 11:00" in page
    assert "How do you measure something that is finer than a hair?" in page


# ------------------------------------------------------------------ the code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (" 7k p2-xf ", "7KP2XF"),
        ("7KP2XF", "7KP2XF"),
        ("é·", ""),
        ("<b>7K</b>", "B7KB"),
        ("A" * 10_000, "A" * 12),
    ],
)
def test_a_code_may_be_typed_as_one_likes(typed, code):
    assert plain_code(typed) == code


def test_a_typed_code_leads_to_its_page(client, session, world):
    code = code_of(session, rows.visit_in(session, world, VisitState.CONFIRMED))

    answer = client.post("/c", data={"code": f" {code[:3].lower()} {code[3:]}"})

    assert (answer.status_code, answer.location) == (303, f"/c/{code}")
    assert client.get(f"/c/{code.lower()}").location == f"/c/{code}"


@pytest.mark.parametrize("typed", ["", "   ", "\x00\u202e"])
def test_no_code_is_told_next_to_the_field(client, world, typed):
    answer = client.post("/c", data={"code": typed})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


@pytest.mark.parametrize("code", ["ZZZZZZ", "0", "%F0%9F%98%80", "%3Cb%3E", "a" * 3000])
def test_an_unknown_code_may_be_typed_again(client, world, code):
    answer = client.get(f"/c/{code}", follow_redirects=True)

    assert answer.status_code == 404
    assert 'name="code"' in answer.text


def test_whoever_guesses_codes_is_stopped(client, session, world):
    code = code_of(session, rows.visit_in(session, world, VisitState.CONFIRMED))
    for number in range(WRONG_CODES):
        assert client.get(f"/c/GUESS{number}").status_code == 404

    assert client.get("/c/GUESSX").status_code == 429
    assert client.get(f"/c/{code}").status_code == 429
    other = client.get(f"/c/{code}", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert other.status_code == 200


def test_right_codes_are_not_counted(client, session, world):
    code = code_of(session, rows.visit_in(session, world, VisitState.CONFIRMED))

    client.get(f"/c/{code}")

    assert session.query(TryRow).all() == []


# ------------------------------------------------------------------ the file


def test_the_file_is_one_event_without_people(client, session, world):
    code = code_of(session, rows.visit_in(session, world, VisitState.CONFIRMED))

    answer = client.get(f"/c/{code}/visit.ics")

    assert answer.content_type == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(answer.data)
    assert "METHOD" not in calendar
    (event,) = calendar.walk("VEVENT")
    assert event["DTSTART"].dt == rows.TUESDAY
    assert "Derval" in event["LOCATION"]
    assert "ATTENDEE" not in event
    assert "ORGANIZER" not in event


def test_hostile_words_of_a_host_stay_words(client, session, world):
    offer = session.get_one(OfferRow, world.offer)
    offer.title = "<script>alert(1)</script>"
    offer.meeting_point = '"><img src=x onerror=alert(1)>'
    offer.see = ["\u202etxet\r\nBEGIN:VEVENT", "<b>x</b>"]
    session.commit()
    code = code_of(session, rows.visit_in(session, world, VisitState.CONFIRMED))

    page = client.get(f"/c/{code}").text
    file = client.get(f"/c/{code}/visit.ics").data

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "\u202e" not in page
    assert len(Calendar.from_ical(file).walk("VEVENT")) == 1


def test_a_cancelled_visit_keeps_its_page(client, session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    code = code_of(session, visit)
    assert client.get(f"/c/{code}/visit.ics").status_code == 200

    requests.cancel_by_school(
        session,
        visit,
        reason=CancelReason.WEATHER,
        note="",
        by=world.teacher.actor,
        now=rows.NOW,
    )

    assert "annulée" in client.get(f"/c/{code}").text
