"""Which problem a run computes: the whole plan, a repair of it, or a second round.

A repair leaves alone what a company has accepted, what has begun, and what the rules
would no longer give but once gave: those classes are not in its problem, and publishing
it does not touch them. Requests that nobody has answered may move, few of them; what is
left of a visit in half-groups that lost a part is given up for something whole. Who
withdrew is not given anything again, and nobody what its company said no to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from scheduler.domain.campaigns import RunPurpose
from scheduler.domain.publication import Current
from scheduler.matching.plan import Part, Visit
from scheduler.matching.problem import Problem
from scheduler.persistence.models.campaigns import RunRow
from scheduler.persistence.queries import publishing as queries
from scheduler.services.campaign_problem import (
    Snapshot,
    class_key,
    published,
    slot_key,
    snapshot,
)


def problem_of(session: Session, run: RunRow, *, now: datetime) -> Snapshot:
    """What the run computes, as everything is at this instant."""
    if run.purpose is RunPurpose.REPAIR:
        return _repair(session, run.campaign_id, now=now)
    if run.purpose is RunPurpose.SECOND_ROUND:
        return second_round(session, run.campaign_id, now=now)
    return snapshot(session, run.campaign_id, now=now, added=list(run.added))


def second_round(session: Session, campaign_id: int, *, now: datetime) -> Snapshot:
    """The classes that hold nothing; everybody else's seats are taken."""
    holding = {each.class_id for each in queries.current(session, campaign_id)}
    taken = snapshot(
        session,
        campaign_id,
        now=now,
        class_ids=_wishing(session, campaign_id) - holding,
    )
    return taken.without(_declined(session, campaign_id))


def _declined(session: Session, campaign_id: int) -> list[tuple[str, str]]:
    return [
        (class_key(class_id), slot_key(slot_id))
        for class_id, slot_id in queries.declined(session, campaign_id)
    ]


def _wishing(session: Session, campaign_id: int) -> frozenset[int]:
    """Classes that want a visit: their own school did not give one up."""
    everybody = queries.wishing_classes(session, campaign_id)
    return frozenset(everybody - queries.classes_that_withdrew(session, campaign_id))


def _repair(session: Session, campaign_id: int, *, now: datetime) -> Snapshot:
    standing = queries.current(session, campaign_id)
    stays = [each for each in standing if not each.may_change(now)]
    changing = [each for each in standing if each.may_change(now)]
    taken = _snapshot(session, campaign_id, stays, changing, now=now)
    lost = [each for each in changing if not _is_possible(taken.problem, each)]
    if not lost:
        return taken
    kept = [each for each in changing if each not in lost]
    return _snapshot(session, campaign_id, [*stays, *lost], kept, now=now)


def _snapshot(
    session: Session,
    campaign_id: int,
    stays: Iterable[Current],
    changing: Sequence[Current],
    *,
    now: datetime,
) -> Snapshot:
    out = {each.class_id for each in stays}
    changing = [each for each in changing if each.class_id not in out]
    taken = snapshot(
        session,
        campaign_id,
        now=now,
        previous=[
            published(each.class_id, _visit(each))
            for each in changing
            if each.is_complete
        ],
        besides=[visit for each in changing for visit in each.visit_ids],
        class_ids=_wishing(session, campaign_id) - out,
    )
    return taken.without(_declined(session, campaign_id))


def _visit(current: Current) -> Visit:
    return Visit(
        class_key(current.class_id),
        tuple(
            Part(slot_key(slot_id), students, group=group_no)
            for group_no, slot_id, students in current.groups
        ),
    )


def _is_possible(problem: Problem, current: Current) -> bool:
    """Whether the rules would give the visit again today; a broken one is given up."""
    one = problem.classes.get(class_key(current.class_id))
    if not current.is_complete:
        return True
    if one is None:
        return False
    return all(
        slot is not None
        and slot.id not in one.forbidden
        and slot.date not in one.unavailable
        for slot in (
            problem.slots.get(slot_key(slot_id)) for _, slot_id, _ in current.groups
        )
    )
