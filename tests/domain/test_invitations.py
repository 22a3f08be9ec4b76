"""What one calendar is told next: its SEQUENCE, its method, its answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.announcements import (
    TELLINGS,
    Audience,
    Change,
    Method,
    Status,
    Telling,
)
from scheduler.domain.answers import Answer
from scheduler.domain.invitations import (
    Invitation,
    next_dtstamp,
    next_sequence,
    revised,
)

NOW = datetime(2027, 1, 12, 8, 0, 0, 400_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WORDS = Telling(Audience.STUDENT, "visit_changed", Method.REQUEST)
TIME = Telling(Audience.STUDENT, "visit_changed", Method.REQUEST, asks_again=True)
GONE = Telling(Audience.STUDENT, "visit_cancelled", Method.CANCEL)
REMINDER = Telling(Audience.STUDENT, "reminder_1")


def an_invitation(**changes):
    given = {"sequence": 3, "dtstamp": NOW, "time_sequence": 2}
    return Invitation(**(given | changes))


def next_of(held, telling, *, standing=Status.CONFIRMED, shared=False):
    return revised(held, telling, standing=standing, shared=shared, now=NOW)


def test_the_first_sequence_is_zero_and_every_later_one_is_higher():
    assert next_sequence(None) == 0
    assert next_sequence(0) == 1
    assert next_sequence(7) == 8


def test_a_dtstamp_is_a_whole_second():
    assert next_dtstamp(None, now=NOW) == NOW.replace(microsecond=0)


def test_dtstamps_grow_within_one_second_and_when_the_clock_was_set_back():
    last = NOW.replace(microsecond=0)

    assert next_dtstamp(last, now=NOW) == last + SECOND
    assert next_dtstamp(last, now=NOW - timedelta(hours=1)) == last + SECOND
    assert next_dtstamp(last, now=NOW + 5 * SECOND) == last + 5 * SECOND


def test_a_first_invitation_begins_at_zero_and_asks():
    revision = next_of(None, WORDS)

    assert revision.method is Method.REQUEST
    assert revision.asks_again
    assert revision.invitation == Invitation(
        sequence=0, dtstamp=NOW.replace(microsecond=0), time_sequence=0
    )


def test_other_words_raise_the_sequence_and_keep_the_answer():
    revision = next_of(an_invitation(answer=Answer.ACCEPTED), WORDS)

    assert not revision.asks_again
    assert revision.invitation.sequence == 4
    assert revision.invitation.time_sequence == 2
    assert revision.invitation.answer is Answer.ACCEPTED
    assert revision.invitation.dtstamp == NOW.replace(microsecond=0) + SECOND


def test_another_time_voids_the_answer():
    revision = next_of(an_invitation(answer=Answer.ACCEPTED), TIME)

    assert revision.asks_again
    assert revision.invitation.sequence == revision.invitation.time_sequence == 4
    assert revision.invitation.answer is None


def test_a_provisional_entry_becomes_certain_and_keeps_the_answer():
    revision = next_of(an_invitation(answer=Answer.ACCEPTED), WORDS)

    assert revision.status is Status.CONFIRMED
    assert revision.invitation.answer is Answer.ACCEPTED


def test_a_cancel_raises_the_sequence_and_voids_the_answer():
    revision = next_of(an_invitation(answer=Answer.DECLINED), GONE, standing=None)

    assert revision.method is Method.CANCEL
    assert revision.status is Status.CANCELLED
    assert not revision.invitation.invited
    assert revision.invitation.sequence == 4
    assert revision.invitation.answer is None


@pytest.mark.parametrize("held", [None, an_invitation(invited=False)])
def test_nobody_is_uninvited_who_has_nothing(held):
    assert next_of(held, GONE, standing=None) is None


def test_whoever_comes_back_is_asked_again_under_a_higher_sequence():
    revision = next_of(an_invitation(invited=False), WORDS)

    assert revision.asks_again
    assert revision.invitation.invited
    assert revision.invitation.sequence == revision.invitation.time_sequence == 4


def test_nothing_is_written_into_a_calendar_that_shall_not_show_the_visit():
    assert next_of(an_invitation(), WORDS, standing=None) is None


def test_a_reminder_has_no_calendar_part():
    assert next_of(an_invitation(), REMINDER) is None


def test_a_list_is_told_and_not_asked():
    told = next_of(None, WORDS, shared=True)

    assert told.method is Method.PUBLISH
    assert told.invitation.shared
    assert next_of(told.invitation, GONE, standing=None).invitation.shared


@pytest.mark.parametrize("change", Change)
def test_only_another_time_or_place_asks_again(change):
    asking = {each.asks_again for each in TELLINGS[change] if each.method}

    moves = {
        Change.REQUESTED,
        Change.REQUESTED_AGAIN,
        Change.REQUEST_SWITCHED,
        Change.SLOT_CHANGED,
        Change.MOVED,
    }
    assert asking <= {change in moves}
