"""The daily mail, threads, and what one click ends: on both databases."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.answers import Answer
from scheduler.domain.localtime import instant
from scheduler.domain.visits import DeclineReason, VisitState
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.people import MailRhythm, PersonRow
from scheduler.persistence.models.visits import AddresseeRow, InvitationRow
from scheduler.services import (
    answers,
    clockwork,
    digests,
    mail_choices,
    outbox,
    students,
    unsubscribing,
)
from scheduler.services.house import house_of
from scheduler.services.mail_choices import MailChoices
from scheduler.services.transaction import transaction
from scheduler.services.unsubscribing import Subject
from tests import rows
from tests.services.letters import Bag

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MORNING = instant(date(2026, 11, 24), time(7, 30))
ADDRESSES = ["lea@example.org", "tom@example.org", "zoe@example.org"]


def choose(session, who, **changes):
    wanted = {"daily": True, "reminders": True, "summaries": True, "locale": "fr"}
    mail_choices.choose(
        session, who.id, MailChoices(**(wanted | changes)), now=rows.NOW
    )


def messages(session, *, kind=None, person=None):
    session.rollback()
    query = select(MessageRow).order_by(MessageRow.id)
    if kind:
        query = query.where(MessageRow.kind == kind)
    if person:
        query = query.where(MessageRow.person_id == person.id)
    return session.scalars(query).all()


def declined(session, world):
    visit = rows.ask(session, world)
    answers.decline_visit(
        session,
        visit,
        reason=DeclineReason.NO_TIME,
        note="",
        by=world.contact.actor,
        now=rows.NOW + HOUR,
    )
    return visit


def with_students(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    students.set_addresses(
        session, visit, ADDRESSES, by=world.teacher.actor, now=rows.NOW
    )
    session.rollback()
    return visit


def answer(session, address_number, said, *, at):
    """What reading an answer leaves behind."""
    student = [
        row
        for row in session.scalars(select(InvitationRow).order_by(InvitationRow.id))
        if row.audience == "student"
    ][address_number]
    student.answer, student.answered_at = said, at
    session.commit()


# ------------------------------------------------------------------ the daily mail


def test_news_wait_for_the_morning_and_come_in_one_mail(session, world):
    choose(session, world.teacher)
    visit = declined(session, world)

    waiting = messages(session, person=world.teacher)
    assert [(row.kind, row.for_digest, row.due_at) for row in waiting] == [
        ("visit_requested_teacher", True, MORNING),
        ("visit_declined", True, MORNING),
    ]
    assert digests.send_digests(session, now=MORNING - timedelta(minutes=1)) == 0
    assert digests.send_digests(session, now=MORNING) == 1

    told = messages(session, person=world.teacher)
    assert [(row.state, row.error) for row in told[:2]] == [
        (MessageState.SUPERSEDED, "in_digest")
    ] * 2
    (mail,) = messages(session, kind="digest")
    (group,) = mail.payload["digest"]["groups"]
    assert [each["kind"] for each in group["messages"]] == [
        row.kind for row in told[:2]
    ]
    assert group["visit"]["id"] == visit
    assert not mail.for_digest
    assert mail.person_id == world.teacher.id


def test_a_second_run_tells_nothing_twice(session, world):
    choose(session, world.teacher)
    declined(session, world)

    digests.send_digests(session, now=MORNING)

    assert digests.send_digests(session, now=MORNING + HOUR) == 0
    assert digests.send_digests(session, now=MORNING + DAY) == 0
    assert len(messages(session, kind="digest")) == 1


def test_a_missed_morning_is_made_up_for(session, world):
    choose(session, world.teacher)
    declined(session, world)

    assert digests.send_digests(session, now=MORNING + 3 * DAY) == 1


def test_a_crash_leaves_everything_waiting(session, world, monkeypatch):
    choose(session, world.teacher)
    declined(session, world)

    def crash(*_args, **_kwargs):
        raise RuntimeError

    monkeypatch.setattr(digests.outbox, "record", crash)
    assert digests.send_digests(session, now=MORNING) == 0
    assert {row.state for row in messages(session, person=world.teacher)} == {
        MessageState.WAITING
    }
    monkeypatch.undo()
    assert digests.send_digests(session, now=MORNING) == 1


def test_what_carries_a_calendar_or_asks_for_an_answer_never_waits(session, world):
    choose(session, world.teacher)
    choose(session, world.contact)

    rows.visit_in(session, world, VisitState.CONFIRMED)

    asked, confirmed = messages(session, person=world.contact)
    assert (asked.kind, asked.for_digest) == ("visit_requested_host", False)
    assert (confirmed.kind, confirmed.for_digest) == ("visit_confirmed", False)
    assert [row.for_digest for row in messages(session, person=world.teacher)] == [
        True,
        False,
    ]


def test_who_chose_nothing_is_told_at_once(session, world):
    declined(session, world)

    assert {row.for_digest for row in messages(session)} == {False}


def test_who_no_longer_wants_a_daily_mail_gets_what_waits(session, world):
    choose(session, world.teacher)
    declined(session, world)

    choose(session, world.teacher, daily=False)

    assert {
        (row.for_digest, row.due_at) for row in messages(session, person=world.teacher)
    } == {(False, rows.NOW)}
    assert digests.send_digests(session, now=MORNING) == 0


# ------------------------------------------------------------------ how answers stand


@pytest.mark.parametrize("daily", [True, False])
def test_the_host_hears_once_a_day_how_answers_stand(session, world, daily):
    choose(session, world.contact, daily=daily)
    with_students(session, world)
    answer(session, 0, Answer.ACCEPTED, at=rows.NOW + HOUR)
    answer(session, 1, Answer.DECLINED, at=rows.NOW + HOUR)

    digests.send_digests(session, now=MORNING + HOUR)

    mails = messages(session, kind="digest", person=world.contact)
    (standing,) = mails[0].payload["digest"]["standings"]
    counts = {
        name: standing[name] for name in ("coming", "maybe", "not_coming", "silent")
    }
    assert counts == {"coming": 1, "maybe": 0, "not_coming": 1, "silent": 1}
    assert standing["visit"]["class_label"]


def test_nothing_is_said_where_nothing_changed(session, world):
    with_students(session, world)
    answer(session, 0, Answer.ACCEPTED, at=rows.NOW + HOUR)
    contacts = 2

    assert digests.send_digests(session, now=MORNING) == contacts
    assert digests.send_digests(session, now=MORNING + DAY) == 0
    answer(session, 1, Answer.ACCEPTED, at=MORNING + HOUR)
    assert digests.send_digests(session, now=MORNING + 2 * HOUR) == 0
    assert digests.send_digests(session, now=MORNING + DAY) == contacts


def test_who_wants_no_summary_gets_none(session, world):
    choose(session, world.contact, summaries=False)
    choose(session, world.substitute, summaries=False)
    with_students(session, world)
    answer(session, 0, Answer.ACCEPTED, at=rows.NOW + HOUR)

    assert digests.send_digests(session, now=MORNING) == 0


def test_another_host_hears_nothing(session, world):
    with_students(session, world)
    answer(session, 0, Answer.ACCEPTED, at=rows.NOW + HOUR)

    digests.send_digests(session, now=MORNING)

    assert messages(session, kind="digest", person=world.other_contact) == []
    assert messages(session, kind="digest", person=world.teacher) == []


# ------------------------------------------------------------------ the past


def later(session, world, *, slot):
    """News for the teacher about another slot."""
    visit = rows.ask(session, world, slot=slot, school_class=world.second_class)
    answers.decline_visit(
        session,
        visit,
        reason=DeclineReason.NO_TIME,
        note="",
        by=world.contact.actor,
        now=rows.NOW + HOUR,
    )
    return visit


def told_in(payload):
    return [group["visit"]["id"] for group in payload["digest"]["groups"]]


def test_news_of_a_visit_that_is_past_are_not_told(session, world):
    choose(session, world.teacher)
    declined(session, world)
    ahead = later(session, world, slot=world.slots[1])

    digests.send_digests(session, now=rows.TUESDAY)

    (mail,) = messages(session, kind="digest")
    assert told_in(mail.payload) == [ahead]
    waiting = messages(session, person=world.teacher)[:4]
    assert [row.error for row in waiting] == ["past"] * 2 + ["in_digest"] * 2
    assert {row.state for row in waiting} == {MessageState.SUPERSEDED}


def test_where_all_is_past_there_is_no_daily_mail(session, world):
    choose(session, world.teacher)
    declined(session, world)

    assert digests.send_digests(session, now=rows.TUESDAY) == 0
    assert messages(session, kind="digest") == []


def test_answers_to_a_visit_that_has_begun_are_not_told(session, world):
    with_students(session, world)
    answer(session, 0, Answer.ACCEPTED, at=rows.NOW + HOUR)

    assert digests.send_digests(session, now=rows.TUESDAY) == 0


def test_a_daily_mail_that_waited_tells_only_what_lies_ahead(session, world):
    choose(session, world.teacher)
    choose(session, world.contact)
    declined(session, world)
    ahead = later(session, world, slot=world.slots[1])
    with_students(session, world)
    answer(session, 0, Answer.ACCEPTED, at=rows.NOW + HOUR)
    digests.send_digests(session, now=MORNING)
    bag = Bag()

    bag.deliver(session, now=rows.TUESDAY + HOUR)

    assert [
        (letter.recipient_address, told_in(letter.payload))
        for letter in bag.sent
        if letter.kind == "digest"
    ] == [(world.teacher.email, [ahead])]
    hosts = messages(session, kind="digest", person=world.contact)
    assert [(row.state, row.error) for row in hosts] == [
        (MessageState.SUPERSEDED, "past")
    ]


# ------------------------------------------------------------------ nobody to write to


def test_who_is_blocked_gets_no_daily_mail(session, world):
    choose(session, world.teacher)
    declined(session, world)
    session.get_one(PersonRow, world.teacher.id).blocked = True
    session.commit()

    assert digests.send_digests(session, now=MORNING) == 0
    assert messages(session, kind="digest") == []


def test_news_recorded_while_daily_mails_were_ended_go_out_by_themselves(
    session, world
):
    choose(session, world.teacher)
    declined(session, world)
    session.get_one(PersonRow, world.teacher.id).mail_rhythm = MailRhythm.AT_ONCE
    session.commit()

    assert digests.send_digests(session, now=MORNING) == 0
    assert {
        (row.for_digest, row.due_at) for row in messages(session, person=world.teacher)
    } == {(False, MORNING)}


def test_behind_a_dead_address_the_news_wait_for_its_correction(session, world):
    choose(session, world.teacher)
    declined(session, world)
    with transaction(session):
        dead = outbox.record(
            session,
            kind="sign_in",
            locale="fr",
            name="",
            address=world.teacher.email,
            payload={},
            now=rows.NOW,
            person_id=world.teacher.id,
        )
        dead.state, dead.error = MessageState.DEAD, "recipient_refused: 550 5.1.1 no"
    number = dead.id

    assert digests.send_digests(session, now=MORNING) == 0
    waiting = messages(session, person=world.teacher)[:2]
    assert {row.state for row in waiting} == {MessageState.WAITING}

    session.get_one(MessageRow, number).state = MessageState.SENT
    session.commit()
    assert digests.send_digests(session, now=MORNING + DAY) == 1


# ------------------------------------------------------------------ threads


def test_all_mails_of_a_visit_are_one_conversation(session, world):
    visit = with_students(session, world)
    clockwork.remind_eve(session, now=rows.TUESDAY - 10 * HOUR)
    rows.change_time(session, world, now=rows.NOW + HOUR)

    for person in (world.teacher, world.contact):
        first, *later = messages(session, person=person)
        assert {row.visit_id for row in later} == {visit}
        assert first.thread_id == ""
        assert len(later) >= 3
        assert {row.thread_id for row in later} == {first.message_id}


def test_a_students_reminder_joins_the_invitation(session, world):
    with_students(session, world)

    clockwork.remind_eve(session, now=rows.TUESDAY - 10 * HOUR)

    firsts = set(
        session.scalars(
            select(InvitationRow.first_message_id).where(
                InvitationRow.audience == "student"
            )
        )
    )
    reminders = [
        row for row in messages(session, kind="reminder_1") if row.audience == "student"
    ]
    assert len(reminders) == 3
    assert {row.thread_id for row in reminders} == firsts


# ------------------------------------------------------------------ one click


def token(session, subject, number):
    return unsubscribing.token(subject, number, key=house_of(session).link_key)


def test_who_refused_reminders_gets_the_rest(session, world):
    with_students(session, world)
    unsubscribing.end(
        session, token(session, Subject.REMINDERS, world.teacher.id), now=rows.NOW
    )

    clockwork.remind_eve(session, now=rows.TUESDAY - 10 * HOUR)
    rows.change_time(session, world, now=rows.NOW + HOUR)

    kinds = [row.kind for row in messages(session, person=world.teacher)]
    assert "reminder_1" not in kinds
    assert "visit_changed" in kinds
    assert "reminder_1" in [row.kind for row in messages(session, person=world.contact)]


def test_a_student_refuses_for_one_address_of_one_visit(session, world):
    with_students(session, world)
    first = session.scalars(select(AddresseeRow.id).order_by(AddresseeRow.id)).first()
    unsubscribing.end(session, token(session, Subject.ADDRESS, first), now=rows.NOW)

    clockwork.remind_eve(session, now=rows.TUESDAY - 10 * HOUR)

    told = [
        row for row in messages(session, kind="reminder_1") if row.audience == "student"
    ]
    assert len(told) == len(ADDRESSES) - 1
    assert all(row.payload["unsubscribe"]["purpose"] == "address" for row in told)


def test_a_mailing_list_has_no_click(session, world):
    with_students(session, world)
    for row in session.scalars(select(AddresseeRow)):
        row.shared = True
    session.commit()

    clockwork.remind_eve(session, now=rows.TUESDAY - 10 * HOUR)

    told = [
        row for row in messages(session, kind="reminder_1") if row.audience == "student"
    ]
    assert {row.payload["unsubscribe"] for row in told} == {None}


def test_ending_the_daily_mail_loses_no_news(session, world):
    choose(session, world.teacher)
    declined(session, world)
    secret = token(session, Subject.DIGEST, world.teacher.id)

    unsubscribing.end(session, secret, now=rows.NOW + 2 * HOUR)

    person = session.get_one(PersonRow, world.teacher.id)
    assert (person.mail_rhythm, person.summaries) == (MailRhythm.AT_ONCE, False)
    assert {row.for_digest for row in messages(session, person=world.teacher)} == {
        False
    }
