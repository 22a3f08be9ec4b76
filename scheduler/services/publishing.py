"""A plan becomes visits: claimed by one coordinator, placed by the loop, told once.

    run done ──publish──▶ campaign publishing ──(the loop, in batches)──▶ published
                            1. visits that a repair takes away are given back
                            2. each placement is asked for: all its parts or none
                            3. one letter to each teacher and each host
                            4. the campaign is published

Whatever is killed on the way goes on where it was: each step looks for what is left to
be done, and each item of it is one transaction. The visits are those of direct booking
(``services/booking.py``): the same rules, seats and answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from scheduler.domain import publication, visits as rules
from scheduler.domain.actors import LOOP, Actor, need
from scheduler.domain.announcements import Change
from scheduler.domain.campaigns import CampaignState, PlacementState
from scheduler.domain.parties import Party, Seats, party_of_group
from scheduler.domain.publication import Changes, Current, Placed, Publishable
from scheduler.domain.refusals import (
    ClassGone,
    NotFound,
    Refusal,
    Refused,
    SlotNotOpen,
    WishWithdrawn,
)
from scheduler.domain.slots import SlotState
from scheduler.domain.visits import CancelReason, VisitState
from scheduler.domain.wishes import WishListState
from scheduler.persistence.models.campaigns import PlacementRow, RunRow, WishListRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import publishing as queries, visits
from scheduler.services import campaign_letters, journal, schedule, seats
from scheduler.services.announce import announce, truth
from scheduler.services.booking import Booking, demand_fit, hold
from scheduler.services.fitting import PartOf
from scheduler.services.transaction import transaction

BATCH = 200
"""So many placements or letters of one campaign in a turn of the loop."""
FAILED = "failed"

log = structlog.get_logger()


def publish(
    session: Session, run_id: int, *, note: str = "", by: Actor, now: datetime
) -> None:
    """Choose a run's plan: from now on the loop asks for its visits.

    Of two coordinators one wins; the other gets ``PublishedAlready``. ``note``: what
    those are told whose confirmed visit a repair takes away.
    """
    need(by.is_coordinator)
    with transaction(session):
        run = queries.run_to_publish(session, run_id)
        if run is None:
            raise NotFound
        publication.check(
            publishable(run),
            run.campaign.as_domain(),
            last=queries.last_published(session, run.campaign_id),
            now=now,
        )
        wanted = queries.wanted(session, run.id)
        found, stays = changes_of(session, run, wanted, now=now)
        publication.check_room(
            stays,
            found,
            wanted,
            most=run.campaign.visits_per_class,
            since=run.started_at or now,
        )
        keys = queries.wanted_keys(session, run.id)
        queries.add_placements(session, run, [keys[each] for each in found.placed])
        queries.take_back(session, found.taken_back)
        run.note = note
        run.published_at = run.campaign.updated_at = now
        run.published_by_id = by.person_id
        run.campaign.state = CampaignState.PUBLISHING
    log.info("plan_published", run=run_id, placed=len(found.placed))


def publishable(run: RunRow) -> Publishable:
    """What the rules of publishing ask of a run."""
    return Publishable(purpose=run.purpose, state=run.state, started_at=run.started_at)


def changes_of(
    session: Session, run: RunRow, wanted: Sequence[Placed], *, now: datetime
) -> tuple[Changes, list[Current]]:
    """What publishing the run changes, and the placements that it leaves alone."""
    known = queries.known_classes(session, run.id)
    standing = queries.current(session, run.campaign_id)
    changing = [
        each for each in standing if each.may_change(now) and each.class_id in known
    ]
    found = publication.changes(
        [each.as_placed() for each in changing], wanted, purpose=run.purpose
    )
    return found, [
        each for each in standing if each.placement_id not in found.taken_back
    ]


def place_due(
    session: Session, *, now: datetime, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Go on with every plan that is being published; how many things were done."""
    done = 0
    due = queries.publishing(session)
    session.rollback()
    for campaign_id, run_id in due:
        done += _go_on(session, campaign_id, run_id, now=now, stopping=stopping)
    return done


def _go_on(
    session: Session,
    campaign_id: int,
    run_id: int,
    *,
    now: datetime,
    stopping: Callable[[], bool],
) -> int:
    """A batch of the first step that is not finished; all of them if they are small."""

    def due() -> tuple[Callable[..., None], list[int]]:
        back = queries.to_take_back(session, campaign_id, limit=BATCH)
        waiting = queries.waiting(session, run_id, limit=BATCH)
        session.rollback()
        return (_take_back, back) if back else (_place, waiting)

    done = 0
    while done < BATCH:
        step, todo = due()
        if not todo:
            break
        for each in todo:
            if stopping():
                return done
            step(session, each, run_id, now=now)
            done += 1
    if done < BATCH:
        done += campaign_letters.tell(
            session, run_id, limit=BATCH - done, now=now, stopping=stopping
        )
    if done < BATCH and not stopping():
        _finish(session, run_id, now=now)
    return done


