"""A plan before and after it is published, as pages show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, distinct, exists, func, select
from sqlalchemy.orm import Session

from scheduler.domain.campaigns import PlacementState
from scheduler.domain.visits import HOLDS_SEATS, INVITED, VisitState
from scheduler.domain.wishes import WishListState
from scheduler.persistence.models.campaigns import (
    CampaignRow,
    OutcomeRow,
    PlacementRow,
    PlaceRow,
    RunRow,
    WishListRow,
)
from scheduler.persistence.models.network import OrganisationRow, SchoolClassRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.reference import CommuneRow
from scheduler.persistence.models.visits import VisitRow

A_PAGE = 50
AGREED = INVITED | {VisitState.DONE}
ASKED = frozenset({VisitState.REQUESTED, VisitState.PROPOSED})


class Reach(NamedTuple):
    """How many a plan concerns. ``groups``: visits that are asked for."""

    classes: int
    unserved: int
    groups: int
    teachers: int
    hosts: int


def reach(
    session: Session, run: RunRow, class_ids: Iterable[int] | None = None
) -> Reach:
    """Whom publishing the run writes to; of a repair only ``class_ids``."""
    lists = (
        select(func.count(distinct(WishListRow.teacher_id)))
        .join(OutcomeRow, OutcomeRow.class_id == WishListRow.class_id)
        .where(
            OutcomeRow.run_id == run.id,
            WishListRow.campaign_id == run.campaign_id,
            WishListRow.state == WishListState.SUBMITTED,
        )
    )
    places = (
        select(
            func.count(distinct(PlaceRow.class_id)),
            func.count(PlaceRow.id),
            func.count(distinct(OfferRow.host_id)),
        )
        .join(SlotRow, SlotRow.id == PlaceRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(PlaceRow.run_id == run.id)
    )
    if class_ids is not None:
        only = sorted(class_ids)
        lists = lists.where(WishListRow.class_id.in_(only))
        places = places.where(PlaceRow.class_id.in_(only))
    classes, groups, hosts = session.execute(places).one()
    unserved = session.scalar(
        select(func.count(OutcomeRow.id)).where(
            OutcomeRow.run_id == run.id, OutcomeRow.visits == 0
        )
    )
    return Reach(
        classes=classes,
        unserved=unserved or 0,
        groups=groups,
        teachers=session.scalar(lists) or 0,
        hosts=hosts,
    )


def agreed_among(session: Session, placement_ids: Iterable[int]) -> int:
    """How many visits of these placements a host has already accepted."""
    return (
        session.scalar(
            select(func.count(VisitRow.id)).where(
                VisitRow.placement_id.in_(list(placement_ids)),
                VisitRow.state.in_(INVITED),
            )
        )
        or 0
    )


def placed_so_far(session: Session, run_id: int) -> dict[PlacementState, int]:
    """How far the loop is with the run's placements."""
    rows = session.execute(
        select(PlacementRow.state, func.count(PlacementRow.id))
        .where(PlacementRow.run_id == run_id)
        .group_by(PlacementRow.state)
    )
    return {row[0]: row[1] for row in rows}


class Published(NamedTuple):
    run_id: int
    at: datetime


def published_run(session: Session, campaign_id: int) -> Published | None:
    """The run of the campaign that was published last."""
    row = session.execute(
        select(RunRow.id, RunRow.published_at)
        .where(RunRow.campaign_id == campaign_id, RunRow.published_at.is_not(None))
        .order_by(RunRow.published_at.desc(), RunRow.id.desc())
        .limit(1)
    ).one_or_none()
    return Published(row[0], row[1]) if row and row[1] else None


class Answers(NamedTuple):
    """Visits of a campaign by what the hosts have said."""

    accepted: int
    asked: int
    lost: int


