"""What a teacher does: status, place, stored state, outbox, and the second attempt."""

from __future__ import annotations

from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from scheduler.domain.parties import Part
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.network import AbsenceRow, SchoolClassRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.visits import AddresseeRow, VisitRow
from tests import rows


def a_request(world, **changes):
    return {
        "school_class": world.school_class,
        "part": "whole",
        "students": "24",
        "adults": "2",
        "girls": "2",
        "boys": "22",
        "support_assistants": "1",
        "arrangements": "1 fauteuil",
        "message": "Nous travaillons sur l’usinage.",
        **changes,
    }


def only_visit(session):
    return session.scalars(select(VisitRow)).one()


def kinds(session, visit):
    return session.scalars(
        select(MessageRow.kind)
        .where(MessageRow.visit_id == visit)
        .order_by(MessageRow.id)
    ).all()


# ------------------------------------------------------------------ asking


def test_asking_stores_the_request_and_leads_to_the_visit(session, world, signed_in):
    browser = signed_in("teacher")

    answer = browser.post(f"/teacher/slots/{world.slots[0]}", data=a_request(world))

    visit = only_visit(session)
    assert answer.status_code == 303
    assert answer.location == f"/teacher/visits/{visit.id}"
    assert visit.state is VisitState.REQUESTED
    assert (visit.students, visit.adults, visit.support_assistants) == (24, 2, 1)
    assert visit.part is Part.WHOLE
    assert visit.arrangements == "1 fauteuil"
    assert session.get_one(SlotRow, world.slots[0]).students_taken == 24
    assert kinds(session, visit.id) == [
        "visit_requested_host",
        "visit_requested_host",
        "visit_requested_teacher",
    ]
    page = browser.get(answer.location).text
    assert "Et maintenant" in page
    assert "Votre demande est partie." in page


def test_asking_twice_is_refused_with_what_was_typed(session, world, signed_in):
    browser = signed_in("teacher")
    address = f"/teacher/slots/{world.slots[0]}"
    browser.post(address, data=a_request(world))

    second = browser.post(address, data=a_request(world, message="Encore nous"))

    assert second.status_code == 422
    assert "La classe est déjà en visite à ce moment-là" in second.text
    assert "Encore nous" in second.text
    assert only_visit(session).message == "Nous travaillons sur l’usinage."


def test_too_few_adults_are_said_next_to_the_field(session, world, signed_in):
    answer = signed_in("teacher").post(
        f"/teacher/slots/{world.slots[0]}", data=a_request(world, adults="1")
    )

    assert answer.status_code == 422
    assert 'id="adults-error"' in answer.text
    assert "Il faut au moins 2 accompagnateurs pour cette visite." in answer.text
    assert session.scalars(select(VisitRow)).all() == []
    assert session.scalars(select(MessageRow)).all() == []


def test_another_schools_class_cannot_be_asked_for(session, world, signed_in):
    answer = signed_in("teacher").post(
        f"/teacher/slots/{world.slots[0]}",
        data=a_request(world, school_class=world.other_class),
    )

    assert answer.status_code == 422
    assert session.scalars(select(VisitRow)).all() == []


HOSTILE = [
    ("students", "x" * 10_000),
    ("students", "-1"),
    ("students", "99999999999999999999"),
    ("students", ""),
    ("girls", "1e3"),
    ("adults", "٣٠٠"),
    ("support_assistants", "-5"),
    ("part", "quarter"),
    ("school_class", "x"),
    ("school_class", ""),
    ("arrangements", "é" * 10_000),
    ("message", "<script>alert(1)</script>" * 500),
]


@pytest.mark.parametrize(("field", "typed"), HOSTILE)
def test_hostile_input_gets_a_sentence(session, world, signed_in, field, typed):
    browser = signed_in("teacher")
    data = a_request(world, **{field: typed})

    answer = browser.post(f"/teacher/slots/{world.slots[0]}", data=data)
    checked = browser.post(
        f"/teacher/slots/{world.slots[0]}/check",
        data=data,
        headers={"HX-Request": "true"},
    )

    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert "<script>alert" not in answer.text
    assert checked.status_code == 200
    assert session.scalars(select(VisitRow)).all() == []


