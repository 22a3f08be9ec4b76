"""Runs and their plans as coordinators see them: pages of rows, never a whole file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from scheduler.domain.campaigns import HAS_PLAN, PinKind, RunPurpose
from scheduler.domain.offers import OfferState
from scheduler.domain.slots import SlotState
from scheduler.persistence.models.campaigns import (
    CampaignRow,
    OutcomeRow,
    PinRow,
    PlaceRow,
    RunRow,
    WishListRow,
    WishRow,
)
from scheduler.persistence.models.network import OrganisationRow, SchoolClassRow
from scheduler.persistence.models.offers import OfferRow, SlotRow, offer_field
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.reference import CommuneRow, OfferKindRow

School = aliased(OrganisationRow)
Host = aliased(OrganisationRow)
MOST_CHOICES = 200


class RunLine(NamedTuple):
    run: RunRow
    asked_by: str | None


class ClassLine(NamedTuple):
    """What a run gives a class. ``rank`` is that of the wish it fulfils."""

    class_id: int
    label: str
    school: str
    students: int
    visits: int
    code: str
    priority: int
    rank: int | None
    metres: int | None
    facts: dict[str, Any]


class PlaceLine(NamedTuple):
    """A group on a slot; a slot of a what-if has no row and so no host here."""

    class_id: int
    visit_no: int
    group_no: int
    students: int
    slot_id: int | None
    added_slot: str
    starts_at: datetime | None
    ends_at: datetime | None
    host: str | None
    title: str | None


class SlotLine(NamedTuple):
    """A slot of the campaign and what a run puts there, on top of what is taken."""

    slot_id: int
    starts_at: datetime
    ends_at: datetime
    host: str
    commune: str
    title: str
    seats: int
    taken: int
    given: int
    groups: int
    max_groups: int


class Pinned(NamedTuple):
    id: int
    kind: PinKind
    reason: str
    class_id: int
    label: str
    school: str
    slot_id: int
    starts_at: datetime
    host: str
    by: str | None


class Choice(NamedTuple):
    """A slot, an offer, as a form offers it."""

    id: int
    host: str
    title: str
    starts_at: datetime | None = None


class Changed(NamedTuple):
    """A class in two plans: visits in each."""

    class_id: int
    label: str
    school: str
    before: int
    after: int


# ---------------------------------------------------------------- runs


def campaign(session: Session, campaign_id: int) -> CampaignRow | None:
    """The campaign."""
    return session.get(CampaignRow, campaign_id)


def _lines() -> Select[*tuple[Any, ...]]:
    return select(RunRow, PersonRow.name).outerjoin(
        PersonRow, PersonRow.id == RunRow.asked_by_id
    )


def runs_of(
    session: Session, campaign_id: int, *, offset: int, limit: int
) -> list[RunLine]:
    """The runs of a campaign, the newest first."""
    query = (
        _lines()
        .where(RunRow.campaign_id == campaign_id)
        .order_by(RunRow.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [RunLine(row, name) for row, name in session.execute(query)]


def number_of_runs(session: Session, campaign_id: int) -> int:
    """How many runs the campaign has had."""
    query = select(func.count()).where(RunRow.campaign_id == campaign_id)
    return session.scalar(query) or 0


def run_line(session: Session, run_id: int) -> RunLine | None:
    """One run with the name of who asked for it."""
    found = session.execute(_lines().where(RunRow.id == run_id)).one_or_none()
    return None if found is None else RunLine(found[0], found[1])


def with_plan(session: Session, campaign_id: int, *, limit: int) -> Sequence[RunRow]:
    """Runs that can be compared, the newest first."""
    return session.scalars(
        select(RunRow)
        .where(RunRow.campaign_id == campaign_id, RunRow.state.in_(HAS_PLAN))
        .order_by(RunRow.id.desc())
        .limit(limit)
    ).all()


def last_plan(session: Session, campaign_id: int) -> RunRow | None:
    """The newest plan that is not a what-if."""
    return session.scalars(
        select(RunRow)
        .where(
            RunRow.campaign_id == campaign_id,
            RunRow.state.in_(HAS_PLAN),
            RunRow.purpose != RunPurpose.WHAT_IF,
        )
        .order_by(RunRow.id.desc())
        .limit(1)
    ).one_or_none()


# ---------------------------------------------------------------- classes


def _said(words: str, *columns: Any) -> ColumnElement[bool]:
    pattern = f"%{words.lower()}%"
    return or_(*(func.lower(column).like(pattern) for column in columns))


def _classes(
    run_id: int, *, served: bool | None, code: str, words: str
) -> Select[*tuple[Any, ...]]:
    query = (
        select(OutcomeRow)
        .join(SchoolClassRow, SchoolClassRow.id == OutcomeRow.class_id)
        .join(School, School.id == SchoolClassRow.school_id)
        .where(OutcomeRow.run_id == run_id)
    )
    if served is not None:
        query = query.where(OutcomeRow.visits > 0 if served else OutcomeRow.visits == 0)
    if code:
        query = query.where(OutcomeRow.code == code)
    if words:
        query = query.where(_said(words, SchoolClassRow.label, School.name))
    return query


def class_lines(
    session: Session,
    run_id: int,
    *,
    served: bool | None = None,
    code: str = "",
    words: str = "",
    offset: int = 0,
    limit: int,
) -> list[ClassLine]:
    """One page of classes, by school and label."""
    query = (
        _classes(run_id, served=served, code=code, words=words)
        .with_only_columns(*_CLASS_LINE)
        .join(
            RunRow,
            RunRow.id == OutcomeRow.run_id,
        )
        .join(
            WishListRow,
            and_(
                WishListRow.campaign_id == RunRow.campaign_id,
                WishListRow.class_id == OutcomeRow.class_id,
            ),
        )
        .order_by(School.name, SchoolClassRow.label, OutcomeRow.class_id)
        .offset(offset)
        .limit(limit)
    )
    return [ClassLine._make(row) for row in session.execute(query)]


_CLASS_LINE = (
    OutcomeRow.class_id,
    SchoolClassRow.label,
    School.name,
    WishListRow.students,
    OutcomeRow.visits,
    OutcomeRow.code,
    OutcomeRow.priority,
    OutcomeRow.rank,
    OutcomeRow.metres,
    OutcomeRow.facts,
)


def number_of_classes(
    session: Session, run_id: int, *, served: bool | None, code: str, words: str
) -> int:
    """How many classes the list has."""
    query = _classes(run_id, served=served, code=code, words=words)
    return session.scalar(query.with_only_columns(func.count())) or 0


def reason_counts(session: Session, run_id: int) -> dict[str, int]:
    """Reason → how many classes got nothing for it, the most frequent first."""
    query = (
        select(OutcomeRow.code, func.count())
        .where(OutcomeRow.run_id == run_id, OutcomeRow.visits == 0)
        .group_by(OutcomeRow.code)
        .order_by(func.count().desc(), OutcomeRow.code)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def class_line(session: Session, run_id: int, class_id: int) -> ClassLine | None:
    """One class of a run."""
    query = (
        select(*_CLASS_LINE)
        .join(SchoolClassRow, SchoolClassRow.id == OutcomeRow.class_id)
        .join(School, School.id == SchoolClassRow.school_id)
        .join(RunRow, RunRow.id == OutcomeRow.run_id)
        .join(
            WishListRow,
            and_(
                WishListRow.campaign_id == RunRow.campaign_id,
                WishListRow.class_id == OutcomeRow.class_id,
            ),
        )
        .where(OutcomeRow.run_id == run_id, OutcomeRow.class_id == class_id)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else ClassLine._make(found)


def outcome(session: Session, run_id: int, class_id: int) -> OutcomeRow | None:
    """What a run gives one class."""
    return session.scalars(
        select(OutcomeRow).where(
            OutcomeRow.run_id == run_id, OutcomeRow.class_id == class_id
        )
    ).one_or_none()


def class_names(session: Session, class_ids: Iterable[int]) -> dict[int, str]:
    """Class id → label and school, for who stands in the way."""
    query = (
        select(SchoolClassRow.id, SchoolClassRow.label, School.name)
        .join(School, School.id == SchoolClassRow.school_id)
        .where(SchoolClassRow.id.in_(list(class_ids)))
    )
    return {row[0]: f"{row[1]}, {row[2]}" for row in session.execute(query)}


def places_of(
    session: Session, run_id: int, class_ids: Iterable[int]
) -> dict[int, list[PlaceLine]]:
    """Class id → its places in the plan."""
    query = (
        select(
            PlaceRow.class_id,
            PlaceRow.visit_no,
            PlaceRow.group_no,
            PlaceRow.students,
            PlaceRow.slot_id,
            PlaceRow.added_slot,
            SlotRow.starts_at,
            SlotRow.ends_at,
            Host.name,
            OfferRow.title,
        )
        .outerjoin(SlotRow, SlotRow.id == PlaceRow.slot_id)
        .outerjoin(OfferRow, OfferRow.id == SlotRow.offer_id)
        .outerjoin(Host, Host.id == OfferRow.host_id)
        .where(PlaceRow.run_id == run_id, PlaceRow.class_id.in_(list(class_ids)))
        .order_by(PlaceRow.class_id, PlaceRow.visit_no, PlaceRow.group_no, PlaceRow.id)
    )
    found: dict[int, list[PlaceLine]] = defaultdict(list)
    for row in session.execute(query):
        found[row[0]].append(PlaceLine._make(row))
    return found


# ---------------------------------------------------------------- slots


def _open(bounds: tuple[datetime, datetime]) -> list[ColumnElement[bool]]:
    return [
        SlotRow.state == SlotState.OPEN,
        SlotRow.starts_at >= bounds[0],
        SlotRow.starts_at < bounds[1],
        OfferRow.state == OfferState.PUBLISHED,
    ]


def _of_slots(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        query.select_from(SlotRow)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(Host, Host.id == OfferRow.host_id)
        .join(CommuneRow, CommuneRow.insee == Host.commune_insee)
    )


def slot_lines(
    session: Session,
    run_id: int,
    *,
    bounds: tuple[datetime, datetime],
    words: str,
    offset: int,
    limit: int,
) -> list[SlotLine]:
    """One page of the slots in the term, by day, with what the plan puts there."""
    given = (
        select(
            PlaceRow.slot_id.label("slot_id"),
            func.sum(PlaceRow.students).label("students"),
            func.count().label("groups"),
        )
        .where(PlaceRow.run_id == run_id, PlaceRow.slot_id.is_not(None))
        .group_by(PlaceRow.slot_id)
        .subquery()
    )
    query = (
        _of_slots(
            select(
                SlotRow.id,
                SlotRow.starts_at,
                SlotRow.ends_at,
                Host.name,
                CommuneRow.name,
                OfferRow.title,
                SlotRow.max_students,
                SlotRow.students_taken,
                func.coalesce(given.c.students, 0),
                func.coalesce(given.c.groups, 0),
                SlotRow.max_groups,
            )
        )
        .outerjoin(given, given.c.slot_id == SlotRow.id)
        .where(*_open(bounds))
        .order_by(SlotRow.starts_at, SlotRow.id)
        .offset(offset)
        .limit(limit)
    )
    if words:
        query = query.where(_said(words, Host.name, CommuneRow.name, OfferRow.title))
    return [SlotLine._make(row) for row in session.execute(query)]


def number_of_slots(
    session: Session, *, bounds: tuple[datetime, datetime], words: str
) -> int:
    """How many slots the list has."""
    query = _of_slots(select(func.count())).where(*_open(bounds))
    if words:
        query = query.where(_said(words, Host.name, CommuneRow.name, OfferRow.title))
    return session.scalar(query) or 0


def slot_choice(session: Session, slot_id: int) -> Choice | None:
    """One slot, named."""
    found = session.execute(
        _of_slots(
            select(SlotRow.id, Host.name, OfferRow.title, SlotRow.starts_at)
        ).where(SlotRow.id == slot_id)
    ).one_or_none()
    return None if found is None else Choice._make(found)


def slots_wished(
    session: Session,
    campaign_id: int,
    class_id: int,
    *,
    bounds: tuple[datetime, datetime],
) -> list[Choice]:
    """Slots in the term that a wish of the class may mean, by day."""
    mine = (
        select(WishRow)
        .join(WishListRow, WishListRow.id == WishRow.wish_list_id)
        .where(WishListRow.campaign_id == campaign_id, WishListRow.class_id == class_id)
    )
    wishes = session.scalars(mine).all()
    codes = {code for wish in wishes for code in wish.field_codes}
    any_field = any(
        wish.slot_id is None and wish.host_id is None and not wish.field_codes
        for wish in wishes
    )
    meant = [
        SlotRow.id.in_([wish.slot_id for wish in wishes if wish.slot_id]),
        OfferRow.host_id.in_([wish.host_id for wish in wishes if wish.host_id]),
        OfferRow.id.in_(
            select(offer_field.c.offer_id).where(offer_field.c.field_code.in_(codes))
        ),
    ]
    query = _of_slots(
        select(SlotRow.id, Host.name, OfferRow.title, SlotRow.starts_at)
    ).where(*_open(bounds))
    if not any_field:
        query = query.where(or_(*meant))
    query = query.order_by(SlotRow.starts_at, SlotRow.id).limit(MOST_CHOICES)
    return [Choice._make(row) for row in session.execute(query)]


def offers_called(session: Session, words: str, *, limit: int) -> list[Choice]:
    """Published offers whose host, town or title has the words."""
    query = (
        select(OfferRow.id, Host.name, OfferRow.title)
        .join(Host, Host.id == OfferRow.host_id)
        .join(CommuneRow, CommuneRow.insee == Host.commune_insee)
        .join(OfferKindRow, OfferKindRow.code == OfferRow.kind_code)
        .where(OfferRow.state == OfferState.PUBLISHED, OfferKindRow.bookable.is_(True))
        .order_by(Host.name, OfferRow.title, OfferRow.id)
        .limit(limit)
    )
    if words:
        query = query.where(_said(words, Host.name, CommuneRow.name, OfferRow.title))
    return [Choice(*row) for row in session.execute(query)]


def offer_choice(session: Session, offer_id: int) -> Choice | None:
    """One published offer, named."""
    query = (
        select(OfferRow.id, Host.name, OfferRow.title)
        .join(Host, Host.id == OfferRow.host_id)
        .where(OfferRow.id == offer_id, OfferRow.state == OfferState.PUBLISHED)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else Choice(*found)


# ---------------------------------------------------------------- pins


def _pinned() -> Select[*tuple[Any, ...]]:
    return (
        select(
            PinRow.id,
            PinRow.kind,
            PinRow.reason,
            PinRow.class_id,
            SchoolClassRow.label,
            School.name,
            PinRow.slot_id,
            SlotRow.starts_at,
            Host.name,
            PersonRow.name,
        )
        .join(SchoolClassRow, SchoolClassRow.id == PinRow.class_id)
        .join(School, School.id == SchoolClassRow.school_id)
        .join(SlotRow, SlotRow.id == PinRow.slot_id)
        .join(OfferRow, OfferRow.id == SlotRow.offer_id)
        .join(Host, Host.id == OfferRow.host_id)
        .outerjoin(PersonRow, PersonRow.id == PinRow.by_id)
    )


def pins_of(
    session: Session, campaign_id: int, *, class_id: int | None = None
) -> list[Pinned]:
    """What was fixed by hand, the newest first."""
    query = _pinned().where(PinRow.campaign_id == campaign_id)
    if class_id is not None:
        query = query.where(PinRow.class_id == class_id)
    query = query.order_by(PinRow.id.desc()).limit(MOST_CHOICES)
    return [Pinned._make(row) for row in session.execute(query)]


def pin(session: Session, pin_id: int) -> PinRow | None:
    """One of them."""
    return session.get(PinRow, pin_id)


def pin_on(
    session: Session, campaign_id: int, class_id: int, slot_id: int
) -> PinRow | None:
    """What is fixed for the class and the slot."""
    return session.scalars(
        select(PinRow).where(
            PinRow.campaign_id == campaign_id,
            PinRow.class_id == class_id,
            PinRow.slot_id == slot_id,
        )
    ).one_or_none()


def has_list(session: Session, campaign_id: int, class_id: int) -> bool:
    """Whether the class takes part."""
    return (
        session.scalar(
            select(WishListRow.id).where(
                WishListRow.campaign_id == campaign_id,
                WishListRow.class_id == class_id,
            )
        )
        is not None
    )


# ---------------------------------------------------------------- two plans


def changed(
    session: Session, one: int, other: int, *, more: bool, limit: int
) -> tuple[int, list[Changed]]:
    """Classes with more (or fewer) visits in the other plan: how many, and some."""
    Before, After = aliased(OutcomeRow), aliased(OutcomeRow)  # noqa: N806 - tables
    better = After.visits > Before.visits if more else After.visits < Before.visits
    base = (
        select(func.count())
        .select_from(Before)
        .join(After, and_(After.class_id == Before.class_id, After.run_id == other))
        .join(SchoolClassRow, SchoolClassRow.id == Before.class_id)
        .join(School, School.id == SchoolClassRow.school_id)
        .where(Before.run_id == one, better)
    )
    rows = session.execute(
        base.with_only_columns(
            Before.class_id,
            SchoolClassRow.label,
            School.name,
            Before.visits,
            After.visits,
        )
        .order_by(School.name, SchoolClassRow.label, Before.class_id)
        .limit(limit)
    )
    return session.scalar(base) or 0, [Changed._make(row) for row in rows]


def moved(session: Session, one: int, other: int) -> list[int]:
    """Classes with as many visits in both plans, on other slots."""
    places: list[dict[int, set[tuple[int | None, str]]]] = []
    for run_id in (one, other):
        found: dict[int, set[tuple[int | None, str]]] = defaultdict(set)
        query = select(PlaceRow.class_id, PlaceRow.slot_id, PlaceRow.added_slot)
        for class_id, slot_id, added in session.execute(
            query.where(PlaceRow.run_id == run_id)
        ):
            found[class_id].add((slot_id, added))
        places.append(found)
    before, after = places
    return sorted(
        class_id
        for class_id in before.keys() & after.keys()
        if before[class_id] != after[class_id]
    )


def only_in(session: Session, one: int, other: int) -> int:
    """How many classes the first plan knows and the second does not."""
    theirs = select(OutcomeRow.class_id).where(OutcomeRow.run_id == other)
    query = select(func.count()).where(
        OutcomeRow.run_id == one, OutcomeRow.class_id.not_in(theirs)
    )
    return session.scalar(query) or 0
