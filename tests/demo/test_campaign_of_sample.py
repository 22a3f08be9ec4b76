"""The engine keeps every rule of the service: asked pair by pair on the sample."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from scheduler.domain import fit
from scheduler.domain.parties import Party, Seats, party_of_group
from scheduler.domain.policy import Policy
from scheduler.domain.visits import INVITED
from scheduler.domain.wishes import Splitting, Wish
from scheduler.matching.greedy import greedy
from scheduler.matching.plan import Plan
from scheduler.matching.possible import Offer, admits, possible_visits
from scheduler.matching.verify import verify
from scheduler.persistence.models.campaigns import WishListRow
from scheduler.persistence.models.network import HostRow, SchoolClassRow, SchoolRow
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.people import PersonRow
from scheduler.persistence.models.reference import FieldRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import visits
from scheduler.services import fitting
from scheduler.services.campaign_problem import Snapshot, number_of, snapshot
from tests.campaigns import store_campaign, store_wishes
from tests.demo.test_sample import MONDAY, a_session, filled

ELSEWHERE = {"group_too_big", "slot_full", "too_few_adults", "host_cap_reached"}


@pytest.fixture(scope="module")
def sample(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template
) -> Iterator[Session]:
    """The sample with wishes of every class, drawn once."""
    file = tmp_path_factory.mktemp("sample") / "visits.db"
    file.write_bytes(sqlite_template.read_bytes())
    with a_session(f"sqlite:///{file}") as session:
        filled(session, now=MONDAY)
        yield session


def wishing(session: Session, seed: int) -> int:
    """A campaign in which every class wishes; busy classes and strict schools too."""
    drawn = random.Random(seed)
    campaign = store_campaign(session, now=MONDAY, first_visit_on=date(2026, 12, 7))
    hosts = session.scalars(select(HostRow.id)).all()
    slots = session.scalars(select(SlotRow.id)).all()
    fields = session.scalars(select(FieldRow.code)).all()
    teachers = session.scalars(select(PersonRow.id)).all()
    organisers = {
        row[0]: row[1]
        for row in session.execute(
            select(VisitRow.class_id, VisitRow.organiser_id).where(
                VisitRow.state.in_(INVITED)
            )
        )
    }
    for school_class in session.scalars(select(SchoolClassRow.id)).all():
        wishes = [
            *(Wish(slot_id=each) for each in drawn.sample(list(slots), 3)),
            *(Wish(host_id=each) for each in drawn.sample(list(hosts), 3)),
            Wish(field_codes=tuple(drawn.sample(list(fields), 3)), max_km=200),
            Wish(max_km=200),
        ]
        drawn.shuffle(wishes)
        store_wishes(
            session,
            campaign,
            school_class,
            *wishes[:6],
            teacher=organisers.get(school_class) or drawn.choice(teachers),
            adults=drawn.randint(1, 5),
            support_assistants=drawn.choice((0, 0, 0, 1, 2)),
            max_km=200,
            split=drawn.choice(list(Splitting)),
            max_parts=drawn.choice((1, 2, 3)),
        )
    for school in session.scalars(select(SchoolRow)):
        school.back_by = drawn.choice((None, school.back_by))
    for offer in session.scalars(select(OfferRow)):
        offer.min_age = drawn.choice((None, None, 14, 16))
    for slot in session.scalars(select(SlotRow)):
        if drawn.random() < 1 / 4:
            slot.max_people = slot.max_students + drawn.randint(1, 5)
            slot.max_people += slot.people_taken
        slot.max_groups += drawn.choice((0, 0, 1))
    session.commit()
    return campaign


def cases_of(
    session: Session, class_id: int, teacher: int, slot_ids: Sequence[int]
) -> dict[int, fit.Case]:
    klass = visits.class_to_ask_for(session, class_id)
    assert klass is not None
    rows = session.scalars(
        select(SlotRow).where(SlotRow.id.in_(slot_ids)).options(*visits.slot_whole())
    ).all()
    cases = fitting.cases(session, klass, rows, organiser_id=teacher)
    return {case.slot.id: case for case in cases}


def lists_of(session: Session, campaign: int) -> dict[int, WishListRow]:
    rows = session.scalars(
        select(WishListRow)
        .where(WishListRow.campaign_id == campaign)
        .options(joinedload(WishListRow.school_class))
    )
    return {row.class_id: row for row in rows}


def party(row: WishListRow, case: fit.Case, students: int, group: int) -> Party:
    left = Seats(
        students=case.slot.seats.students - case.taken.students,
        people=(
            None
            if case.slot.seats.people is None
            else case.slot.seats.people - (case.taken.people or 0)
        ),
        groups=case.slot.seats.groups - case.taken.groups,
    )
    return party_of_group(
        students,
        of=Party(
            students=row.students,
            adults=row.adults,
            support_assistants=row.support_assistants,
        ),
        group_no=group,
        subgroup_size=case.rules.subgroup_size,
        school_minimum=case.school_class.min_adults,
        left=left,
    )


@pytest.mark.parametrize("seed", range(3))
def test_every_rule_of_fit_accepts_the_plan(sample, seed):
    campaign = wishing(sample, seed)

    taken = snapshot(sample, campaign, now=MONDAY)
    possible = possible_visits(Offer(taken.problem))
    plan = greedy(taken.problem, possible)

    assert verify(taken.problem, Plan(visits=plan)).is_valid
    assert len(plan) > 5
    lists = lists_of(sample, campaign)
    for visit in plan:
        row = lists[number_of(visit.class_id)]
        slots = [number_of(part.slot) for part in visit.parts]
        cases = cases_of(sample, row.class_id, row.teacher_id, slots)
        for part in visit.parts:
            case = cases[number_of(part.slot)]
            came = party(row, case, part.students, part.group)
            found = fit.refusals(replace(case, party=came), now=MONDAY, policy=Policy())
            assert [(each.code, visit) for each in found] == []


@pytest.mark.parametrize("seed", range(2))
def test_no_slot_is_forbidden_that_the_rules_allow(sample, seed):
    campaign = wishing(sample, seed + 100)

    taken = snapshot(sample, campaign, now=MONDAY)

    offer = Offer(taken.problem)
    lists = lists_of(sample, campaign)
    codes = set()
    for one in taken.problem.classes.values():
        row = lists[number_of(one.id)]
        wished = offer.wished(one)
        slots = [number_of(each.slot.id) for each in wished]
        cases = cases_of(sample, row.class_id, row.teacher_id, slots)
        for each in wished:
            case = cases[number_of(each.slot.id)]
            found = fit.refusals(case, now=MONDAY, policy=Policy())
            refused = {code.code for code in found} - ELSEWHERE
            if admits(taken.problem, one, each):
                assert not refused
            elif wide_enough(taken, row, each.slot.id):
                assert refused
            codes |= refused
    assert {"notice_too_short", "class_busy", "wednesday_afternoon"} <= codes


def wide_enough(taken: Snapshot, row: WishListRow, slot: str) -> bool:
    """Nothing beside ``fit`` denies the slot: assistants, or another field meant."""
    site = taken.problem.slots[slot].site
    one = taken.problem.classes[f"C{row.class_id}"]
    host = taken.problem.hosts[taken.problem.slots[slot].host]
    return (
        not row.support_assistants
        and "+" not in host.sector
        and one.needs <= taken.problem.sites[site].access
    )
