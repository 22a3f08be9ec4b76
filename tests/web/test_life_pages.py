"""A visit taken up again or handed over, and a company's contacts, by their buttons."""

from __future__ import annotations

from scheduler.domain.visits import VisitState
from scheduler.persistence.models.people import MembershipRow
from scheduler.persistence.models.visits import VisitRow
from tests import rows


def test_a_teacher_asks_again(world, signed_in, session):
    visit = rows.visit_in(session, world, VisitState.CANCELLED_BY_SCHOOL)
    session.rollback()
    client = signed_in("teacher")

    page = client.get(f"/teacher/visits/{visit}")
    asked = client.post(f"/teacher/visits/{visit}/again")

    assert f"/teacher/visits/{visit}/again" in page.text
    assert (asked.status_code, asked.location) == (303, f"/teacher/visits/{visit}")
    assert session.get_one(VisitRow, visit).state is VisitState.REQUESTED


def test_a_second_tap_is_told_and_changes_nothing(world, signed_in, session):
    visit = rows.visit_in(session, world, VisitState.REQUESTED)
    session.rollback()

    asked = signed_in("teacher").post(f"/teacher/visits/{visit}/again")

    assert asked.status_code == 303
    assert session.get_one(VisitRow, visit).state is VisitState.REQUESTED


def test_a_host_offers_again(world, signed_in, session):
    visit = rows.visit_in(session, world, VisitState.CANCELLED_BY_HOST)
    session.rollback()
    client = signed_in("contact")

    page = client.get(f"/host/visits/{visit}")
    offered = client.post(f"/host/visits/{visit}/again")
    chosen = signed_in("teacher").get(f"/teacher/visits/{visit}")

    assert f"/host/visits/{visit}/again" in page.text
    assert offered.status_code == 303
    assert session.get_one(VisitRow, visit).state is VisitState.PROPOSED
    assert "finalement" in chosen.text


def test_a_visit_is_handed_over_on_its_own_page(world, signed_in, session):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    session.rollback()
    client = signed_in("teacher")

    page = client.get(f"/teacher/visits/{visit}/hand-over")
    nobody = client.post(
        f"/teacher/visits/{visit}/hand-over", data={"colleague": world.contact.id}
    )
    given = client.post(
        f"/teacher/visits/{visit}/hand-over", data={"colleague": world.colleague.id}
    )

    assert world.colleague.name in page.text
    assert nobody.status_code == 422
    assert given.status_code == 303
    assert session.get_one(VisitRow, visit).organiser_id == world.colleague.id


def test_a_company_looks_after_its_contacts(world, signed_in, session):
    client = signed_in("contact")
    session.rollback()

    page = client.get("/host/contacts")
    wrong = client.post("/host/contacts", data={"name": "Nour", "email": "nour"})
    added = client.post(
        "/host/contacts", data={"name": "Nour", "email": "nour@example.org"}
    )
    first = client.post(f"/host/contacts/{world.substitute.id}/first")
    removed = client.post(f"/host/contacts/{world.contact.id}/remove")

    assert world.substitute.email in page.text
    assert wrong.status_code == 422
    assert {each.status_code for each in (added, first, removed)} == {303}
    left = session.query(MembershipRow).filter_by(organisation_id=world.host)
    assert left.count() == 2


def test_a_list_and_the_wish_for_no_answers_are_kept(world, signed_in, session):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    session.rollback()

    sent = signed_in("teacher").post(
        f"/teacher/visits/{visit}/students",
        data={"addresses": "", "class_list": "4b@example.net", "quiet": "y"},
    )

    assert sent.status_code == 303
    assert not session.get_one(VisitRow, visit).students_answer
