"""What a long queue costs: who sends reads an index, and sorts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from scheduler.domain.sending import WAITED_FOR
from scheduler.persistence.models.outbox import MessageRow
from scheduler.persistence.queries import outbox as queries
from scheduler.services.house import House
from tests.rows import NOW
from tests.services.letters import store_note

LONG = 100_000
SORTS = ("TEMP B-TREE", "Sort")
READS_ALL = ("SCAN message'", "SCAN message_1'", "(rowid>?)", "Seq Scan on message")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def queue(session: Session) -> Session:
    """A long queue that is all due at the same moment, as after one great change."""
    session.info["house"] = House(link_key=b"a key")
    store_note(session, "first@example.org", now=NOW)
    copy(session, LONG)
    if is_postgres(session):
        # As its own housekeeping does; SQLite has none.
        session.execute(sa.text("ANALYZE"))
    session.commit()
    return session


def copy(session: Session, times: int) -> None:
    """The one message as often as that."""
    table = MessageRow.__table__
    numbers = sa.select(sa.literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(
        sa.select(numbers.c.n + 1).where(numbers.c.n < times - 1)
    )
    names = [each.name for each in table.columns if each.name != "id"]
    copied = [
        table.c[name]
        if name != "message_id"
        else sa.cast(numbers.c.n, sa.Text) + "@copy"
        for name in names
    ]
    session.execute(
        sa.insert(table).from_select(
            names, sa.select(*copied).join_from(table, numbers, sa.true())
        )
    )


@contextmanager
def listening(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are said meanwhile, with their parameters."""
    said: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, parameters: Any, *_more: Any) -> None:
        said.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan(session: Session, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN " if is_postgres(session) else "EXPLAIN QUERY PLAN "
    rows = session.connection().exec_driver_sql(explain + statement, parameters)
    return "\n".join(str(row) for row in rows)


def is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


@pytest.mark.parametrize("besides", [(), ("a-domain", "another")])
def test_a_long_queue_is_neither_sorted_nor_read_whole(
    queue: Session, besides: tuple[str, ...]
):
    with listening(queue) as said:
        assert queries.has_due(queue, now=NOW)
        found = queries.due(queue, now=NOW + MINUTE, limit=50, besides=besides)

    assert [row.id for row in found] == list(range(1, 51))
    plans = [plan(queue, *each) for each in said]
    assert [each for each in plans if any(word in each for word in SORTS)] == []
    assert [each for each in plans if any(word in each for word in READS_ALL)] == []


def test_what_somebody_waits_for_comes_first_out_of_a_long_queue(queue: Session):
    for number, kind in enumerate(sorted(WAITED_FOR)):
        row = queue.get_one(MessageRow, store_note(queue, "b@example.org", now=NOW))
        row.kind, row.due_at = kind, NOW + number * MINUTE
    queue.commit()

    found = queries.due(queue, now=NOW + MINUTE, limit=50)

    first = [row.kind for row in found[: len(WAITED_FOR)]]
    assert first == sorted(WAITED_FOR)
    assert found[len(WAITED_FOR)].id == 1
    assert len({row.id for row in found}) == 50