def answers(session: Session, campaign_id: int) -> Answers:
    """How the answers stand; replaced placements do not count."""
    counts = {
        row[0]: row[1]
        for row in session.execute(
            select(VisitRow.state, func.count(VisitRow.id))
            .join(PlacementRow, PlacementRow.id == VisitRow.placement_id)
            .where(
                PlacementRow.campaign_id == campaign_id,
                PlacementRow.state == PlacementState.PLACED,
            )
            .group_by(VisitRow.state)
        )
    }
    accepted = sum(counts.get(each, 0) for each in AGREED)
    asked = sum(counts.get(each, 0) for each in ASKED)
    return Answers(accepted, asked, sum(counts.values()) - accepted - asked)


SHOWS = ("all", "asked", "accepted", "lost", "refused")


class PlacementLine(NamedTuple):
    id: int
    class_label: str
    school: str
    state: PlacementState
    refusals: list[str]


def _listed(campaign_id: int, show: str) -> Select[Any]:
    query = select(PlacementRow.id).where(
        PlacementRow.campaign_id == campaign_id,
        PlacementRow.state != PlacementState.REPLACED,
    )
    if show == "refused":
        return query.where(PlacementRow.state == PlacementState.REFUSED)
    wanted = {
        "asked": VisitRow.state.in_(ASKED),
        "accepted": VisitRow.state.in_(AGREED),
        "lost": VisitRow.state.not_in(AGREED | ASKED),
    }.get(show)
    if wanted is None:
        return query
    return query.where(exists().where(VisitRow.placement_id == PlacementRow.id, wanted))


def count_placements(session: Session, campaign_id: int, *, show: str) -> int:
    """How many lines the list has."""
    listed = _listed(campaign_id, show).subquery()
    return session.scalar(select(func.count()).select_from(listed)) or 0


def placements(
    session: Session, campaign_id: int, *, show: str, number: int
) -> list[PlacementLine]:
    """One page of placements, by school and class."""
    rows = session.execute(
        select(
            PlacementRow.id,
            SchoolClassRow.label,
            OrganisationRow.name,
            PlacementRow.state,
            PlacementRow.refusals,
        )
        .join(SchoolClassRow, SchoolClassRow.id == PlacementRow.class_id)
        .join(OrganisationRow, OrganisationRow.id == SchoolClassRow.school_id)
        .where(PlacementRow.id.in_(_listed(campaign_id, show)))
        .order_by(OrganisationRow.name, SchoolClassRow.label, PlacementRow.id)
        .limit(A_PAGE)
        .offset((number - 1) * A_PAGE)
    )
    return [PlacementLine(*row) for row in rows]


class PartLine(NamedTuple):
    """A visit of a campaign: one group of one class."""

    visit_id: int
    placement_id: int
    class_id: int
    class_label: str
    school: str
    host: str
    commune: str
    title: str
    starts_at: datetime
    ends_at: datetime
    students: int
    state: VisitState
    answer_due_at: datetime | None


