"""The class's calendar by its secret address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import event

from scheduler.domain.visits import CancelReason, VisitState
from scheduler.services import classes, feeds, requests
from scheduler.services.student_facts import uid_for_all
from tests import rows

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def address(session, world):
    return f"/feeds/{feeds.token_of_class(session, world.school_class)}.ics"


def events_of(answer):
    return Calendar.from_ical(answer.data).walk("VEVENT")


def test_an_empty_calendar_is_a_calendar(client, address):
    answer = client.get(address)

    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"].startswith("private")
    assert events_of(answer) == []


@pytest.mark.parametrize("state", [VisitState.CONFIRMED, VisitState.MOVING])
def test_an_agreed_visit_is_in_it_without_people(
    client, session, world, address, state
):
    rows.visit_in(session, world, state, arrangements="1 fauteuil")

    answer = client.get(address)

    (shown,) = events_of(answer)
    assert shown["DTSTART"].dt == rows.TUESDAY
    assert str(shown["STATUS"]) == "CONFIRMED"
    for name in (b"METHOD", b"ATTENDEE", b"ORGANIZER", b"fauteuil", b"02 61"):
        assert name not in answer.data


@pytest.mark.parametrize(
    "state",
    [
        VisitState.REQUESTED,
        VisitState.PROPOSED,
        VisitState.DECLINED,
        VisitState.EXPIRED,
        VisitState.WITHDRAWN,
    ],
)
def test_what_was_never_agreed_is_not_in_it(client, session, world, address, state):
    rows.visit_in(session, world, state)

    assert events_of(client.get(address)) == []


def test_a_change_keeps_the_uid_and_raises_the_sequence(
    client, session, world, address
):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    (before,) = events_of(client.get(address))
    rows.change_time(session, world, now=rows.NOW + HOUR)

    (after,) = events_of(client.get(address))

    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["DTSTART"].dt == rows.TUESDAY + HOUR
    assert after["LAST-MODIFIED"].dt > before["LAST-MODIFIED"].dt


def test_a_cancelled_visit_is_shown_for_thirty_days(
    client, session, world, address, wall_clock
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    requests.cancel_by_school(
        session,
        visit,
        reason=CancelReason.TRANSPORT,
        note="",
        by=world.teacher.actor,
        now=rows.NOW,
    )

    (shown,) = events_of(client.get(address))
    assert str(shown["STATUS"]) == "CANCELLED"
    wall_clock.at = rows.NOW + 31 * DAY
    assert events_of(client.get(address)) == []


def test_what_has_not_changed_is_not_sent_again(client, session, world, address):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    first = client.get(address)

    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    since = client.get(
        address, headers={"If-Modified-Since": first.headers["Last-Modified"]}
    )

    assert (again.status_code, again.data) == (304, b"")
    assert since.status_code == 304


def test_leaving_the_calendar_is_a_change_too(
    client, session, world, address, wall_clock
):
    rows.visit_in(session, world, VisitState.CANCELLED_BY_SCHOOL)
    first = client.get(address)
    wall_clock.at = rows.NOW + 31 * DAY

    for header, value in (
        ("If-None-Match", first.headers["ETag"]),
        ("If-Modified-Since", first.headers["Last-Modified"]),
    ):
        assert client.get(address, headers={header: value}).status_code == 200


def test_another_address_makes_the_old_one_worthless(client, session, world, address):
    classes.rotate_feed(
        session, world.school_class, by=world.teacher.actor, now=rows.NOW
    )

    fresh = feeds.token_of_class(session, world.school_class)

    assert client.get(address).status_code == 404
    assert client.get(f"/feeds/{fresh}.ics").status_code == 200


def test_one_class_does_not_open_the_calendar_of_another(client, world, address):
    stolen = address.replace(
        f"/feeds/{world.school_class}-", f"/feeds/{world.other_class}-"
    )

    assert client.get(stolen).status_code == 404


@pytest.mark.parametrize(
    "token", ["1", "1-", "-", "x-y", "1-é", "9" * 40 + "-a", "1-" + "a" * 500, "²-a"]
)
def test_a_wrong_token_opens_nothing(client, world, token):
    answer = client.get(f"/feeds/{token}.ics")

    assert answer.status_code == 404
    assert answer.data == b""


def test_the_uid_reveals_no_id_and_differs_from_the_invitations(
    client, session, world, address
):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    from_feed = str(events_of(client.get(address))[0]["UID"])

    assert len(from_feed.partition("@")[0]) == 36
    assert uid_for_all(session, visit) == from_feed
    assert uid_for_all(session, visit + 1) != from_feed


def test_many_visits_cost_as_many_queries_as_one(client, app, session, world, address):
    def queries():
        counted = []
        with app.app_context():
            engine = app.extensions["sqlalchemy"].engine
        event.listen(engine, "before_cursor_execute", lambda *_: counted.append(1))
        count_from = len(counted)
        client.get(address)
        return len(counted) - count_from

    rows.visit_in(session, world, VisitState.CONFIRMED)
    client.get(address)
    one = queries()
    for slot in world.slots[1:]:
        rows.visit_in(session, world, VisitState.CONFIRMED, slot=slot)
    assert len(events_of(client.get(address))) == 3

    assert queries() == one
