"""When a message goes out: not for ever, not at night for nothing, not too late."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from scheduler.domain.announcements import Audience
from scheduler.domain.localtime import instant, local
from scheduler.domain.sending import (
    DELAYS,
    LIFETIME,
    Topic,
    domain_pause,
    is_past,
    next_try,
    not_before,
)

MONDAY = date(2026, 11, 23)
NIGHT = instant(MONDAY, time(22, 0))
MORNING = instant(MONDAY + timedelta(days=1), time(7, 0))
IN_SPRING = instant(date(2027, 1, 12), time(9, 0))
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def a_topic(**changes) -> Topic:
    """A visit in some weeks, confirmed by its host, told to a student."""
    facts = {
        "kind": "visit_confirmed",
        "audience": Audience.STUDENT,
        "actor": "host",
        "state": "confirmed",
        "with_calendar": True,
        "starts_at": IN_SPRING,
        "ends_at": IN_SPRING + 2 * HOUR,
    }
    return Topic(**{**facts, **changes})


def goes_out(topic: Topic, *, now: datetime = NIGHT) -> datetime:
    return not_before(topic, now=now, quiet_from=time(20), quiet_until=time(7))


# ------------------------------------------------------------------ tries


@pytest.mark.parametrize("luck", [0.0, 0.3, 0.5, 0.99, 1.0])
def test_tries_end_after_two_days_whatever_the_luck(luck: float):
    at, attempts, waits = IN_SPRING, 1, []
    while (
        due := next_try(attempts, first_tried_at=IN_SPRING, now=at, luck=luck)
    ) is not None:
        waits.append(due - at)
        at, attempts = due, attempts + 1

    assert at == IN_SPRING + LIFETIME
    assert waits[:7] == sorted(waits[:7])
    assert 8 <= len(waits) <= 10


def test_a_domain_rests_longer_than_what_was_tried_of_it_and_ever_longer():
    pauses = [domain_pause(attempts) for attempts in range(1, 12)]

    assert pauses == sorted(pauses)
    for attempts, pause in enumerate(pauses, start=1):
        latest = next_try(attempts, first_tried_at=IN_SPRING, now=IN_SPRING, luck=1.0)
        assert latest is not None
        assert pause >= min(latest - IN_SPRING, DELAYS[-1])


# ------------------------------------------------------------------ quiet hours


def test_what_nobody_waits_for_comes_in_the_morning():
    assert goes_out(a_topic()) == MORNING
    assert goes_out(a_topic(kind="reminder_7", actor="system")) == MORNING
    assert goes_out(Topic(kind="daily_digest", audience=Audience.HOST)) == MORNING


def test_a_sign_in_link_comes_at_any_hour():
    assert goes_out(Topic(kind="sign_in")) == NIGHT


def test_who_just_did_something_gets_the_answer_at_once():
    assert goes_out(a_topic(audience=Audience.HOST, actor="host")) == NIGHT
    assert goes_out(a_topic(audience=Audience.TEACHER, actor="school")) == NIGHT
    assert goes_out(a_topic(audience=Audience.HOST, actor="school")) == MORNING


@pytest.mark.parametrize("kind", ["visit_cancelled", "visit_changed", "reminder_1"])
def test_news_of_a_visit_that_is_near_comes_at_any_hour(kind: str):
    near = a_topic(kind=kind, starts_at=NIGHT + 36 * HOUR)
    far = a_topic(kind=kind, starts_at=MORNING + 37 * HOUR)

    assert goes_out(near) == NIGHT
    assert goes_out(far) == MORNING


def test_what_must_be_answered_before_the_morning_is_not_kept():
    asked = a_topic(
        kind="request_reminder_host",
        audience=Audience.HOST,
        actor="system",
        state="requested",
        answer_due_at=MORNING - HOUR,
    )

    assert goes_out(asked) == NIGHT


@pytest.mark.parametrize(
    ("wall", "waits_until"),
    [
        (time(19, 59), None),
        (time(20, 0), 1),
        (time(23, 59), 1),
        (time(0, 0), 0),
        (time(6, 59), 0),
        (time(7, 0), None),
        (time(12, 0), None),
    ],
)
def test_the_edges_of_the_night(wall: time, waits_until: int | None):
    now = instant(MONDAY, wall)
    expected = now
    if waits_until is not None:
        expected = instant(MONDAY + timedelta(days=waits_until), time(7))

    assert goes_out(a_topic(), now=now) == expected


def test_equal_edges_mean_no_quiet_hours():
    assert not_before(
        a_topic(), now=NIGHT, quiet_from=time(0), quiet_until=time(0)
    ) == (NIGHT)


def test_a_quiet_noon_is_quiet_at_noon_only():
    noon = instant(MONDAY, time(12, 30))
    limits = {"quiet_from": time(12), "quiet_until": time(14)}

    assert not_before(a_topic(), now=noon, **limits) == instant(MONDAY, time(14))
    assert not_before(a_topic(), now=NIGHT, **limits) == NIGHT


@pytest.mark.parametrize("eve", [date(2027, 3, 27), date(2026, 10, 24)])
def test_the_morning_is_at_seven_on_the_day_after_the_clock_change(eve: date):
    for now in (
        instant(eve, time(21, 0)),
        instant(eve + timedelta(days=1), time(1, 30)),
        instant(eve + timedelta(days=1), time(3, 30)),
    ):
        morning = goes_out(a_topic(starts_at=IN_SPRING + timedelta(days=300)), now=now)

        assert local(morning).time() == time(7, 0)
        assert local(morning).date() == eve + timedelta(days=1)
        assert now < morning


def test_an_end_in_the_hour_that_comes_twice_is_never_behind():
    """Both copies of 02:15 lie in the night until 02:30."""
    for hour in (0, 1):
        now = datetime(2026, 10, 25, hour, 15, tzinfo=UTC)

        due = not_before(
            a_topic(starts_at=IN_SPRING),
            now=now,
            quiet_from=time(20),
            quiet_until=time(2, 30),
        )

        assert now < due <= now + HOUR


def test_an_end_in_the_hour_that_never_comes_is_a_moment_all_the_same():
    now = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)

    due = not_before(
        a_topic(starts_at=IN_SPRING + timedelta(days=300)),
        now=now,
        quiet_from=time(20),
        quiet_until=time(2, 30),
    )

    assert now < due <= now + 2 * HOUR


# ------------------------------------------------------------------ the past


def test_what_puts_a_calendar_right_is_past_when_the_slot_is_over():
    topic = a_topic()

    assert not is_past(topic, now=IN_SPRING + HOUR)
    assert is_past(topic, now=IN_SPRING + 2 * HOUR)


@pytest.mark.parametrize("kind", ["reminder_1", "too_few_come", "visit_declined"])
def test_news_and_reminders_are_past_when_the_slot_has_begun(kind: str):
    topic = a_topic(kind=kind, with_calendar=False)

    assert not is_past(topic, now=IN_SPRING - MINUTE)
    assert is_past(topic, now=IN_SPRING)


@pytest.mark.parametrize("state", ["requested", "proposed"])
def test_a_request_is_past_when_its_slot_has_begun(state: str):
    topic = a_topic(state=state)

    assert not is_past(topic, now=IN_SPRING - MINUTE)
    assert is_past(topic, now=IN_SPRING)


def test_an_offer_of_other_dates_is_past_with_the_last_of_them():
    topic = a_topic(state="proposed", offered_until=IN_SPRING + 50 * HOUR)

    assert not is_past(topic, now=IN_SPRING + 49 * HOUR)
    assert is_past(topic, now=IN_SPRING + 50 * HOUR)


def test_what_is_about_no_visit_is_never_past():
    assert not is_past(Topic(kind="sign_in"), now=IN_SPRING)


def test_thanks_come_afterwards():
    thanks = a_topic(kind="organiser_thanks", state="done")

    assert not is_past(thanks, now=IN_SPRING + timedelta(days=1))
