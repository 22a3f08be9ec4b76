"""The sample shows every state on every day it may start, and keeps cases playable."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduler.demo import history, network
from scheduler.demo.sample import load_sample
from scheduler.domain import fit
from scheduler.domain.actors import Actor, Membership, Role
from scheduler.domain.campaigns import Phase, phase
from scheduler.domain.localtime import instant, local_day
from scheduler.domain.parties import Part, Party
from scheduler.domain.policy import Policy
from scheduler.domain.refusals import Refused
from scheduler.domain.schooldays import deadline
from scheduler.domain.visits import VisitState
from scheduler.matching.fcfs import as_practised
from scheduler.matching.limits import Limits
from scheduler.matching.optimum import optimum
from scheduler.matching.possible import Offer, possible_visits
from scheduler.persistence.engine import make_engine, make_session
from scheduler.persistence.models.campaigns import CampaignRow
from scheduler.persistence.models.network import (
    AbsenceRow,
    OrganisationRow,
    SchoolClassRow,
)
from scheduler.persistence.models.offers import OfferRow, SlotRow
from scheduler.persistence.models.outbox import MessageRow, MessageState
from scheduler.persistence.models.people import MembershipRow, PersonRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.queries import seeding, visits
from scheduler.persistence.sealed import Seal
from scheduler.services import fitting
from scheduler.services.campaign_problem import snapshot
from scheduler.services.house import House
from scheduler.services.reference import load_reference
from scheduler.services.requests import Request, request_visit
from tests.conftest import SEAL_KEY

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 23, 8, 30, tzinfo=PARIS).astimezone(UTC)
DAYS = (
    datetime(2026, 9, 1, 9, tzinfo=PARIS),
    datetime(2026, 9, 12, 22, tzinfo=PARIS),
    datetime(2027, 1, 2, 12, tzinfo=PARIS),
    datetime(2027, 4, 15, 16, tzinfo=PARIS),
)


def a_session(url: str) -> Session:
    session = make_session(make_engine(url), Seal((SEAL_KEY,)))
    session.info["house"] = House(link_key=b"a key", mail_domain="visits.example")
    return session


def filled(session: Session, *, now: datetime) -> None:
    load_reference(session)
    assert load_sample(session, now=now)


@pytest.fixture(scope="module")
def monday(sqlite_template, tmp_path_factory):
    """The sample on the demo's first Monday, for all tests; one adds a request."""
    file = tmp_path_factory.mktemp("sample") / "visits.db"
    file.write_bytes(sqlite_template.read_bytes())
    session = a_session(f"sqlite:///{file}")
    filled(session, now=MONDAY)
    yield session
    session.close()
    session.get_bind().dispose()


def visit_states(session: Session) -> set[VisitState]:
    return set(session.scalars(select(VisitRow.state)))


def class_of(session: Session, key: str) -> SchoolClassRow:
    number = session.scalars(
        select(SchoolClassRow.id).where(SchoolClassRow.sample_key == key)
    ).one()
    row = visits.class_to_ask_for(session, number)
    assert row is not None
    return row


def slots_of(session: Session, host: str, day: date | None = None) -> list[SlotRow]:
    number = session.scalars(
        select(OrganisationRow.id).where(OrganisationRow.sample_key == host)
    ).one()
    first = day or date(2026, 9, 1)
    last = day or date(2027, 8, 31)
    return list(
        seeding.slots_between(
            session,
            [number],
            start=instant(first, time()),
            end=instant(last + timedelta(days=1), time()),
        )
    )


def refused(
    session: Session,
    class_key: str,
    slot: SlotRow,
    *,
    now: datetime = MONDAY,
    students: int | None = None,
) -> dict[str, dict[str, object]]:
    """Every rule that says no, with its facts."""
    klass = class_of(session, class_key)
    (case,) = fitting.cases(session, klass, [slot], organiser_id=None)
    wanted = students or klass.students
    part = Part.WHOLE if wanted == klass.students else Part.HALF
    party = Party(students=wanted, adults=4, part=part)
    found = fit.refusals(replace(case, party=party), now=now, policy=Policy())
    return {refusal.code: refusal.facts for refusal in found}


# ------------------------------------------------------------------ every day


@pytest.mark.parametrize("now", DAYS, ids=lambda now: f"{now:%d-%m}")
def test_each_state_is_shown_whatever_the_day(sqlite_url: str, now: datetime):
    session = a_session(sqlite_url)

    filled(session, now=now.astimezone(UTC))

    missing = set(VisitState) - visit_states(session)
    session.close()
    session.get_bind().dispose()
    assert missing == set()


