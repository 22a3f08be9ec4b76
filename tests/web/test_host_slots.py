"""Slots made one by one and by rule, changed under a visit, closed, cancelled."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from scheduler.domain.localtime import local
from scheduler.domain.slots import SlotState
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.visits import VisitRow
from tests import rows

ONE = {"day": "2027-01-26", "starts": "09:00", "ends": "11:00", "students": "12"}
WEEKLY = {
    "weekdays": ["0"],
    "starts": "08:30",
    "ends": "10:00",
    "every": "2",
    "first_on": "2027-02-08",
    "last_on": "2027-04-12",
}
NASTY = (
    "x" * 10_000,
    "\x00",
    "<script>alert(1)</script>",
    "a\r\nb",
    "\u202e",
    "-5",
    "9" * 400,
    "1900-01-01",
    "9999-12-31",
    "0001-01-01",
    "24:61",
)


def count(session):
    found = session.scalar(select(func.count(SlotRow.id)))
    session.rollback()
    return found


def test_one_slot(session, world, signed_in):
    answer = signed_in("contact").post(
        f"/host/offers/{world.offer}/slots/new", data=ONE
    )

    row = session.scalars(select(SlotRow).order_by(SlotRow.id.desc())).first()
    assert answer.status_code == 303
    assert answer.location == f"/host/offers/{world.offer}/slots?month=2027-01"
    assert (row.max_students, local(row.starts_at).hour) == (12, 9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": ""},
        {"day": "2027-01-12"},
        {"day": "2026-01-12"},
        {"day": "2033-01-12"},
        {"day": "2027-03-28", "starts": "02:30", "ends": "04:00"},
        {"ends": "09:05"},
        {"ends": "08:00"},
        {"students": "0"},
        {"students": "9" * 30},
    ],
)
def test_a_slot_that_cannot_be_is_refused_with_what_was_typed(
    session, world, signed_in, wrong
):
    before = count(session)

    answer = signed_in("contact").post(
        f"/host/offers/{world.offer}/slots/new", data=ONE | wrong
    )

    assert answer.status_code == 422
    assert count(session) == before


def test_a_weekly_rule_shows_its_dates_first(session, world, signed_in):
    browser = signed_in("contact")
    path = f"/host/offers/{world.offer}/slots/weekly"
    before = count(session)

    shown = browser.post(path, data=WEEKLY, headers={"Accept-Language": "fr"})
    after_showing = count(session)
    made = browser.post(path, data=WEEKLY | {"then": "publish"})

    page = shown.get_data(as_text=True)
    assert (shown.status_code, after_showing) == (200, before)
    assert "Vacances d’hiver 2027" in page
    assert made.status_code == 303
    new = session.scalars(select(SlotRow.starts_at).order_by(SlotRow.id)).all()[before:]
    # 22 February lies in the winter holidays.
    assert [local(at).date() for at in new] == [
        date(2027, 2, 8),
        date(2027, 3, 8),
        date(2027, 3, 22),
        date(2027, 4, 5),
    ]


def test_another_hour_reaches_every_calendar(session, world, signed_in):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    browser = signed_in("contact")
    path = f"/host/slots/{world.slots[0]}/edit"

    page = browser.get(path).get_data(as_text=True)
    answer = browser.post(
        path,
        data={
            "day": "2027-01-12",
            "starts": "10:00",
            "ends": "12:00",
            "students": "30",
        },
    )

    told = session.execute(
        select(MessageRow.audience, MessageRow.method, MessageRow.sequence).where(
            MessageRow.visit_id == visit, MessageRow.kind == "visit_changed"
        )
    ).all()
    assert "Lycée des Deux-Rives" in page
    assert answer.status_code == 303
    assert sorted(told) == [
        # The request stood in the hosts' calendars before the visit was agreed.
        ("host", "REQUEST", 2),
        ("host", "REQUEST", 2),
        ("teacher", "REQUEST", 1),
    ]


def test_other_seats_tell_nobody_and_never_fall_below_what_is_held(
    session, world, signed_in
):
    rows.visit_in(session, world, VisitState.CONFIRMED)
    browser = signed_in("contact")
    path = f"/host/slots/{world.slots[0]}/edit"
    same = {"day": "2027-01-12", "starts": "09:00", "ends": "11:00"}
    before = session.scalar(select(func.count(MessageRow.id)))
    session.rollback()

    fewer = browser.post(path, data=same | {"students": "23"})
    enough = browser.post(path, data=same | {"students": "24"})

    assert [fewer.status_code, enough.status_code] == [422, 303]
    assert session.get_one(SlotRow, world.slots[0]).max_students == 24
    assert session.scalar(select(func.count(MessageRow.id))) == before


def test_close_and_reopen(session, world, signed_in):
    browser = signed_in("contact")
    path = f"/host/slots/{world.slots[0]}"

    statuses = [
        browser.post(f"{path}/{step}").status_code
        for step in ("close", "close", "reopen", "reopen")
    ]

    assert statuses == [303, 422, 303, 422]
    assert session.get_one(SlotRow, world.slots[0]).state is SlotState.OPEN


def test_cancelling_a_slot_calls_its_visit_off(session, world, signed_in):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    browser = signed_in("contact")
    path = f"/host/slots/{world.slots[0]}/cancel"

    without = browser.post(path)
    answer = browser.post(path, data={"reason": "weather"})
    again = browser.post(path, data={"reason": "weather"})

    statuses = [without.status_code, answer.status_code, again.status_code]
    assert statuses == [422, 303, 422]
    assert session.get_one(SlotRow, world.slots[0]).state is SlotState.CANCELLED
    assert session.get_one(VisitRow, visit).state is VisitState.CANCELLED_BY_HOST


def test_the_list_shows_every_slot_to_come(world, signed_in, wall_clock):
    wall_clock.at = rows.TUESDAY + timedelta(hours=3)

    page = signed_in("contact").get(
        f"/host/offers/{world.offer}/slots?view=list",
        headers={"Accept-Language": "en"},
    )

    words = page.get_data(as_text=True)
    assert f"/host/slots/{world.slots[0]}" not in words
    assert f"/host/slots/{world.slots[2]}" in words


@pytest.mark.parametrize("name", [*ONE, "place"])
def test_no_typed_text_breaks_a_slot(world, signed_in, name):
    browser = signed_in("contact")

    for nasty in NASTY:
        for path in (
            f"/host/offers/{world.offer}/slots/new",
            f"/host/slots/{world.slots[1]}/edit",
        ):
            answer = browser.post(path, data=ONE | {name: nasty})
            assert answer.status_code in {303, 422}


@pytest.mark.parametrize("name", sorted(WEEKLY))
def test_no_typed_text_breaks_a_rule(world, signed_in, name):
    browser = signed_in("contact")

    for nasty in NASTY:
        answer = browser.post(
            f"/host/offers/{world.offer}/slots/weekly", data=WEEKLY | {name: nasty}
        )
        assert answer.status_code in {200, 422}
