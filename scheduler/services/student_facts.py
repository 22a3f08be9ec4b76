"""A visit as students may know it: the same on the class's page and in its calendar.

No names of students, no numbers, no telephone: what is not listed here cannot be shown.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.reference import PpeRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services.fitting import place_of
from scheduler.services.house import house_of

UUID_BYTES = 16


def student_facts(
    visit: VisitRow, *, ppe: Mapping[str, PpeRow], locale: str
) -> dict[str, Any]:
    """The facts in the shape of a message's payload (``mail.facts`` reads both)."""
    slot, klass = visit.slot, visit.school_class
    offer = slot.offer
    host = offer.host
    place = place_of(host.organisation)
    return {
        "id": visit.id,
        "state": visit.state.value,
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
        "host_name": host.organisation.name,
        "offer_title": offer.title,
        "activity": host.activity,
        "commune": host.organisation.commune.name,
        "place": slot.address,
        "lat": place.lat,
        "lon": place.lon,
        "arrival": offer.arrival,
        "meeting_point": offer.meeting_point,
        "wear": offer.wear,
        "bring": offer.bring,
        "ppe": ppe_phrases(ppe, offer.ppe, locale=locale),
        "phone_rule": offer.phone_rule.value,
        "photo_rule": offer.photo_rule.value,
        "see": list(offer.see),
        "people_met": people_met(slot),
        "school_name": klass.school.organisation.name,
        "class_label": klass.label,
        "organiser_name": visit.organiser.name,
        "class_code": visit.class_code,
    }


def people_met(slot: SlotRow) -> str:
    """Who will be there: the offer's own words, else its witnesses."""
    offer = slot.offer
    if offer.people_met:
        return offer.people_met
    return ", ".join(f"{each.first_name} ({each.job})" for each in offer.witnesses)


def ppe_phrases(
    known: Mapping[str, PpeRow], items: Sequence[Mapping[str, Any]], *, locale: str
) -> list[str]:
    """Protective equipment in plain words; unknown codes are left out."""
    rows = [known[item["code"]] for item in items if item.get("code") in known]
    return [row.phrase_en if locale == "en" else row.phrase_fr for row in rows]


def uid_for_all(session: Session, visit_id: int) -> str:
    """The UID of a visit where no single reader is known; the same for ever.

    A keyed digest in the shape of a UUID: it reveals no id, and it is none of the
    random UIDs of the mailed invitations, which must stay secret.
    """
    house = house_of(session)
    mac = hmac.new(house.link_key, f"event:{visit_id}".encode(), hashlib.sha256)
    return f"{UUID(bytes=mac.digest()[:UUID_BYTES], version=4)}@{house.mail_domain}"
