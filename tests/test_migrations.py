"""The chain of migrations: one head, each step both ways, no row lost on the way."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.engine import Engine

from scheduler import paths
from scheduler.persistence import migrate
from scheduler.persistence.engine import make_engine

VERSIONS = paths.MIGRATIONS / "versions"
FILES = sorted(VERSIONS.glob("*.py"))
LATER = [file.name[:4] for file in FILES[1:]]

REBUILD_EVERY_TABLE = '''"""rebuild every table, as a batch migration of each would"""

import sqlalchemy as sa
from alembic import op

revision = "rebuild"
down_revision = "{head}"


def upgrade():
    for name in sa.inspect(op.get_bind()).get_table_names():
        if name != "alembic_version":
            with op.batch_alter_table(name, recreate="always"):
                pass


def downgrade():
    pass
'''

A_VALUE = {
    sa.JSON: {},
    sa.Boolean: True,
    sa.Integer: 1,
    sa.Float: 1.0,
    sa.Numeric: 1,
    sa.DateTime: datetime(2027, 1, 12, tzinfo=UTC),
    sa.Date: date(2027, 1, 12),
    sa.Time: time(9, 0),
    sa.LargeBinary: b"1",
    sa.String: "1",
}


def tables_of(engine: Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names()) - {"alembic_version"}


def a_value(kind: sa.types.TypeEngine) -> object:
    return next(value for known, value in A_VALUE.items() if isinstance(kind, known))


def fill_every_table(engine: Engine) -> None:
    """One row each; all keys are 1, so every foreign key finds its parent."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
        for name in tables_of(engine):
            table = metadata.tables[name]
            row = {column.name: a_value(column.type) for column in table.columns}
            connection.execute(table.insert().values(row))
        connection.commit()
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        connection.rollback()
        connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=ON")


def rows_by_table(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar()  # noqa: S608 - names come from the schema
            for name in tables_of(engine)
        }


@pytest.fixture
def unchecked_engine(tmp_path: Path) -> Iterator[Engine]:
    """SQLite that takes any value in a row, so that rows can be made blindly."""
    engine = make_engine(f"sqlite:///{tmp_path / 'filled.db'}")

    @event.listens_for(engine, "connect")
    def _take_any_value(connection, _record):
        connection.execute("PRAGMA ignore_check_constraints=ON")

    yield engine
    engine.dispose()


def test_there_is_one_head():
    assert len(ScriptDirectory(str(paths.MIGRATIONS)).get_heads()) == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_migration_is_numbered_and_knows_nothing_of_the_application(file: Path):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    script = ScriptDirectory(str(paths.MIGRATIONS)).get_revision(file.name[:4])

    assert {name.split(".")[0] for name in modules} <= {
        "__future__",
        "alembic",
        "sqlalchemy",
    }
    assert script is not None
    assert Path(script.path).name == file.name


def test_the_schema_can_go_up_down_and_up_again(empty_engine: Engine):
    migrate.upgrade(empty_engine)
    tables = tables_of(empty_engine)

    migrate.downgrade(empty_engine, "base")
    left = tables_of(empty_engine)
    migrate.upgrade(empty_engine)

    assert left == set()
    assert tables_of(empty_engine) == tables


def test_the_models_equal_the_schema(engine: Engine):
    """Alembic raises with the list of differences."""
    command.check(migrate.alembic_config(engine))


def test_rebuilding_every_table_loses_no_row(unchecked_engine: Engine, tmp_path: Path):
    """SQLite alters a table by dropping the old one; cascades would empty others."""
    migrate.upgrade(unchecked_engine)
    fill_every_table(unchecked_engine)
    before = rows_by_table(unchecked_engine)
    config = migrate.alembic_config(unchecked_engine)
    head = migrate.head(unchecked_engine)
    (tmp_path / "rebuild.py").write_text(REBUILD_EVERY_TABLE.format(head=head))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", f"{VERSIONS}{os.pathsep}{tmp_path}")

    command.upgrade(config, "rebuild")

    assert set(before.values()) == {1}
    assert rows_by_table(unchecked_engine) == before


def test_a_step_down_and_up_keeps_the_rows_of_other_tables(unchecked_engine: Engine):
    for revision in LATER:
        migrate.upgrade(unchecked_engine, revision)
        fill_every_table(unchecked_engine)

        migrate.downgrade(unchecked_engine, "-1")
        kept = rows_by_table(unchecked_engine)
        migrate.upgrade(unchecked_engine, revision)

        assert set(kept.values()) == {1}, revision
        assert rows_by_table(unchecked_engine).items() >= kept.items(), revision
        migrate.downgrade(unchecked_engine, "base")
