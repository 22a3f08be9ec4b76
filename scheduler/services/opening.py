"""A first offer with its slots in one go: eight answers, open doors (HO-M1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, for_host, need
from scheduler.domain.refusals import NotFound
from scheduler.domain.weekly import WeeklyPlan, WeeklyRule
from scheduler.persistence.queries import offers, visits
from scheduler.services.offers import OfferText, put_before_teachers, put_offer
from scheduler.services.slots import SeatsWanted, plan_at, put_weekly_slots
from scheduler.services.transaction import transaction

SECOND_TAP = timedelta(minutes=2)


def open_offer(
    session: Session,
    host_id: int,
    text: OfferText,
    rule: WeeklyRule,
    *,
    by: Actor,
    now: datetime,
) -> int:
    """The offer, published, with a slot on every day of the rule. Returns its id.

    The same answers sent again at once are a second tap on the button: they are the
    first offer, not another one.
    """
    with transaction(session):
        need(for_host(by, host_id))
        visits.lock(session, host_ids=[host_id])
        for made in offers.offers_made_since(session, host_id, now - SECOND_TAP):
            if (made.title, made.see) == (text.title, list(text.see)):
                return made.id
        row = put_offer(session, host_id, text, by=by, now=now)
        offer = offers.offer_whole(session, row.id)
        if offer is None:
            raise NotFound
        put_before_teachers(session, offer, by=by, now=now)
        put_weekly_slots(session, offer, rule, wanted=SeatsWanted(), by=by, now=now)
        return offer.id


def plan_for_new(
    session: Session, host_id: int, rule: WeeklyRule, *, by: Actor, now: datetime
) -> WeeklyPlan:
    """What the rule gives for an offer that does not exist yet."""
    need(for_host(by, host_id))
    host = offers.host_whole(session, host_id)
    if host is None:
        raise NotFound
    return plan_at(session, host, rule, now=now)
