"""Every visit, as the coordinator sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from scheduler.domain.visits import VisitState
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.received import ReceivedRow
from scheduler.services import inbox, students
from tests import rows
from tests.replies import reply


@pytest.fixture
def browser(signed_in):
    return signed_in("coordinator")


@pytest.mark.parametrize("state", list(VisitState))
def test_a_visit_in_any_state_is_listed_and_opens(browser, session, world, state):
    visit = rows.visit_in(session, world, state)

    lines = browser.get("/coordinator/")
    page = browser.get(f"/coordinator/visits/{visit}")

    assert f'href="/coordinator/visits/{visit}"' in lines.text
    assert page.status_code == 200
    assert world.teacher.name in page.text
    assert world.contact.email in page.text


def test_an_empty_list_has_a_sentence(browser):
    assert "Aucune visite n’est dans cet état." in browser.get("/coordinator/").text


@pytest.mark.parametrize(
    ("state", "tab"),
    [
        (VisitState.REQUESTED, "open"),
        (VisitState.MOVING, "open"),
        (VisitState.MOVING, "agreed"),
        (VisitState.PROPOSED, "open"),
        (VisitState.DONE, "done"),
        (VisitState.DECLINED, "ended"),
    ],
)
def test_each_tab_holds_its_states(browser, session, world, state, tab):
    visit = rows.visit_in(session, world, state)
    link = f'href="/coordinator/visits/{visit}"'

    holding = {
        each
        for each in ("open", "agreed", "done", "ended")
        if link in browser.get(f"/coordinator/?state={each}").text
    }

    assert tab in holding


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("usinage", True),
        ("DERVAL", True),
        ("deux-rives", True),
        ("melec marchais", True),
        ("boutavent", False),
        ("%", False),
        ("_", False),
        ("'; drop table visit; --", False),
        ("x" * 10_000, False),
        ("\x00\u202e", True),
    ],
)
def test_the_search_finds_by_host_town_school_class_and_teacher(
    browser, session, world, words, found
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    page = browser.get("/coordinator/", query_string={"q": words})

    assert page.status_code == 200
    assert (f"/coordinator/visits/{visit}" in page.text) is found


def test_what_waits_says_for_whom_and_until_when(browser, session, world, wall_clock):
    rows.visit_in(session, world, VisitState.REQUESTED)

    assert "L’entreprise doit répondre avant le" in browser.get("/coordinator/").text
    wall_clock.at = rows.NOW + timedelta(days=10)
    assert "En retard" in browser.get("/coordinator/").text


def test_a_dead_message_is_told(browser, session, world):
    visit = rows.visit_in(session, world, VisitState.REQUESTED)
    session.query(MessageRow).first().state = MessageState.DEAD
    session.commit()

    page = browser.get("/coordinator/").text

    assert page.count("1 message n’est pas arrivé") == 2
    detail = browser.get(f"/coordinator/visits/{visit}").text
    assert "badge--bad" in detail


def test_the_silent_loop_is_told(browser):
    assert "La mécanique est à l’arrêt" in browser.get("/coordinator/").text


def test_no_address_of_a_student_is_shown(browser, session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    students.set_addresses(
        session, visit, ["lea@example.org"], by=world.teacher.actor, now=rows.NOW
    )

    page = browser.get(f"/coordinator/visits/{visit}").text

    assert "lea@" not in page
    assert "Élève" in page


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=99999999999999999999",
        "page=x",
        "page=²",
        "state=nothing",
        "state=open&page=7&q=%F0%9F%98%80",
    ],
)
def test_a_strange_address_still_shows_the_list(browser, query):
    assert browser.get(f"/coordinator/?{query}").status_code == 200


@pytest.mark.parametrize("number", ["0", "999999", "99999999999999999999", "x", "-1"])
def test_a_visit_that_does_not_exist_is_not_found(browser, number):
    assert browser.get(f"/coordinator/visits/{number}").status_code == 404


def test_long_lists_have_pages(browser, session, world, monkeypatch):
    monkeypatch.setattr("scheduler.web.coordinator.pages.PER_PAGE", 1)
    rows.ask(session, world)
    rows.ask(session, world, slot=world.slots[1])

    first, second = (
        browser.get(f"/coordinator/?page={number}").text for number in (1, 2)
    )

    assert "Page 1 sur 2" in first
    assert "/coordinator/?page=2" in first
    assert "Page 2 sur 2" in second


def test_a_long_list_costs_as_many_queries_as_a_short_one(browser, app, session, world):
    statements = []
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", lambda *_: statements.append(1))

    def queries():
        statements.clear()
        browser.get("/coordinator/")
        return len(statements)

    rows.ask(session, world)
    one = queries()
    for slot in world.slots[1:]:
        rows.ask(session, world, slot=slot)

    assert queries() == one


# ------------------------------------------------------------------ received mail

PLAIN = (
    b"From: maman@example.net\r\nSubject: visite\r\n"
    b"Content-Type: text/plain\r\n\r\nElle vient !\r\n"
)


def test_mail_in_words_waits_for_a_person(signed_in, session, world):
    inbox.receive(session, PLAIN, now=rows.NOW)
    client = signed_in("coordinator")

    page = client.get("/coordinator/received", headers={"Accept-Language": "fr"})

    words = page.get_data(as_text=True)
    assert "a écrit au lieu d’appuyer sur un bouton" in words
    assert "maman@example.net" in words
    assert "Elle vient" in words


def test_what_is_settled_is_gone_from_the_list(signed_in, session, world):
    inbox.receive(session, PLAIN, now=rows.NOW)
    client = signed_in("coordinator")
    number = session.scalars(select(ReceivedRow.id)).one()

    done = client.post(f"/coordinator/received/{number}/settle")

    assert done.status_code == 303
    assert "maman@example.net" not in client.get("/coordinator/received").text
    assert client.post("/coordinator/received/999/settle").status_code == 404


def test_words_about_a_visit_are_the_schools_affair(signed_in, session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    address = world.contact.email
    octets = reply(session, visit, address, audience="host", comment="Entre nous")
    other = octets.replace(f"From: {address}".encode(), b"From: boss@example.net")
    inbox.receive(session, other, now=rows.NOW)

    page = signed_in("coordinator").get("/coordinator/received").text

    assert f"/coordinator/visits/{visit}" in page
    assert "boss@example.net" not in page
    assert "Entre nous" not in page


def test_received_mail_is_for_coordinators(signed_in, world):
    assert signed_in("teacher").get("/coordinator/received").status_code == 404


# ------------------------------------------------------------------ contacts


def test_the_coordinator_changes_the_contacts_of_a_company(browser, session, world):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    page = f"/coordinator/hosts/{world.host}/contacts"
    new = {"name": "Nour Lebreton", "email": "nour@example.org", "phone": ""}

    assert browser.post(page, data={**new, "email": "no"}).status_code == 422
    assert browser.post(page, data=new).location == page
    assert browser.post(page, data=new).status_code == 422
    assert browser.post(f"{page}/{world.substitute.id}/first").location == page
    assert browser.post(f"{page}/{world.contact.id}/remove").location == page

    found = browser.get(page).text
    assert "nour@example.org" in found
    assert world.contact.email not in found
    kinds = session.scalars(select(MessageRow.kind)).all()
    assert {"contact_added", "student_removed"} <= set(kinds)


def test_the_last_contact_stays(browser, world):
    page = f"/coordinator/hosts/{world.host}/contacts"
    browser.post(f"{page}/{world.contact.id}/remove")

    assert browser.post(f"{page}/{world.substitute.id}/remove").status_code == 303
    assert world.substitute.email in browser.get(page).text


def test_a_visit_leads_to_the_contacts_of_its_company(browser, session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    page = browser.get(f"/coordinator/visits/{visit}").text

    assert f"/coordinator/hosts/{world.host}/contacts" in page


def test_no_company_has_no_contacts(browser, signed_in, world):
    for path in (
        "/coordinator/hosts/999/contacts",
        f"/coordinator/hosts/{world.school}/contacts",
    ):
        assert browser.get(path).status_code == 404
        assert (
            browser.post(path, data={"name": "A", "email": "a@example.org"}).status_code
            == 404
        )
    mine = f"/coordinator/hosts/{world.host}/contacts"
    assert signed_in("contact").get(mine).status_code == 404
