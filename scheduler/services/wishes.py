"""What a teacher does in a campaign: file wishes for a class, change them, withdraw.

Everything is possible until wishes close, and the order of arrival gives no advantage:
it is kept only to show what first come, first served would have given.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from scheduler.domain import wishes as rules
from scheduler.domain.actors import Actor, for_school, need
from scheduler.domain.campaigns import CampaignState
from scheduler.domain.localtime import day_bounds
from scheduler.domain.refusals import NotFound, Refused, WrongState
from scheduler.domain.wishes import Wish, WishList, WishListState
from scheduler.persistence.models.campaigns import CampaignRow, WishListRow
from scheduler.persistence.models.network import SchoolClassRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.queries import campaigns, reference, visits, wishes
from scheduler.persistence.queries.wishes import HostChoice, SlotChoice
from scheduler.services import journal, outbox
from scheduler.services.transaction import transaction

COPY = "wishes_copy"


def file_wishes(
    session: Session,
    campaign_id: int,
    class_id: int,
    wanted: WishList,
    *,
    by: Actor,
    now: datetime,
) -> int:
    """File the list of a class, or put another in its place. Returns its id.

    A copy goes to the teacher by mail. Raises ``Refused`` with everything that is
    wrong, ``NotFound`` for another school's class.
    """
    with transaction(session):
        return put_list(session, campaign_id, class_id, wanted, by=by, now=now).id


def put_list(
    session: Session,
    campaign_id: int,
    class_id: int,
    wanted: WishList,
    *,
    by: Actor,
    now: datetime,
    copy: bool = True,
) -> WishListRow:
    """The same inside the caller's transaction."""
    campaign, klass = _for_wishes(session, campaign_id, class_id, by=by)
    _demand_sense(session, campaign, klass, wanted, now=now)
    if by.person_id is None:
        raise NotFound
    row = wishes.list_to_change(session, campaign_id, class_id)
    if row is None:
        row = WishListRow(
            campaign_id=campaign_id,
            class_id=class_id,
            arrival=wishes.next_arrival(session, campaign_id),
            submitted_at=now,
            wishes=[],
        )
        session.add(row)
        step = "wishes_filed"
    else:
        unchanged = row.state is WishListState.SUBMITTED and row.as_domain() == wanted
        if unchanged and row.teacher_id == by.person_id:
            return row
        # One position may not be there twice, not even for a moment.
        row.wishes.clear()
        session.flush()
        step = "wishes_changed"
    row.teacher_id = by.person_id
    row.state = WishListState.SUBMITTED
    row.take(wanted)
    row.updated_at = now
    session.flush()
    if copy:
        _send_copy(session, campaign, klass, wanted, by=by, now=now)
        journal.note_campaign(
            session, campaign_id, step, by=by, now=now, **{"class": class_id}
        )
    return row


def withdraw_wishes(
    session: Session, campaign_id: int, class_id: int, *, by: Actor, now: datetime
) -> None:
    """Take the list back until wishes close; it can be filed again."""
    with transaction(session):
        campaign, klass = _for_wishes(session, campaign_id, class_id, by=by)
        found = rules.wishing_refusals(
            campaign.as_domain(), level_code=klass.level_code, now=now
        )
        if found:
            raise Refused(*found)
        row = wishes.list_to_change(session, campaign_id, class_id)
        if row is None:
            raise NotFound
        if row.state is WishListState.WITHDRAWN:
            raise WrongState(state=row.state.value, step="withdraw")
        row.state = WishListState.WITHDRAWN
        row.updated_at = now
        journal.note_campaign(
            session,
            campaign_id,
            "wishes_withdrawn",
            by=by,
            now=now,
            **{"class": class_id},
        )