def _finish(session: Session, run_id: int, *, now: datetime) -> None:
    with transaction(session):
        run = queries.run_to_publish(session, run_id)
        if run is None or run.campaign.state is not CampaignState.PUBLISHING:
            return
        run.campaign.state = CampaignState.PUBLISHED
        run.campaign.published_at = run.campaign.published_at or now
        run.campaign.updated_at = now
        queries.mark_told(session, run_id, now=now)


# ---------------------------------------------------------------- one placement


def _place(session: Session, placement_id: int, run_id: int, *, now: datetime) -> None:
    """Ask for a placement: all its parts or none."""
    try:
        with transaction(session):
            row = queries.placement_to_place(session, placement_id)
            if row is None or row.state is not PlacementState.WAITING:
                return
            _ask_for_parts(session, row, now=now)
            row.state, row.placed_at = PlacementState.PLACED, now
    except Refusal as refusal:
        found = getattr(refusal, "refusals", (refusal,))
        _refuse(session, placement_id, [each.code for each in found])
    except OperationalError:
        # The database was busy: nothing happened, and the next turn tries again.
        raise
    except Exception:
        log.exception("placement_failed", placement=placement_id, run=run_id)
        _refuse(session, placement_id, [FAILED])


def _refuse(session: Session, placement_id: int, codes: list[str]) -> None:
    """Shown to the coordinator, repaired later; the others are placed all the same."""
    with transaction(session):
        row = queries.placement_to_place(session, placement_id)
        if row is not None and row.state is PlacementState.WAITING:
            row.state = PlacementState.REFUSED
            row.refusals = list(dict.fromkeys(codes))
    log.info("placement_refused", placement=placement_id, codes=codes)


def _ask_for_parts(session: Session, row: PlacementRow, *, now: datetime) -> None:
    """Every part under all locks at once; the first that does not fit refuses all."""
    groups = queries.groups_of(session, row)
    wishes = queries.wish_list(session, row.campaign_id, row.class_id)
    if wishes is None or wishes.state is WishListState.WITHDRAWN:
        raise Refused(WishWithdrawn())
    visits.lock(
        session,
        host_ids=[each.host_id for each in groups],
        class_ids=[row.class_id],
        person_ids=[wishes.teacher_id],
    )
    klass = visits.class_to_ask_for(session, row.class_id)
    if klass is None or not klass.active:
        raise Refused(ClassGone())
    if wishes.teacher_id not in visits.teachers_of(session, klass.school_id):
        raise Refused(ClassGone())
    for group in groups:
        slot = visits.slot_to_take(session, group.slot_id)
        if slot is None:
            raise Refused(SlotNotOpen(state=SlotState.CANCELLED.value))
        part = PartOf(placement_id=row.id, group_no=group.group_no)
        party = _party(wishes, slot, group, minimum=klass.school.min_adults)
        demand_fit(
            session,
            klass,
            slot,
            organiser_id=wishes.teacher_id,
            party=party,
            part=part,
            now=now,
        )
        hold(
            session,
            Booking(
                class_id=klass.id,
                slot_id=slot.id,
                organiser_id=wishes.teacher_id,
                party=party,
                arrangements=wishes.arrangements,
                message=wishes.message,
                part=part,
            ),
            asked=Change.ALLOCATED,
            by=LOOP,
            now=now,
        )


def _party(
    wishes: WishListRow, slot: SlotRow, group: queries.Group, *, minimum: int
) -> Party:
    """Who comes with this group, as the problem of the engine counted it."""
    seats_of, taken = slot.as_domain().seats, slot.taken
    people = seats_of.people
    left = Seats(
        students=seats_of.students - taken.students,
        people=None if people is None else people - (taken.people or 0),
        groups=seats_of.groups - taken.groups,
    )
    return party_of_group(
        group.students,
        of=Party(
            students=wishes.students,
            adults=wishes.adults,
            support_assistants=wishes.support_assistants,
        ),
        group_no=group.group_no,
        subgroup_size=slot.offer.as_domain().subgroup_size,
        school_minimum=minimum,
        left=left,
    )


# ---------------------------------------------------------------- taken back


def _take_back(session: Session, visit_id: int, run_id: int, *, now: datetime) -> None:
    """A visit that a repair gives up: its host is told, its teacher by the letter."""
    with transaction(session):
        run = session.get_one(RunRow, run_id)
        row = visits.visit_to_change(session, visit_id)
        if row is None or row.state not in queries.STANDS:
            return
        before, state, wanted = truth(session, row), row.state.value, row.wanted_slot
        change = _give_up(row, note=run.note, now=now)
        schedule.ended(session, row, now=now)
        seats.recount(session, row.slot, wanted)
        announce(session, row, change, by=LOOP, now=now, before=before)
        journal.note_visit(
            session, row, change.value, by=LOOP, now=now, before=state, run=run_id
        )


def _give_up(row: VisitRow, *, note: str, now: datetime) -> Change:
    visit = row.as_domain()
    if row.state in {VisitState.REQUESTED, VisitState.PROPOSED}:
        row.take(rules.withdraw(visit), now=now)
        return Change.WITHDRAWN
    row.take(
        rules.cancel_by_school(
            visit, reason=CancelReason.OTHER, note=note or "–", late=False
        ),
        now=now,
    )
    return Change.CANCELLED
