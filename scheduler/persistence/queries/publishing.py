"""Publishing a plan: locked rows, what stands, what is to be placed, who is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session, joinedload

from scheduler.domain.actors import Role
from scheduler.domain.announcements import Audience
from scheduler.domain.campaigns import CampaignState, PlacementState
from scheduler.domain.publication import Current, Placed, Published
from scheduler.domain.visits import HOLDS_SEATS, INVITED, VisitState
from scheduler.domain.wishes import WishListState
from scheduler.persistence.models.campaigns import (
    CampaignLetterRow,
    CampaignRow,
    OutcomeRow,
    PlacementRow,
    PlaceRow,
    RunRow,
    WishListRow,
)
from scheduler.persistence.models.network import SchoolClassRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries.visits import visit_whole

AT_ONCE = 2000
STANDS = HOLDS_SEATS | {VisitState.PROPOSED}
SAID_YES = INVITED | {VisitState.DONE}


def run_to_publish(session: Session, run_id: int) -> RunRow | None:
    """The run with its campaign, which is locked: of two who publish one waits."""
    campaign_id = session.scalar(select(RunRow.campaign_id).where(RunRow.id == run_id))
    if campaign_id is None:
        return None
    session.execute(
        select(CampaignRow.id).where(CampaignRow.id == campaign_id).with_for_update()
    )
    return session.scalars(
        select(RunRow)
        .where(RunRow.id == run_id)
        .options(joinedload(RunRow.campaign))
        .execution_options(populate_existing=True)
    ).one_or_none()


def last_published(session: Session, campaign_id: int) -> Published | None:
    """When a plan of the campaign was last published, and by whom."""
    row = session.execute(
        select(RunRow.published_at, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == RunRow.published_by_id)
        .where(RunRow.campaign_id == campaign_id, RunRow.published_at.is_not(None))
        .order_by(RunRow.published_at.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row[0] is None:
        return None
    return Published(at=row[0], by=row[1] or "")


def wanted(session: Session, run_id: int) -> list[Placed]:
    """The run's plan, numbered: a visit of a class with its groups."""
    groups: dict[tuple[int, int], set[tuple[int, int]]] = defaultdict(set)
    rows = session.execute(
        select(
            PlaceRow.class_id, PlaceRow.visit_no, PlaceRow.slot_id, PlaceRow.students
        )
        .where(PlaceRow.run_id == run_id, PlaceRow.slot_id.is_not(None))
        .order_by(PlaceRow.id)
    )
    for class_id, visit_no, slot_id, students in rows:
        groups[class_id, visit_no].add((slot_id or 0, students))
    return [
        Placed(key=number, class_id=class_id, groups=frozenset(found))
        for number, ((class_id, _), found) in enumerate(groups.items())
    ]


def wanted_keys(session: Session, run_id: int) -> list[tuple[int, int]]:
    """(class, number of its visit) of the run's plan, in the order of ``wanted``."""
    rows = session.execute(
        select(PlaceRow.class_id, PlaceRow.visit_no)
        .where(PlaceRow.run_id == run_id, PlaceRow.slot_id.is_not(None))
        .order_by(PlaceRow.id)
    )
    return list(dict.fromkeys((row[0], row[1]) for row in rows))


