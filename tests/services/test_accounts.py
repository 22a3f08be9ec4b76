"""Sign-in by mailed links: one use, an end, a throttle; and sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.refusals import LinkSpent, TooManyTries
from scheduler.persistence.models.access import LinkPurpose, LinkRow, SessionRow, TryRow
from scheduler.persistence.models.people import PersonRow
from scheduler.services import accounts, links
from scheduler.services.accounts import (
    LINK_LIFE,
    LINKS_PER_ADDRESS,
    LINKS_PER_MACHINE,
    SEEN_EVERY,
    SESSION_LIFE,
    WINDOW,
)
from tests.rows import NOW
from tests.services.mailbox import everything, refused

SECOND = timedelta(seconds=1)


def ask(session, email, *, machine="192.0.2.1", now=NOW) -> None:
    accounts.ask_for_link(
        session, email, machine=machine, next_path="/teacher/", now=now
    )


@pytest.fixture
def secret(session, world, house) -> str:
    """The secret in the mail that the teacher asked for."""
    ask(session, world.teacher.email)
    link = session.scalars(select(LinkRow.id)).one()
    session.rollback()
    return links.token(link, key=house.link_key)


# ------------------------------------------------------------------ links


def test_a_known_address_gets_a_link(session, world, outbox):
    ask(session, " Helene@Example.ORG ")

    (told,) = outbox.news()
    link = session.scalars(select(LinkRow)).one()
    assert told.line == ("sign_in", world.teacher.email, None, None)
    assert told.payload["link"] == {"purpose": "sign_in", "id": link.id}
    assert (link.person_id, link.expires_at, link.next_path) == (
        world.teacher.id,
        NOW + LINK_LIFE,
        "/teacher/",
    )


@pytest.mark.parametrize("who", ["nobody@example.org", "blocked"])
def test_nobody_else_gets_one_and_nobody_learns_it(session, world, outbox, who):
    if who == "blocked":
        session.get_one(PersonRow, world.teacher.id).blocked = True
        session.commit()
        who = world.teacher.email

    ask(session, who)

    assert outbox.news() == []
    assert session.scalars(select(LinkRow)).all() == []


def test_no_secret_lies_in_the_database(session, secret):
    assert secret.partition(".")[2] not in repr(everything(session))


def test_a_secret_cannot_be_made_with_another_key(session, secret):
    link = int(secret.partition(".")[0])
    forged = links.token(link, key=b"another key")

    with pytest.raises(LinkSpent):
        accounts.look_at_link(session, forged, now=NOW)


def test_looking_at_a_link_changes_nothing(session, world, secret):
    before = everything(session)

    assert accounts.look_at_link(session, secret, now=NOW) == world.teacher.name
    assert everything(session) == before


def test_a_link_opens_one_session_and_is_spent(session, world, secret):
    key, next_path = accounts.sign_in(session, secret, browser="Firefox", now=NOW)

    assert next_path == "/teacher/"
    found = accounts.viewer(session, key, now=NOW)
    assert found is not None
    assert (found.person_id, found.name, found.actor) == (
        world.teacher.id,
        world.teacher.name,
        world.teacher.actor,
    )
    with refused(session, "link_spent"):
        accounts.sign_in(session, secret, browser="Firefox", now=NOW)


def test_a_link_ends_after_half_an_hour(session, secret):
    assert accounts.look_at_link(session, secret, now=NOW + LINK_LIFE - SECOND)
    with refused(session, "link_spent"):
        accounts.sign_in(session, secret, browser="", now=NOW + LINK_LIFE)
    with pytest.raises(LinkSpent):
        accounts.look_at_link(session, secret, now=NOW + LINK_LIFE)


@pytest.mark.parametrize("wrong", ["", "1", "1.", "999.abc", "x" * 5000, "1.é\x00"])
def test_what_is_no_link_opens_nothing(session, world, secret, wrong):
    with refused(session, "link_spent"):
        accounts.sign_in(session, wrong, browser="", now=NOW)


def test_a_link_serves_one_purpose(session, world, house):
    row = links.mint(
        session,
        LinkPurpose.ANSWER_VISIT,
        person_id=world.contact.id,
        expires_at=NOW + LINK_LIFE,
        now=NOW,
    )
    secret = links.token(row.id, key=house.link_key)
    session.commit()

    assert links.look_up(session, secret, LinkPurpose.ANSWER_VISIT, now=NOW)
    with refused(session, "link_spent"):
        accounts.sign_in(session, secret, browser="", now=NOW)


# ------------------------------------------------------------------ throttle


def test_an_address_is_written_to_five_times_in_a_quarter_of_an_hour(session, world):
    for _ in range(LINKS_PER_ADDRESS):
        ask(session, world.teacher.email)

    with refused(session, "too_many_tries"):
        ask(session, world.teacher.email.upper(), machine="192.0.2.2")
    ask(session, world.teacher.email, now=NOW + WINDOW + SECOND)


def test_unknown_addresses_count_as_well(session, world):
    for _ in range(LINKS_PER_ADDRESS):
        ask(session, "nobody@example.org")

    with refused(session, "too_many_tries"):
        ask(session, "nobody@example.org")


def test_a_machine_asks_for_thirty_addresses(session, world):
    for number in range(LINKS_PER_MACHINE):
        ask(session, f"somebody{number}@example.org")

    with refused(session, "too_many_tries"):
        ask(session, world.teacher.email)
    ask(session, world.teacher.email, machine="192.0.2.2")


def test_the_count_says_when_to_come_again_and_holds_no_address(session):
    accounts.throttle(session, "code:192.0.2.1", most=1, now=NOW)

    with pytest.raises(TooManyTries) as refusal:
        accounts.throttle(session, "code:192.0.2.1", most=1, now=NOW + SECOND)

    assert refusal.value.facts == {"again_at": (NOW + WINDOW).isoformat()}
    assert "192.0.2.1" not in repr([row.key for row in session.scalars(select(TryRow))])


# ------------------------------------------------------------------ sessions


def test_a_session_lives_thirty_days(session, world):
    key = accounts.open_session(session, world.teacher.id, browser="", now=NOW)

    assert accounts.viewer(session, key, now=NOW + SESSION_LIFE - SECOND)
    assert accounts.viewer(session, key, now=NOW + SESSION_LIFE) is None
    assert accounts.viewer(session, "something else", now=NOW) is None


def test_a_blocked_person_is_out_at_once(session, world):
    key = accounts.open_session(session, world.teacher.id, browser="", now=NOW)
    session.get_one(PersonRow, world.teacher.id).blocked = True
    session.commit()

    assert accounts.viewer(session, key, now=NOW) is None


def test_a_look_is_noted_every_five_minutes_only(session, world):
    key = accounts.open_session(session, world.teacher.id, browser="", now=NOW)
    before = everything(session)

    accounts.viewer(session, key, now=NOW + SEEN_EVERY)
    unchanged = everything(session)
    accounts.viewer(session, key, now=NOW + SEEN_EVERY + SECOND)

    assert unchanged == before
    seen = session.scalars(select(SessionRow.last_seen_at)).one()
    assert seen == NOW + SEEN_EVERY + SECOND


def test_a_long_name_of_a_browser_is_cut(session, world):
    accounts.open_session(session, world.teacher.id, browser="x" * 5000, now=NOW)

    assert session.scalars(select(SessionRow.browser)).one() == "x" * 120


def test_people_revoke_sessions_of_their_own(session, world):
    key = accounts.open_session(session, world.teacher.id, browser="a", now=NOW)
    accounts.open_session(session, world.teacher.id, browser="b", now=NOW + SECOND)
    listed = accounts.sessions(session, world.teacher.id, now=NOW + SECOND)
    assert [each.browser for each in listed] == ["b", "a"]
    mine = listed[1].id
    session.rollback()

    with refused(session, "not_found"):
        accounts.revoke(session, mine, by=world.colleague.actor, now=NOW)
    with refused(session, "not_found"):
        accounts.revoke(session, 999, by=world.teacher.actor, now=NOW)
    accounts.revoke(session, mine, by=world.teacher.actor, now=NOW)

    assert accounts.viewer(session, key, now=NOW) is None
    left = accounts.sessions(session, world.teacher.id, now=NOW + SECOND)
    assert [each.browser for each in left] == ["b"]


def test_a_language_is_kept(session, world):
    accounts.set_locale(session, world.teacher.id, "en")

    assert session.get_one(PersonRow, world.teacher.id).locale == "en"