def _parts() -> Select[Any]:
    host = OrganisationRow.__table__.alias("host_organisation")
    school = OrganisationRow.__table__.alias("school_organisation")
    commune = CommuneRow.__table__.alias("host_commune")
    return (
        select(
            VisitRow.id,
            VisitRow.placement_id,
            VisitRow.class_id,
            SchoolClassRow.label,
            school.c.name,
            host.c.name,
            commune.c.name,
            OfferRow.title,
            SlotRow.starts_at,
            SlotRow.ends_at,
            VisitRow.students,
            VisitRow.state,
            VisitRow.answer_due_at,
        )
        .join(PlacementRow, PlacementRow.id == VisitRow.placement_id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(host, host.c.id == OfferRow.host_id)
        .join(commune, commune.c.insee == host.c.commune_insee)
        .join(SchoolClassRow, SchoolClassRow.id == VisitRow.class_id)
        .join(school, school.c.id == SchoolClassRow.school_id)
        .order_by(SlotRow.starts_at, VisitRow.id)
    )


def parts_of(session: Session, placement_ids: Iterable[int]) -> list[PartLine]:
    """The visits of these placements, by start."""
    rows = session.execute(
        _parts().where(VisitRow.placement_id.in_(list(placement_ids)))
    )
    return [PartLine(*row) for row in rows]


def parts_at_hosts(
    session: Session, campaign_id: int, host_ids: Iterable[int]
) -> list[PartLine]:
    """What a campaign asks of hosts, by start; what was replaced is left out."""
    rows = session.execute(
        _parts().where(
            PlacementRow.campaign_id == campaign_id,
            PlacementRow.state == PlacementState.PLACED,
            OfferRow.host_id.in_(list(host_ids)),
        )
    )
    return [PartLine(*row) for row in rows]


def parts_for_classes(
    session: Session, campaign_id: int, class_ids: Iterable[int]
) -> list[PartLine]:
    """The campaign's visits of these classes that were not replaced."""
    rows = session.execute(
        _parts().where(
            PlacementRow.campaign_id == campaign_id,
            PlacementRow.state == PlacementState.PLACED,
            PlacementRow.class_id.in_(list(class_ids)),
        )
    )
    return [PartLine(*row) for row in rows]


class ClassLine(NamedTuple):
    class_id: int
    label: str
    school: str
    teacher_id: int
    students: int


def classes_of(
    session: Session, campaign_id: int, school_ids: Iterable[int]
) -> list[ClassLine]:
    """Classes of these schools that have wishes in the campaign, by label."""
    rows = session.execute(
        select(
            SchoolClassRow.id,
            SchoolClassRow.label,
            OrganisationRow.name,
            WishListRow.teacher_id,
            WishListRow.students,
        )
        .join(SchoolClassRow, SchoolClassRow.id == WishListRow.class_id)
        .join(OrganisationRow, OrganisationRow.id == SchoolClassRow.school_id)
        .where(
            WishListRow.campaign_id == campaign_id,
            WishListRow.state == WishListState.SUBMITTED,
            SchoolClassRow.school_id.in_(list(school_ids)),
        )
        .order_by(SchoolClassRow.label, SchoolClassRow.id)
    )
    return [ClassLine(*row) for row in rows]


def last_outcomes(
    session: Session, campaign_id: int, class_ids: Iterable[int]
) -> Sequence[OutcomeRow]:
    """For each class its outcome in the last published run that knew it."""
    latest = (
        select(OutcomeRow.class_id, func.max(RunRow.published_at).label("at"))
        .join(RunRow, RunRow.id == OutcomeRow.run_id)
        .where(
            RunRow.campaign_id == campaign_id,
            RunRow.published_at.is_not(None),
            OutcomeRow.class_id.in_(list(class_ids)),
        )
        .group_by(OutcomeRow.class_id)
        .subquery()
    )
    return session.scalars(
        select(OutcomeRow)
        .join(RunRow, RunRow.id == OutcomeRow.run_id)
        .join(
            latest,
            and_(
                latest.c.class_id == OutcomeRow.class_id,
                latest.c.at == RunRow.published_at,
            ),
        )
        .where(RunRow.campaign_id == campaign_id)
        .order_by(OutcomeRow.id)
    ).all()


def campaign(session: Session, campaign_id: int) -> CampaignRow | None:
    """The campaign."""
    return session.get(CampaignRow, campaign_id)


def classes_without(session: Session, campaign_id: int) -> int:
    """Classes with wishes that hold no visit of the campaign."""
    holds = exists().where(
        VisitRow.class_id == WishListRow.class_id,
        VisitRow.placement_id == PlacementRow.id,
        PlacementRow.campaign_id == campaign_id,
        VisitRow.state.in_(HOLDS_SEATS | AGREED),
    )
    return (
        session.scalar(
            select(func.count(WishListRow.id)).where(
                WishListRow.campaign_id == campaign_id,
                WishListRow.state == WishListState.SUBMITTED,
                ~holds,
            )
        )
        or 0
    )
