"""The teacher room's pages: whole for their own school, and nothing for another one."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from scheduler.domain.offers import OfferState, Wheelchair
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.offers import OfferRow
from tests import rows


def addresses(world, visit):
    return [
        "/teacher/",
        "/teacher/offers",
        "/teacher/offers?view=map",
        "/teacher/offers?view=month&month=2027-01-01",
        "/teacher/offers?view=week&week=2027-01-12",
        "/teacher/offers?school_class=&level=TROISIEME&students=12",
        f"/teacher/offers/{world.offer}",
        f"/teacher/offers/{world.offer}?school_class=",
        f"/teacher/slots/{world.slots[1]}?school_class={world.school_class}",
        "/teacher/visits",
        "/teacher/visits?tab=ended&who=school",
        f"/teacher/visits/{visit}",
        "/teacher/classes",
        "/teacher/classes/new",
        f"/teacher/classes/{world.school_class}",
    ]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("state", list(VisitState))
def test_every_page_opens_whatever_the_visit_is_at(
    session, world, signed_in, state, language
):
    visit = rows.visit_in(session, world, state)
    browser = signed_in("teacher")
    with browser.session_transaction() as cookie:
        cookie["locale"] = language

    answers = {
        address: browser.get(address).status_code for address in addresses(world, visit)
    }

    assert set(answers.values()) == {200}, answers


def test_nobody_enters_without_signing_in(client, world):
    answer = client.get("/teacher/visits")

    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?next=")


@pytest.mark.parametrize("who", ["contact", "other_contact"])
def test_a_company_finds_no_teacher_room(signed_in, who):
    assert signed_in(who).get("/teacher/").status_code == 404


def test_another_school_finds_neither_visit_nor_class(session, world, signed_in):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    stranger = signed_in("other_teacher")

    found = {
        address: stranger.get(address).status_code
        for address in (
            f"/teacher/visits/{visit}",
            f"/teacher/visits/{visit}/numbers",
            f"/teacher/visits/{visit}/cancel",
            f"/teacher/visits/{visit}/move",
            f"/teacher/visits/{visit}/students",
            f"/teacher/visits/{visit}/visite.ics",
            f"/teacher/classes/{world.school_class}",
        )
    }

    assert set(found.values()) == {404}, found


@pytest.mark.parametrize(
    "address",
    [
        "/teacher/visits/99999999999999999999",
        "/teacher/visits/0",
        "/teacher/offers/4040",
        "/teacher/slots/4040",
        "/teacher/classes/4040",
    ],
)
def test_what_does_not_exist_is_not_found(signed_in, address):
    assert signed_in("teacher").get(address).status_code == 404


def test_a_draft_is_nobodys_business(session, world, signed_in):
    session.get_one(OfferRow, world.offer).state = OfferState.DRAFT
    session.commit()
    browser = signed_in("teacher")

    assert browser.get(f"/teacher/offers/{world.offer}").status_code == 404
    assert browser.get(f"/teacher/slots/{world.slots[0]}").status_code == 404
    assert "barreau" not in browser.get("/teacher/offers").text


def test_two_schools_are_both_seen(session, world, signed_in):
    rows.store_class(session, world.other_school, "4e A", level="QUATRIEME")
    from_both = rows.store_person(
        session, "Double Poste", role=rows.Role.TEACHER, organisation=world.school
    )
    session.add(
        rows.MembershipRow(
            person_id=from_both.id,
            organisation_id=world.other_school,
            role=rows.Role.TEACHER,
        )
    )
    session.commit()

    page = signed_in(from_both).get("/teacher/classes").text

    assert "1re MELEC" in page
    assert "4e A" in page


def test_a_colleagues_visit_is_seen_on_demand(session, world, signed_in):
    rows.ask(session, world, by=world.colleague)
    browser = signed_in("teacher")

    mine = browser.get("/teacher/visits").text
    whole_school = browser.get("/teacher/visits?who=school").text

    assert "Férembois" not in mine
    assert "demandée par Yannick Le Bihan" in whole_school


# ------------------------------------------------------------------ search


def search(browser, **wishes):
    return browser.get("/teacher/offers", query_string=wishes).text


def test_a_search_says_what_fits_and_what_does_not(session, world, signed_in):
    small = rows.store_offer(session, world.other_host, "Petit", max_students=10)
    rows.store_slot(session, small, rows.FRIDAY, max_students=10)

    page = search(signed_in("teacher"), school_class=world.school_class)

    assert "24 élèves sur 30 au plus" in page
    assert "10 élèves au plus, vous êtes 24" in page
    assert page.index("Du barreau") < page.index("Petit")


def test_a_class_too_big_by_half_is_told_of_half_groups(session, world, signed_in):
    small = rows.store_offer(session, world.other_host, "Petit", max_students=12)
    rows.store_slot(session, small, rows.FRIDAY, max_students=12)

    page = search(signed_in("teacher"), school_class=world.school_class)

    assert "12 élèves au plus\N{NO-BREAK SPACE}: venez en demi-groupes" in page


def test_a_level_that_is_too_low_is_said(session, world, signed_in):
    offer = session.get_one(OfferRow, world.offer)
    offer.min_grade_rank = 13
    session.commit()

    page = search(signed_in("teacher"), school_class=world.school_class)

    assert (
        "Niveau\N{NO-BREAK SPACE}: seulement à partir de la 1re année après le bac"
        in page
    )


@pytest.mark.parametrize(
    ("wish", "left_out"),
    [
        ({"fields": "ELECTRICITY"}, "Du barreau"),
        ({"fields": "MACHINING"}, "armoire"),
        ({"woman": "y"}, "armoire"),
        ({"within_km": "80"}, "armoire"),
        ({"last_on": "2027-01-15"}, "armoire"),
        ({"first_on": "2027-02-01"}, "armoire"),
        ({"wheelchair": "y"}, "armoire"),
    ],
)
def test_a_wish_leaves_offers_out(session, world, signed_in, wish, left_out):
    session.get_one(OfferRow, world.other_offer).wheelchair = Wheelchair.NO
    session.commit()

    page = search(signed_in("teacher"), school_class=world.school_class, **wish)

    assert left_out not in page


def test_nothing_found_says_what_to_loosen(signed_in):
    page = search(signed_in("teacher"), fields="MACHINING", within_km="15")

    assert "Aucune offre ne répond à tous vos souhaits." in page
    assert "plus loin" in page
    assert "dans tous les domaines" not in page


def test_half_a_class_is_a_way_out(session, world, signed_in):
    for offer in (world.offer, world.other_offer):
        session.get_one(OfferRow, offer).max_students = 12
    for row in session.query(rows.SlotRow):
        row.max_students = 12
    session.commit()

    page = search(
        signed_in("teacher"), school_class=world.school_class, fitting_only="y"
    )

    assert "avec un demi-groupe" in page
    assert "students=12" in page


@pytest.mark.parametrize(
    "wishes",
    [
        {"students": "beaucoup"},
        {"students": "-3"},
        {"students": "9" * 5000},
        {"first_on": "1900-01-01"},
        {"last_on": "9999-12-31"},
        {"first_on": "2027-02-30"},
        {"within_km": "'; drop"},
        {"fields": "NOWHERE"},
        {"sizes": "XXL"},
        {"level": "NONE"},
        {"school_class": "1e9"},
        {"page": "-5"},
        {"page": "zwei"},
        {"view": "moon"},
        {"view": "month", "month": "2027-99-01"},
        {"view": "week", "week": "9999-12-31"},
        {"view": "month", "month": "0001-01-01"},
        {"_external": "1", "_anchor": "x", "_scheme": "javascript"},
    ],
)
def test_a_search_takes_whatever_is_in_its_address(signed_in, wishes):
    answer = signed_in("teacher").get("/teacher/offers", query_string=wishes)

    assert answer.status_code == 200


def test_a_strange_number_gets_a_sentence(signed_in):
    page = search(signed_in("teacher"), students="beaucoup", first_on="1900-01-01")

    assert "Indiquez un nombre entier." in page
    assert "Ce jour est trop lointain." in page


# ------------------------------------------------------------------ queries


@pytest.fixture
def counted(app):
    """How many statements a request needs."""
    found = []
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine

    def count(*_given):
        found.append(1)

    event.listen(engine, "before_cursor_execute", count)
    yield found
    event.remove(engine, "before_cursor_execute", count)


def statements(counted, browser, address):
    counted.clear()
    assert browser.get(address).status_code == 200
    return len(counted)


@pytest.mark.parametrize("view", ["list", "map", "month"])
def test_more_offers_take_no_more_queries(session, world, signed_in, counted, view):
    browser = signed_in("teacher")
    address = f"/teacher/offers?view={view}&school_class={world.school_class}"
    few = statements(counted, browser, address)
    for number in range(3):
        offer = rows.store_offer(session, world.host, f"Offre {number}")
        rows.store_slot(session, offer, rows.FRIDAY + rows.TWO_HOURS)

    assert statements(counted, browser, address) == few


@pytest.mark.parametrize("address", ["/teacher/", "/teacher/visits?tab=waiting"])
def test_more_visits_take_no_more_queries(session, world, signed_in, counted, address):
    browser = signed_in("teacher")
    rows.ask(session, world)
    few = statements(counted, browser, address)
    for slot in world.slots[1:]:
        rows.ask(session, world, slot=slot)

    assert statements(counted, browser, address) == few


def test_more_slots_take_no_more_queries(session, world, signed_in, counted):
    browser = signed_in("teacher")
    address = f"/teacher/offers/{world.offer}?school_class={world.school_class}"
    few = statements(counted, browser, address)
    for days in range(3):
        rows.store_slot(session, world.offer, rows.FRIDAY + days * rows.TWO_HOURS)

    assert statements(counted, browser, address) == few
