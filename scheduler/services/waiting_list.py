"""The waiting list of a published campaign: a freed place is offered to who fits.

Of the classes that have nothing and whose wishes and rules allow the place today – the
same problem as a second round's – the one with the most points is told, then the draw
decides. A day later, if the place is still free, the next one is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain.announcements import Audience
from scheduler.matching import draw
from scheduler.matching.possible import Offer, possible_visits
from scheduler.persistence.models.campaigns import CampaignRow, WishListRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.queries import publishing as queries, visits, waiting_list
from scheduler.services import outbox
from scheduler.services.campaign_problem import number_of, slot_key
from scheduler.services.rounds import second_round
from scheduler.services.transaction import transaction

FREED_IN = timedelta(days=7)
A_DAY = timedelta(days=1)
LETTER = "campaign_place_free"


def offer_freed(session: Session, *, now: datetime) -> int:
    """Tell of places that became free; how many letters were written."""
    told = 0
    for campaign_id in waiting_list.published_campaigns(session):
        freed = waiting_list.freed_slots(
            session, campaign_id, since=now - FREED_IN, now=now
        )
        known = waiting_list.offered(session, LETTER, since=now - FREED_IN)
        fresh = [
            slot_id
            for slot_id in freed
            if not any(
                each.slot_id == slot_id and each.at > now - A_DAY for each in known
            )
        ]
        session.rollback()
        if fresh:
            before = {(each.slot_id, each.class_id) for each in known}
            told += _offer(session, campaign_id, fresh, before, now=now)
    return told


def _offer(
    session: Session,
    campaign_id: int,
    slot_ids: Iterable[int],
    before: set[tuple[int, int]],
    *,
    now: datetime,
) -> int:
    problem = second_round(session, campaign_id, now=now).problem
    possible = possible_visits(Offer(problem))
    session.rollback()
    lots = draw.lots(problem.classes, session.get_one(CampaignRow, campaign_id).seed)
    waiting = sorted(
        problem.classes.values(), key=lambda each: (-each.priority, lots[each.id])
    )
    session.rollback()
    told: set[int] = set()
    for slot_id in slot_ids:
        key = slot_key(slot_id)
        for one in waiting:
            class_id = number_of(one.id)
            fits = any(
                each.is_whole and set(each.slots) == {key} for each in possible[one.id]
            )
            if fits and class_id not in told and (slot_id, class_id) not in before:
                with transaction(session):
                    _tell(session, campaign_id, class_id, slot_id, now=now)
                told.add(class_id)
                break
    return len(told)


def _tell(
    session: Session, campaign_id: int, class_id: int, slot_id: int, *, now: datetime
) -> None:
    wishes: WishListRow | None = queries.wish_list(session, campaign_id, class_id)
    klass = visits.class_to_ask_for(session, class_id)
    slot = visits.slot_to_take(session, slot_id)
    campaign = session.get_one(CampaignRow, campaign_id)
    if wishes is None or klass is None or slot is None:
        return
    person = session.get_one(PersonRow, wishes.teacher_id)
    outbox.record(
        session,
        kind=LETTER,
        audience=Audience.TEACHER,
        locale=person.locale,
        name=person.name,
        address=person.email,
        payload={
            "audience": Audience.TEACHER.value,
            "campaign": {
                "id": campaign.id,
                "name": campaign.name,
                "purpose": "waiting_list",
                "place": _place(slot, class_id, klass.label),
            },
        },
        now=now,
        person_id=person.id,
    )


def _place(slot: SlotRow, class_id: int, label: str) -> dict[str, Any]:
    return {
        "slot_id": slot.id,
        "class_id": class_id,
        "class_label": label,
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
        "host_name": slot.offer.host.organisation.name,
        "offer_title": slot.offer.title,
        "address": slot.address,
    }