@pytest.mark.postgres
def test_the_sample_fills_postgresql_too(postgres_url: str):
    session = a_session(postgres_url)

    filled(session, now=MONDAY)

    missing = set(VisitState) - visit_states(session)
    session.close()
    session.get_bind().dispose()
    assert missing == set()


# ------------------------------------------------------------------ what it holds


def test_each_state_is_shown_on_the_first_monday(monday: Session):
    assert visit_states(monday) == set(VisitState)


def test_it_fills_an_empty_database_only(monday: Session):
    before = monday.scalar(select(func.count(VisitRow.id)))

    assert not load_sample(monday, now=MONDAY)
    assert monday.scalar(select(func.count(VisitRow.id))) == before


def test_there_are_about_two_hundred_slots_to_come(monday: Session):
    ahead = select(func.count(SlotRow.id)).where(SlotRow.starts_at > MONDAY)

    assert 180 <= monday.scalar(ahead) <= 260


def test_every_host_has_slots_to_come(monday: Session):
    waiting = (
        select(func.count(func.distinct(OfferRow.host_id)))
        .join(SlotRow)
        .where(SlotRow.starts_at > MONDAY)
    )

    assert monday.scalar(waiting) == 30


def test_only_the_last_hours_mail_is_still_to_be_sent(monday: Session):
    waiting = monday.scalars(
        select(MessageRow).where(MessageRow.state == MessageState.WAITING)
    ).all()

    assert 3 <= len(waiting) <= 15
    assert all(row.created_at >= MONDAY - history.NEWS for row in waiting)


def test_nothing_lies_in_the_future_of_the_demo(monday: Session):
    latest = monday.scalar(select(func.max(VisitRow.updated_at)))

    assert latest <= MONDAY


def test_somebody_of_each_role_can_sign_in(monday: Session):
    roles = set(monday.scalars(select(MembershipRow.role)))

    assert roles == {Role.TEACHER, Role.HOST_CONTACT, Role.COORDINATOR}


def test_one_teacher_works_in_two_schools(monday: Session):
    rows = monday.execute(
        select(MembershipRow.person_id)
        .group_by(MembershipRow.person_id)
        .having(func.count() > 1)
    ).all()

    assert len(rows) == 1


def test_every_organisation_says_that_it_is_invented(monday: Session):
    names = monday.scalars(select(OrganisationRow.name)).all()

    assert [name for name in names if not name.endswith("(fictif)")] == []


def test_every_visit_keeps_the_hosts_cap(monday: Session):
    """Counted by hand, not by the rules that made them."""
    counted: dict[tuple[int, int, int], int] = {}
    rows = monday.execute(
        select(OfferRow.host_id, SlotRow.starts_at)
        .join(SlotRow, SlotRow.offer_id == OfferRow.id)
        .join(VisitRow, VisitRow.slot_id == SlotRow.id)
        .where(
            VisitRow.state.in_(
                [
                    VisitState.CONFIRMED,
                    VisitState.REQUESTED,
                    VisitState.MOVING,
                    VisitState.DONE,
                ]
            )
        )
    )
    for host_id, starts_at in rows:
        day = local_day(starts_at)
        key = (host_id, day.year, day.month)
        counted[key] = counted.get(key, 0) + 1

    assert max(counted.values()) <= 4


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("-", []),
        (
            "23/11-18/12 + 26/05-18/06",
            [
                (date(2026, 11, 23), date(2026, 12, 18), "PFMP"),
                (date(2027, 5, 26), date(2027, 6, 18), "PFMP"),
            ],
        ),
        (
            "stage 3e : 14/12-18/12",
            [(date(2026, 12, 14), date(2026, 12, 18), "Séquence d’observation")],
        ),
        (
            "stage 2de : 2 dernières semaines de juin",
            [(date(2027, 6, 14), date(2027, 6, 25), "Séquence d’observation")],
        ),
        ("stage avril-juin (2e et 3e année)", []),
    ],
)
def test_the_weeks_away_are_read_from_the_table(text, periods):
    assert list(network.absences(text)) == periods


def test_alternation_is_every_other_week(monday: Session):
    weeks = monday.scalars(
        select(AbsenceRow.first_on)
        .join(SchoolClassRow, SchoolClassRow.id == AbsenceRow.class_id)
        .where(SchoolClassRow.sample_key == "C13")
        .order_by(AbsenceRow.first_on)
    ).all()

    distances = {later - earlier for earlier, later in pairwise(weeks)}
    assert distances == {timedelta(days=14)}


