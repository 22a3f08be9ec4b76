"""Students' addresses: given, used, taken back, destroyed (P4, P9)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.domain.refusals import Refused
from scheduler.domain.visits import CancelReason, VisitState
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.visits import AddresseeRow, InvitationRow
from scheduler.services import answers, clockwork, requests, students
from tests import rows
from tests.rows import NOW
from tests.services.mailbox import ADDRESS, Calendars, everything, refused

LATER = NOW + timedelta(hours=1)
ANA, BEN, COR = "ana@example.net", "ben@example.net", "cor@example.net"


def give(session, world, visit, *lines, now=LATER, by=None) -> None:
    by = by or world.teacher
    students.set_addresses(session, visit, lines, by=by.actor, now=now)


# ------------------------------------------------------------------ reading lines


def test_lines_are_read_as_people_type_them():
    lines = ["  Ana@Example.net ", "", "ben@example.net", "ANA@example.NET", "\t"]

    assert students.checked_addresses(lines) == [ANA, BEN]


def test_every_line_that_is_no_address_is_named():
    lines = [ANA, "ana", "", "ben@", "a b@example.net", f"{'x' * 300}@example.net"]

    with pytest.raises(Refused) as refusal:
        students.checked_addresses(lines)

    assert [each.facts for each in refusal.value.refusals] == [
        {"line": 2, "text": "ana"},
        {"line": 4, "text": "ben@"},
        {"line": 5, "text": "a b@example.net"},
        {"line": 6, "text": "x" * 40},
    ]


@pytest.mark.parametrize(
    "line",
    [
        "ana@example.net\r\nBcc: all@example.org",
        "ana@example.net\x00",
        "a\u202ena@example.net",
        "<ana@example.net>",
        "ana@example.net, ben@example.net",
        "ana@exämple..net",
        "élève@example.net",
    ],
)
def test_no_line_smuggles_anything(line):
    with pytest.raises(Refused):
        students.checked_addresses([line])


# ------------------------------------------------------------------ giving


def test_addresses_of_a_request_wait_for_the_answer(session, world, outbox):
    visit = rows.ask(session, world)
    outbox.news()

    give(session, world, visit, ANA, BEN)

    assert outbox.news() == []
    assert len(session.scalars(select(AddresseeRow)).all()) == 2


def test_a_student_is_invited_alone(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA)
    outbox.news()

    give(session, world, visit, ANA, BEN)

    (told,) = outbox.news()
    assert told.line == ("visit_confirmed", BEN, "REQUEST", 0)
    assert told.payload["link"] is None


def test_who_is_taken_off_the_list_gets_a_cancel(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA, BEN)
    outbox.news()

    give(session, world, visit, BEN)

    assert outbox.lines() == {("student_removed", ANA, "CANCEL", 1)}
    assert len(session.scalars(select(AddresseeRow)).all()) == 1


def test_who_comes_back_keeps_the_entry_and_its_count(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA)
    give(session, world, visit)
    first, second = (each for each in outbox.news() if each.to == ANA)

    give(session, world, visit, ANA)

    (third,) = outbox.news()
    assert third.line == ("visit_confirmed", ANA, "REQUEST", 2)
    assert third.uid == first.uid == second.uid
    assert first.dtstamp < second.dtstamp < third.dtstamp


def test_who_was_taken_off_hears_no_more(session, world, outbox):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA, BEN)
    give(session, world, visit, BEN)
    outbox.news()

    requests.cancel_by_school(
        session,
        visit,
        reason=CancelReason.COST,
        note="",
        by=world.teacher.actor,
        now=LATER,
    )

    assert {each.to for each in outbox.news()} == {
        BEN,
        "helene@example.org",
        "gerard@example.org",
        "maud@example.org",
    }


def test_the_same_list_is_no_change(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA, BEN)
    before = everything(session)

    give(session, world, visit, BEN, ANA)

    assert everything(session) == before


def test_more_addresses_than_students_are_refused(session, world):
    visit = rows.ask(session, world, students=3)
    many = [f"eleve{number}@example.net" for number in range(9)]

    with refused(session, "too_many_addresses"):
        give(session, world, visit, *many)
    give(session, world, visit, *many[:8])


@pytest.mark.parametrize(
    "state", [VisitState.DECLINED, VisitState.CANCELLED_BY_SCHOOL, VisitState.DONE]
)
def test_no_address_for_a_visit_that_ended(session, world, state):
    visit = rows.visit_in(session, world, state)

    with refused(session, "wrong_state"):
        give(session, world, visit, ANA)


@pytest.mark.parametrize("who", ["other_teacher", "contact"])
def test_nobody_else_gives_addresses(session, world, who):
    visit = rows.ask(session, world)

    with refused(session, "not_found"):
        give(session, world, visit, ANA, by=getattr(world, who))
    with refused(session, "not_found"):
        give(session, world, 999, ANA)


# ------------------------------------------------------------------ privacy


def test_nobody_reads_an_address_in_the_database_or_another_letter(
    session, world, outbox
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA, BEN)
    requests.move_visit(
        session, visit, world.slots[1], by=world.teacher.actor, now=LATER
    )
    answers.accept_visit(session, visit, by=world.contact.actor, now=LATER)

    for each in outbox.news():
        assert ADDRESS.findall(json.dumps(each.payload)) == [], each.kind
    stored = json.dumps(everything(session), default=str)
    assert "ana@" not in stored
    assert "ben@" not in stored


def test_the_history_counts_students_and_names_none(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA, BEN)
    give(session, world, visit, COR)

    lines = session.scalars(select(JournalRow).where(JournalRow.what == "addresses"))

    assert [each.details for each in lines] == [
        {"added": 2, "removed": 0},
        {"added": 1, "removed": 2},
    ]


# ------------------------------------------------------------------ retention


def sealed_left(session) -> tuple[int, int, int]:
    """Addressees, invitations and messages of students that still have an address."""
    found = (
        len(session.scalars(select(AddresseeRow.id)).all()),
        len(
            session.scalars(
                select(InvitationRow.id).where(
                    InvitationRow.audience == "student", InvitationRow.address != ""
                )
            ).all()
        ),
        len(
            session.scalars(
                select(MessageRow.id).where(
                    MessageRow.audience == "student", MessageRow.address != ""
                )
            ).all()
        ),
    )
    session.rollback()
    return found


def test_addresses_are_destroyed_thirty_days_after_the_visit(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA, BEN)
    Calendars().deliver(session, now=LATER)
    over = rows.TUESDAY + rows.TWO_HOURS
    clockwork.complete_visits(session, now=over)

    clockwork.purge_personal_data(session, now=over + timedelta(days=29, hours=23))
    kept = sealed_left(session)
    counts = clockwork.purge_personal_data(session, now=over + timedelta(days=30))

    assert kept == (2, 2, 2)
    assert sealed_left(session) == (0, 0, 0)
    destroyed = {
        name: counts[name] for name in ("addressees", "invitations", "messages")
    }
    assert destroyed == {"addressees": 2, "invitations": 2, "messages": 2}


def test_addresses_of_a_cancelled_visit_go_when_it_cannot_be_taken_up_again(
    session, world
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA)
    requests.cancel_by_school(
        session,
        visit,
        reason=CancelReason.COST,
        note="",
        by=world.teacher.actor,
        now=LATER,
    )

    clockwork.purge_personal_data(session, now=LATER)
    waiting = sealed_left(session)
    calendars = Calendars()
    calendars.deliver(session, now=LATER)
    clockwork.purge_personal_data(session, now=LATER)
    kept = sealed_left(session)
    clockwork.purge_personal_data(session, now=rows.TUESDAY)

    assert waiting == kept == (1, 1, 2)
    assert calendars.of(ANA) == []
    assert [
        each.method for each in calendars.letters if each.recipient_address == ANA
    ] == ["CANCEL"]
    assert sealed_left(session) == (0, 0, 0)


def test_a_second_purge_finds_nothing(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    give(session, world, visit, ANA)
    Calendars().deliver(session, now=LATER)
    late = rows.TUESDAY + timedelta(days=60)
    clockwork.purge_personal_data(session, now=late)
    before = everything(session)

    counts = clockwork.purge_personal_data(session, now=late)

    assert set(counts.values()) == {0}
    assert everything(session) == before
