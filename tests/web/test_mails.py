"""What somebody chose to be mailed, and the link that ends reminders."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduler.domain.visits import VisitState
from scheduler.persistence.models.people import MailRhythm, PersonRow
from scheduler.persistence.models.visits import AddresseeRow
from scheduler.services import students, unsubscribing
from scheduler.services.house import house_of
from scheduler.services.unsubscribing import Subject
from tests import rows

CHOSEN = {"rhythm": "daily", "locale": "en"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def link(session, world):
    """The address in a mail: ``link(Subject.REMINDERS, world.teacher.id)``."""

    def made(subject, number):
        key = house_of(session).link_key
        return f"/u/{unsubscribing.token(subject, number, key=key)}"

    return made


def person(session, who):
    session.rollback()
    return session.get_one(PersonRow, who.id)


def test_the_page_shows_what_is_chosen(signed_in, world):
    page = signed_in("teacher").get("/account/mails").text

    assert page.count(" checked") == 3
    assert "summaries" not in page
    assert "helene@example.org" in page


def test_a_host_is_asked_for_one_thing_more(signed_in, world):
    assert 'name="summaries"' in signed_in("contact").get("/account/mails").text


@pytest.mark.parametrize(
    "path", ["/account/mails", "/account/calendars", "/account/sessions"]
)
def test_pages_of_the_account_keep_the_menu_of_the_room(signed_in, path):
    assert 'href="/host/visits"' in signed_in("contact").get(path).text
    assert 'href="/teacher/visits"' in signed_in("teacher").get(path).text


def test_a_choice_is_kept(signed_in, session, world):
    browser = signed_in("contact")

    answer = browser.post("/account/mails", data=CHOSEN)

    assert (answer.status_code, answer.location) == (303, "/account/mails")
    found = person(session, world.contact)
    assert found.mail_rhythm is MailRhythm.DAILY
    assert (found.reminders, found.summaries, found.locale) == (False, False, "en")
    assert "My mails" in browser.get("/account/mails").text


def test_a_teacher_loses_no_summary_that_was_not_asked_about(signed_in, session, world):
    signed_in("teacher").post("/account/mails", data=CHOSEN)

    assert person(session, world.teacher).summaries


@pytest.mark.parametrize(
    "sent", [{}, {"rhythm": "never", "locale": "fr"}, {"rhythm": "daily"}]
)
def test_a_choice_that_is_none_changes_nothing(signed_in, session, world, sent):
    answer = signed_in("teacher").post("/account/mails", data=sent)

    assert answer.status_code == 422
    assert person(session, world.teacher).mail_rhythm is MailRhythm.AT_ONCE


def test_who_is_not_signed_in_chooses_nothing(client, world):
    assert client.get("/account/mails").status_code == 303
    assert client.post("/account/mails", data=CHOSEN).status_code == 303


# ------------------------------------------------------------------ one click


def test_opening_the_link_changes_nothing(client, session, world, link):
    page = client.get(link(Subject.REMINDERS, world.teacher.id))

    assert page.status_code == 200
    assert "<form" in page.text
    assert person(session, world.teacher).reminders


def test_a_mail_program_ends_reminders_without_session_or_form(
    app, client, session, world, link
):
    app.config["WTF_CSRF_ENABLED"] = True
    where = link(Subject.REMINDERS, world.teacher.id)

    answer = client.post(where, data=ONE_CLICK)
    again = client.post(where, data=ONE_CLICK)

    assert [each.status_code for each in (answer, again)] == [200, 200]
    assert answer.data == b""
    assert not person(session, world.teacher).reminders
    assert person(session, world.colleague).reminders


def test_the_button_ends_and_begins_again(client, session, world, link):
    where = link(Subject.REMINDERS, world.teacher.id)

    ended = client.post(where)
    off = person(session, world.teacher).reminders
    begun = client.post(f"{where}/again")

    assert (ended.status_code, begun.status_code) == (303, 303)
    assert off is False
    assert person(session, world.teacher).reminders


def test_the_daily_mail_ends_and_is_chosen_again_on_ones_page(
    client, session, world, link
):
    where = link(Subject.DIGEST, world.contact.id)
    person(session, world.contact).mail_rhythm = MailRhythm.DAILY
    session.commit()

    client.post(where, data=ONE_CLICK)

    found = person(session, world.contact)
    assert (found.mail_rhythm, found.summaries) == (MailRhythm.AT_ONCE, False)
    assert client.post(f"{where}/again").status_code == 404
    assert "/account/mails" in client.get(where).text


def test_a_students_click_is_about_one_visit(client, session, world, link):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    students.set_addresses(
        session, visit, ["lea@example.org"], by=world.teacher.actor, now=rows.NOW
    )
    number = session.scalars(select(AddresseeRow.id)).one()
    session.rollback()
    where = link(Subject.ADDRESS, number)

    page = client.get(where).text
    client.post(where, data=ONE_CLICK)

    assert "lea@" not in page
    assert "/account/mails" not in page
    assert not session.get_one(AddresseeRow, number).reminders


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "token", ["x", "r1-", "r-1", "r1-wrong", "r²-a", "a1-é", "r" + "9" * 70, "d0-a"]
)
def test_a_wrong_link_ends_nothing(client, world, token, method):
    assert getattr(client, method)(f"/u/{token}").status_code == 404


def test_one_secret_does_not_end_anothers_mails(client, session, world, link):
    mine = link(Subject.REMINDERS, world.teacher.id)
    secret = mine.partition("-")[2]

    for other in (
        f"/u/r{world.colleague.id}-{secret}",
        f"/u/d{world.teacher.id}-{secret}",
        f"/u/a{world.teacher.id}-{secret}",
    ):
        assert client.post(other, data=ONE_CLICK).status_code == 404


def test_somebody_who_is_gone_has_nothing_to_end(client, world, link):
    assert client.post(link(Subject.REMINDERS, 9999)).status_code == 404
