"""The signed-in contact: own visits only, answered, cancelled, kept in a calendar."""

import pytest
from icalendar import Calendar
from sqlalchemy import event, select

from scheduler.domain.actors import Role
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.people import MembershipRow
from scheduler.persistence.models.visits import InvitationRow, VisitRow
from tests import rows


def test_other_companies_find_nothing(session, world, signed_in):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    browser = signed_in("other_contact")
    pages = [
        f"/host/visits/{visit}",
        f"/host/visits/{visit}/cancel",
        f"/host/visits/{visit}/visit.ics",
        f"/host/offers/{world.offer}",
        f"/host/offers/{world.offer}/edit",
        f"/host/offers/{world.offer}/slots",
        f"/host/offers/{world.offer}/slots/new",
        f"/host/offers/{world.offer}/slots/weekly",
        f"/host/slots/{world.slots[0]}",
        f"/host/slots/{world.slots[0]}/edit",
        "/host/visits/99999999999999999999999",
    ]
    buttons = [
        f"/host/visits/{visit}/accept",
        f"/host/visits/{visit}/decline",
        f"/host/visits/{visit}/propose",
        f"/host/visits/{visit}/cancel",
        f"/host/offers/{world.offer}/pause",
        f"/host/offers/{world.offer}/archive",
        f"/host/slots/{world.slots[0]}/close",
        f"/host/slots/{world.slots[0]}/cancel",
        f"/host/choose/{world.host}",
    ]

    statuses = {page: browser.get(page).status_code for page in pages}
    statuses |= {page: browser.post(page).status_code for page in buttons}

    assert set(statuses.values()) == {404}, statuses
    assert session.get_one(VisitRow, visit).state is VisitState.CONFIRMED


@pytest.mark.parametrize("who", ["teacher", "coordinator"])
def test_the_room_is_for_contacts(world, signed_in, who):
    assert signed_in(who).get("/host/").status_code == 404


def test_signed_out_goes_to_sign_in(world, client):
    assert client.get("/host/").status_code == 303


def test_accept_signed_in(session, world, signed_in):
    visit = rows.ask(session, world)

    answer = signed_in("contact").post(f"/host/visits/{visit}/accept")

    assert (answer.status_code, answer.location) == (303, f"/host/visits/{visit}")
    assert session.get_one(VisitRow, visit).state is VisitState.CONFIRMED


def test_the_teachers_phone_is_shown_after_confirmation_only(session, world, signed_in):
    visit = rows.ask(session, world)
    browser = signed_in("contact")

    before = browser.get(f"/host/visits/{visit}").get_data(as_text=True)
    browser.post(f"/host/visits/{visit}/accept")
    after = browser.get(f"/host/visits/{visit}").get_data(as_text=True)

    assert "06 00 00 00 01" not in before
    assert "helene@example.org" not in before
    assert "06 00 00 00 01" in after


def test_cancel_with_a_reason(session, world, signed_in):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    browser = signed_in("contact")
    path = f"/host/visits/{visit}/cancel"

    without = browser.post(path, data={"note": "désolé"})
    answer = browser.post(path, data={"reason": "accident", "note": "Fuite d’eau"})
    again = browser.post(path, data={"reason": "accident"})

    row = session.get_one(VisitRow, visit)
    assert [without.status_code, answer.status_code] == [422, 303]
    assert again.status_code == 422
    assert (row.state, row.reason) == (VisitState.CANCELLED_BY_HOST, "accident")
    methods = session.scalars(
        select(MessageRow.method).where(MessageRow.kind == "visit_cancelled")
    ).all()
    assert set(methods) == {"CANCEL"}


def test_the_calendar_file_has_the_uid_of_the_invitation(session, world, signed_in):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)

    answer = signed_in("contact").get(f"/host/visits/{visit}/visit.ics")

    entry = Calendar.from_ical(answer.data).walk("VEVENT")[0]
    uids = session.scalars(
        select(InvitationRow.uid).where(InvitationRow.person_id == world.contact.id)
    ).all()
    assert answer.mimetype == "text/calendar"
    assert [str(entry["uid"])] == uids


def test_no_calendar_file_before_the_confirmation(session, world, signed_in):
    visit = rows.ask(session, world)

    answer = signed_in("contact").get(f"/host/visits/{visit}/visit.ics")

    assert answer.status_code == 404


def test_a_contact_of_two_companies_chooses(session, world, signed_in):
    session.add(
        MembershipRow(
            person_id=world.contact.id,
            organisation_id=world.other_host,
            role=Role.HOST_CONTACT,
        )
    )
    session.commit()
    browser = signed_in("contact")

    first = browser.get("/host/visits")
    chosen = browser.post(
        f"/host/choose/{world.other_host}", data={"next": "//evil.example/"}
    )

    assert first.status_code == 303
    assert first.location.startswith("/host/choose")
    assert "Électro-Boutavent" in browser.get("/host/choose").get_data(as_text=True)
    assert (chosen.status_code, chosen.location) == (303, "/host/")
    assert "Électro-Boutavent" in browser.get("/host/").get_data(as_text=True)


def queries_for(app, browser, path):
    counted = []
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine

    def count(_connection, _cursor, statement, *_more):
        counted.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        assert browser.get(path).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return len(counted)


@pytest.mark.parametrize("path", ["/host/", "/host/visits", "/host/offers"])
def test_three_visits_cost_no_more_queries_than_one(
    app, session, world, signed_in, path
):
    browser = signed_in("contact")
    rows.ask(session, world)
    browser.get(path)
    one = queries_for(app, browser, path)
    rows.ask(session, world, slot=world.slots[1], school_class=world.second_class)
    rows.ask(session, world, slot=world.slots[2])

    assert queries_for(app, browser, path) == one
