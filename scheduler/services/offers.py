"""A host's offers and closed days."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from scheduler.domain.actors import Actor, for_host, need
from scheduler.domain.announcements import Change
from scheduler.domain.handling import check_observation_only
from scheduler.domain.offers import (
    Caps,
    Confirmation,
    PhoneRule,
    PhotoRule,
    VehicleAccess,
    Wheelchair,
    after,
    check_limits,
)
from scheduler.domain.refusals import BadTimes, NotFound, NotReady
from scheduler.persistence.models.network import HostClosureRow
from scheduler.persistence.models.offers import OfferRow, WitnessRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import offers, reference, visits
from scheduler.services import journal
from scheduler.services.announce import tell, truth
from scheduler.services.snapshot import SHOWN_FIELDS
from scheduler.services.transaction import transaction

CLASS_VISIT = "CLASS_VISIT"


@dataclass(frozen=True, kw_only=True)
class Witness:
    """``gender``: W, M or N (not stated)."""

    first_name: str
    job: str
    path: str = ""
    gender: str = "N"


@dataclass(frozen=True, kw_only=True)
class OfferText:
    """Everything a host says about an offer; the first eight are asked first (HO-M1).

    ``ppe``: list of {"code", "detail"}. Caps of the host are kept with the host.
    """

    title: str
    field_codes: tuple[str, ...]
    max_students: int
    subgroup_size: int
    min_grade_rank: int
    see: tuple[str, ...]
    duration_minutes: int
    phone_rule: PhoneRule
    photo_rule: PhotoRule = PhotoRule.NONE
    min_age: int | None = None
    summary: str = ""
    wear: str = ""
    bring: str = ""
    ppe: tuple[dict[str, Any], ...] = ()
    people_met: str = ""
    witnesses: tuple[Witness, ...] = ()
    women_witnesses: int = 0
    street: str = ""
    arrival: str = ""
    meeting_point: str = ""
    wheelchair: Wheelchair = Wheelchair.NO
    wheelchair_note: str = ""
    vehicle_access: VehicleAccess = VehicleAccess.STREET
    min_students: int = 1
    max_people: int | None = None
    max_groups: int = 1
    min_notice_days: int = 21
    name_list_days: int = 0
    confirmation: Confirmation = Confirmation.BY_HOST
    note: str = ""
    kind_code: str = field(default=CLASS_VISIT)


def create_offer(
    session: Session, host_id: int, text: OfferText, *, by: Actor, now: datetime
) -> int:
    """A new draft. Returns its id.

    Raises ``HandlingWords`` (DOMAIN rule 4) and ``LimitTooLow``.
    """
    with transaction(session):
        return put_offer(session, host_id, text, by=by, now=now).id


def put_offer(
    session: Session, host_id: int, text: OfferText, *, by: Actor, now: datetime
) -> OfferRow:
    """The new draft inside the caller's transaction."""
    _check(text)
    need(for_host(by, host_id))
    if offers.host_whole(session, host_id) is None:
        raise NotFound
    row = OfferRow(host_id=host_id, created_at=now, title=text.title)
    row.fields = []
    row.witnesses = []
    _take(session, row, text)
    session.add(row)
    session.flush()
    journal.note_organisation(
        session, host_id, "offer_created", by=by, now=now, offer=row.id
    )
    return row


def change_offer(
    session: Session, offer_id: int, text: OfferText, *, by: Actor, now: datetime
) -> None:
    """Other words or rules. Slots that exist keep their own seats.

    Where to go, what to wear and bring stand in people's calendars: the entries of
    visits that lie ahead follow.
    """
    _check(text)
    with transaction(session):
        row = offer_to_change(session, offer_id, by)
        ahead = _ahead(session, row, now=now)
        before = {each.id: truth(session, each) for each in ahead}
        # The visits came with their own view of the offer: it is read whole again.
        row = offer_to_change(session, offer_id, by)
        _take(session, row, text)
        session.flush()
        for each in _ahead(session, row, now=now):
            _follow(session, each, before[each.id], by=by, now=now)
        journal.note_organisation(
            session, row.host_id, "offer_changed", by=by, now=now, offer=row.id
        )


def publish_offer(session: Session, offer_id: int, *, by: Actor, now: datetime) -> None:
    """Let teachers see it. Raises ``NotReady`` naming what is missing."""
    with transaction(session):
        put_before_teachers(
            session, offer_to_change(session, offer_id, by), by=by, now=now
        )


def put_before_teachers(
    session: Session, row: OfferRow, *, by: Actor, now: datetime
) -> None:
    """Publish inside the caller's transaction."""
    missing = [
        name for name, value in (("title", row.title), ("see", row.see)) if not value
    ]
    if not row.fields:
        missing.append("fields")
    if missing:
        raise NotReady(missing=missing)
    _step(session, row, "publish", by=by, now=now)


def pause_offer(
    session: Session, offer_id: int, *, until: date | None, by: Actor, now: datetime
) -> None:
    """No new requests for a while; confirmed visits stay (HO-M2)."""
    with transaction(session):
        row = offer_to_change(session, offer_id, by)
        _step(session, row, "pause", by=by, now=now)
        row.paused_until = until


def resume_offer(session: Session, offer_id: int, *, by: Actor, now: datetime) -> None:
    """Requests are welcome again."""
    with transaction(session):
        row = offer_to_change(session, offer_id, by)
        _step(session, row, "resume", by=by, now=now)
        row.paused_until = None


def archive_offer(session: Session, offer_id: int, *, by: Actor, now: datetime) -> None:
    """Put away; nothing that was agreed changes."""
    with transaction(session):
        _step(
            session, offer_to_change(session, offer_id, by), "archive", by=by, now=now
        )


