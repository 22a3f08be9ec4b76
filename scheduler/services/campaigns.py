"""What a coordinator does with a campaign: write its rules, announce it, end it.

From the announcement on the rules and the seed of the draw are public and fixed
(DOMAIN CO-M1, CO-M2); only more time for wishes may be given.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from scheduler.domain import campaigns as rules
from scheduler.domain.actors import Actor, need
from scheduler.domain.campaigns import USUAL_POINTS, CampaignState, Criterion, Timing
from scheduler.domain.refusals import CampaignFixed, CampaignInUse, NotFound, Refused
from scheduler.persistence.models.campaigns import CampaignRow
from scheduler.persistence.queries import campaigns
from scheduler.services import journal
from scheduler.services.transaction import transaction

HIGHEST_SEED = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All that a coordinator writes. ``level_codes`` empty: every level may wish."""

    name: str
    timing: Timing
    theme: str = ""
    note: str = ""
    level_codes: tuple[str, ...] = ()
    school_quota: int | None = None
    visits_per_class: int = 1
    most_wishes: int = 10
    points: dict[Criterion, int] = field(default_factory=lambda: dict(USUAL_POINTS))
    far_km: int = 40
    min_group: int = 6
    near_m: int = 1500
    seed: int | None = None


def create_campaign(
    session: Session, wanted: Rules, *, by: Actor, now: datetime
) -> int:
    """A draft that only coordinators see. Returns its id; raises ``Refused``."""
    need(by.is_coordinator)
    with transaction(session):
        _demand_sense(wanted)
        row = CampaignRow(seed=_seed(), created_at=now)
        _take(row, wanted, now=now)
        session.add(row)
        session.flush()
        journal.note_campaign(session, row.id, "created", by=by, now=now)
        return row.id


def edit_campaign(
    session: Session, campaign_id: int, wanted: Rules, *, by: Actor, now: datetime
) -> None:
    """Other rules, while it is a draft. Raises ``CampaignFixed``, ``Refused``."""
    with transaction(session):
        row = _to_change(session, campaign_id, by=by)
        if row.state is not CampaignState.DRAFT:
            raise CampaignFixed
        _demand_sense(wanted)
        _take(row, wanted, now=now)
        journal.note_campaign(session, row.id, "edited", by=by, now=now)


def announce_campaign(
    session: Session, campaign_id: int, *, by: Actor, now: datetime
) -> None:
    """Rules and seed are public and fixed; a second tap changes nothing."""
    with transaction(session):
        row = _to_change(session, campaign_id, by=by)
        if row.state is CampaignState.ANNOUNCED:
            return
        row.state = rules.announce(row.as_domain(), now=now)
        row.announced_at = row.updated_at = now
        journal.note_campaign(
            session, row.id, "announced", by=by, now=now, seed=row.seed
        )


def postpone_closing(
    session: Session,
    campaign_id: int,
    *,
    closes_at: datetime,
    allocation_on: date,
    by: Actor,
    now: datetime,
) -> None:
    """More time for wishes; opens them again when they were closed."""
    with transaction(session):
        row = _to_change(session, campaign_id, by=by)
        row.take_timing(
            rules.postpone_closing(
                row.as_domain(),
                closes_at=closes_at,
                allocation_on=allocation_on,
                now=now,
            )
        )
        row.updated_at = now
        journal.note_campaign(
            session,
            row.id,
            "closing_postponed",
            by=by,
            now=now,
            closes_at=closes_at.isoformat(),
        )


def end_campaign(
    session: Session, campaign_id: int, *, by: Actor, now: datetime
) -> None:
    """Nothing more comes of it; its visits stay as they are."""
    with transaction(session):
        row = _to_change(session, campaign_id, by=by)
        if row.state is CampaignState.ENDED:
            return
        row.state = rules.end(row.as_domain())
        row.updated_at = now
        journal.note_campaign(session, row.id, "ended", by=by, now=now)


def drop_draft(session: Session, campaign_id: int, *, by: Actor, now: datetime) -> None:
    """Take a draft away that nobody has seen. Raises ``CampaignInUse``."""
    with transaction(session):
        row = _to_change(session, campaign_id, by=by)
        if row.state is not CampaignState.DRAFT or campaigns.is_used(session, row.id):
            raise CampaignInUse
        journal.note_campaign(session, row.id, "dropped", by=by, now=now)
        session.delete(row)


def _to_change(session: Session, campaign_id: int, *, by: Actor) -> CampaignRow:
    need(by.is_coordinator)
    row = campaigns.campaign_to_change(session, campaign_id)
    if row is None:
        raise NotFound
    return row


def _demand_sense(wanted: Rules) -> None:
    found = rules.timing_refusals(wanted.timing)
    if found:
        raise Refused(*found)


def _take(row: CampaignRow, wanted: Rules, *, now: datetime) -> None:
    row.name = wanted.name
    row.theme = wanted.theme
    row.note = wanted.note
    row.take_timing(wanted.timing)
    row.level_codes = list(wanted.level_codes)
    row.school_quota = wanted.school_quota
    row.visits_per_class = wanted.visits_per_class
    row.most_wishes = wanted.most_wishes
    row.points = {each.value: points for each, points in wanted.points.items()}
    row.far_km = wanted.far_km
    row.min_group = wanted.min_group
    row.near_m = wanted.near_m
    if wanted.seed is not None:
        row.seed = wanted.seed
    row.updated_at = now


def _seed() -> int:
    """A number that nobody chose: it settles ties, and stands in the rules."""
    return secrets.randbelow(HIGHEST_SEED)
