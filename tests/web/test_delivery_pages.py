"""What became of the mail: for the school, for the coordinator, for nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.domain.visits import VisitState
from scheduler.mail.letter import Undeliverable
from scheduler.persistence.models.outbox import LeaseRow, MessageRow, MessageState
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.visits import InvitationRow, InvitationState
from scheduler.persistence.sealed import seal_of
from scheduler.services import accounts, students
from tests import rows
from tests.rows import NOW
from tests.services.letters import Bag, messages

WRONG, RIGHT, OTHER = "lea@exampel.org", "lea@example.org", "noe@example.org"
REFUSED = Undeliverable("recipient_refused", answer="550 5.1.1 unknown")


@pytest.fixture
def visit(session: Session, world: rows.World) -> int:
    """Confirmed; of two students one has a wrong address."""
    made = rows.visit_in(session, world, VisitState.CONFIRMED)
    Bag().deliver(session, now=NOW)
    students.set_addresses(
        session, made, [WRONG, OTHER], by=world.teacher.actor, now=NOW
    )
    Bag(failures={WRONG: [REFUSED]}).deliver(session, now=NOW)
    session.rollback()
    return made


def failed(session: Session) -> int:
    session.rollback()
    return session.scalars(
        select(MessageRow.id).where(MessageRow.state == MessageState.DEAD)
    ).one()


def text(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.text


def test_the_teacher_reads_to_whom_and_why(signed_in, visit: int, session: Session):
    page = text(signed_in("teacher"), f"/teacher/visits/{visit}")

    assert WRONG in page
    assert OTHER not in page
    assert f"/teacher/visits/{visit}/mail/{failed(session)}" in page
    assert "550" not in page


def test_the_teacher_is_told_on_the_first_pages_too(signed_in, visit: int):
    client = signed_in("teacher")
    words = "1 message n’est pas arrivé"

    home = text(client, "/teacher/")

    assert "undelivered" in home
    assert words in home
    assert words in text(client, "/teacher/visits?tab=confirmed")
    assert words in text(client, f"/teacher/visits/{visit}")


def test_what_a_newer_mail_replaced_needs_nobody(
    signed_in, visit: int, session: Session, world: rows.World
):
    """All pages count the same: one that says 1 leads to one that shows it."""
    teacher, coordinator = signed_in("teacher"), signed_in("coordinator")
    before = teacher.get("/healthz").json["messages"]["dead"]

    rows.change_time(session, world)

    assert (before, teacher.get("/healthz").json["messages"]["dead"]) == (1, 0)
    assert "undelivered" not in text(teacher, "/teacher/")
    assert "en échec" not in text(teacher, f"/teacher/visits/{visit}")
    assert "callout--danger" not in text(coordinator, "/coordinator/")


def test_the_wrong_address_stands_in_the_field_to_be_corrected(
    signed_in, visit: int, session: Session, world: rows.World
):
    teachers = f"/teacher/visits/{visit}/mail/{failed(session)}"
    coordinators = f"/coordinator/people/{world.contact.id}/address"

    assert f'value="{WRONG}"' in text(signed_in("teacher"), teachers)
    page = text(signed_in("coordinator"), coordinators)
    assert f'value="{world.contact.email}"' in page


def test_one_field_knows_no_lines(signed_in, visit: int, session: Session):
    client = signed_in("teacher")
    url = f"/teacher/visits/{visit}/mail/{failed(session)}"

    answer = client.post(url, data={"address": "no address"})

    assert "Ce n’est pas une adresse électronique" in answer.text
    assert "ligne" not in answer.text


def test_a_wrong_address_of_the_list_is_said_at_its_own_field(signed_in, visit: int):
    client = signed_in("teacher")
    data = {"addresses": OTHER, "class_list": "no list"}

    answer = client.post(f"/teacher/visits/{visit}/students", data=data)

    assert answer.status_code == 422
    assert 'href="#class_list"' in answer.text
    assert 'href="#addresses"' not in answer.text


@pytest.mark.parametrize("who", ["other_teacher", "contact"])
def test_nobody_else_does(signed_in, visit: int, session: Session, who: str):
    client = signed_in(who)
    number = failed(session)

    assert client.get(f"/teacher/visits/{visit}/mail/{number}").status_code == 404
    assert (
        client.post(
            f"/teacher/visits/{visit}/mail/{number}", data={"address": RIGHT}
        ).status_code
        == 404
    )
    if who == "contact":
        assert WRONG not in text(client, f"/host/visits/{visit}")


def test_the_coordinator_sees_the_mail_and_no_students_address(
    signed_in, visit: int, session: Session
):
    client = signed_in("coordinator")
    page = text(client, "/coordinator/mail")

    assert WRONG not in page
    assert f"/coordinator/mail/{failed(session)}/retry" in page

    answer = client.post(f"/coordinator/mail/{failed(session)}/retry")

    assert answer.status_code == 303
    assert messages(session)[-1].state is not MessageState.DEAD
    assert signed_in("teacher").get("/coordinator/mail").status_code == 404


def test_a_corrected_address_is_invited_and_the_wrong_one_forgotten(
    signed_in, visit: int, session: Session
):
    client = signed_in("teacher")
    url = f"/teacher/visits/{visit}/mail/{failed(session)}"

    assert client.post(url, data={"address": "no address"}).status_code == 422
    assert client.post(url, data={"address": WRONG}).status_code == 422
    assert client.post(url, data={"address": RIGHT}).status_code == 303

    bag = Bag()
    bag.deliver(session, now=NOW)
    assert bag.addresses == [RIGHT]
    assert [message.method for message in bag.sent] == ["REQUEST"]
    states = {
        seal_of(session).open(row.address): row.state
        for row in session.scalars(
            select(InvitationRow).where(InvitationRow.audience == Audience.STUDENT)
        )
    }
    assert states == {
        WRONG: InvitationState.CANCELLED,
        RIGHT: InvitationState.INVITED,
        OTHER: InvitationState.INVITED,
    }
    assert WRONG not in text(client, f"/teacher/visits/{visit}")
    assert client.post(url, data={"address": RIGHT}).status_code == 404


def test_a_corrected_list_is_still_a_list(
    signed_in, session: Session, world: rows.World
):
    """Nobody knows who reads it: it is asked nothing and gets no link of its own."""
    made = rows.visit_in(session, world, VisitState.CONFIRMED)
    Bag().deliver(session, now=NOW)
    students.set_addresses(
        session, made, [OTHER], list_address=WRONG, by=world.teacher.actor, now=NOW
    )
    Bag(failures={WRONG: [REFUSED]}).deliver(session, now=NOW)
    url = f"/teacher/visits/{made}/mail/{failed(session)}"

    assert signed_in("teacher").post(url, data={"address": RIGHT}).status_code == 303

    bag = Bag()
    bag.deliver(session, now=NOW)
    assert [(each.recipient_address, each.method) for each in bag.sent] == [
        (RIGHT, "PUBLISH")
    ]


def test_who_had_got_the_invitation_gets_a_cancellation(
    signed_in, visit: int, session: Session, world: rows.World
):
    """An address that took mail and then came back may be somebody else's."""
    rows.change_time(session, world)
    failures = {OTHER: [REFUSED]}
    Bag(failures=failures).deliver(session, now=NOW)
    row = next(
        each
        for each in messages(session)
        if each.state is MessageState.DEAD
        and seal_of(session).open(each.address) == OTHER
    )
    url = f"/teacher/visits/{visit}/mail/{row.id}"
    assert signed_in("teacher").post(url, data={"address": RIGHT}).status_code == 303

    bag = Bag()
    bag.deliver(session, now=NOW)
    told = {(each.recipient_address, each.method) for each in bag.sent}
    assert {(OTHER, "CANCEL"), (RIGHT, "REQUEST")} <= told