def slots_of(
    session: Session, campaign: CampaignRow, *, ids: frozenset[int] | None = None
) -> list[SlotChoice]:
    """The slots that may be wished in a campaign; ``ids``: only these."""
    return wishes.slots_to_wish(
        session,
        start=day_bounds(campaign.first_visit_on)[0],
        end=day_bounds(campaign.last_visit_on)[1],
        ids=ids,
    )


def _for_wishes(
    session: Session, campaign_id: int, class_id: int, *, by: Actor
) -> tuple[CampaignRow, SchoolClassRow]:
    """The campaign, locked, and the class; drafts are nobody's business."""
    campaign = campaigns.campaign_to_change(session, campaign_id)
    if campaign is None or campaign.state is CampaignState.DRAFT:
        raise NotFound
    klass = visits.class_to_ask_for(session, class_id)
    if klass is None:
        raise NotFound
    need(for_school(by, klass.school_id) and klass.active)
    return campaign, klass


def _demand_sense(
    session: Session,
    campaign: CampaignRow,
    klass: SchoolClassRow,
    wanted: WishList,
    *,
    now: datetime,
) -> None:
    asked = frozenset(each.slot_id for each in wanted.wishes if each.slot_id)
    known = slots_of(session, campaign, ids=asked) if asked else []
    hosts: list[HostChoice] = []
    if any(each.host_id for each in wanted.wishes):
        hosts = wishes.hosts_to_wish(session)
    rounds = campaign.as_domain()
    found = [
        *rules.wishing_refusals(rounds, level_code=klass.level_code, now=now),
        *rules.list_refusals(
            wanted,
            rounds,
            slots={each.id for each in known},
            hosts={each.id for each in hosts},
        ),
    ]
    if found:
        raise Refused(*found)


# ---------------------------------------------------------------- the copy by mail


def _send_copy(
    session: Session,
    campaign: CampaignRow,
    klass: SchoolClassRow,
    wanted: WishList,
    *,
    by: Actor,
    now: datetime,
) -> None:
    person = session.get_one(PersonRow, by.person_id)
    outbox.record(
        session,
        kind=COPY,
        locale=person.locale,
        name=person.name,
        address=person.email,
        payload={
            "audience": None,
            "link": None,
            "wishes": {
                "campaign": campaign.name,
                "campaign_id": campaign.id,
                "class_id": klass.id,
                "class": klass.label,
                "closes_at": campaign.closes_at.isoformat(),
                "allocation_on": campaign.allocation_on.isoformat(),
                "students": wanted.students,
                "split": wanted.split.value,
                "max_km": wanted.max_km,
                "lines": _recorded(session, campaign, wanted),
            },
        },
        now=now,
        person_id=person.id,
    )


def _recorded(
    session: Session, campaign: CampaignRow, wanted: WishList
) -> list[dict[str, Any]]:
    """Each wish with the names that it had when it was filed."""
    asked = frozenset(each.slot_id for each in wanted.wishes if each.slot_id)
    slots = {each.id: each for each in slots_of(session, campaign, ids=asked)}
    hosts = {each.id: each for each in wishes.hosts_to_wish(session)}
    fields = {each.code: each for each in reference.fields(session)}

    def told(wish: Wish) -> dict[str, Any]:
        if wish.slot_id is not None:
            slot = slots[wish.slot_id]
            return {
                "host": slot.host,
                "commune": slot.commune,
                "starts_at": slot.starts_at.isoformat(),
                "ends_at": slot.ends_at.isoformat(),
            }
        if wish.host_id is not None:
            host = hosts[wish.host_id]
            return {"host": host.name, "commune": host.commune}
        known = [fields[code] for code in wish.field_codes if code in fields]
        return {
            "fields_fr": [each.label_fr for each in known],
            "fields_en": [each.label_en for each in known],
            "first_on": wish.first_on.isoformat() if wish.first_on else None,
            "last_on": wish.last_on.isoformat() if wish.last_on else None,
            "max_km": wish.max_km,
        }

    return [told(each) for each in wanted.wishes]
