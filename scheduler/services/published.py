"""A plan before and after it is published, in the words of pages: sheets to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain import publication
from scheduler.domain.actors import Actor, Role, need
from scheduler.domain.campaigns import (
    CampaignState,
    Phase,
    PlacementState,
    RunPurpose,
    phase,
)
from scheduler.domain.refusals import NotFound, Refusal
from scheduler.domain.visits import VisitState
from scheduler.persistence.models.campaigns import CampaignRow, RunRow
from scheduler.persistence.queries import (
    published_pages as pages,
    publishing as queries,
    runs,
)
from scheduler.persistence.queries.published_pages import (
    Answers,
    ClassLine,
    PartLine,
    PlacementLine,
    Reach,
)
from scheduler.services.publishing import changes_of, publishable
from scheduler.services.reasons import Reason, Why, reasons, whys

SHOWN_TO_SCHOOLS = frozenset({CampaignState.PUBLISHED, CampaignState.ENDED})


# ---------------------------------------------------------------- before


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What publishing will do. ``agreed``: accepted visits that a repair cancels.

    ``refusal``: why the plan cannot be published now.
    """

    run: RunRow
    campaign: CampaignRow
    reach: Reach
    kept: int
    taken_back: int
    agreed: int
    refusal: Refusal | None


def preview(session: Session, run_id: int, *, by: Actor, now: datetime) -> Preview:
    """The run's plan, and what happens once it is published."""
    need(by.is_coordinator)
    run = runs.run(session, run_id)
    campaign = pages.campaign(session, run.campaign_id) if run else None
    if run is None or campaign is None:
        raise NotFound
    wanted = queries.wanted(session, run.id)
    found, _ = changes_of(session, run, wanted, now=now)
    only = None
    if run.purpose is RunPurpose.REPAIR:
        only = {each.class_id for each in wanted if each.key in found.placed}
    return Preview(
        run=run,
        campaign=campaign,
        reach=pages.reach(session, run, only),
        kept=len(found.kept) if only is not None else 0,
        taken_back=len(found.taken_back),
        agreed=pages.agreed_among(session, found.taken_back),
        refusal=_refusal(session, run, campaign, now=now),
    )


def _refusal(
    session: Session, run: RunRow, campaign: CampaignRow, *, now: datetime
) -> Refusal | None:
    try:
        publication.check(
            publishable(run),
            campaign.as_domain(),
            last=queries.last_published(session, campaign.id),
            now=now,
        )
    except Refusal as refusal:
        return refusal
    return None


# ---------------------------------------------------------------- after


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A line of the list: a visit of a class with its groups."""

    line: PlacementLine
    parts: tuple[PartLine, ...]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A published plan: how far it is placed, how the answers stand."""

    campaign: CampaignRow
    phase: Phase
    run_id: int
    published_at: datetime
    progress: dict[str, int]
    answers: Answers
    refused: int
    without: int
    show: str
    number: int
    pages: int
    placements: tuple[Placement, ...]

    @property
    def done(self) -> int:
        """Placements that were asked for, or refused."""
        return sum(self.progress.values()) - self.progress["waiting"]


def standing(
    session: Session,
    campaign_id: int,
    *,
    show: str,
    number: int,
    by: Actor,
    now: datetime,
) -> Standing:
    """How a published campaign stands; one page of its placements."""
    need(by.is_coordinator)
    campaign = pages.campaign(session, campaign_id)
    last = pages.published_run(session, campaign_id)
    if campaign is None or last is None:
        raise NotFound
    show = show if show in pages.SHOWS else pages.SHOWS[0]
    found = pages.count_placements(session, campaign_id, show=show)
    count = max(1, -(-found // pages.A_PAGE))
    number = min(max(1, number), count)
    lines = pages.placements(session, campaign_id, show=show, number=number)
    parts = _by_placement(pages.parts_of(session, [each.id for each in lines]))
    counted = pages.placed_so_far(session, last.run_id)
    return Standing(
        campaign=campaign,
        phase=phase(campaign.as_domain(), now=now),
        run_id=last.run_id,
        published_at=last.at,
        progress={each.value: counted.get(each, 0) for each in PlacementState},
        answers=pages.answers(session, campaign_id),
        refused=pages.count_placements(session, campaign_id, show="refused"),
        without=pages.classes_without(session, campaign_id),
        show=show,
        number=number,
        pages=count,
        placements=tuple(
            Placement(line=each, parts=tuple(parts[each.id])) for each in lines
        ),
    )


def _by_placement(parts: Iterable[PartLine]) -> dict[int, list[PartLine]]:
    found: dict[int, list[PartLine]] = defaultdict(list)
    for each in parts:
        found[each.placement_id].append(each)
    return found


# ---------------------------------------------------------------- for a school


@dataclass(frozen=True, kw_only=True)
class ClassResult:
    """A class with its visits and why, or the reason why it has none."""

    line: ClassLine
    parts: tuple[PartLine, ...]
    refused: tuple[str, ...]
    why: Why | None
    reason: Reason | None


@dataclass(frozen=True, kw_only=True)
class SchoolResult:
    campaign: CampaignRow
    phase: Phase
    classes: tuple[ClassResult, ...]


def for_school(
    session: Session,
    campaign_id: int,
    school_ids: frozenset[int],
    *,
    locale: str,
    now: datetime,
) -> SchoolResult:
    """What the classes of these schools got; nothing while places are being given."""
    campaign = pages.campaign(session, campaign_id)
    if campaign is None or campaign.state not in SHOWN_TO_SCHOOLS:
        raise NotFound
    lines = pages.classes_of(session, campaign_id, school_ids)
    if not lines:
        raise NotFound
    ids = [each.class_id for each in lines]
    outcomes = {
        each.class_id: each for each in pages.last_outcomes(session, campaign_id, ids)
    }
    why_not = reasons(session, campaign_id, list(outcomes.values()), locale=locale)
    parts: dict[int, list[PartLine]] = defaultdict(list)
    for each in pages.parts_for_classes(session, campaign_id, ids):
        parts[each.class_id].append(each)
    refused = dict(queries.refused_of_classes(session, campaign_id, ids))
    return SchoolResult(
        campaign=campaign,
        phase=phase(campaign.as_domain(), now=now),
        classes=tuple(
            ClassResult(
                line=line,
                parts=tuple(parts[line.class_id]),
                refused=tuple(refused.get(line.class_id, ())),
                why=whys(outcomes[line.class_id])
                if line.class_id in outcomes
                else None,
                reason=why_not.get(line.class_id),
            )
            for line in lines
        ),
    )


# ---------------------------------------------------------------- for a host


@dataclass(frozen=True, kw_only=True)
class HostResult:
    campaign: CampaignRow
    asked: tuple[PartLine, ...]
    answered: tuple[PartLine, ...]


def for_host(session: Session, campaign_id: int, *, by: Actor) -> HostResult:
    """What a campaign asks of the companies that the reader speaks for."""
    campaign = pages.campaign(session, campaign_id)
    found = pages.parts_at_hosts(
        session, campaign_id, by.organisations(Role.HOST_CONTACT)
    )
    if campaign is None or not found:
        raise NotFound
    return HostResult(
        campaign=campaign,
        asked=tuple(each for each in found if each.state is VisitState.REQUESTED),
        answered=tuple(
            each for each in found if each.state is not VisitState.REQUESTED
        ),
    )