def test_strange_characters_are_kept_safely(session, world, signed_in):
    browser = signed_in("teacher")
    typed = "Bonjour\r\nBcc: x@y.z\x00 \u202egauche 🦊 <b>gras</b>"

    answer = browser.post(
        f"/teacher/slots/{world.slots[0]}",
        data=a_request(world, message=typed, arrangements=typed),
    )

    visit = only_visit(session)
    assert answer.status_code == 303
    assert visit.arrangements == "Bonjour Bcc: x@y.z gauche 🦊 <b>gras</b>"
    assert "\u202e" not in visit.message
    assert "&lt;b&gt;gras&lt;/b&gt;" in browser.get(answer.location).text


# ------------------------------------------------------------------ checking


def test_a_check_never_writes(session, world, signed_in):
    browser = signed_in("teacher")
    address = f"/teacher/slots/{world.slots[0]}/check"

    whole = browser.post(address, data=a_request(world))
    part = browser.post(address, data=a_request(world), headers={"HX-Request": "true"})

    assert (whole.status_code, part.status_code) == (200, 200)
    assert "Cela convient" in part.text
    assert "<h1" in whole.text
    assert "<h1" not in part.text
    assert session.scalars(select(VisitRow)).all() == []
    assert session.scalars(select(MessageRow)).all() == []


def test_a_check_says_every_refusal_and_other_dates(session, world, signed_in):
    rows.visit_in(session, world, VisitState.CONFIRMED)

    page = signed_in("teacher").post(
        f"/teacher/slots/{world.slots[0]}/check",
        data=a_request(world, students="40", adults="0"),
        headers={"HX-Request": "true"},
    )

    assert "La classe est déjà en visite" in page.text
    assert "accompagnateurs pour cette visite" in page.text
    assert "Au plus 30 élèves à la fois" in page.text


def test_a_refusal_offers_dates_that_fit(session, world, signed_in):
    rows.ask(session, world)

    page = signed_in("teacher").post(
        f"/teacher/slots/{world.slots[0]}/check",
        data=a_request(world, school_class=world.second_class),
        headers={"HX-Request": "true"},
    )

    assert f"/teacher/slots/{world.slots[1]}" in page.text


# ------------------------------------------------------------------ steps


@pytest.fixture
def confirmed(session, world):
    return rows.visit_in(session, world, VisitState.CONFIRMED)


def some_numbers(**changes):
    return {"part": "half", "students": "12", "adults": "2", **changes}


def test_numbers_change_and_everybody_is_told(session, world, signed_in, confirmed):
    browser = signed_in("teacher")
    before = len(kinds(session, confirmed))

    answer = browser.post(f"/teacher/visits/{confirmed}/numbers", data=some_numbers())

    visit = only_visit(session)
    assert (answer.status_code, answer.location) == (
        303,
        f"/teacher/visits/{confirmed}",
    )
    assert (visit.students, visit.part) == (12, Part.HALF)
    assert session.get_one(SlotRow, world.slots[0]).students_taken == 12
    assert set(kinds(session, confirmed)[before:]) == {"visit_changed"}


def test_the_same_numbers_again_tell_nobody(session, world, signed_in, confirmed):
    browser = signed_in("teacher")
    browser.post(f"/teacher/visits/{confirmed}/numbers", data=some_numbers())
    told = len(kinds(session, confirmed))

    again = browser.post(f"/teacher/visits/{confirmed}/numbers", data=some_numbers())

    assert again.status_code == 303
    assert len(kinds(session, confirmed)) == told


