"""What SQLAlchemy has compiled, shared by every engine of a test process.

An engine keeps its compiled statements for itself, and each test has engines of its
own: three quarters of a test went into compiling the same statements once more. A
statement is found again under its dialect, so the engines share that, too.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Dialect, Engine, create

make_alone = sa.create_engine
connected: dict[str, Dialect] = {}
statements: dict[Any, Any] = {}


def create_engine(url: Any, **options: Any) -> Engine:
    """``sqlalchemy.create_engine``; the engine compiles nothing that another has."""
    engine = make_alone(url, **options)
    if "isolation_level" in options:  # a property of the dialect
        return engine
    engine.update_execution_options(compiled_cache=statements)
    name = engine.dialect.name
    if name in connected:
        engine.dialect = connected[name]
    else:
        _learn(engine, name)
    return engine


def share() -> None:
    """From now on, whoever makes an engine: we or Flask-SQLAlchemy."""
    sa.create_engine = create.create_engine = create_engine


def _learn(engine: Engine, name: str) -> None:
    """A dialect is whole, and fit to be shared, once it has met its server."""

    @event.listens_for(engine, "connect", once=True)
    def connect(_connection: object, _record: object) -> None:
        connected.setdefault(name, engine.dialect)
