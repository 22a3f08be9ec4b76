"""Play the sample's stories through the services, with their `now` set back.

The loop's own work (reminders, expiries, the end of a visit) is done evening by
evening in between, so that each visit is where it would be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from math import ceil

import structlog
from sqlalchemy.orm import Session

from scheduler.demo.moves import Scene, go_on
from scheduler.demo.network import Known
from scheduler.demo.stories import Story, stories
from scheduler.domain import fit
from scheduler.domain.localtime import instant, local_day
from scheduler.domain.parties import Part, Party, adults_needed
from scheduler.domain.refusals import Refusal
from scheduler.persistence.models.network import SchoolClassRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.queries import seeding, visits
from scheduler.services import clockwork, fitting
from scheduler.services.house import house_of
from scheduler.services.requests import Request, request_visit
from scheduler.services.transaction import transaction

# What happened this recently is news: its mail really goes out.
NEWS = timedelta(hours=1)
DAY = timedelta(days=1)
MONTH, SEASON = timedelta(days=30), timedelta(days=100)
ENOUGH_SLOTS = 15
EVENING = time(18, 30)
OPENING_HOUR, OPEN_HOURS = 9, 8
SATURDAY = 5

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, order=True)
class _Turn:
    """What comes next in a story: the request, then its steps."""

    at: datetime
    number: int
    story: Story = field(compare=False)
    scene: Scene | None = field(compare=False, default=None)
    step: int = field(compare=False, default=0)


def play(session: Session, known: Known, *, now: datetime) -> None:
    """Every story, each step at its time, in the order of time."""
    numbers = count()
    gap = _gap(session, now)
    turns = [
        _Turn(
            at=_at(now, story.asked, gap, story, place),
            number=next(numbers),
            story=story,
        )
        for place, story in enumerate(stories())
    ]
    heapify(turns)
    evenings = deque(_evenings(turns[0].at, now - NEWS))
    while turns:
        turn = heappop(turns)
        while evenings and evenings[0] < turn.at:
            _tick(session, now=evenings.popleft())
        story, step, scene = turn.story, turn.step, turn.scene
        if scene is None:
            scene = _ask(session, known, story, now=now, at=turn.at, gap=gap)
        else:
            scene = replace(scene, at=turn.at)
            _go_on(scene, step)
            step += 1
        if scene is not None and step < len(story.then):
            planned = _at(now, story.then[step].days, gap, story, step)
            following = _Turn(
                at=max(turn.at, planned),
                number=next(numbers),
                story=story,
                scene=scene,
                step=step,
            )
            heappush(turns, following)
    for at in (*evenings, now - NEWS - timedelta(minutes=1)):
        _tick(session, now=at)


def _tick(session: Session, *, now: datetime) -> None:
    """An evening of the loop; its mail, and that of the day, counts as sent."""
    clockwork.remind_hosts(session, now=now)
    clockwork.expire_requests(session, now=now)
    clockwork.remind_week_before(session, now=now)
    clockwork.remind_eve(session, now=now)
    clockwork.complete_visits(session, now=now)
    with transaction(session):
        seeding.mark_sent_before(session, before=now)


def _gap(session: Session, now: datetime) -> timedelta:
    """How far the past must lie back when a long holiday has just been."""
    lately = seeding.starts_between(session, start=now - MONTH, end=now - 2 * DAY)
    earlier = seeding.starts_between(session, start=now - SEASON, end=now - MONTH)
    if len(lately) >= ENOUGH_SLOTS or not earlier:
        return timedelta(0)
    return now - earlier[-1]


def _at(
    now: datetime, days: float, gap: timedelta, story: Story, place: int
) -> datetime:
    """A working hour that many days from now; what is less than a day away is exact."""
    moment = now + days * DAY - (gap if story.is_past else timedelta(0))
    if abs(days) < 1:
        return moment
    day = local_day(moment)
    while day.weekday() >= SATURDAY:
        day -= DAY
    return instant(day, time(OPENING_HOUR + place % OPEN_HOURS, 7 * place % 60))


def _evenings(start: datetime, end: datetime) -> Iterator[datetime]:
    """Those after working days: nothing is ever due on the others."""
    day = local_day(start)
    while (at := instant(day, EVENING)) < end:
        if day.weekday() < SATURDAY:
            yield at
        day += DAY


@dataclass(frozen=True, kw_only=True)
class _Found:
    slot: SlotRow
    party: Party


def _ask(
    session: Session,
    known: Known,
    story: Story,
    *,
    now: datetime,
    at: datetime,
    gap: timedelta,
) -> Scene | None:
    start, end = (now + days * DAY for days in story.slot)
    if story.is_past:
        start, end = start - gap, end - gap
    wanted = {known.organisations[key]: key for key in story.hosts}
    anybody = {
        row_id: key for key, row_id in known.organisations.items() if key[0] == "H"
    }
    for hosts in (wanted, anybody):
        offered = seeding.slots_between(session, hosts, start=start, end=end)
        found = _first_fit(session, known, story, offered, at=at)
        if found is None:
            continue
        slot_id, host = found.slot.id, hosts[found.slot.offer.host_id]
        visit_id = request_visit(
            session,
            Request(
                slot_id=slot_id,
                class_id=known.classes[story.class_key],
                party=found.party,
                arrangements=story.arrangements,
                message=story.message,
            ),
            by=known.actors[story.teacher],
            now=at,
        )
        return Scene(
            session=session,
            known=known,
            story=story,
            visit_id=visit_id,
            slot_id=slot_id,
            host=host,
            party=found.party,
            at=at,
        )
    log.info("story_left_out", school_class=story.class_key)
    return None


def _first_fit(
    session: Session,
    known: Known,
    story: Story,
    offered: Sequence[SlotRow],
    *,
    at: datetime,
) -> _Found | None:
    """The first slot that the rules allow, with as many of the class as it takes."""
    klass = visits.class_to_ask_for(session, known.classes[story.class_key])
    if klass is None:
        return None
    cases = fitting.cases(
        session, klass, offered, organiser_id=known.actors[story.teacher].person_id
    )
    for slot, case in zip(offered, cases, strict=True):
        party = _party(klass, slot)
        whole = replace(case, party=party)
        if not fit.refusals(whole, now=at, policy=house_of(session).policy):
            return _Found(slot=slot, party=party)
    return None


def _party(klass: SchoolClassRow, slot: SlotRow) -> Party:
    """The whole class if the slot takes it, else as large a part as comes."""
    students, part = klass.students, Part.WHOLE
    most = slot.max_students
    if slot.max_people is not None:
        most = min(most, slot.max_people - 1)
    if students > most:
        students, part = min(ceil(students / 2), most), Part.HALF
    girls = round((klass.girls or 0) * students / klass.students)
    needed = adults_needed(
        students,
        subgroup_size=slot.offer.subgroup_size,
        school_minimum=klass.school.min_adults,
    )
    return Party(
        students=students,
        girls=girls,
        boys=students - girls,
        adults=max(needed, 1 if slot.max_people is not None else 2),
        part=part,
    )


def _go_on(scene: Scene, step: int) -> None:
    try:
        go_on(scene, scene.story.then[step])
    except Refusal as refusal:
        log.info("story_step_refused", visit=scene.visit_id, code=refusal.code)