def test_numbers_that_do_not_fit_change_nothing(session, signed_in, confirmed):
    answer = signed_in("teacher").post(
        f"/teacher/visits/{confirmed}/numbers",
        data=some_numbers(students="31", adults="3"),
    )

    assert answer.status_code == 422
    assert 'id="students-error"' in answer.text
    assert only_visit(session).students == 24


def test_who_took_the_request_back_is_told_to_each_in_the_right_person(
    session, world, signed_in
):
    visit = rows.visit_in(session, world, VisitState.REQUESTED)
    signed_in("teacher").post(f"/teacher/visits/{visit}/withdraw")

    mine = signed_in("teacher").get(f"/teacher/visits/{visit}").text
    theirs = signed_in("colleague").get(f"/teacher/visits/{visit}").text

    assert "Vous avez retiré votre demande." in mine
    assert f"{world.teacher.name} a retiré la demande." in theirs


def test_a_request_is_withdrawn_once(session, world, signed_in):
    visit = rows.ask(session, world)
    browser = signed_in("teacher")

    first = browser.post(f"/teacher/visits/{visit}/withdraw")
    second = browser.post(f"/teacher/visits/{visit}/withdraw")

    assert (first.status_code, second.status_code) == (303, 303)
    assert only_visit(session).state is VisitState.WITHDRAWN
    assert kinds(session, visit)[-1] == "visit_withdrawn"
    assert "cette étape n’est plus possible" in browser.get(second.location).text


def test_cancelling_needs_a_reason(session, signed_in, confirmed):
    browser = signed_in("teacher")
    address = f"/teacher/visits/{confirmed}/cancel"

    without = browser.post(address, data={})
    other = browser.post(address, data={"reason": "other", "note": " "})

    assert (without.status_code, other.status_code) == (422, 422)
    assert "Dites pourquoi" in other.text
    assert only_visit(session).state is VisitState.CONFIRMED


def test_a_cancellation_reaches_everybody(session, signed_in, confirmed):
    browser = signed_in("teacher")
    address = f"/teacher/visits/{confirmed}/cancel"

    answer = browser.post(address, data={"reason": "transport", "note": "Pas de car"})
    again = browser.post(address, data={"reason": "transport"})

    visit = only_visit(session)
    assert answer.status_code == 303
    assert visit.state is VisitState.CANCELLED_BY_SCHOOL
    assert (visit.reason, visit.note) == ("transport", "Pas de car")
    assert kinds(session, confirmed)[-3:] == ["visit_cancelled"] * 3
    assert again.status_code == 422
    assert browser.get(address).status_code == 404


def test_a_proposed_slot_is_chosen(session, world, signed_in):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)
    browser = signed_in("teacher")
    choice = {"slot_id": world.slots[1]}

    answer = browser.post(f"/teacher/visits/{visit}/choose", data=choice)

    stored = only_visit(session)
    assert answer.status_code == 303
    assert (stored.state, stored.slot_id) == (VisitState.CONFIRMED, world.slots[1])
    assert "visit_confirmed" in kinds(session, visit)


@pytest.mark.parametrize("slot_id", ["", "x", "0", "99999999999"])
def test_a_slot_proposed_no_more_is_said_to_be_gone(session, world, signed_in, slot_id):
    visit = rows.visit_in(session, world, VisitState.PROPOSED)

    answer = signed_in("teacher").post(
        f"/teacher/visits/{visit}/choose",
        data={"slot_id": slot_id},
        follow_redirects=True,
    )

    assert answer.request.path == f"/teacher/visits/{visit}"
    assert "a annulé ce créneau" in answer.text
    assert only_visit(session).state is VisitState.PROPOSED


def test_a_move_is_asked_for_and_taken_back(session, world, signed_in, confirmed):
    browser = signed_in("teacher")
    page = browser.get(f"/teacher/visits/{confirmed}/move").text

    moved = browser.post(
        f"/teacher/visits/{confirmed}/move", data={"slot_id": world.slots[1]}
    )
    state = only_visit(session).state
    browser.post(f"/teacher/visits/{confirmed}/withdraw")

    assert "jeudi 21 janvier 2027" in page
    assert moved.status_code == 303
    assert state is VisitState.MOVING
    assert only_visit(session).state is VisitState.CONFIRMED
    assert only_visit(session).slot_id == world.slots[0]


