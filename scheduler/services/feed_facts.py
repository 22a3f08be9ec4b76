"""A visit as an adult's subscribed calendar may tell it.

Less than the page and the mailed invitation: the address gets passed on, and what was
once subscribed to stays on other people's machines. No needs of students, no message
between teacher and host, telephones only in one's own calendar and while the visit is
still to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scheduler.domain.feeds import NAMES_TELEPHONES, FeedKind
from scheduler.domain.visits import INVITED
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.reference import PpeRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.services.student_facts import student_facts


def feed_facts(
    visit: VisitRow,
    kind: FeedKind,
    *,
    contact: PersonRow | None,
    ppe: Mapping[str, PpeRow],
    locale: str,
) -> dict[str, Any]:
    """The facts in the shape of a message's payload (``mail.facts`` reads both)."""
    level, host = visit.school_class.level, visit.slot.offer.host
    facts = student_facts(visit, ppe=ppe, locale=locale) | {
        "level_label": level.label_en if locale == "en" else level.label_fr,
        "students": visit.students,
        "girls": visit.girls,
        "boys": visit.boys,
        "adults": visit.adults,
        "support_assistants": visit.support_assistants,
        "part": visit.part.value,
        "contact_name": contact.name if contact else "",
    }
    if kind in NAMES_TELEPHONES and visit.state in INVITED:
        facts["organiser_phone"] = visit.organiser.phone
        facts["contact_phone"] = (contact.phone if contact else "") or host.phone
    return facts
