"""Answers become a number on two pages; a proposed time waits for a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.demo.replies import Reply
from scheduler.domain.answers import Answer, AnswerWay
from scheduler.domain.visits import CancelReason, VisitState
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.received import ReceivedRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services import contacts, inbox, links, requests
from scheduler.services.accounts import TRIES_PER_MACHINE
from scheduler.services.students import set_addresses
from tests import rows
from tests.replies import LATER, invitation, reply

FRENCH = {"Accept-Language": "fr"}
LEA, TOM, ZOE = "lea@example.org", "tom@example.org", "zoe@example.org"
A_WEEK = timedelta(days=7)


@pytest.fixture
def visit(session, world):
    """A confirmed visit; three of its students are invited by mail."""
    found = rows.visit_in(session, world, VisitState.CONFIRMED)
    set_addresses(session, found, [LEA, TOM, ZOE], by=world.teacher.actor, now=rows.NOW)
    return found


@pytest.fixture
def answered(session, visit):
    inbox.receive(session, reply(session, visit, LEA), now=LATER)
    octets = reply(session, visit, TOM, Reply.DECLINE, comment="Chez le dentiste")
    inbox.receive(session, octets, now=LATER)
    return visit


def page_of(client, path):
    return client.get(path, headers=FRENCH).get_data(as_text=True)


# ------------------------------------------------------------------ the count


def test_the_teacher_sees_who_comes_and_why_not(signed_in, answered):
    page = page_of(signed_in("teacher"), f"/teacher/visits/{answered}")

    assert "1 vient, 1 ne vient pas, 1 sans réponse" in page
    assert "3 élèves ont été invités par message, sur 24 annoncés." in page
    assert "Chez le dentiste" in page


def test_the_part_that_comes_again_says_the_same(signed_in, answered):
    part = page_of(signed_in("teacher"), f"/teacher/visits/{answered}/answers")

    assert part.lstrip().startswith('<div id="answers"')
    assert "1 vient, 1 ne vient pas, 1 sans réponse" in part


def test_the_host_sees_numbers_only(signed_in, answered):
    for path in (f"/host/visits/{answered}", f"/host/visits/{answered}/answers"):
        page = page_of(signed_in("contact"), path)

        assert "1 vient, 1 ne vient pas, 1 sans réponse" in page
        assert "dentiste" not in page
        assert TOM not in page


def test_nobody_else_sees_the_count(signed_in, answered):
    for who, room in (("other_teacher", "teacher"), ("other_contact", "host")):
        client = signed_in(who)
        assert client.get(f"/{room}/visits/{answered}/answers").status_code == 404


def test_the_page_says_when_too_few_can_come(signed_in, session, world, answered):
    session.get_one(OfferRow, world.offer).min_students = 24
    session.commit()

    page = page_of(signed_in("teacher"), f"/teacher/visits/{answered}")

    assert "23 élèves au plus peuvent encore venir" in page


def test_a_group_that_is_too_small_is_said_on_the_first_page(
    signed_in, session, answered
):
    client = signed_in("teacher")
    assert "Rien à faire pour le moment." in page_of(client, "/teacher/")
    session.get_one(VisitRow, answered).below_minimum_at = LATER
    session.commit()

    page = page_of(client, "/teacher/")

    assert "Un groupe est devenu trop petit" in page
    assert "Rien à faire pour le moment." not in page


# ------------------------------------------------------------------ another time


@pytest.fixture
def proposed(session, world, visit):
    octets = reply(
        session, visit, world.contact.email, Reply.OTHER_TIME, audience="host"
    )
    inbox.receive(session, octets, now=LATER)
    return visit


def action(page, name):
    """The address of the button."""
    return next(part for part in page.split('"') if part.endswith(f"/{name}"))


def test_the_first_page_of_who_decides_says_so(signed_in, proposed):
    teacher = page_of(signed_in("teacher"), "/teacher/")

    assert "other-times" in teacher
    assert "À vous" in teacher
    assert "other-times" not in page_of(signed_in("contact"), "/host/")


def test_the_company_reads_on_its_first_page_that_a_teacher_proposes(
    signed_in, session, world, visit
):
    octets = reply(
        session, visit, world.teacher.email, Reply.OTHER_TIME, audience="teacher"
    )
    inbox.receive(session, octets, now=LATER)

    assert "other-times" in page_of(signed_in("contact"), "/host/")
    assert "other-times" not in page_of(signed_in("teacher"), "/teacher/")


def test_a_proposed_time_is_shown_to_both(signed_in, proposed):
    teacher = page_of(signed_in("teacher"), f"/teacher/visits/{proposed}")
    contact = page_of(signed_in("contact"), f"/host/visits/{proposed}")

    assert "Gérard Lebreton propose un autre horaire" in teacher
    assert "mardi 19 janvier 2027" in teacher
    assert "Vous avez proposé un autre horaire" in contact
    assert "/take" not in contact


def test_the_teacher_takes_it_and_the_slot_moves(signed_in, session, world, proposed):
    client = signed_in("teacher")
    take = action(page_of(client, f"/teacher/visits/{proposed}"), "take")

    done = client.post(take)
    again = client.post(take)

    assert (done.status_code, again.status_code) == (303, 303)
    slot = session.get_one(SlotRow, world.slots[0], populate_existing=True)
    assert slot.starts_at == rows.TUESDAY + A_WEEK
    assert session.get_one(VisitRow, proposed).slot_id == world.slots[0]
    assert "propose un autre horaire" not in page_of(
        client, f"/teacher/visits/{proposed}"
    )


def test_with_others_on_the_slot_the_visit_goes_elsewhere(
    signed_in, session, world, proposed
):
    session.get_one(SlotRow, world.slots[0]).max_groups = 2
    session.get_one(SlotRow, world.slots[0]).max_students = 60
    session.commit()
    rows.ask(session, world, school_class=world.second_class, by=world.colleague)
    client = signed_in("teacher")

    client.post(action(page_of(client, f"/teacher/visits/{proposed}"), "take"))

    row = session.get_one(VisitRow, proposed, populate_existing=True)
    assert row.slot_id not in world.slots
    assert session.get_one(SlotRow, row.slot_id).starts_at == rows.TUESDAY + A_WEEK
    assert session.get_one(SlotRow, world.slots[0]).starts_at == rows.TUESDAY


def test_the_place_stays_where_it_was(signed_in, session, world, proposed):
    """Another time was proposed, nothing else."""
    session.get_one(SlotRow, world.slots[0]).place = "Quai 4, Donges"
    session.commit()
    client = signed_in("teacher")

    client.post(action(page_of(client, f"/teacher/visits/{proposed}"), "take"))

    slot = session.get_one(SlotRow, world.slots[0], populate_existing=True)
    assert slot.starts_at == rows.TUESDAY + A_WEEK
    assert slot.place == "Quai 4, Donges"


def test_a_time_over_two_days_is_not_taken(signed_in, session, world, proposed):
    """A slot is of one day: half of the proposal would be another proposal."""
    row = session.scalars(select(ReceivedRow)).one()
    row.proposed_ends_at += timedelta(days=1)
    session.commit()
    client = signed_in("teacher")

    client.post(action(page_of(client, f"/teacher/visits/{proposed}"), "take"))

    slot = session.get_one(SlotRow, world.slots[0], populate_existing=True)
    assert slot.starts_at == rows.TUESDAY


def test_what_the_rules_refuse_changes_nothing(signed_in, session, world, proposed):
    rows.store_slot(session, world.offer, rows.TUESDAY + A_WEEK)
    client = signed_in("teacher")

    client.post(action(page_of(client, f"/teacher/visits/{proposed}"), "take"))

    slot = session.get_one(SlotRow, world.slots[0], populate_existing=True)
    assert slot.starts_at == rows.TUESDAY
    assert "propose un autre horaire" in page_of(client, f"/teacher/visits/{proposed}")


def test_the_teacher_keeps_the_time(signed_in, session, world, proposed):
    client = signed_in("teacher")

    client.post(action(page_of(client, f"/teacher/visits/{proposed}"), "keep"))

    assert "propose un autre horaire" not in page_of(
        client, f"/teacher/visits/{proposed}"
    )
    slot = session.get_one(SlotRow, world.slots[0], populate_existing=True)
    assert slot.starts_at == rows.TUESDAY


def test_nobody_takes_a_time_of_their_own(signed_in, proposed):
    client = signed_in("teacher")
    take = action(page_of(client, f"/teacher/visits/{proposed}"), "take")

    own = signed_in("contact").post(take.replace("/teacher/", "/host/"))
    other = signed_in("other_teacher").post(take)

    assert (own.status_code, other.status_code) == (404, 404)


def test_a_time_of_a_contact_who_left_is_refused_in_words(
    signed_in, session, world, proposed
):
    client = signed_in("teacher")
    path = f"/teacher/visits/{proposed}"
    take = action(page_of(client, path), "take")
    contacts.remove_contact(
        session, world.host, world.contact.id, by=world.substitute.actor, now=LATER
    )

    done = client.post(take, headers=FRENCH)

    assert done.status_code == 303
    assert "ne participe plus à la visite" in page_of(client, path)
    slot = session.get_one(SlotRow, world.slots[0], populate_existing=True)
    assert slot.starts_at == rows.TUESDAY


def test_a_time_of_a_contact_who_is_blocked_is_refused_in_words(
    signed_in, session, world, proposed
):
    client = signed_in("teacher")
    path = f"/teacher/visits/{proposed}"
    take = action(page_of(client, path), "take")
    session.get_one(PersonRow, world.contact.id).blocked = True
    session.commit()

    assert client.post(take, headers=FRENCH).status_code == 303
    assert "ne participe plus à la visite" in page_of(client, path)


def test_a_students_other_time_is_told_to_the_teacher_and_moves_nothing(
    signed_in, session, world, visit
):
    octets = reply(session, visit, LEA, Reply.OTHER_TIME, comment="Stage ce jour-là")
    inbox.receive(session, octets, now=LATER)

    teacher = page_of(signed_in("teacher"), f"/teacher/visits/{visit}")
    contact = page_of(signed_in("contact"), f"/host/visits/{visit}")

    assert "propose un autre horaire : mardi 19 janvier 2027" in plain(teacher)
    assert "Stage ce jour-là" in teacher
    assert "/take" not in teacher
    assert "propose un autre horaire" not in contact
    assert session.get_one(VisitRow, visit).slot_id == world.slots[0]


def test_what_a_student_answers_later_takes_the_place_of_the_other_time(
    signed_in, session, visit
):
    octets = reply(session, visit, LEA, Reply.OTHER_TIME)
    inbox.receive(session, octets, now=LATER)
    later = LATER + timedelta(hours=1)
    inbox.receive(session, reply(session, visit, LEA, at=later), now=later)

    page = page_of(signed_in("teacher"), f"/teacher/visits/{visit}")

    assert "1 vient" in page
    assert "propose un autre horaire" not in page


def plain(page):
    """With ordinary blanks."""
    return page.replace("\u00a0", " ").replace("\u202f", " ")


# ------------------------------------------------------------------ three buttons


@pytest.fixture
def address(session, visit):
    return address_of(session, invitation(session, visit, LEA).id)


def address_of(session, number):
    key = session.info["house"].link_key
    return "/r/" + links.answer_token(number, key=key)


def test_looking_changes_nothing_and_pressing_does(client, session, visit, address):
    asked = client.get(address, headers=FRENCH)
    assert asked.status_code == 200
    assert "Tu viens chez Férembois Usinage" in asked.get_data(as_text=True)
    session.rollback()
    assert invitation(session, visit, LEA).answer is None

    done = client.post(address, data={"answer": "declined"})

    assert done.status_code == 303
    session.rollback()
    row = invitation(session, visit, LEA)
    assert (row.answer, row.answer_way) == (Answer.DECLINED, AnswerWay.PAGE)
    again = client.get(address, headers=FRENCH).get_data(as_text=True)
    assert "Ta réponse : Je ne viens pas" in again.replace("\u00a0", " ")


def test_the_last_answer_counts(client, session, visit, address):
    client.post(address, data={"answer": "declined"})
    client.post(address, data={"answer": "accepted"})

    session.rollback()
    assert invitation(session, visit, LEA).answer is Answer.ACCEPTED


def test_an_answer_by_mail_from_before_the_page_does_not_count(
    client, session, visit, address, wall_clock
):
    octets = reply(session, visit, LEA, Reply.ACCEPT, at=rows.NOW)
    wall_clock.at = LATER
    client.post(address, data={"answer": "declined"})

    done = inbox.receive(session, octets, now=LATER)

    assert done.code == "older_answer"
    assert invitation(session, visit, LEA).answer is Answer.DECLINED


def test_the_teacher_is_asked_as_an_adult(client, session, visit, world):
    number = invitation(session, visit, world.teacher.email, audience="teacher").id

    page = page_of(client, address_of(session, number))

    assert "Venez-vous chez Férembois Usinage" in page
    assert "Je viens" in page


def test_a_company_is_not_asked_to_come_where_it_is(client, session, visit, world):
    number = invitation(session, visit, world.contact.email, audience="host").id

    page = page_of(client, address_of(session, number))

    assert "Serez-vous là pour la classe" in page
    assert "Je serai là" in page
    assert "Je viens" not in page


def test_the_link_ends_with_the_visit(client, session, visit, address, world):
    requests.cancel_by_school(
        session,
        visit,
        reason=CancelReason.TRANSPORT,
        note="",
        by=world.teacher.actor,
        now=rows.NOW,
    )

    assert client.get(address).status_code == 410
    assert client.post(address, data={"answer": "accepted"}).status_code == 410


def test_the_link_ends_when_the_day_is_over(client, address, wall_clock):
    wall_clock.at = rows.TUESDAY + timedelta(days=1)

    assert client.get(address).status_code == 410


@pytest.mark.parametrize("wrong", ["1.x", "x", "0.", "99999999999.abc", "é.é"])
def test_a_guessed_link_opens_nothing(client, visit, wrong):
    assert client.get(f"/r/{wrong}").status_code == 410


def test_guessing_is_slowed_down(client, visit):
    codes = {client.get("/r/1.x").status_code for _ in range(TRIES_PER_MACHINE + 1)}

    assert codes == {410, 429}


def test_who_is_asked_nothing_any_more_has_no_buttons(
    client, session, world, visit, address
):
    """As for an answer by mail: the teacher chose to ask nobody."""
    set_addresses(
        session,
        visit,
        [LEA, TOM],
        students_answer=False,
        by=world.teacher.actor,
        now=rows.NOW,
    )

    assert client.get(address).status_code == 410
    assert client.post(address, data={"answer": "declined"}).status_code == 410
    session.rollback()
    assert invitation(session, visit, LEA).answer is None


def test_who_was_not_asked_is_not_counted_as_silent(
    client, session, world, visit, signed_in
):
    set_addresses(
        session,
        visit,
        [LEA, TOM],
        students_answer=False,
        by=world.teacher.actor,
        now=rows.NOW,
    )

    page = signed_in("teacher").get(f"/teacher/visits/{visit}").text

    assert "sans réponse" not in page
    assert "On ne leur demande pas s’ils viennent." in page


def test_who_is_blocked_reads_nothing_behind_an_old_link(client, session, visit, world):
    number = invitation(session, visit, world.contact.email, audience="host").id
    session.get_one(PersonRow, world.contact.id).blocked = True
    session.commit()

    assert client.get(address_of(session, number)).status_code == 410


def test_an_answer_that_is_none_is_not_found(client, address):
    assert client.post(address, data={"answer": "perhaps"}).status_code == 404


def test_a_request_leads_to_its_own_page(client, session, world):
    asked = rows.ask(session, world, slot=world.slots[1])
    number = invitation(session, asked, world.contact.email, audience="host").id

    done = client.get(address_of(session, number))

    assert done.status_code == 303
    assert "/h/" in done.location
