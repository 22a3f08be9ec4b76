"""The only commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session


@contextmanager
def transaction(session: Session) -> Iterator[None]:
    """All or nothing, and alone.

    What was read before is dropped, so that everything is read again under the locks
    (rows that were loaded earlier must not be used inside). On SQLite the transaction
    begins immediate: writers queue for the one lock instead of failing half-way.
    """
    session.rollback()
    session.connection(execution_options={"writes": True})
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def rehearsal(session: Session) -> Iterator[None]:
    """Like a transaction, but nothing of it stays."""
    session.rollback()
    session.connection(execution_options={"writes": True})
    try:
        yield
        session.flush()
    finally:
        session.rollback()
