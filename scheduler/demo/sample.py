"""The sample: a network, offers with slots, and a past, all of it invented.

Names end in "(fictif)". The rows of the network are stored as they are; offers, slots
and visits come about through the real services, so that the demo cannot show a state
that the service itself would never reach.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.demo import campaign, history, network, offering
from scheduler.persistence.queries import seeding
from scheduler.services.transaction import transaction


def load_sample(session: Session, *, now: datetime) -> bool:
    """Fill an empty database; whether there was anything to do.

    Mail of the invented past counts as sent (see ``history``): on a first start the
    mailbox gets the news of the last hour only.
    """
    if seeding.has_organisations(session):
        return False
    opened_at = now - offering.OPENED_BEFORE
    with transaction(session):
        known = network.add_network(session, now=opened_at)
    offer_ids = offering.add_offers(session, known, now=opened_at)
    offering.add_slots(session, known, offer_ids, now=opened_at, today=now)
    history.play(session, known, now=now)
    campaign.add_campaigns(session, known, offer_ids, now=now)
    return True
