"""A service that has been in use since the first revision is brought to the newest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from scheduler.domain.visits import CancelReason, VisitState
from scheduler.persistence import migrate
from scheduler.persistence.base import Base
from scheduler.persistence.engine import make_engine, make_session
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.models.visits import VisitRow
from scheduler.persistence.sealed import Seal
from scheduler.services import requests
from scheduler.services.house import House
from scheduler.services.students import set_addresses
from tests import rows

FIRST = "0001"
ADDRESSES = ["lea@example.org", "tom@example.org"]
Contents = dict[str, list[tuple[Any, ...]]]


def opened(engine: Engine, seal: Seal) -> Session:
    session = make_session(engine, seal)
    session.info["house"] = House(link_key=b"a key")
    return session


def in_use(session: Session) -> tuple[rows.World, int]:
    """Three schools' classes with a visit each; the agreed one has its students."""
    world = rows.store_world(session)
    agreed = rows.visit_in(session, world, VisitState.CONFIRMED)
    set_addresses(session, agreed, ADDRESSES, by=world.teacher.actor, now=rows.NOW)
    for number, state, school_class, by in (
        (1, VisitState.CANCELLED_BY_SCHOOL, world.second_class, world.colleague),
        (2, VisitState.DECLINED, world.other_class, world.other_teacher),
    ):
        rows.visit_in(
            session,
            world,
            state,
            slot=world.slots[number],
            school_class=school_class,
            by=by,
        )
    session.rollback()
    return world, agreed


def give_back_numbers(engine: Engine, filled: Contents) -> None:
    """PostgreSQL counts on from what was put in by hand."""
    if engine.dialect.name != "postgresql":
        return
    with engine.begin() as connection:
        for name in filled:
            counter = connection.scalar(
                sa.text(
                    "SELECT pg_get_serial_sequence(:name, column_name) FROM "
                    "information_schema.columns WHERE table_name = :name "
                    "AND column_name = 'id' AND table_schema = current_schema()"
                ),
                {"name": name},
            )
            if counter and filled[name]:
                last = max(row[0] for row in filled[name])
                connection.execute(
                    sa.text("SELECT setval(:counter, :last)"),
                    {"counter": counter, "last": last},
                )


def tables(engine: Engine) -> list[sa.TableClause]:
    """Those of the database, in the order of their keys, with the types of today."""
    there = sa.inspect(engine)
    names = set(there.get_table_names())
    return [
        sa.table(
            table.name,
            *(
                sa.column(each["name"], table.columns[each["name"]].type)
                for each in there.get_columns(table.name)
            ),
        )
        for table in Base.metadata.sorted_tables
        if table.name in names
    ]


def contents(engine: Engine, wanted: Iterable[sa.TableClause]) -> Contents:
    with engine.connect() as connection:
        return {
            table.name: sorted(
                (tuple(row) for row in connection.execute(sa.select(*table.columns))),
                key=repr,
            )
            for table in wanted
        }


@pytest.fixture
def filled(sqlite_url: str, seal: Seal) -> Iterator[tuple[Engine, rows.World, int]]:
    """Real rows, made by the services of today."""
    engine = make_engine(sqlite_url)
    with opened(engine, seal) as session:
        world, agreed = in_use(session)
    yield engine, world, agreed
    engine.dispose()


def test_what_was_stored_at_the_first_revision_is_there_at_the_newest(
    filled: tuple[Engine, rows.World, int], empty_engine: Engine, seal: Seal
):
    source, world, agreed = filled
    migrate.upgrade(empty_engine, FIRST)
    first = tables(empty_engine)
    stored = contents(source, first)
    with empty_engine.begin() as connection:
        for table in first:
            names = [column.name for column in table.columns]
            for row in stored[table.name]:
                connection.execute(
                    table.insert().values(dict(zip(names, row, strict=True)))
                )
    assert contents(empty_engine, first) == stored

    migrate.upgrade(empty_engine)

    assert contents(empty_engine, first) == stored
    command.check(migrate.alembic_config(empty_engine))
    give_back_numbers(empty_engine, stored)
    with opened(empty_engine, seal) as session:
        for mapper in Base.registry.mappers:
            session.scalars(sa.select(mapper.class_)).all()
        told = session.scalar(sa.select(sa.func.count(MessageRow.id))) or 0
        requests.cancel_by_school(
            session,
            agreed,
            reason=CancelReason.TRANSPORT,
            note="",
            by=world.teacher.actor,
            now=rows.NOW,
        )
        row = session.get_one(VisitRow, agreed)
        assert row.state is VisitState.CANCELLED_BY_SCHOOL
        news = session.scalar(sa.select(sa.func.count(MessageRow.id))) or 0
        assert news - told == len(ADDRESSES) + 3