def current(session: Session, campaign_id: int) -> list[Current]:
    """Placements of the campaign that hold something, by number."""
    planned: dict[tuple[int, int, int], int] = {
        (row[0], row[1], row[2]): row[3]
        for row in session.execute(
            select(
                PlaceRow.run_id,
                PlaceRow.class_id,
                PlaceRow.visit_no,
                func.count(PlaceRow.id),
            )
            .join(RunRow, RunRow.id == PlaceRow.run_id)
            .where(RunRow.campaign_id == campaign_id, RunRow.published_at.is_not(None))
            .group_by(PlaceRow.run_id, PlaceRow.class_id, PlaceRow.visit_no)
        )
    }
    rows = session.execute(
        select(
            PlacementRow.id,
            PlacementRow.run_id,
            PlacementRow.class_id,
            PlacementRow.visit_no,
            VisitRow.id,
            VisitRow.group_no,
            VisitRow.slot_id,
            VisitRow.students,
            VisitRow.state,
            SlotRow.starts_at,
        )
        .join(VisitRow, VisitRow.placement_id == PlacementRow.id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(
            PlacementRow.campaign_id == campaign_id,
            PlacementRow.state == PlacementState.PLACED,
            VisitRow.state.in_(STANDS | {VisitState.DONE}),
        )
        .order_by(PlacementRow.id, VisitRow.id)
    ).all()
    by_placement: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_placement[row[0]].append(row)
    return [
        Current(
            placement_id=placement_id,
            class_id=found[0][2],
            groups=tuple((row[5] or 1, row[6], row[7]) for row in found),
            visit_ids=tuple(row[4] for row in found),
            planned=planned.get((found[0][1], found[0][2], found[0][3]), len(found)),
            accepted=any(row[8] in SAID_YES for row in found),
            starts_at=min(row[9] for row in found),
        )
        for placement_id, found in by_placement.items()
    ]


def known_classes(session: Session, run_id: int) -> set[int]:
    """The classes that the run is about."""
    return set(
        session.scalars(select(OutcomeRow.class_id).where(OutcomeRow.run_id == run_id))
    )


def wishing_classes(session: Session, campaign_id: int) -> set[int]:
    """Classes with wishes in the campaign."""
    return set(
        session.scalars(
            select(WishListRow.class_id).where(
                WishListRow.campaign_id == campaign_id,
                WishListRow.state == WishListState.SUBMITTED,
            )
        )
    )


def classes_that_withdrew(session: Session, campaign_id: int) -> set[int]:
    """Classes whose school gave a visit of the campaign up; no repair did."""
    return set(
        session.scalars(
            select(PlacementRow.class_id)
            .join(VisitRow, VisitRow.placement_id == PlacementRow.id)
            .where(
                PlacementRow.campaign_id == campaign_id,
                PlacementRow.state == PlacementState.PLACED,
                VisitRow.state.in_(
                    {VisitState.WITHDRAWN, VisitState.CANCELLED_BY_SCHOOL}
                ),
            )
        )
    )


def declined(session: Session, campaign_id: int) -> list[tuple[int, int]]:
    """(class, slot) of the campaign to which the company has said no, or nothing."""
    rows = session.execute(
        select(VisitRow.class_id, VisitRow.slot_id)
        .join(PlacementRow, PlacementRow.id == VisitRow.placement_id)
        .where(
            PlacementRow.campaign_id == campaign_id,
            VisitRow.state.in_(
                {
                    VisitState.DECLINED,
                    VisitState.EXPIRED,
                    VisitState.CANCELLED_BY_HOST,
                }
            ),
        )
        .order_by(VisitRow.id)
    )
    return [(row[0], row[1]) for row in rows]


def add_placements(
    session: Session, run: RunRow, keys: Sequence[tuple[int, int]]
) -> None:
    """One waiting placement for each (class, number of its visit)."""
    rows = [
        {
            "campaign_id": run.campaign_id,
            "run_id": run.id,
            "class_id": class_id,
            "visit_no": visit_no,
            "state": PlacementState.WAITING,
            "refusals": [],
        }
        for class_id, visit_no in keys
    ]
    for first in range(0, len(rows), AT_ONCE):
        session.execute(insert(PlacementRow), rows[first : first + AT_ONCE])


def take_back(session: Session, placement_ids: Iterable[int]) -> None:
    """Mark placements whose visits are to be taken back."""
    session.execute(
        update(PlacementRow)
        .where(PlacementRow.id.in_(list(placement_ids)))
        .values(state=PlacementState.REPLACED)
    )


def publishing(session: Session) -> list[tuple[int, int]]:
    """(campaign, run) of the plans that are being placed."""
    rows = session.execute(
        select(RunRow.campaign_id, func.max(RunRow.id))
        .join(CampaignRow, CampaignRow.id == RunRow.campaign_id)
        .where(
            CampaignRow.state == CampaignState.PUBLISHING,
            RunRow.published_at.is_not(None),
            RunRow.published_at
            == select(func.max(RunRow.published_at))
            .where(RunRow.campaign_id == CampaignRow.id)
            .correlate(CampaignRow)
            .scalar_subquery(),
        )
        .group_by(RunRow.campaign_id)
        .order_by(RunRow.campaign_id)
    )
    return [(row[0], row[1]) for row in rows]


def to_take_back(session: Session, campaign_id: int, *, limit: int) -> list[int]:
    """Visits of replaced placements that still hold something."""
    return list(
        session.scalars(
            select(VisitRow.id)
            .join(PlacementRow, PlacementRow.id == VisitRow.placement_id)
            .where(
                PlacementRow.campaign_id == campaign_id,
                PlacementRow.state == PlacementState.REPLACED,
                VisitRow.state.in_(STANDS),
            )
            .order_by(VisitRow.id)
            .limit(limit)
        )
    )


def waiting(session: Session, run_id: int, *, limit: int) -> list[int]:
    """Placements of the run that nobody has asked for yet."""
    return list(
        session.scalars(
            select(PlacementRow.id)
            .where(
                PlacementRow.run_id == run_id,
                PlacementRow.state == PlacementState.WAITING,
            )
            .order_by(PlacementRow.id)
            .limit(limit)
        )
    )


def placement_to_place(session: Session, placement_id: int) -> PlacementRow | None:
    """The placement, locked."""
    return session.scalars(
        select(PlacementRow)
        .where(PlacementRow.id == placement_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


class Group(NamedTuple):
    """A group of a placement: where it goes."""

    group_no: int
    slot_id: int
    host_id: int
    students: int


def groups_of(session: Session, placement: PlacementRow) -> list[Group]:
    """The groups of a placement, in order."""
    rows = session.execute(
        select(PlaceRow.group_no, SlotRow.id, OfferRow.host_id, PlaceRow.students)
        .join(SlotRow, SlotRow.id == PlaceRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(
            PlaceRow.run_id == placement.run_id,
            PlaceRow.class_id == placement.class_id,
            PlaceRow.visit_no == placement.visit_no,
        )
        .order_by(PlaceRow.group_no, PlaceRow.id)
    )
    return [Group(*row) for row in rows]


def wish_list(session: Session, campaign_id: int, class_id: int) -> WishListRow | None:
    """What the class wishes, withdrawn or not."""
    return session.scalars(
        select(WishListRow)
        .where(WishListRow.campaign_id == campaign_id, WishListRow.class_id == class_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


# ---------------------------------------------------------------- telling


def _told(run_id: int, audience: Audience) -> Any:
    return exists().where(
        CampaignLetterRow.run_id == run_id,
        CampaignLetterRow.person_id == PersonRow.id,
        CampaignLetterRow.audience == audience,
    )


def touched_classes(session: Session, run: RunRow) -> set[int]:
    """Classes whose visits a repair places or takes back."""
    placed = select(PlacementRow.class_id).where(PlacementRow.run_id == run.id)
    gone = (
        select(PlacementRow.class_id)
        .join(VisitRow, VisitRow.placement_id == PlacementRow.id)
        .where(
            PlacementRow.campaign_id == run.campaign_id,
            PlacementRow.state == PlacementState.REPLACED,
            VisitRow.updated_at >= run.published_at,
        )
    )
    return {*session.scalars(placed), *session.scalars(gone)}


def teachers_to_tell(
    session: Session, run: RunRow, *, only: set[int] | None, limit: int
) -> list[int]:
    """Teachers of the run's classes (``only`` some of them) who have no letter yet."""
    query = (
        select(PersonRow.id)
        .join(WishListRow, WishListRow.teacher_id == PersonRow.id)
        .join(OutcomeRow, OutcomeRow.class_id == WishListRow.class_id)
        .where(
            OutcomeRow.run_id == run.id,
            WishListRow.campaign_id == run.campaign_id,
            WishListRow.state == WishListState.SUBMITTED,
            PersonRow.blocked.is_(False),
            ~_told(run.id, Audience.TEACHER),
        )
        .distinct()
        .order_by(PersonRow.id)
        .limit(limit)
    )
    if only is not None:
        query = query.where(WishListRow.class_id.in_(sorted(only)))
    return list(session.scalars(query))


def contacts_to_tell(session: Session, run: RunRow, *, limit: int) -> list[int]:
    """Contacts of hosts that the run asks for visits, who have no letter yet."""
    return list(
        session.scalars(
            select(PersonRow.id)
            .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
            .join(OfferRow, OfferRow.host_id == MembershipRow.organisation_id)
            .join(SlotRow, SlotRow.offer_id == OfferRow.id)
            .join(VisitRow, VisitRow.slot_id == SlotRow.id)
            .join(PlacementRow, PlacementRow.id == VisitRow.placement_id)
            .where(
                PlacementRow.run_id == run.id,
                MembershipRow.role == Role.HOST_CONTACT,
                PersonRow.blocked.is_(False),
                VisitRow.state.in_(STANDS),
                ~_told(run.id, Audience.HOST),
            )
            .distinct()
            .order_by(PersonRow.id)
            .limit(limit)
        )
    )


def outcomes_of_teacher(
    session: Session, run: RunRow, teacher_id: int, *, only: set[int] | None = None
) -> Sequence[OutcomeRow]:
    """What the run gives the teacher's classes, by class label."""
    query = (
        select(OutcomeRow)
        .join(WishListRow, WishListRow.class_id == OutcomeRow.class_id)
        .join(SchoolClassRow, SchoolClassRow.id == OutcomeRow.class_id)
        .where(
            OutcomeRow.run_id == run.id,
            WishListRow.campaign_id == run.campaign_id,
            WishListRow.teacher_id == teacher_id,
            WishListRow.state == WishListState.SUBMITTED,
        )
        .options(joinedload(OutcomeRow.school_class))
        .order_by(SchoolClassRow.label, OutcomeRow.id)
    )
    if only is not None:
        query = query.where(OutcomeRow.class_id.in_(sorted(only)))
    return session.scalars(query).all()


def visits_of_classes(
    session: Session, campaign_id: int, class_ids: Iterable[int]
) -> Sequence[VisitRow]:
    """The campaign's visits of these classes that were not replaced, by start."""
    return session.scalars(
        select(VisitRow)
        .join(PlacementRow, PlacementRow.id == VisitRow.placement_id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .where(
            PlacementRow.campaign_id == campaign_id,
            PlacementRow.class_id.in_(list(class_ids)),
            PlacementRow.state == PlacementState.PLACED,
        )
        .options(*visit_whole())
        .order_by(SlotRow.starts_at, VisitRow.id)
    ).all()


def refused_of_classes(
    session: Session, campaign_id: int, class_ids: Iterable[int]
) -> list[tuple[int, list[str]]]:
    """(class, codes) of placements that a rule refused, the latest last."""
    rows = session.execute(
        select(PlacementRow.class_id, PlacementRow.refusals)
        .where(
            PlacementRow.campaign_id == campaign_id,
            PlacementRow.class_id.in_(list(class_ids)),
            PlacementRow.state == PlacementState.REFUSED,
        )
        .order_by(PlacementRow.id)
    )
    return [(row[0], row[1]) for row in rows]


def visits_for_contact(
    session: Session, run: RunRow, person_id: int
) -> Sequence[VisitRow]:
    """What the run asks of the hosts that the person speaks for, by start."""
    hosts = select(MembershipRow.organisation_id).where(
        MembershipRow.person_id == person_id,
        MembershipRow.role == Role.HOST_CONTACT,
    )
    return session.scalars(
        select(VisitRow)
        .join(PlacementRow, PlacementRow.id == VisitRow.placement_id)
        .join(SlotRow, SlotRow.id == VisitRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .where(
            PlacementRow.run_id == run.id,
            OfferRow.host_id.in_(hosts),
            VisitRow.state.in_(STANDS),
        )
        .options(*visit_whole())
        .order_by(SlotRow.starts_at, VisitRow.id)
    ).all()


def mark_told(session: Session, run_id: int, *, now: datetime) -> None:
    """Everybody concerned by the run's placements has been written to."""
    session.execute(
        update(PlacementRow).where(PlacementRow.run_id == run_id).values(told_at=now)
    )


def note_letter(
    session: Session, run_id: int, person_id: int, audience: Audience, *, now: datetime
) -> bool:
    """Whether this person had no letter about the run yet; from now on it has."""
    known = session.scalar(
        select(CampaignLetterRow.id).where(
            CampaignLetterRow.run_id == run_id,
            CampaignLetterRow.person_id == person_id,
            CampaignLetterRow.audience == audience,
        )
    )
    if known is not None:
        return False
    session.add(
        CampaignLetterRow(
            run_id=run_id, person_id=person_id, audience=audience, told_at=now
        )
    )
    session.flush()
    return True