def test_a_visit_moves_within_its_company_only(session, world, signed_in, confirmed):
    answer = signed_in("teacher").post(
        f"/teacher/visits/{confirmed}/move", data={"slot_id": world.other_slot}
    )

    assert answer.status_code == 422
    assert "merci de faire une nouvelle demande" in answer.text
    assert only_visit(session).state is VisitState.CONFIRMED


def test_students_are_invited_and_never_shown_again(session, signed_in, confirmed):
    browser = signed_in("teacher")
    address = f"/teacher/visits/{confirmed}/students"

    answer = browser.post(address, data={"addresses": "a@example.org; b@example.org"})
    page = browser.get(address).text

    assert answer.status_code == 303
    assert len(session.scalars(select(AddresseeRow)).all()) == 2
    assert kinds(session, confirmed)[-2:] == ["visit_confirmed"] * 2
    assert "2 adresses sont déjà gardées." in page
    assert "a@example.org" not in page


def test_a_wrong_address_keeps_what_was_typed(session, signed_in, confirmed):
    answer = signed_in("teacher").post(
        f"/teacher/visits/{confirmed}/students",
        data={"addresses": "a@example.org\npas une adresse"},
    )

    assert answer.status_code == 422
    assert "La ligne 2 n’est pas une adresse électronique" in answer.text
    assert "a@example.org" in answer.text
    assert session.scalars(select(AddresseeRow)).all() == []


def test_dead_messages_are_sent_again(session, world, signed_in):
    visit = rows.ask(session, world)
    for row in session.scalars(select(MessageRow)):
        row.state = MessageState.DEAD
        row.error = "550 no such user"
    session.commit()
    browser = signed_in("teacher")
    page = browser.get(f"/teacher/visits/{visit}").text

    first = browser.post(f"/teacher/visits/{visit}/resend")
    states = set(session.scalars(select(MessageRow.state)))
    second = browser.post(f"/teacher/visits/{visit}/resend")

    assert "3 messages ne sont pas arrivés" in page
    assert "cette adresse n’existe pas" in page
    assert (first.status_code, second.status_code) == (303, 303)
    assert states == {MessageState.WAITING}


def test_the_calendar_file_is_the_invitation_again(session, signed_in, confirmed):
    answer = signed_in("teacher").get(f"/teacher/visits/{confirmed}/visite.ics")

    entry = Calendar.from_ical(answer.data).walk("VEVENT")[0]
    uids = set(
        session.scalars(select(MessageRow.uid).where(MessageRow.uid.is_not(None)))
    )
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert str(entry["UID"]) in uids


def test_a_request_has_no_calendar_file(session, world, signed_in):
    visit = rows.ask(session, world)

    answer = signed_in("teacher").get(f"/teacher/visits/{visit}/visite.ics")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "step",
    ["numbers", "withdraw", "choose", "move", "cancel", "students", "resend"],
)
def test_another_school_does_nothing(session, world, signed_in, step):
    visit = rows.ask(session, world)
    data = {
        **some_numbers(),
        "reason": "transport",
        "slot_id": world.slots[1],
        "addresses": "",
    }

    answer = signed_in("other_teacher").post(
        f"/teacher/visits/{visit}/{step}", data=data
    )

    assert answer.status_code == 404
    assert only_visit(session).state is VisitState.REQUESTED


# ------------------------------------------------------------------ classes


def a_class(**changes):
    return {
        "label": "2nde TRPM",
        "level": "SECONDE_PRO",
        "students": "15",
        "girls": "1",
        "youngest_age": "14",
        "oldest_age": "16",
        **changes,
    }