def restore_offer(session: Session, offer_id: int, *, by: Actor, now: datetime) -> None:
    """Back among the drafts."""
    with transaction(session):
        _step(
            session, offer_to_change(session, offer_id, by), "restore", by=by, now=now
        )


def resume_paused(session: Session, *, today: date, by: Actor, now: datetime) -> int:
    """Offers whose pause is over are open again; how many."""
    with transaction(session):
        hosts = {row.host_id for row in offers.pauses_over(session, today=today)}
        visits.lock(session, host_ids=hosts)
        over = offers.pauses_over(session, today=today)
        for row in over:
            _step(session, row, "resume", by=by, now=now)
            row.paused_until = None
        return len(over)


def set_caps(
    session: Session, host_id: int, caps: Caps, *, by: Actor, now: datetime
) -> None:
    """How many visits the host takes per day, month and school year.

    Raises ``LimitTooLow``.
    """
    check_limits(per_day=caps.per_day, per_month=caps.per_month, per_year=caps.per_year)
    with transaction(session):
        need(for_host(by, host_id))
        visits.lock(session, host_ids=[host_id])
        host = offers.host_whole(session, host_id)
        if host is None:
            raise NotFound
        host.cap_per_day = caps.per_day
        host.cap_per_month = caps.per_month
        host.cap_per_year = caps.per_year
        journal.note_organisation(session, host_id, "caps_set", by=by, now=now)


def add_closed_days(
    session: Session,
    host_id: int,
    *,
    first_on: date,
    last_on: date,
    reason: str,
    by: Actor,
    now: datetime,
) -> None:
    """Days that the host keeps for itself, both ends included."""
    if last_on < first_on:
        raise BadTimes(wrong="order")
    with transaction(session):
        need(for_host(by, host_id))
        session.add(
            HostClosureRow(
                host_id=host_id, first_on=first_on, last_on=last_on, reason=reason
            )
        )
        journal.note_organisation(session, host_id, "closed_days", by=by, now=now)


def remove_closed_days(
    session: Session, host_id: int, closure_id: int, *, by: Actor, now: datetime
) -> None:
    """The days are open again. Raises ``NotFound`` when they are not the host's."""
    with transaction(session):
        need(for_host(by, host_id))
        removed = session.scalar(
            delete(HostClosureRow)
            .where(HostClosureRow.id == closure_id, HostClosureRow.host_id == host_id)
            .returning(HostClosureRow.id)
        )
        need(removed is not None)
        journal.note_organisation(session, host_id, "open_days", by=by, now=now)


def _ahead(session: Session, offer: OfferRow, *, now: datetime) -> list[VisitRow]:
    """The offer's visits that lie ahead, locked as all changes of visits are."""
    keys = visits.ahead_at(session, offer.host_id, offer_id=offer.id, now=now)
    visits.lock(
        session,
        class_ids=[class_id for _, class_id, _ in keys],
        person_ids=[person_id for _, _, person_id in keys],
    )
    found = (visits.visit_to_change(session, visit_id) for visit_id, _, _ in keys)
    return [row for row in found if row is not None]


def _follow(
    session: Session,
    visit: VisitRow,
    before: dict[str, Any],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Tell of what the offer says now, if an entry says otherwise."""
    after = truth(session, visit)
    if before["place"] != after["place"]:
        change = Change.SLOT_CHANGED
    elif any(before[name] != after[name] for name in SHOWN_FIELDS):
        change = Change.DETAILS_CHANGED
    else:
        return
    visit.revision += 1
    visit.updated_at = now
    tell(session, visit, change, by=by, now=now, before=before)


def _check(text: OfferText) -> None:
    if text.kind_code == CLASS_VISIT:
        check_observation_only("\n".join([text.title, text.summary, *text.see]))
    check_limits(
        max_students=text.max_students,
        max_people=text.max_people,
        max_groups=text.max_groups,
        subgroup_size=text.subgroup_size,
    )


def _take(session: Session, row: OfferRow, text: OfferText) -> None:
    for name in (
        "title",
        "kind_code",
        "max_students",
        "subgroup_size",
        "min_grade_rank",
        "min_age",
        "duration_minutes",
        "phone_rule",
        "photo_rule",
        "summary",
        "wear",
        "bring",
        "people_met",
        "women_witnesses",
        "street",
        "arrival",
        "meeting_point",
        "wheelchair",
        "wheelchair_note",
        "vehicle_access",
        "min_students",
        "max_people",
        "max_groups",
        "min_notice_days",
        "name_list_days",
        "confirmation",
        "note",
    ):
        setattr(row, name, getattr(text, name))
    row.see = list(text.see)
    row.ppe = list(text.ppe)
    wanted = set(text.field_codes)
    row.fields = [each for each in reference.fields(session) if each.code in wanted]
    for old in list(row.witnesses):
        session.delete(old)
    row.witnesses = [
        WitnessRow(
            first_name=each.first_name, job=each.job, path=each.path, gender=each.gender
        )
        for each in text.witnesses
    ]


def _step(
    session: Session, row: OfferRow, step: str, *, by: Actor, now: datetime
) -> None:
    row.state = after(row.state, step)
    journal.note_organisation(
        session, row.host_id, f"offer_{step}", by=by, now=now, offer=row.id
    )


def offer_to_change(session: Session, offer_id: int, by: Actor) -> OfferRow:
    """The offer as it is once its host is locked, if the actor speaks for the host."""
    host_id = offers.host_of_offer(session, offer_id)
    if host_id is None:
        raise NotFound
    need(for_host(by, host_id))
    visits.lock(session, host_ids=[host_id])
    row = offers.offer_whole(session, offer_id)
    if row is None:
        raise NotFound
    return row
