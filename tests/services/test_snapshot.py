"""The frozen facts of a letter: addresses, people met, equipment, who did it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scheduler.domain.actors import LOOP
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.queries import visits
from scheduler.services import snapshot, student_facts
from tests import rows


def place(session, world) -> str:
    session.commit()
    slot = visits.slot_to_take(session, world.slots[0])
    assert slot is not None
    return slot.address


def test_the_place_is_the_slots_else_the_offers_else_the_hosts(session, world):
    assert place(session, world) == "1 rue des Essais, 44590 Derval"

    session.get_one(OfferRow, world.offer).street = "Quai 2"
    assert place(session, world) == "Quai 2, 44590 Derval"

    session.get_one(SlotRow, world.slots[0]).place = "5 rue Neuve"
    assert place(session, world) == "5 rue Neuve, 44590 Derval"

    session.get_one(SlotRow, world.slots[0]).place = "5 rue Neuve, Derval"
    assert place(session, world) == "5 rue Neuve, Derval"


def test_who_is_met_is_said_by_the_offer_else_by_its_witnesses(session, world):
    slot = visits.slot_to_take(session, world.slots[0])
    assert slot is not None

    witnesses = student_facts.people_met(slot)
    slot.offer.people_met = "toute l’équipe"

    assert witnesses == "Maud (Contrôleuse qualité)"
    assert student_facts.people_met(slot) == "toute l’équipe"


@pytest.mark.parametrize(
    ("who", "side"),
    [
        ("teacher", "school"),
        ("contact", "host"),
        ("coordinator", "system"),
        ("loop", "system"),
    ],
)
def test_a_letter_says_who_did_it(session, world, who, side):
    visit = visits.visit_to_show(session, rows.ask(session, world))
    actor = LOOP if who == "loop" else getattr(world, who).actor

    assert snapshot.actor_side(actor, visit) == side


def test_a_teacher_who_speaks_for_another_company_acts_for_the_school(session, world):
    visit = visits.visit_to_show(session, rows.ask(session, world))
    other_roles = world.other_contact.actor.memberships
    both = replace(
        world.teacher.actor, memberships=world.teacher.actor.memberships | other_roles
    )

    assert snapshot.actor_side(both, visit) == "school"


def test_a_payload_is_frozen_primitives(session, world, outbox):
    rows.ask(session, world)

    for each in outbox.news():
        assert json.loads(json.dumps(each.payload)) == each.payload
        facts = each.payload["visit"]
        assert facts["starts_at"] == rows.TUESDAY.isoformat()
        assert facts["ppe"] == ["des lunettes de protection (prêtées)"]
        assert facts["students"] == 24
