"""Who is told of what, by which mail, with which calendar method: line by line."""

from __future__ import annotations

import pytest

from scheduler import paths
from scheduler.domain.announcements import (
    STANDING,
    TELLINGS,
    Audience,
    Change,
    Method,
    Reach,
    Status,
    standing,
)
from scheduler.domain.visits import INVITED, VisitState

TEACHER, HOST, STUDENT = Audience.TEACHER, Audience.HOST, Audience.STUDENT

# Audience, mail, method ("" for none), and "again" where the answer is asked again.
EXPECTED = {
    Change.REQUESTED: """
        host visit_requested_host REQUEST again
        teacher visit_requested_teacher
    """,
    Change.REQUESTED_AGAIN: """
        host visit_requested_host REQUEST again
        teacher visit_requested_teacher
    """,
    Change.REQUEST_SWITCHED: """
        host visit_requested_host REQUEST again
        teacher visit_requested_teacher
    """,
    Change.ALLOCATED: "",
    Change.ANSWER_OVERDUE: "host request_reminder_host",
    Change.CONFIRMED: """
        teacher visit_confirmed REQUEST
        host visit_confirmed REQUEST
        student visit_confirmed REQUEST
    """,
    Change.DECLINED: """
        teacher visit_declined
        host request_closed_host CANCEL holders
    """,
    Change.PROPOSED: """
        teacher visit_proposed
        host request_closed_host CANCEL holders
    """,
    Change.OFFERED_AGAIN: "teacher visit_proposed",
    Change.EXPIRED: """
        teacher visit_expired
        host visit_expired CANCEL
    """,
    Change.WITHDRAWN: "host visit_withdrawn CANCEL",
    Change.NUMBERS_CHANGED: """
        teacher visit_changed REQUEST
        host visit_changed REQUEST
    """,
    Change.DETAILS_CHANGED: """
        teacher visit_changed REQUEST
        host visit_changed REQUEST
        student visit_changed REQUEST
    """,
    Change.SLOT_CHANGED: """
        teacher visit_changed REQUEST again
        host visit_changed REQUEST again
        student visit_changed REQUEST again
    """,
    Change.MOVE_ASKED: "host move_requested_host",
    Change.MOVED: """
        teacher visit_changed REQUEST again
        host visit_changed REQUEST again
        student visit_changed REQUEST again
    """,
    Change.MOVE_DECLINED: "teacher move_declined",
    Change.MOVE_EXPIRED: "teacher move_declined",
    Change.MOVE_WITHDRAWN: "host move_withdrawn",
    Change.CANCELLED: """
        teacher visit_cancelled CANCEL
        host visit_cancelled CANCEL
        student visit_cancelled CANCEL
    """,
    Change.STUDENT_ADDED: "student visit_confirmed REQUEST",
    Change.STUDENT_REMOVED: "student student_removed CANCEL holders",
    Change.CONTACT_ADDED: "host contact_added REQUEST",
    Change.CONTACT_REMOVED: "host student_removed CANCEL holders",
    Change.CONTACT_CHANGED: """
        teacher visit_changed REQUEST holders
        host visit_changed REQUEST holders
    """,
    Change.ORGANISER_LEFT: "teacher student_removed CANCEL",
    Change.ORGANISER_JOINED: """
        teacher organiser_added REQUEST
        host visit_changed REQUEST
        student visit_changed REQUEST
    """,
    Change.WEEK_BEFORE: """
        teacher reminder_7
        host reminder_7
    """,
    Change.EVE: """
        teacher reminder_1
        host reminder_1
        student reminder_1
    """,
}


def line(telling) -> str:
    words = [telling.audience.value, telling.mail]
    words += [telling.method.value] if telling.method else []
    words += ["again"] if telling.asks_again else []
    words += ["holders"] if telling.reach is Reach.HOLDERS else []
    return " ".join(words)


@pytest.mark.parametrize("change", Change)
def test_a_change_is_told_as_the_table_says(change):
    told = [line(each) for each in TELLINGS[change]]

    assert sorted(told) == sorted(
        each.strip() for each in EXPECTED[change].split("\n") if each.strip()
    )


def test_calendars_show_what_is_agreed_and_hosts_what_is_asked():
    assert set(STANDING) == set(VisitState)
    for state in VisitState:
        shown = {each: standing(state, each) for each in Audience}
        if state in INVITED | {VisitState.DONE}:
            assert set(shown.values()) == {Status.CONFIRMED}
        elif state is VisitState.REQUESTED:
            assert shown == {HOST: Status.TENTATIVE, TEACHER: None, STUDENT: None}
        else:
            assert set(shown.values()) == {None}


def test_a_list_is_no_method_of_the_table():
    methods = {each.method for told in TELLINGS.values() for each in told}

    assert methods == {None, Method.REQUEST, Method.CANCEL}


@pytest.mark.parametrize(
    "mail", sorted({each.mail for told in TELLINGS.values() for each in told})
)
def test_every_mail_has_its_three_templates(mail):
    folder = paths.TEMPLATES / "mail" / mail

    assert {file.name for file in folder.iterdir()} == {
        "subject.txt",
        "body.txt",
        "body.html",
    }


def test_where_and_when_reach_everybody_who_holds_an_invitation():
    for change in (
        Change.CONFIRMED,
        Change.SLOT_CHANGED,
        Change.MOVED,
        Change.CANCELLED,
    ):
        assert {each.audience for each in TELLINGS[change]} == set(Audience)
