"""A host answers from a mail: no account, nothing on GET, the second press says so."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from scheduler.domain.visits import VisitState
from scheduler.persistence.models.access import LinkRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.people import MembershipRow
from scheduler.persistence.models.visits import ProposalRow, VisitRow
from scheduler.services import links, requests
from scheduler.services.accounts import TRIES_PER_MACHINE
from tests import rows

FRENCH = {"Accept-Language": "fr"}


def link_to(session, visit, person):
    """The address in the newest mail to that person."""
    link = session.scalars(
        select(LinkRow)
        .where(LinkRow.visit_id == visit, LinkRow.person_id == person.id)
        .order_by(LinkRow.id.desc())
    ).first()
    return "/h/" + links.token(link.id, key=session.info["house"].link_key)


# Both contacts have the request in their calendars.
CLOSED = ["request_closed_host"] * 2


def letters(session, visit):
    return session.scalars(
        select(MessageRow.kind)
        .where(MessageRow.visit_id == visit)
        .order_by(MessageRow.id)
    ).all()


@pytest.fixture
def visit(session, world):
    return rows.ask(session, world, message="Bonjour <b>à vous</b>")


@pytest.fixture
def address(session, world, visit):
    return link_to(session, visit, world.contact)


def test_the_page_says_who_when_how_many_and_how_full(client, address):
    page = client.get(address, headers=FRENCH).get_data(as_text=True)

    for words in (
        "mardi 12 janvier 2027",
        "24 élèves",
        "Lycée des Deux-Rives",
        "24 places sur 30",
        "km par la route",
        "Bonjour &lt;b&gt;à vous&lt;/b&gt;",
        "Accepter le mardi 12 janvier",
    ):
        assert words in page


def test_opening_the_link_changes_nothing(session, client, visit, address):
    before = session.get_one(VisitRow, visit).revision, letters(session, visit)

    statuses = [
        client.get(address).status_code,
        client.head(address).status_code,
        client.get(address, headers={"User-Agent": "MailScanner"}).status_code,
    ]

    row = session.get_one(VisitRow, visit)
    assert statuses == [200, 200, 200]
    assert row.state is VisitState.REQUESTED
    assert (row.revision, letters(session, visit)) == before


def test_buttons_do_not_work_by_get(client, address):
    statuses = [
        client.get(f"{address}/{step}").status_code
        for step in ("accept", "decline", "propose")
    ]

    assert statuses == [404, 404, 404]


def test_accept_without_account(session, client, visit, address):
    answer = client.post(f"{address}/accept")

    assert (answer.status_code, answer.location) == (303, address)
    assert session.get_one(VisitRow, visit).state is VisitState.CONFIRMED
    assert letters(session, visit).count("visit_confirmed") == 3
    page = client.get(address, headers=FRENCH).get_data(as_text=True)
    assert "Vous avez accepté le lundi 23 novembre 2026" in page


def test_the_second_press_says_that_it_was_answered(session, client, visit, address):
    client.post(f"{address}/accept")
    before = session.get_one(VisitRow, visit).revision, letters(session, visit)
    session.rollback()

    answers = [
        client.post(f"{address}/accept"),
        client.post(f"{address}/decline", data={"reason": "date"}),
        client.post(f"{address}/propose", data={"slots": "2"}),
    ]

    row = session.get_one(VisitRow, visit)
    assert {answer.status_code for answer in answers} <= {303, 422}
    assert row.state is VisitState.CONFIRMED
    assert (row.revision, letters(session, visit)) == before
    page = client.get(address, headers=FRENCH).get_data(as_text=True)
    assert "La réponse était déjà donnée" in page


@pytest.mark.parametrize(
    "typed",
    [{}, {"note": "non"}, {"reason": "nonsense"}, {"reason": "other"}],
)
def test_decline_needs_a_reason(session, client, visit, address, typed):
    answer = client.post(f"{address}/decline", data=typed)

    assert answer.status_code == 422
    assert session.get_one(VisitRow, visit).state is VisitState.REQUESTED


def test_decline_tells_the_class_and_the_link_still_says_so(
    session, client, visit, address
):
    answer = client.post(
        f"{address}/decline", data={"reason": "other", "note": "Inventaire"}
    )

    row = session.get_one(VisitRow, visit)
    assert answer.status_code == 303
    assert (row.state, row.reason, row.note) == (
        VisitState.DECLINED,
        "other",
        "Inventaire",
    )
    assert letters(session, visit)[-3:] == ["visit_declined", *CLOSED]
    page = client.get(address, headers=FRENCH)
    assert page.status_code == 200
    assert "Vous avez refusé" in page.get_data(as_text=True)
    assert "Accepter" not in page.get_data(as_text=True)


def test_propose_a_slot_that_is_open(session, client, world, visit, address):
    answer = client.post(
        f"{address}/propose", data={"slots": str(world.slots[1]), "note": "Plutôt ?"}
    )

    assert answer.status_code == 303
    assert session.get_one(VisitRow, visit).state is VisitState.PROPOSED
    offered = session.scalars(
        select(ProposalRow.slot_id).where(ProposalRow.visit_id == visit)
    ).all()
    assert offered == [world.slots[1]]
    assert letters(session, visit)[-3:] == ["visit_proposed", *CLOSED]
    page = client.get(address, headers=FRENCH).get_data(as_text=True)
    assert "jeudi 21 janvier 2027" in page


def test_propose_a_new_time(session, client, visit, address):
    before = session.scalar(select(func.count(SlotRow.id)))
    session.rollback()

    answer = client.post(
        f"{address}/propose",
        data={"day": "2027-01-26", "starts": "09:00", "ends": "11:00"},
    )

    assert answer.status_code == 303
    assert session.scalar(select(func.count(SlotRow.id))) == before + 1
    assert session.get_one(VisitRow, visit).state is VisitState.PROPOSED


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"day": "2027-01-26"},
        {"day": "2027-01-26", "starts": "11:00", "ends": "09:00"},
        {"day": "2027-02-24", "starts": "09:00", "ends": "11:00"},
        {"day": "2027-03-28", "starts": "02:30", "ends": "04:00"},
        {"day": "2026-01-26", "starts": "09:00", "ends": "11:00"},
        {"day": "1900-01-01", "starts": "09:00", "ends": "11:00"},
        {"day": "9999-12-31", "starts": "09:00", "ends": "11:00"},
        {"day": "0001-01-01", "starts": "00:00", "ends": "11:00"},
        {"day": "tomorrow", "starts": "25:99", "ends": "\x00"},
        {"slots": "999999"},
        {"slots": "x'; drop table visit"},
    ],
)
def test_a_time_that_cannot_be_keeps_nothing(session, client, visit, address, typed):
    before = session.scalar(select(func.count(SlotRow.id)))
    session.rollback()

    answer = client.post(f"{address}/propose", data=typed)

    assert answer.status_code == 422
    assert session.scalar(select(func.count(SlotRow.id))) == before
    assert session.get_one(VisitRow, visit).state is VisitState.REQUESTED


def test_a_link_that_is_over_says_so(client, wall_clock, address):
    wall_clock.at = rows.TUESDAY + timedelta(minutes=1)

    answers = [client.get(address), client.post(f"{address}/accept")]

    assert [answer.status_code for answer in answers] == [410, 410]


def test_guessing_is_slowed_down(client):
    answers = [
        client.get("/h/1.guess").status_code for _ in range(TRIES_PER_MACHINE + 1)
    ]

    assert answers[0] == 410
    assert answers[-1] == 429


def test_the_right_link_counts_no_try(client, address):
    for _ in range(TRIES_PER_MACHINE):
        client.get("/h/1.guess")

    assert client.get(address).status_code == 200


def test_who_left_the_company_answers_no_more(session, client, world, address):
    session.execute(
        delete(MembershipRow).where(MembershipRow.person_id == world.contact.id)
    )
    session.commit()

    assert client.get(address).status_code == 410


def test_a_revoked_link_opens_nothing(session, client, visit, address):
    for link in session.scalars(select(LinkRow).where(LinkRow.visit_id == visit)):
        link.spent_at = rows.NOW
    session.commit()

    assert client.get(address).status_code == 410


@pytest.mark.parametrize(("step", "slot"), [("accept", 1), ("decline", 0)])
def test_a_move_is_accepted_or_the_date_is_kept(session, client, world, step, slot):
    visit = rows.visit_in(session, world, VisitState.MOVING)
    address = link_to(session, visit, world.contact)

    page = client.get(address, headers=FRENCH).get_data(as_text=True)
    answer = client.post(f"{address}/{step}", data={"reason": "date"})

    row = session.get_one(VisitRow, visit)
    assert "Souhaité" in page
    assert answer.status_code == 303
    assert (row.state, row.slot_id) == (VisitState.CONFIRMED, world.slots[slot])


def test_a_withdrawn_request_says_so(session, client, world, visit, address):
    requests.withdraw_visit(session, visit, by=world.teacher.actor, now=rows.NOW)

    page = client.get(address, headers=FRENCH)

    assert page.status_code == 200
    assert "L’établissement a retiré sa demande" in page.get_data(as_text=True)


def test_csrf_stays_on(app, client, visit, address):
    app.config["WTF_CSRF_ENABLED"] = True

    assert client.post(f"{address}/accept").status_code == 400
