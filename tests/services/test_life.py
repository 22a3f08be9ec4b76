"""Beyond the first yes: taken up again, handed over, other contacts, lists, details."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from scheduler.domain.answers import Answer
from scheduler.domain.offers import Confirmation
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.network import OrganisationRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from scheduler.services import (
    answers,
    clockwork,
    contacts,
    offers,
    requests,
    slots,
    students,
)
from tests import rows
from tests.rows import NOW
from tests.services.mailbox import all_told, journal, refused
from tests.services.test_offers import TEXT

ROOMY = replace(TEXT, max_students=30, subgroup_size=15)

LATER = NOW + timedelta(hours=1)
TEACHER, HOST, SUBSTITUTE = (
    "lea@example.org",
    "gerard@example.org",
    "maud@example.org",
)
HOSTS = (HOST, SUBSTITUTE)
LIST = "4b@example.net"


def confirmed(session, world, outbox, *addresses):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    if addresses:
        students.set_addresses(
            session, visit, addresses, by=world.teacher.actor, now=NOW
        )
    outbox.news()
    return visit


# ------------------------------------------------------------------ taken up again


def test_a_school_asks_again_for_what_it_called_off(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CANCELLED_BY_SCHOOL)
    outbox.news()

    requests.ask_again(session, visit, by=world.teacher.actor, now=LATER)

    row = session.get_one(VisitRow, visit)
    assert (row.state, row.reason, row.late) == (VisitState.REQUESTED, None, False)
    assert row.answer_due_at is not None
    assert session.get_one(SlotRow, row.slot_id).students_taken == row.students
    assert outbox.lines() == {
        ("visit_requested_host", HOST, "REQUEST", 3),
        ("visit_requested_host", SUBSTITUTE, "REQUEST", 3),
        ("visit_requested_teacher", world.teacher.email, None, None),
    }
    assert journal(session, visit)[-1] == (
        "requested_again",
        "cancelled_by_school",
        "requested",
    )


def test_who_was_invited_before_is_invited_again_under_the_same_uid(
    session, world, outbox
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    students.set_addresses(
        session, visit, ["a@example.net"], by=world.teacher.actor, now=NOW
    )
    answers.cancel_by_host(
        session,
        visit,
        reason=rows.CancelReason.WEATHER,
        note="",
        by=world.contact.actor,
        now=NOW,
    )
    clockwork.purge_personal_data(session, now=NOW + timedelta(days=1))
    uids = {each.to: each.uid for each in outbox.news() if each.method}

    answers.offer_again(session, visit, note="", by=world.contact.actor, now=LATER)
    told = outbox.lines()
    requests.choose_slot(
        session, visit, world.slots[0], by=world.teacher.actor, now=LATER
    )

    assert told == {("visit_proposed", world.teacher.email, None, None)}
    again = outbox.news()
    assert {each.line for each in again} == all_told(
        "visit_confirmed",
        "REQUEST",
        2,
        who=(world.teacher.email, *HOSTS, "a@example.net"),
        hosts=HOSTS,
    )
    assert {each.to: each.uid for each in again} == uids


def test_where_the_offer_confirms_by_itself_asking_again_is_enough(
    session, world, outbox
):
    visit = rows.visit_in(session, world, VisitState.CANCELLED_BY_SCHOOL)
    session.get_one(OfferRow, world.offer).confirmation = Confirmation.AUTOMATIC
    session.commit()
    outbox.news()

    requests.ask_again(session, visit, by=world.teacher.actor, now=LATER)

    assert session.get_one(VisitRow, visit).state is VisitState.CONFIRMED
    assert {each.method for each in outbox.news()} == {"REQUEST"}


def test_a_slot_that_is_closed_or_taken_brings_nothing_back(session, world):
    visit = rows.visit_in(session, world, VisitState.CANCELLED_BY_SCHOOL)
    slots.close_slot(session, world.slots[0], by=world.contact.actor, now=NOW)

    with refused(session, "slot_not_open"):
        requests.ask_again(session, visit, by=world.teacher.actor, now=LATER)


def test_only_who_called_it_off_takes_it_up_again(session, world):
    by_school = rows.visit_in(session, world, VisitState.CANCELLED_BY_SCHOOL)

    with refused(session, "wrong_state"):
        answers.offer_again(
            session, by_school, note="", by=world.contact.actor, now=LATER
        )
    with refused(session, "not_found"):
        requests.ask_again(session, by_school, by=world.contact.actor, now=LATER)


# ------------------------------------------------------------------ handed over


def test_a_visit_changes_hands_and_calendars(session, world, outbox):
    visit = confirmed(session, world, outbox, "a@example.net")

    requests.hand_over(
        session, visit, world.colleague.id, by=world.teacher.actor, now=LATER
    )

    assert session.get_one(VisitRow, visit).organiser_id == world.colleague.id
    told = outbox.news()
    assert {each.line for each in told} == {
        ("student_removed", world.teacher.email, "CANCEL", 1),
        ("organiser_added", world.colleague.email, "REQUEST", 0),
        ("visit_changed", HOST, "REQUEST", 2),
        ("visit_changed", SUBSTITUTE, "REQUEST", 2),
        ("visit_changed", "a@example.net", "REQUEST", 1),
    }
    fields = {
        each["field"] for mail in told for each in mail.payload["visit"]["changes"]
    }
    assert fields == {"organiser_name"}


def test_a_visit_goes_to_nobody_of_another_school(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    with refused(session, "not_found"):
        requests.hand_over(
            session, visit, world.other_teacher.id, by=world.teacher.actor, now=LATER
        )


def test_a_colleague_who_is_away_with_another_class_cannot_take_it(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    session.get_one(SlotRow, world.slots[0]).max_groups = 2
    session.get_one(SlotRow, world.slots[0]).max_students = 80
    session.commit()
    rows.ask(
        session, world, by=world.colleague, school_class=world.second_class, students=10
    )

    with refused(session, "organiser_busy"):
        requests.hand_over(
            session, visit, world.colleague.id, by=world.teacher.actor, now=LATER
        )


# ------------------------------------------------------------------ contacts


def test_a_new_contact_is_invited_to_what_lies_ahead(session, world, outbox):
    confirmed(session, world, outbox)
    rows.ask(
        session,
        world,
        slot=world.slots[1],
        by=world.colleague,
        school_class=world.second_class,
    )
    outbox.news()

    contacts.add_contact(
        session,
        world.host,
        name="Nour Lebreton",
        email="Nour@example.org",
        by=world.contact.actor,
        now=LATER,
    )

    told = outbox.news()
    assert [each.line for each in told] == [
        ("contact_added", "nour@example.org", "REQUEST", 0)
    ] * 2
    assert [each.payload["entry"]["status"] for each in told] == [
        "CONFIRMED",
        "TENTATIVE",
    ]
    assert [each.payload["link"] is None for each in told] == [True, False]


def test_an_imported_contact_is_told_of_what_lies_ahead_once(session, world, outbox):
    confirmed(session, world, outbox)
    table = [
        {
            "email": "Nour@example.org",
            "name": "Nour Lebreton",
            "role": "host_contact",
            "organisation": session.get_one(OrganisationRow, world.host).name,
        }
    ]
    session.rollback()

    new = contacts.import_people(session, table, now=LATER)

    assert new == 1
    assert outbox.lines() == {("contact_added", "nour@example.org", "REQUEST", 0)}
    contacts.import_people(session, table, now=LATER)
    assert outbox.lines() == set()


def test_a_removed_contact_loses_what_lies_ahead(session, world, outbox):
    confirmed(session, world, outbox)

    contacts.remove_contact(
        session, world.host, world.contact.id, by=world.substitute.actor, now=LATER
    )

    told = outbox.news()
    assert {each.line for each in told} == {
        ("student_removed", HOST, "CANCEL", 2),
        ("visit_changed", world.teacher.email, "REQUEST", 1),
        ("visit_changed", SUBSTITUTE, "REQUEST", 2),
    }
    names = {each.payload["visit"]["contact_name"] for each in told[1:]}
    assert names == {"Maud Lebreton"}


def test_the_contact_of_the_day_stands_in_every_adults_entry(session, world, outbox):
    confirmed(session, world, outbox, "a@example.net")

    contacts.put_first(
        session, world.host, world.substitute.id, by=world.contact.actor, now=LATER
    )

    assert outbox.lines() == all_told(
        "visit_changed", "REQUEST", 1, who=(world.teacher.email, *HOSTS), hosts=HOSTS
    )


def test_somebody_stays_to_be_written_to(session, world):
    contacts.remove_contact(
        session, world.host, world.contact.id, by=world.coordinator.actor, now=NOW
    )

    with refused(session, "last_contact"):
        contacts.remove_contact(
            session,
            world.host,
            world.substitute.id,
            by=world.coordinator.actor,
            now=NOW,
        )


def test_contacts_are_their_own_companys_affair(session, world):
    with refused(session, "not_found"):
        contacts.remove_contact(
            session, world.host, world.substitute.id, by=world.teacher.actor, now=NOW
        )
    with refused(session, "contact_known"):
        contacts.add_contact(
            session,
            world.host,
            name="Gérard",
            email=HOST,
            by=world.contact.actor,
            now=NOW,
        )


# ------------------------------------------------------------------ words of the offer


def test_what_to_wear_reaches_the_calendars_and_keeps_the_answers(
    session, world, outbox
):
    offers.change_offer(session, world.offer, ROOMY, by=world.contact.actor, now=NOW)
    visit = confirmed(session, world, outbox, "a@example.net")
    for row in session.scalars(select(InvitationRow)):
        row.answer = Answer.ACCEPTED
    session.commit()

    offers.change_offer(
        session,
        world.offer,
        replace(ROOMY, wear="des bottes"),
        by=world.contact.actor,
        now=LATER,
    )

    told = outbox.news()
    assert {each.line for each in told} == all_told(
        "visit_changed",
        "REQUEST",
        1,
        who=(world.teacher.email, *HOSTS, "a@example.net"),
        hosts=HOSTS,
    )
    assert {each.payload["entry"]["answer"] for each in told} == {"accepted"}
    assert journal(session, visit)[-1][0] == "details_changed"


def test_other_rules_of_an_offer_are_nobodys_news(session, world, outbox):
    offers.change_offer(session, world.offer, ROOMY, by=world.contact.actor, now=NOW)
    confirmed(session, world, outbox)

    offers.change_offer(
        session,
        world.offer,
        replace(ROOMY, min_notice_days=5),
        by=world.contact.actor,
        now=LATER,
    )

    assert outbox.lines() == set()


# ------------------------------------------------------------------ lists and answers


def test_a_list_is_published_to_and_asked_nothing(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    outbox.news()
    teacher = {"by": world.teacher.actor, "now": NOW}

    students.set_addresses(session, visit, [], list_address=LIST, **teacher)
    (added,) = outbox.news()
    rows.change_time(session, world, now=LATER)
    changed = {each.to: each for each in outbox.news()}[LIST]
    students.set_addresses(session, visit, [], **teacher)
    (removed,) = outbox.news()

    assert [each.method for each in (added, changed, removed)] == [
        "PUBLISH",
        "PUBLISH",
        "CANCEL",
    ]
    assert [each.sequence for each in (added, changed, removed)] == [0, 1, 2]
    assert {each.uid for each in (added, changed, removed)} == {added.uid}
    for each in (added, changed, removed):
        assert each.payload["entry"]["shared"]
        assert not each.payload["entry"]["rsvp"]


def test_students_are_asked_as_the_teacher_chose(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    outbox.news()

    students.set_addresses(
        session,
        visit,
        ["a@example.net"],
        students_answer=False,
        by=world.teacher.actor,
        now=NOW,
    )

    (told,) = outbox.news()
    assert (told.method, told.payload["entry"]["rsvp"]) == ("REQUEST", False)


def test_another_time_voids_the_answers(session, world, outbox):
    confirmed(session, world, outbox, "a@example.net")
    for row in session.scalars(select(InvitationRow)):
        row.answer = Answer.DECLINED
    session.commit()

    rows.change_time(session, world, now=LATER)

    assert {each.payload["entry"]["answer"] for each in outbox.news()} == {""}
    assert set(session.scalars(select(InvitationRow.answer))) == {None}
    invitations = session.scalars(select(InvitationRow)).all()
    assert all(each.time_sequence == each.sequence for each in invitations)
