"""What a teacher may choose from when wishing: the nearest first, and not too many.

A campus has all its dates in the list; where there are thousands, only those nearest to
the school, since criteria say the rest better.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.refusals import NotFound
from scheduler.domain.travel import straight_km
from scheduler.persistence.queries import campaigns, visits, wishes
from scheduler.persistence.queries.wishes import HostChoice, SlotChoice
from scheduler.services.fitting import place_of
from scheduler.services.wishes import slots_of

MOST_SLOTS = 120
MOST_HOSTS = 120


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Slots by date, hosts by name. ``slots_left_out``: how many are farther away."""

    slots: tuple[SlotChoice, ...]
    hosts: tuple[HostChoice, ...]
    slots_left_out: int
    hosts_left_out: int


def choices_for(
    session: Session,
    campaign_id: int,
    class_id: int,
    *,
    kept: Collection[str],
    now: datetime,
) -> Reach:
    """What the class may wish. ``kept``: keys (``s1``, ``h2``) that stay anyway."""
    campaign = campaigns.campaign(session, campaign_id)
    klass = visits.class_to_ask_for(session, class_id)
    if campaign is None or klass is None:
        raise NotFound
    here = place_of(klass.school.organisation)
    away = {
        host_id: straight_km(here, place)
        for host_id, place in wishes.places_of_hosts(session).items()
    }

    def distance(host_id: int) -> float:
        return away.get(host_id, float("inf"))

    slots = [each for each in slots_of(session, campaign) if each.starts_at > now]
    hosts = wishes.hosts_to_wish(session)
    near_slots = sorted(slots, key=lambda each: distance(each.host_id))[:MOST_SLOTS]
    near_hosts = sorted(hosts, key=lambda each: distance(each.id))[:MOST_HOSTS]
    chosen = {each.id for each in near_slots}
    places = {each.id for each in near_hosts}
    return Reach(
        slots=tuple(
            each for each in slots if each.id in chosen or f"s{each.id}" in kept
        ),
        hosts=tuple(
            each for each in hosts if each.id in places or f"h{each.id}" in kept
        ),
        slots_left_out=len(slots) - len(near_slots),
        hosts_left_out=len(hosts) - len(near_hosts),
    )