def test_a_class_is_added_and_changed(session, world, signed_in):
    browser = signed_in("teacher")

    added = browser.post("/teacher/classes/new", data=a_class())
    row = session.scalars(
        select(SchoolClassRow).where(SchoolClassRow.label == "2nde TRPM")
    ).one()
    changed = browser.post(added.location, data=a_class(label="2TRPM", students="16"))

    assert added.status_code == 303
    assert added.location == f"/teacher/classes/{row.id}"
    assert row.school_id == world.school
    assert changed.status_code == 303
    session.refresh(row)
    assert (row.label, row.students) == ("2TRPM", 16)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"label": ""}, "Donnez un nom à la classe."),
        ({"label": "\u202e\x00"}, "Donnez un nom à la classe."),
        ({"label": "x" * 10_000}, "Trop long"),
        ({"level": "NOPE"}, "Niveau"),
        ({"students": "0"}, "Indiquez un nombre de 1 à 200."),
        ({"girls": "10", "boys": "10"}, "Filles et garçons ensemble"),
        ({"youngest_age": "17"}, "Le plus âgé est plus jeune"),
        ({"youngest_age": "3"}, "Indiquez un nombre de 8 à 99."),
    ],
)
def test_a_wrong_class_is_not_stored(session, signed_in, changes, sentence):
    answer = signed_in("teacher").post("/teacher/classes/new", data=a_class(**changes))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert len(session.scalars(select(SchoolClassRow)).all()) == 3


def test_a_class_of_another_school_is_not_changed(session, world, signed_in):
    browser = signed_in("teacher")
    address = f"/teacher/classes/{world.other_class}"

    answers = {
        browser.post(address, data=a_class()).status_code,
        browser.post(f"{address}/absences", data={}).status_code,
        browser.post(f"{address}/absences/1/remove").status_code,
        browser.post(f"{address}/feed").status_code,
    }

    assert answers == {404}


def test_an_absence_keeps_the_class_from_a_visit(session, world, signed_in):
    browser = signed_in("teacher")
    day = rows.TUESDAY.date()
    address = f"/teacher/classes/{world.school_class}/absences"

    added = browser.post(
        address,
        data={
            "absence-first_on": (day - timedelta(days=1)).isoformat(),
            "absence-last_on": day.isoformat(),
            "absence-reason": "PFMP",
        },
    )
    page = browser.get(
        f"/teacher/offers/{world.offer}?school_class={world.school_class}"
    ).text
    absence = session.scalars(select(AbsenceRow)).one()
    removed = browser.post(f"{address}/{absence.id}/remove")

    assert (added.status_code, removed.status_code) == (303, 303)
    assert "La classe est absente du lundi 11 janvier 2027" in page
    assert session.scalars(select(AbsenceRow)).all() == []


@pytest.mark.parametrize(
    ("first_on", "last_on"),
    [
        ("", ""),
        ("2027-01-12", "2027-01-11"),
        ("1900-01-01", "1900-01-02"),
        ("9999-12-30", "9999-12-31"),
        ("2027-02-30", "2027-03-01"),
        ("demain", "x" * 10_000),
    ],
)
def test_a_wrong_absence_is_not_stored(session, world, signed_in, first_on, last_on):
    answer = signed_in("teacher").post(
        f"/teacher/classes/{world.school_class}/absences",
        data={"absence-first_on": first_on, "absence-last_on": last_on},
    )

    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert session.scalars(select(AbsenceRow)).all() == []


def test_the_calendar_of_a_class_gets_another_address(world, signed_in):
    browser = signed_in("teacher")
    address = f"/teacher/classes/{world.school_class}"
    before = browser.get(address).text

    answer = browser.post(f"{address}/feed")

    feed = before.split("/feeds/")[1].split('"')[0]
    assert answer.status_code == 303
    assert feed not in browser.get(address).text
    assert browser.get(f"/feeds/{feed}").status_code == 404
