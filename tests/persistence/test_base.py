"""Instants, enums and relationships: what every table can rely on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, InvalidRequestError, StatementError
from sqlalchemy.orm import Session, class_mapper

from scheduler.domain.slots import SlotState
from scheduler.persistence.base import Base, UtcDateTime
from scheduler.persistence.models.access import TryRow
from scheduler.persistence.models.offers import SlotRow
from scheduler.persistence.models.people import PersonRow

BRAZIL = timezone(timedelta(hours=-3))


def test_an_instant_without_a_zone_is_refused(session: Session):
    session.add(TryRow(key="key", since=datetime(2027, 1, 12, 9), count=1))  # noqa: DTZ001 - the point

    with pytest.raises(StatementError, match="naive datetime"):
        session.flush()


def test_an_instant_comes_back_in_utc(session: Session):
    session.add(
        TryRow(key="key", since=datetime(2027, 1, 12, 6, tzinfo=BRAZIL), count=1)
    )
    session.commit()

    since = session.get_one(TryRow, "key").since

    assert since == datetime(2027, 1, 12, 9, tzinfo=UTC)
    assert since.tzinfo is UTC


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moment=st.datetimes(
        datetime(2026, 1, 1),  # noqa: DTZ001 - the zone is drawn apart
        datetime(2030, 1, 1),  # noqa: DTZ001
        timezones=st.timezones(),
        allow_imaginary=False,
    ),
    later=st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
)
def test_instants_keep_their_order_in_the_database(session: Session, moment, later):
    session.rollback()
    instant = moment.astimezone(UTC)
    session.add(TryRow(key="key", since=moment, count=1))
    session.flush()

    before = sa.select(TryRow.since).where(TryRow.since < instant + later)
    after = sa.select(TryRow.since).where(TryRow.since > instant - later)

    assert session.scalars(before).all() == [instant]
    assert session.scalars(after).all() == [instant]


def test_every_instant_of_the_schema_is_of_that_type():
    loose = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.DateTime)
        and not isinstance(column.type, UtcDateTime)
    ]

    assert loose == []


def test_every_constraint_has_a_name():
    unnamed = [
        f"{table.name}: {constraint}"
        for table in Base.metadata.sorted_tables
        for constraint in table.constraints
        if constraint.name is None
    ]

    assert unnamed == []


def test_every_state_is_checked_by_the_database_by_its_value(session: Session, world):
    row = session.get_one(SlotRow, world.slots[0])
    assert row.state is SlotState.OPEN
    raw = session.scalar(sa.text("SELECT state FROM slot ORDER BY id LIMIT 1"))
    assert raw == "open"

    with pytest.raises(IntegrityError, match="slotstate"):
        session.execute(sa.text("UPDATE slot SET state = 'OPEN'"))


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE slot SET ends_at = starts_at", "ck_slot_order"),
        ("UPDATE slot SET students_taken = max_students + 1", "ck_slot_students"),
        ("UPDATE slot SET max_people = 5, people_taken = 6", "ck_slot_people"),
        ("UPDATE slot SET groups_taken = max_groups + 1", "ck_slot_groups"),
        ("UPDATE slot SET students_taken = -1", "ck_slot_taken"),
        ("UPDATE offer SET max_students = 0", "ck_offer_max_students"),
        ("UPDATE offer SET subgroup_size = 0", "ck_offer_subgroup_size"),
        ("UPDATE offer SET max_groups = 0", "ck_offer_max_groups"),
        ("UPDATE host SET cap_per_day = 0", "ck_host_cap_per_day"),
        ("UPDATE host SET cap_per_month = 0", "ck_host_cap_per_month"),
        ("UPDATE host SET cap_per_year = -1", "ck_host_cap_per_year"),
        ("UPDATE school_class SET students = 0", "ck_school_class_students"),
        ("UPDATE witness SET gender = 'X'", "ck_witness_gender"),
        ("UPDATE commune SET density_level = 8", "ck_commune_density_level"),
        (
            "UPDATE closure SET first_on = '2027-01-02', last_on = '2027-01-01'",
            "ck_closure_order",
        ),
    ],
)
def test_the_database_refuses_what_must_never_be(
    session: Session, world, statement: str, name: str
):
    with pytest.raises(IntegrityError) as refusal:
        session.execute(sa.text(statement))

    assert name in str(refusal.value.orig)


def test_the_database_keeps_references_whole(session: Session, world):
    with pytest.raises(IntegrityError):
        session.execute(sa.text("DELETE FROM offer"))


def test_an_address_belongs_to_one_person(session: Session, world):
    session.add(
        PersonRow(name="Autre", email=world.teacher.email, created_at=datetime.now(UTC))
    )

    with pytest.raises(IntegrityError):
        session.flush()


def test_nothing_is_loaded_that_was_not_asked_for():
    lazy = [
        f"{mapper.class_.__name__}.{relation.key}"
        for mapper in Base.registry.mappers
        for relation in class_mapper(mapper.class_).relationships
        if relation.lazy != "raise"
    ]

    assert lazy == []


def test_a_relationship_that_was_not_loaded_raises(session: Session, world):
    slot = session.get_one(SlotRow, world.slots[0])

    with pytest.raises(InvalidRequestError, match="raise"):
        _ = slot.offer


def test_dates_stay_dates(engine: Engine, session: Session, world):
    first = session.scalars(
        sa.select(sa.column("first_on", sa.Date))
        .select_from(sa.table("closure"))
        .order_by(sa.column("first_on"))
        .limit(1)
    ).one()

    assert first == date(2026, 1, 1)
