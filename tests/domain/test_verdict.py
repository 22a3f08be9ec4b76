"""The rules about received mail that need no message; tests/inbound has the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.answers import Answer, Effect
from scheduler.domain.inbound import (
    AttendeeLine,
    Authentication,
    BounceReport,
    CalendarAnswer,
    ReceivedMail,
    UnreadableAnswer,
)
from scheduler.domain.verdict import KnownInvitation, judge

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA = "anna@example.fr"

KNOWN = KnownInvitation(
    uid="u@campus.example", address=ANNA, organizer="visites@campus.example", sequence=3
)
MAIL = ReceivedMail(size=1, digest="d", from_addresses=(ANNA,), calendar=b"")
LINE = AttendeeLine(address=ANNA, partstat="ACCEPTED")
ANSWER = CalendarAnswer(
    method="REPLY", uid=KNOWN.uid, dtstamp=NOW, sequence=3, attendees=(LINE,)
)


def test_an_answer_says_which_version_it_is_about():
    verdict = judge(MAIL, ANSWER, KNOWN, now=NOW)

    assert verdict.effect is Effect.ACCEPT
    assert verdict.answer is Answer.ACCEPTED
    assert (verdict.sequence, verdict.dtstamp) == (3, NOW)


@pytest.mark.parametrize("problem", ["too_large", "unreadable", "not_mail"])
def test_what_could_not_be_read_is_rejected(problem: str):
    verdict = judge(replace(MAIL, problem=problem), ANSWER, KNOWN, now=NOW)

    assert (verdict.effect, verdict.code) == (Effect.REJECT, problem)


def test_an_unreadable_calendar_is_rejected_whatever_its_uid():
    unreadable = UnreadableAnswer(code="bad_dtstamp", uid=KNOWN.uid)

    verdict = judge(MAIL, unreadable, KNOWN, now=NOW)

    assert (verdict.effect, verdict.code) == (Effect.REJECT, "bad_dtstamp")


def test_a_report_is_about_a_letter_of_ours_or_about_nothing():
    mail = replace(MAIL, report=BounceReport(status="5.1.1", permanent=True))

    known, unknown = (
        judge(mail, None, None, now=NOW, bounced=bounced) for bounced in (True, False)
    )

    assert (known.effect, known.code) == (Effect.BOUNCE, "bounced")
    assert (unknown.effect, unknown.code) == (Effect.IGNORE, "unknown_bounce")


@pytest.mark.parametrize(
    ("sequence", "minutes", "code"),
    [
        (3, 1, "accepted"),
        (3, 0, "older_answer"),
        (3, -1, "older_answer"),
        (2, 1, "earlier_version"),
    ],
)
def test_answers_are_taken_in_their_order(sequence: int, minutes: int, code: str):
    stamp = NOW + timedelta(minutes=minutes)
    answer = replace(ANSWER, sequence=sequence, dtstamp=stamp)
    known = replace(KNOWN, last=(3, NOW))

    assert judge(MAIL, answer, known, now=NOW + timedelta(hours=1)).code == code


def test_an_answer_to_the_version_after_a_move_needs_no_later_stamp():
    """SEQUENCE goes before DTSTAMP (RFC 5546 §2.1.5): clocks may be wrong."""
    known = replace(KNOWN, last=(2, NOW))

    answer = replace(ANSWER, dtstamp=NOW - timedelta(hours=2))

    assert judge(MAIL, answer, known, now=NOW).code == "accepted"


@pytest.mark.parametrize(("ahead", "code"), [(24, "accepted"), (25, "future_dtstamp")])
def test_a_clock_may_be_wrong_by_a_day(ahead: int, code: str):
    answer = replace(ANSWER, dtstamp=NOW + timedelta(hours=ahead))

    assert judge(MAIL, answer, KNOWN, now=NOW).code == code


@pytest.mark.parametrize(
    ("authentication", "code"),
    [
        (Authentication.PASS, "accepted"),
        (Authentication.NONE, "accepted"),
        (Authentication.FAIL, "accepted"),
        (Authentication.FAIL_REJECT, "forged_sender"),
    ],
)
def test_only_a_domain_that_asks_for_it_has_its_mail_refused(
    authentication: Authentication, code: str
):
    mail = replace(MAIL, authentication=authentication)

    assert judge(mail, ANSWER, KNOWN, now=NOW).code == code


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"cancelled": True}, "cancelled"),
        ({"over": True}, "over"),
        ({"asked": False}, "not_asked"),
        ({"cancelled": True, "sequence": 4}, "cancelled"),
    ],
)
def test_what_is_past_or_called_off_is_not_answered(state: dict[str, bool], code: str):
    verdict = judge(MAIL, ANSWER, replace(KNOWN, **state), now=NOW)

    assert (verdict.effect, verdict.code) == (Effect.IGNORE, code)


def test_a_uid_that_belongs_to_another_invitation_is_unknown():
    answer = replace(ANSWER, uid="other@campus.example")

    assert judge(MAIL, answer, KNOWN, now=NOW).code == "unknown_uid"


def test_who_represents_oneself_is_oneself():
    answer = replace(ANSWER, attendees=(replace(LINE, sent_by=ANNA.upper()),))

    assert judge(MAIL, answer, KNOWN, now=NOW).code == "accepted"


def test_the_same_line_twice_is_one_answer():
    answer = replace(ANSWER, attendees=(LINE, LINE))

    assert judge(MAIL, answer, KNOWN, now=NOW).code == "accepted"


def test_a_proposal_that_ends_before_it_starts_is_none():
    answer = replace(ANSWER, method="COUNTER", starts_at=NOW, ends_at=NOW)

    verdict = judge(MAIL, answer, KNOWN, now=NOW)

    assert (verdict.code, verdict.proposed) == ("counter_without_time", None)
    assert verdict.for_person


def test_the_comment_beside_the_name_goes_before_that_of_the_event():
    line = replace(LINE, comment="from Google")
    answer = replace(ANSWER, attendees=(line,), comment="from Exchange")

    assert judge(MAIL, answer, KNOWN, now=NOW).comment == "from Google"


@pytest.mark.parametrize(
    ("mail", "code", "person"),
    [
        (replace(MAIL, is_receipt=True), "read_receipt", False),
        (replace(MAIL, is_auto_reply=True), "auto_reply", False),
        (replace(MAIL, auto_submitted="auto-replied"), "auto_reply", False),
        (replace(MAIL, auto_submitted="auto-generated"), "auto_generated", False),
        (replace(MAIL, is_list=True), "list_mail", False),
        (replace(MAIL, is_bulk=True), "bulk_mail", False),
        (replace(MAIL, auto_submitted="no"), "no_calendar", True),
        (MAIL, "no_calendar", True),
    ],
)
def test_mail_without_a_calendar_is_for_a_person_unless_a_robot_wrote_it(
    mail: ReceivedMail, code: str, person: object
):
    verdict = judge(mail, None, None, now=NOW)

    assert (verdict.effect, verdict.code) == (Effect.IGNORE, code)
    assert verdict.for_person is person
