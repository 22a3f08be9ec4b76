"""Eight questions make an offer with slots; everything about it can change."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from scheduler.domain.localtime import local
from scheduler.domain.offers import OfferState
from scheduler.persistence.models.network import HostClosureRow, HostRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from tests import rows

EIGHT = {
    "people_met": "Maud et Gérard",
    "woman": "y",
    "street": "3 rue du Tour",
    "meeting_point": "Devant la porte bleue",
    "wheelchair": "partial",
    "max_students": "10",
    "min_grade_rank": "9",
    "title": "Du barreau à la pièce",
    "see": "un tour au travail\n- le contrôle",
    "field_codes": ["MACHINING", "UNKNOWN"],
    "wear": "Chaussures fermées",
    "ppe": ["glasses"],
    "phone_rule": "silent",
    "photo_rule": "none",
    "weekdays": ["1", "3"],
    "starts": "14:00",
    "ends": "16:00",
    "every": "1",
    "first_on": "2026-12-15",
    "last_on": "2027-01-14",
    "then": "publish",
}
NASTY = (
    "x" * 10_000,
    "\x00\x07\x1b[31m",
    "<script>alert(1)</script>",
    "a\r\nBcc: all@example.org",
    "\u202eevil\u202c",
    "👩‍🏭" * 40,
    "-1",
    "9" * 400,
    "1e999",
    "1900-01-01",
    "9999-12-31",
    "24:61",
    "ﷺ" * 200,
)


def offers_of(session, host):
    return session.scalars(
        select(OfferRow).where(OfferRow.host_id == host).order_by(OfferRow.id)
    ).all()


def days_of(session, offer):
    starts = session.scalars(
        select(SlotRow.starts_at)
        .where(SlotRow.offer_id == offer)
        .order_by(SlotRow.starts_at)
    )
    return [local(at).date() for at in starts]


def test_eight_answers_publish_an_offer_with_slots(session, world, signed_in):
    answer = signed_in("contact").post("/host/offers/new", data=EIGHT)

    made = offers_of(session, world.host)[-1]
    assert (answer.status_code, answer.location) == (
        303,
        f"/host/offers/{made.id}/slots",
    )
    assert (made.state, made.see) == (
        OfferState.PUBLISHED,
        ["un tour au travail", "le contrôle"],
    )
    assert (made.subgroup_size, made.women_witnesses, made.duration_minutes) == (
        10,
        1,
        120,
    )
    # Christmas holidays are from 19 December to 3 January.
    assert days_of(session, made.id) == [
        date(2026, 12, 15),
        date(2026, 12, 17),
        date(2027, 1, 5),
        date(2027, 1, 7),
        date(2027, 1, 12),
        date(2027, 1, 14),
    ]


def test_a_second_tap_on_publish_leads_to_the_first_offer(
    session, world, signed_in, wall_clock
):
    browser = signed_in("contact")

    first = browser.post("/host/offers/new", data=EIGHT)
    second = browser.post("/host/offers/new", data=EIGHT)
    wall_clock.at += timedelta(minutes=3)
    later = browser.post("/host/offers/new", data=EIGHT)

    made = [offer.id for offer in offers_of(session, world.host)][-2:]
    assert [first.location, second.location, later.location] == [
        f"/host/offers/{made[0]}/slots",
        f"/host/offers/{made[0]}/slots",
        f"/host/offers/{made[1]}/slots",
    ]
    assert len(days_of(session, made[0])) == len(days_of(session, made[1])) == 6


def test_the_dates_are_shown_before_anything_is_made(session, world, signed_in):
    before = len(offers_of(session, world.host))
    session.rollback()

    answer = signed_in("contact").post(
        "/host/offers/new",
        data=EIGHT | {"then": "show"},
        headers={"Accept-Language": "fr"},
    )

    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "6 dates" in page
    assert "Vacances de Noël 2026" in page
    assert len(offers_of(session, world.host)) == before


def test_own_closed_days_are_left_out(session, world, signed_in):
    browser = signed_in("contact")
    browser.post(
        "/host/limits/closed-days",
        data={
            "first_on": "2027-01-05",
            "last_on": "2027-01-08",
            "reason": "Inventaire",
        },
    )

    browser.post("/host/offers/new", data=EIGHT)

    made = offers_of(session, world.host)[-1]
    assert date(2027, 1, 5) not in days_of(session, made.id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"see": "Les élèves soudent une pièce"},
        {"see": ""},
        {"see": "\n".join("abcdefghijklmnop")},
        {"field_codes": []},
        {"weekdays": []},
        {"max_students": "0"},
        {"max_students": "many"},
        {"ends": "13:00"},
        {"ends": "14:05"},
        {"last_on": "2026-12-01"},
        {"last_on": "2029-12-01"},
        {"first_on": "2026-12-21", "last_on": "2026-12-24"},
        {"first_on": ""},
        {"min_grade_rank": "1000"},
        {"phone_rule": "whatever"},
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(session, world, signed_in, wrong):
    before = len(offers_of(session, world.host))
    session.rollback()

    answer = signed_in("contact").post("/host/offers/new", data=EIGHT | wrong)

    assert answer.status_code == 422
    assert "Du barreau à la pièce" in answer.get_data(as_text=True)
    assert len(offers_of(session, world.host)) == before


@pytest.mark.parametrize("name", sorted(EIGHT))
def test_no_typed_text_breaks_the_eight_questions(world, signed_in, name):
    browser = signed_in("contact")

    for nasty in NASTY:
        answer = browser.post(
            "/host/offers/new", data=EIGHT | {name: nasty, "then": "show"}
        )
        page = answer.get_data(as_text=True)
        assert answer.status_code in {200, 422}
        assert "<script>alert" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page


def edit_form(**changed):
    return {
        "title": "Autre titre",
        "see": "une machine",
        "field_codes": ["MACHINING"],
        "max_students": "20",
        "subgroup_size": "10",
        "max_groups": "1",
        "min_grade_rank": "9",
        "min_notice_days": "21",
        "name_list_days": "0",
        "duration_minutes": "90",
        "phone_rule": "off",
        "photo_rule": "ask",
        "wheelchair": "yes",
        "vehicle_access": "coach",
        "confirmation": "by_host",
        "ppe": ["glasses", "vest"],
        "witnesses-0-first_name": "Maud",
        "witnesses-0-job": "Contrôleuse",
        "witnesses-0-path": "CAP",
        "witnesses-0-gender": "W",
    } | changed


def test_edit_an_offer(session, world, signed_in):
    answer = signed_in("contact").post(
        f"/host/offers/{world.offer}/edit", data=edit_form()
    )

    row = session.get_one(OfferRow, world.offer)
    assert answer.status_code == 303
    assert (row.title, row.max_students, row.see) == (
        "Autre titre",
        20,
        ["une machine"],
    )
    # What was said about equipment that stays is kept.
    assert row.ppe == [
        {"code": "glasses", "detail": "12"},
        {"code": "vest", "detail": ""},
    ]


@pytest.mark.parametrize("name", sorted(edit_form()))
def test_no_typed_text_breaks_the_edit_form(world, signed_in, name):
    browser = signed_in("contact")

    for nasty in NASTY:
        answer = browser.post(
            f"/host/offers/{world.offer}/edit", data=edit_form(**{name: nasty})
        )
        assert answer.status_code in {303, 422}


def test_pause_with_an_end_and_resume(session, world, signed_in):
    browser = signed_in("contact")
    path = f"/host/offers/{world.offer}"

    past = browser.post(f"{path}/pause", data={"until": "2026-11-01"})
    paused = browser.post(f"{path}/pause", data={"until": "2027-03-01"})
    again = browser.post(f"{path}/pause", data={})
    row = session.get_one(OfferRow, world.offer)
    seen = row.state, row.paused_until
    session.rollback()
    resumed = browser.post(f"{path}/resume")

    assert [past.status_code, paused.status_code, again.status_code] == [422, 303, 422]
    assert seen == (OfferState.PAUSED, date(2027, 3, 1))
    assert resumed.status_code == 303
    assert session.get_one(OfferRow, world.offer).state is OfferState.PUBLISHED


def test_put_away_take_back_publish(session, world, signed_in):
    browser = signed_in("contact")
    path = f"/host/offers/{world.offer}"

    statuses = [
        browser.post(f"{path}/{step}").status_code
        for step in ("archive", "archive", "restore", "publish")
    ]

    assert statuses == [303, 422, 303, 303]
    assert session.get_one(OfferRow, world.offer).state is OfferState.PUBLISHED


def test_limits_and_closed_days(session, world, signed_in):
    browser = signed_in("contact")

    caps = browser.post("/host/limits/caps", data={"per_day": "1", "per_month": "2"})
    wrong = browser.post("/host/limits/caps", data={"per_day": "-3"})
    closed = browser.post("/host/limits/closed-days", data={"first_on": "2027-03-01"})
    order = browser.post(
        "/host/limits/closed-days",
        data={"first_on": "2027-03-02", "last_on": "2027-03-01"},
    )

    host = session.get_one(HostRow, world.host)
    assert [caps.status_code, wrong.status_code] == [303, 422]
    assert [closed.status_code, order.status_code] == [303, 422]
    assert (host.cap_per_day, host.cap_per_month, host.cap_per_year) == (1, 2, None)
    days = session.scalars(select(HostClosureRow)).one()
    assert (days.first_on, days.last_on) == (date(2027, 3, 1), date(2027, 3, 1))


def test_closed_days_are_removed_by_their_own_company_only(session, world, signed_in):
    signed_in("contact").post(
        "/host/limits/closed-days", data={"first_on": "2027-03-01"}
    )
    number = session.scalars(select(HostClosureRow.id)).one()
    session.rollback()
    path = f"/host/limits/closed-days/{number}/remove"

    others = signed_in("other_contact").post(path)
    kept = session.scalar(select(func.count(HostClosureRow.id)))
    session.rollback()
    first = signed_in("contact").post(path)
    again = signed_in("contact").post(path)

    assert kept == 1
    assert [each.status_code for each in (others, first, again)] == [404, 303, 404]
    assert session.scalar(select(func.count(HostClosureRow.id))) == 0


def test_a_new_company_is_led_to_its_first_offer(session, world, signed_in):
    host = rows.store_host(session, "Atelier neuf")
    someone = rows.store_person(
        session, "Nina Neuve", role=rows.Role.HOST_CONTACT, organisation=host
    )

    page = signed_in(someone).get("/host/", headers={"Accept-Language": "en"})

    assert "/host/offers/new" in page.get_data(as_text=True)
