"""What is true of a visit now, as primitives: the frozen payload of its letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain.actors import SCHOOL_ROLES, Actor, Role
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.people import MembershipRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import reference, visits
from scheduler.services.student_facts import ppe_phrases, student_facts

# What a calendar entry says of the offer itself.
SHOWN_FIELDS = (
    "offer_title",
    "meeting_point",
    "arrival",
    "wear",
    "bring",
    "ppe",
    "see",
    "people_met",
    "phone_rule",
    "photo_rule",
)

# What a person must learn of when it differs from one revision to the next.
TELLING_FIELDS = (
    "starts_at",
    "ends_at",
    "place",
    "students",
    "girls",
    "boys",
    "adults",
    "support_assistants",
    "part",
    "arrangements",
    *SHOWN_FIELDS,
    "organiser_name",
    "contact_name",
    "contact_phone",
)


def snapshot(
    session: Session,
    visit: VisitRow,
    *,
    locale: str,
    contacts: Sequence[MembershipRow],
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The visit's facts. ``before``: the snapshot of the revision just left."""
    offer, level = visit.slot.offer, visit.school_class.level
    contact = contacts[0].person if contacts else None
    known_ppe = reference.ppe(session)
    facts: dict[str, Any] = {
        **student_facts(visit, ppe=known_ppe, locale=locale),
        "revision": visit.revision,
        "previous_starts_at": None,
        "previous_ends_at": None,
        "previous_place": None,
        "ppe_codes": [each["code"] for each in offer.ppe],
        "level_label": level.label_en if locale == "en" else level.label_fr,
        "students": visit.students,
        "girls": visit.girls,
        "boys": visit.boys,
        "adults": visit.adults,
        "support_assistants": visit.support_assistants,
        "part": visit.part.value,
        "arrangements": visit.arrangements,
        "message": visit.message,
        "organiser_phone": visit.organiser.phone,
        "contact_name": contact.name if contact else "",
        "contact_phone": (contact.phone if contact else "") or offer.host.phone,
        "answer_due_at": visit.answer_due_at.isoformat()
        if visit.answer_due_at
        else None,
        "reason": visit.reason,
        "note": visit.note,
        "proposals": [_proposal(each) for each in _other_slots(session, visit)],
        "changes": [],
    }
    if before is not None:
        # Recorded in one language only; compared, and told, in the reader's.
        worn = [{"code": code} for code in before["ppe_codes"]]
        before = {**before, "ppe": ppe_phrases(known_ppe, worn, locale=locale)}
        facts["changes"] = changes(before, facts)
        for key in ("starts_at", "ends_at", "place"):
            if before[key] != facts[key]:
                facts[f"previous_{key}"] = before[key]
    return facts


def _other_slots(session: Session, visit: VisitRow) -> list[SlotRow]:
    """What the teacher wants instead, else what the host offers instead."""
    if visit.wanted_slot is not None:
        return [visit.wanted_slot]
    return [each.slot for each in visits.proposals_for(session, visit.id)]


def _proposal(slot: SlotRow) -> dict[str, Any]:
    return {
        "id": slot.id,
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
        "place": slot.address,
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts that differ and that somebody must learn of, in a fixed order."""
    return [
        {"field": key, "before": before[key], "after": now[key]}
        for key in TELLING_FIELDS
        if before[key] != now[key]
    ]


def actor_side(actor: Actor, visit: VisitRow) -> str:
    """Who did it, for the letters: "school", "host" or "system".

    Somebody may teach and speak for a company: what counts is this visit's.
    """
    if visit.slot.offer.host_id in actor.organisations(Role.HOST_CONTACT):
        return "host"
    if visit.school_class.school_id in actor.organisations(*SCHOOL_ROLES):
        return "school"
    return "system"