# ------------------------------------------------------------------ DOMAIN 7.5


def test_case_1_a_class_too_big_for_one_host_fits_at_another(monday: Session):
    day = date(2027, 2, 9)
    (small,), (large,) = slots_of(monday, "H01", day), slots_of(monday, "H11", day)

    assert refused(monday, "C06", small)["group_too_big"]["most"] == 10
    assert refused(monday, "C06", small, students=8) == {}
    assert refused(monday, "C06", large) == {}


def test_case_3_a_wheelchair_cannot_enter_one_host_but_another(monday: Session):
    no, yes = slots_of(monday, "H11")[-1], slots_of(monday, "H12")[-1]

    assert (no.offer.wheelchair.value, yes.offer.wheelchair.value) == ("no", "yes")


def test_case_4_no_visit_after_the_exam(monday: Session):
    for host in ("H11", "H13"):
        (slot,) = slots_of(monday, host, date(2027, 5, 25))

        assert "after_exam" in refused(monday, "C07", slot, students=15)


def test_case_5_45_days_of_notice(monday: Session):
    asked = instant(date(2027, 1, 5), time(10))

    possible = [
        local_day(slot.starts_at)
        for slot in slots_of(monday, "H28")
        if local_day(slot.starts_at) >= date(2027, 1, 5)
        and "notice_too_short"
        not in refused(monday, "C09", slot, now=asked, students=24)
    ]

    assert len(slots_of(monday, "H28", date(2027, 1, 28))) == 1
    assert possible[0] == date(2027, 3, 9)


def test_case_8_a_host_that_comes_to_the_class(monday: Session):
    slot = slots_of(monday, "H02")[-1]

    assert "se déplace aussi en classe" in slot.offer.note


def test_case_14_a_deadline_in_the_holidays(monday: Session):
    (slot,) = slots_of(monday, "H10", date(2026, 11, 5))
    calendar = fitting.calendar_of(class_of(monday, "C07").school)

    due = deadline(
        local_day(slot.starts_at),
        days=slot.offer.name_list_days,
        created_on=date(2026, 9, 9),
        calendar=calendar,
    )

    assert due.on == date(2026, 10, 15)


def test_case_16_two_teachers_and_one_class(monday: Session):
    day = date(2027, 3, 16)
    first, second = slots_of(monday, "H11", day)[0], slots_of(monday, "H13", day)[-1]
    class_id = class_of(monday, "C06").id
    teachers = {
        person.name: Actor(
            person_id=person.id,
            name=person.name,
            memberships=frozenset(
                Membership(each.role, each.organisation_id)
                for each in monday.scalars(
                    select(MembershipRow).where(MembershipRow.person_id == person.id)
                )
            ),
        )
        for person in monday.scalars(select(PersonRow))
        if person.name in {"Claire Rousselet", "Thierry Gaudin"}
    }
    party = Party(students=15, adults=2)

    def ask(slot_id: int, teacher: str) -> None:
        request_visit(
            monday,
            Request(slot_id=slot_id, class_id=class_id, party=party),
            by=teachers[teacher],
            now=MONDAY,
        )

    first_id, second_id = first.id, second.id
    ask(first_id, "Claire Rousselet")
    with pytest.raises(Refused) as refusal:
        ask(second_id, "Thierry Gaudin")

    (busy,) = refusal.value.refusals
    assert busy.code == "class_busy"
    assert busy.facts["organiser"] == "Claire Rousselet"


def test_twenty_classes_wait_for_the_first_plan(monday: Session):
    names = monday.scalars(select(CampaignRow).order_by(CampaignRow.id)).all()
    full, coming = (each.as_domain() for each in names)

    assert phase(full, now=MONDAY) is Phase.CLOSED
    assert phase(coming, now=MONDAY) is Phase.WISHING

    problem = snapshot(monday, full.id, now=MONDAY).problem
    possible = possible_visits(Offer(problem))
    best = optimum(problem, possible, Limits())
    queue = {each.class_id for each in as_practised(problem, possible)}

    assert len(problem.classes) == 20
    assert all(level.is_proven for level in best.levels.values())
    assert len({each.class_id for each in best.visits}) > len(queue)
    small = {
        problem.slots[part.slot].host
        for each in best.visits
        if len(each.parts) > 1
        for part in each.parts
    }
    assert any(problem.hosts[host].kind == "TPE" for host in small)