def test_a_dead_sign_in_link_does_not_come_back_with_a_right_address(
    signed_in, visit: int, session: Session, world: rows.World
):
    """It ran out long ago; whoever wants in asks for another."""
    accounts.ask_for_link(
        session, world.contact.email, machine="m", next_path="", now=NOW
    )
    Bag(failures={world.contact.email: [REFUSED]}).deliver(session, now=NOW)
    url = f"/coordinator/people/{world.contact.id}/address"

    done = signed_in("coordinator").post(url, data={"address": "neu@example.org"})

    assert done.status_code == 303
    bag = Bag()
    bag.deliver(session, now=NOW)
    told = {each.kind for each in bag.sent if each.recipient_address != OTHER}
    assert "sign_in" not in told


def test_an_adults_address_is_corrected_and_the_entry_follows(
    signed_in, visit: int, session: Session, world: rows.World
):
    before = session.scalars(
        select(InvitationRow).where(InvitationRow.person_id == world.contact.id)
    ).one()
    uid, sequence, old = before.uid, before.sequence, world.contact.email
    session.rollback()
    client = signed_in("coordinator")
    url = f"/coordinator/people/{world.contact.id}/address"

    assert world.contact.email in text(client, url)
    taken = client.post(url, data={"address": world.teacher.email})
    assert taken.status_code == 422
    assert client.post(url, data={"address": "neu@example.org"}).status_code == 303

    bag = Bag()
    bag.deliver(session, now=NOW)
    told = {each.recipient_address: each for each in bag.sent if each.method}
    assert {to: each.method for to, each in told.items()} == {
        old: "CANCEL",
        "neu@example.org": "REQUEST",
    }
    assert (told[old].uid, told[old].sequence) == (uid, sequence + 1)
    assert told["neu@example.org"].uid != uid
    assert session.get_one(PersonRow, world.contact.id).email == "neu@example.org"
    assert signed_in("teacher").get(url).status_code == 404


def test_mail_that_stands_still_is_said_on_the_pages_and_to_machines(
    signed_in, visit: int, session: Session, client: FlaskClient, wall_clock
):
    row = messages(session)[-1]
    row.state, row.due_at = MessageState.WAITING, NOW
    session.add(
        LeaseRow(name="loop", owner="a", until=NOW, beat_at=NOW + timedelta(hours=1))
    )
    session.commit()
    wall_clock.at = NOW + timedelta(hours=1)

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json["loop"]["alive"] is True
    assert answer.json["messages"]["oldest_due_seconds"] == 3600
    assert answer.json["messages"]["moving"] is False
    for who, url in (
        ("coordinator", "/coordinator/"),
        ("coordinator", "/coordinator/mail"),
        ("teacher", f"/teacher/visits/{visit}"),
    ):
        assert "callout--warning" in text(signed_in(who), url)
