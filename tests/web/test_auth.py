"""Signing in, signing out, and the list of one's open sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from scheduler.domain.actors import Role
from scheduler.persistence.models.access import LinkRow, SessionRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.services import links
from scheduler.services.accounts import LINK_LIFE, LINKS_PER_ADDRESS
from scheduler.services.house import house_of
from scheduler.web.browsers import plain_name
from scheduler.web.destinations import LONGEST, local_path
from tests import rows

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def ask(client, email, **more):
    return client.post("/sign-in", data={"email": email, **more})


def last_token(session):
    link = session.scalars(select(LinkRow).order_by(LinkRow.id.desc())).first()
    return links.token(link.id, key=house_of(session).link_key)


def sessions_of(session, person):
    query = select(SessionRow).where(SessionRow.person_id == person.id)
    return session.scalars(query.order_by(SessionRow.id)).all()


# ------------------------------------------------------------------ asking for a link


def test_a_known_address_gets_one_mail(client, session, world):
    answer = ask(client, world.teacher.email)

    assert answer.status_code == 303
    assert answer.location == "/sign-in/sent"
    messages = session.scalars(select(MessageRow)).all()
    assert [each.kind for each in messages] == ["sign_in"]
    assert messages[0].recipient_name == world.teacher.name


def test_an_unknown_address_gets_the_same_answer_and_no_mail(client, session, world):
    known = ask(client, world.teacher.email)
    unknown = ask(client, "nobody@example.org")

    assert unknown.status_code == known.status_code
    assert unknown.location == known.location
    assert len(session.scalars(select(MessageRow)).all()) == 1
    assert "nobody@example.org" in client.get("/sign-in/sent").text


def test_a_blocked_person_gets_no_mail(client, session, world):
    session.get_one(PersonRow, world.teacher.id).blocked = True
    session.commit()

    assert ask(client, world.teacher.email).status_code == 303

    assert session.scalars(select(MessageRow)).all() == []


@pytest.mark.parametrize(
    "typed",
    ["", " ", "claire", "claire@", "a@b@c.fr", "x" * 10_000, "a\x00b@c", "<b>@x.fr"],
)
def test_what_is_no_address_is_told_next_to_the_field(client, session, world, typed):
    answer = ask(client, typed)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert session.scalars(select(MessageRow)).all() == []


def test_too_many_links_are_refused(client, session, world):
    for _ in range(LINKS_PER_ADDRESS):
        assert ask(client, world.teacher.email).status_code == 303

    assert ask(client, world.teacher.email).status_code == 429

    assert len(session.scalars(select(LinkRow)).all()) == LINKS_PER_ADDRESS


# ------------------------------------------------------------------ using the link


def test_opening_the_link_changes_nothing(client, session, world):
    ask(client, world.teacher.email)
    token = last_token(session)

    for _ in range(3):
        page = client.get(f"/sign-in/{token}")
        assert page.status_code == 200

    assert world.teacher.name in page.text
    assert session.scalars(select(SessionRow)).all() == []


def test_the_button_signs_in_once(app, session, world):
    browser, other = app.test_client(), app.test_client()
    ask(browser, world.teacher.email)
    token = last_token(session)

    first = browser.post(f"/sign-in/{token}", headers={"User-Agent": FIREFOX})
    second = other.post(f"/sign-in/{token}")

    assert (first.status_code, first.location) == (303, "/teacher/")
    assert browser.get("/teacher/").status_code == 200
    assert second.status_code == 410
    assert "/sign-in" in second.text
    assert [each.browser for each in sessions_of(session, world.teacher)] == [
        "Firefox, Linux"
    ]


def test_a_link_ends_after_its_time(client, session, world, wall_clock):
    ask(client, world.teacher.email)
    token = last_token(session)
    wall_clock.at = rows.NOW + LINK_LIFE

    assert client.get(f"/sign-in/{token}").status_code == 410
    assert client.post(f"/sign-in/{token}").status_code == 410


@pytest.mark.parametrize("token", ["x", "1.x", "0.AAAA", "%00", "é" * 50])
def test_an_invented_link_opens_nothing(client, world, token):
    assert client.get(f"/sign-in/{token}").status_code == 410
    assert client.post(f"/sign-in/{token}").status_code == 410


def test_the_page_that_was_wanted_comes_after_the_link(client, session, world):
    asked = client.get("/teacher/visits")
    assert asked.location == "/sign-in?next=/teacher/visits"
    ask(client, world.teacher.email, next="/teacher/visits")

    answer = client.post(f"/sign-in/{last_token(session)}")

    assert answer.location == "/teacher/visits"


def test_nobody_is_led_elsewhere(client, session, world):
    ask(client, world.teacher.email, next="https://elsewhere.example/")

    answer = client.post(f"/sign-in/{last_token(session)}")

    assert answer.location == "/teacher/"


def test_signing_in_as_another_ends_the_former_session(signed_in, session, world):
    browser = signed_in("teacher")
    ask(browser, world.contact.email)

    answer = browser.post(f"/sign-in/{last_token(session)}")

    assert answer.location == "/host/"
    assert [s.revoked_at for s in sessions_of(session, world.teacher)] == [rows.NOW]


# ------------------------------------------------------------------ sessions


def test_signing_out_ends_the_session_in_the_database_too(signed_in, session, world):
    browser = signed_in("teacher")

    answer = browser.post("/sign-out")

    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/teacher/").status_code == 303
    assert [s.revoked_at for s in sessions_of(session, world.teacher)] == [rows.NOW]


def test_signing_out_twice_is_harmless(client, world):
    assert client.post("/sign-out").status_code == 303


def test_another_browser_can_be_signed_out(signed_in, session, world):
    here, lost = signed_in("teacher"), signed_in("teacher")
    _mine, other = sessions_of(session, world.teacher)

    answer = here.post(f"/account/sessions/{other.id}/end")

    assert (answer.status_code, answer.location) == (303, "/account/sessions")
    assert lost.get("/teacher/").status_code == 303
    assert here.get("/account/sessions").text.count("/end") == 1


def test_nobody_ends_the_session_of_somebody_else(signed_in, session, world):
    stranger, victim = signed_in("contact"), signed_in("teacher")
    theirs = sessions_of(session, world.teacher)[0]

    answer = stranger.post(f"/account/sessions/{theirs.id}/end")

    assert answer.status_code == 404
    assert victim.get("/teacher/").status_code == 200


def test_the_list_of_sessions_needs_one(client, world):
    assert client.get("/account/sessions").location.startswith("/sign-in?next=")
    assert client.post("/account/sessions/1/end").status_code == 302


def test_a_session_ends_after_thirty_days(signed_in, wall_clock):
    browser = signed_in("teacher")
    wall_clock.at = rows.NOW + timedelta(days=31)

    assert browser.get("/teacher/").status_code == 303


def test_whoever_is_signed_in_goes_on(signed_in):
    assert signed_in("coordinator").get("/sign-in").location == "/coordinator/"
    wanted = signed_in("teacher").get("/sign-in?next=/teacher/classes")
    assert wanted.location == "/teacher/classes"


def test_somebody_without_a_room_lands_on_the_first_page(app, session, world):
    person = rows.store_person(
        session, "Sans Rôle", role=Role.HEAD, organisation=world.school
    )
    session.execute(delete(MembershipRow).where(MembershipRow.person_id == person.id))
    session.commit()
    browser = app.test_client()
    ask(browser, person.email)

    assert browser.post(f"/sign-in/{last_token(session)}").location == "/"


# ------------------------------------------------------------------ small rules


@pytest.mark.parametrize(
    "path",
    [
        "https://x.example",
        "//x.example",
        "/\\x.example",
        "\\/x.example",
        "/\t/x.example",
        "/a\nb",
        "javascript:alert(1)",
        "teacher/",
        "",
        None,
        "/" + "a" * LONGEST,
    ],
)
def test_only_our_own_paths_are_followed(path):
    assert local_path(path) == ""


@pytest.mark.parametrize("path", ["/", "/teacher/visits?page=2#v", "/c/7KP2XF"])
def test_our_own_paths_are_followed(path):
    assert local_path(path) == path


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18) Safari/604", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/131 Edg/131", "Edge, Windows"),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_browsers_in_plain_words(user_agent, name):
    assert plain_name(user_agent) == name
