"""Who is told of what, by which mail, with which calendar method: line by line."""

from __future__ import annotations

import pytest

from scheduler import paths
from scheduler.domain.announcements import TELLINGS, Audience, Change, Method

TEACHER, HOST, STUDENT = Audience.TEACHER, Audience.HOST, Audience.STUDENT
REQUEST, CANCEL = Method.REQUEST, Method.CANCEL

EXPECTED = {
    Change.REQUESTED: {
        (HOST, "visit_requested_host", None),
        (TEACHER, "visit_requested_teacher", None),
    },
    Change.REQUEST_SWITCHED: {
        (HOST, "visit_requested_host", None),
        (TEACHER, "visit_requested_teacher", None),
    },
    Change.ANSWER_OVERDUE: {(HOST, "request_reminder_host", None)},
    Change.CONFIRMED: {
        (TEACHER, "visit_confirmed", REQUEST),
        (HOST, "visit_confirmed", REQUEST),
        (STUDENT, "visit_confirmed", REQUEST),
    },
    Change.DECLINED: {(TEACHER, "visit_declined", None)},
    Change.PROPOSED: {(TEACHER, "visit_proposed", None)},
    Change.EXPIRED: {
        (TEACHER, "visit_expired", None),
        (HOST, "visit_expired", None),
    },
    Change.WITHDRAWN: {(HOST, "visit_withdrawn", None)},
    Change.NUMBERS_CHANGED: {
        (TEACHER, "visit_changed", REQUEST),
        (HOST, "visit_changed", REQUEST),
    },
    Change.SLOT_CHANGED: {
        (TEACHER, "visit_changed", REQUEST),
        (HOST, "visit_changed", REQUEST),
        (STUDENT, "visit_changed", REQUEST),
    },
    Change.MOVE_ASKED: {(HOST, "move_requested_host", None)},
    Change.MOVED: {
        (TEACHER, "visit_changed", REQUEST),
        (HOST, "visit_changed", REQUEST),
        (STUDENT, "visit_changed", REQUEST),
    },
    Change.MOVE_DECLINED: {(TEACHER, "move_declined", None)},
    Change.MOVE_EXPIRED: {(TEACHER, "move_declined", None)},
    Change.MOVE_WITHDRAWN: {(HOST, "move_withdrawn", None)},
    Change.CANCELLED: {
        (TEACHER, "visit_cancelled", CANCEL),
        (HOST, "visit_cancelled", CANCEL),
        (STUDENT, "visit_cancelled", CANCEL),
    },
    Change.STUDENT_ADDED: {(STUDENT, "visit_confirmed", REQUEST)},
    Change.STUDENT_REMOVED: {(STUDENT, "student_removed", CANCEL)},
    Change.WEEK_BEFORE: {
        (TEACHER, "reminder_7", None),
        (HOST, "reminder_7", None),
    },
    Change.EVE: {
        (TEACHER, "reminder_1", None),
        (HOST, "reminder_1", None),
        (STUDENT, "reminder_1", None),
    },
}


@pytest.mark.parametrize("change", Change)
def test_a_change_is_told_as_the_table_says(change):
    told = [(each.audience, each.mail, each.method) for each in TELLINGS[change]]

    assert len(told) == len(set(told))
    assert set(told) == EXPECTED[change]


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
