"""Offers: their states, what is missing, caps and closed days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest
from sqlalchemy import select

from scheduler.domain.offers import NEXT, Caps, OfferState, PhoneRule
from scheduler.domain.refusals import NotReady
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.journal import JournalRow
from scheduler.persistence.models.network import HostClosureRow, HostRow
from scheduler.persistence.models.offers import OfferRow, SlotRow, WitnessRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import offers as queries
from scheduler.services import offers
from scheduler.services.offers import OfferText, Witness
from tests import rows
from tests.rows import NOW
from tests.services.mailbox import refused

TEXT = OfferText(
    title="Du fil à l’aiguille",
    field_codes=("MACHINING", "ASSEMBLY"),
    max_students=12,
    subgroup_size=6,
    min_grade_rank=9,
    see=("la presse", "le contrôle"),
    duration_minutes=90,
    phone_rule=PhoneRule.OFF,
    ppe=({"code": "glasses", "detail": "12"},),
    witnesses=(Witness(first_name="Maud", job="Contrôleuse", gender="W"),),
)
STEPS = {
    "publish": offers.publish_offer,
    "pause": lambda session, offer, **who: offers.pause_offer(
        session, offer, until=None, **who
    ),
    "resume": offers.resume_offer,
    "archive": offers.archive_offer,
    "restore": offers.restore_offer,
}


def whole(session, offer_id) -> OfferRow:
    session.rollback()
    row = queries.offer_whole(session, offer_id)
    assert row is not None
    return row


def create(session, world, text=TEXT, *, by=None) -> int:
    by = by or world.contact
    return offers.create_offer(session, world.host, text, by=by.actor, now=NOW)


# ------------------------------------------------------------------ writing


def test_an_offer_begins_as_a_draft_with_all_that_was_said(session, world):
    offer = create(session, world)

    row = whole(session, offer)
    assert row.state is OfferState.DRAFT
    assert (row.title, row.max_students, row.see) == (
        "Du fil à l’aiguille",
        12,
        ["la presse", "le contrôle"],
    )
    assert {each.code for each in row.fields} == {"MACHINING", "ASSEMBLY"}
    assert [each.first_name for each in row.witnesses] == ["Maud"]
    assert row.ppe == [{"code": "glasses", "detail": "12"}]
    noted = session.scalars(select(JournalRow.what)).all()
    assert list(noted) == ["offer_created"]


def test_other_words_leave_the_slots_as_they_are(session, world):
    text = replace(TEXT, title="Autrement", max_students=5, witnesses=())

    offers.change_offer(session, world.offer, text, by=world.contact.actor, now=NOW)

    row = whole(session, world.offer)
    assert (row.title, row.max_students, row.witnesses) == ("Autrement", 5, [])
    assert session.scalars(select(WitnessRow)).all() == []
    assert session.get_one(SlotRow, world.slots[0]).max_students == 30


@pytest.mark.parametrize("part", ["title", "summary", "see"])
def test_no_offer_lets_students_handle_machines(session, world, part):
    words = "Vous soudez une pièce"
    text = replace(TEXT, **{part: (words,) if part == "see" else words})

    with refused(session, "handling_words"):
        create(session, world, text)
    with refused(session, "handling_words"):
        offers.change_offer(session, world.offer, text, by=world.contact.actor, now=NOW)


def test_a_workshop_off_the_machines_is_another_kind(session, world):
    text = replace(TEXT, title="Vous soudez une pièce", kind_code="WORKSHOP")

    assert whole(session, create(session, world, text)).kind_code == "WORKSHOP"


@pytest.mark.parametrize("who", ["other_contact", "teacher"])
def test_nobody_else_writes_for_a_host(session, world, who):
    by = getattr(world, who)

    with refused(session, "not_found"):
        create(session, world, by=by)
    with refused(session, "not_found"):
        offers.change_offer(session, world.offer, TEXT, by=by.actor, now=NOW)
    with refused(session, "not_found"):
        offers.set_caps(session, world.host, Caps(), by=by.actor, now=NOW)


def test_no_offer_for_a_host_that_does_not_exist(session, world):
    with refused(session, "not_found"):
        offers.create_offer(session, 999, TEXT, by=world.coordinator.actor, now=NOW)
    with refused(session, "not_found"):
        offers.set_caps(session, 999, Caps(), by=world.coordinator.actor, now=NOW)
    with refused(session, "not_found"):
        offers.publish_offer(session, 999, by=world.contact.actor, now=NOW)


@pytest.mark.parametrize(
    "limit", ["max_students", "max_people", "max_groups", "subgroup_size"]
)
def test_a_limit_under_which_nobody_comes_is_refused(session, world, limit):
    text = replace(TEXT, **{limit: 0})

    with refused(session, "limit_too_low"):
        create(session, world, text)
    with refused(session, "limit_too_low"):
        offers.change_offer(session, world.offer, text, by=world.contact.actor, now=NOW)


# ------------------------------------------------------------------ states


@pytest.mark.parametrize(("state", "step"), sorted(product(OfferState, STEPS)))
def test_a_step_leads_where_the_table_says_or_is_refused(session, world, state, step):
    session.get_one(OfferRow, world.offer).state = state
    session.commit()
    who = {"by": world.contact.actor, "now": NOW}

    if (state, step) in NEXT:
        STEPS[step](session, world.offer, **who)
        assert whole(session, world.offer).state is NEXT[state, step]
        noted = session.scalars(select(JournalRow.what)).all()
        assert list(noted) == [f"offer_{step}"]
    else:
        with refused(session, "wrong_state"):
            STEPS[step](session, world.offer, **who)


def test_a_blocked_offer_is_not_the_hosts_to_free():
    assert {state for state, _ in NEXT} & {OfferState.BLOCKED} == set()
    assert OfferState.BLOCKED not in NEXT.values()


def test_what_is_missing_is_named_before_an_offer_is_published(session, world):
    empty = create(session, world, replace(TEXT, title="", see=(), field_codes=()))

    with pytest.raises(NotReady) as refusal:
        offers.publish_offer(session, empty, by=world.contact.actor, now=NOW)

    assert refusal.value.facts == {"missing": ["title", "see", "fields"]}


def test_a_pause_keeps_its_end_until_it_is_over(session, world):
    who = {"by": world.contact.actor, "now": NOW}
    offers.pause_offer(session, world.offer, until=date(2027, 3, 31), **who)
    paused = whole(session, world.offer).paused_until

    offers.resume_offer(session, world.offer, **who)

    assert paused == date(2027, 3, 31)
    assert whole(session, world.offer).paused_until is None


def test_case_6_a_pause_leaves_confirmed_visits_and_takes_no_requests(session, world):
    visit = rows.visit_in(session, world, VisitState.CONFIRMED)
    offers.pause_offer(
        session, world.offer, until=None, by=world.contact.actor, now=NOW
    )

    assert session.get_one(VisitRow, visit).state is VisitState.CONFIRMED
    session.rollback()
    with refused(session, "offer_not_published"):
        rows.ask(session, world, slot=world.slots[1], school_class=world.second_class)


# ------------------------------------------------------------------ caps, closed days


def test_caps_are_the_hosts(session, world):
    offers.set_caps(
        session,
        world.host,
        Caps(per_day=1, per_month=3, per_year=20),
        by=world.contact.actor,
        now=NOW,
    )

    host = session.get_one(HostRow, world.host)
    assert (host.cap_per_day, host.cap_per_month, host.cap_per_year) == (1, 3, 20)


@pytest.mark.parametrize("cap", ["per_day", "per_month", "per_year"])
def test_a_cap_under_which_nobody_comes_is_refused(session, world, cap):
    with refused(session, "limit_too_low"):
        offers.set_caps(
            session, world.host, Caps(**{cap: 0}), by=world.contact.actor, now=NOW
        )


def test_closed_days_stop_requests_until_they_are_open_again(session, world):
    who = {"by": world.contact.actor, "now": NOW}
    offers.add_closed_days(
        session,
        world.host,
        first_on=date(2027, 1, 11),
        last_on=date(2027, 1, 15),
        reason="Inventaire",
        **who,
    )
    with refused(session, "host_closed"):
        rows.ask(session, world)
    closure = session.scalars(select(HostClosureRow.id)).one()
    session.rollback()

    with refused(session, "not_found"):
        offers.remove_closed_days(
            session, world.host, closure, by=world.other_contact.actor, now=NOW
        )
    offers.remove_closed_days(session, world.host, closure, **who)

    rows.ask(session, world)


def test_another_hosts_closed_days_are_not_removed(session, world):
    offers.add_closed_days(
        session,
        world.host,
        first_on=date(2027, 1, 12),
        last_on=date(2027, 1, 12),
        reason="",
        by=world.contact.actor,
        now=NOW,
    )
    closure = session.scalars(select(HostClosureRow.id)).one()
    session.rollback()

    with refused(session, "not_found"):
        offers.remove_closed_days(
            session, world.other_host, closure, by=world.other_contact.actor, now=NOW
        )

    assert session.get(HostClosureRow, closure) is not None


def test_closed_days_end_after_they_begin(session, world):
    with refused(session, "bad_times"):
        offers.add_closed_days(
            session,
            world.host,
            first_on=date(2027, 1, 15),
            last_on=date(2027, 1, 11),
            reason="",
            by=world.contact.actor,
            now=NOW,
        )
