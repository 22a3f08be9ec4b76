"""add answers, received mail, feeds of adults, and what delivery needs

Columns are added in SQL, with their constraints beside them: both databases take that,
and SQLite need not rebuild a table (which would lose its CHECKs).

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ANSWERS = ("accepted", "tentative", "declined")
WAYS = ("mail", "page")
EFFECTS = ("accept", "tentative", "decline", "ignore", "reject", "bounce")
FEED_KINDS = ("teacher", "school", "host", "campus")
RHYTHMS = ("at_once", "daily")

TEXT = "TEXT DEFAULT '' NOT NULL"
WHEN = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP WITH TIME ZONE"}
TRUE = {"sqlite": "1", "postgresql": "true"}
FALSE = {"sqlite": "0", "postgresql": "false"}


def columns() -> tuple[tuple[str, str, str], ...]:
    """Table, column, definition."""
    dialect = op.get_bind().dialect.name
    when, yes, no = WHEN[dialect], TRUE[dialect], FALSE[dialect]
    return (
        (
            "person",
            "mail_rhythm",
            _choice("person", "mail_rhythm", RHYTHMS, "at_once"),
        ),
        ("person", "reminders", f"BOOLEAN DEFAULT {yes} NOT NULL"),
        ("person", "summaries", f"BOOLEAN DEFAULT {yes} NOT NULL"),
        ("person", "digested_at", when),
        ("visit", "students_answer", f"BOOLEAN DEFAULT {yes} NOT NULL"),
        ("visit", "below_minimum_at", when),
        ("invitation", "shared", f"BOOLEAN DEFAULT {no} NOT NULL"),
        ("invitation", "time_sequence", "INTEGER DEFAULT 0 NOT NULL"),
        ("invitation", "answer", _choice("invitation", "answer", ANSWERS)),
        (
            "invitation",
            "answer_way",
            _choice("invitation", "answer_way", WAYS),
        ),
        ("invitation", "answered_at", when),
        ("invitation", "answer_sequence", "INTEGER"),
        ("invitation", "answer_dtstamp", when),
        ("invitation", "answer_comment", TEXT),
        ("addressee", "shared", f"BOOLEAN DEFAULT {no} NOT NULL"),
        ("addressee", "reminders", f"BOOLEAN DEFAULT {yes} NOT NULL"),
        (
            "message",
            "person_id",
            "INTEGER CONSTRAINT fk_message_person_id_person REFERENCES person (id)",
        ),
        ("message", "for_digest", f"BOOLEAN DEFAULT {no} NOT NULL"),
        ("message", "domain_digest", TEXT),
        ("message", "bounced_at", when),
        ("message", "bounce_status", TEXT),
        (
            "offer",
            "min_students",
            (
                "INTEGER DEFAULT 1 NOT NULL "
                "CONSTRAINT ck_offer_min_students CHECK (min_students > 0)"
            ),
        ),
        ("message", "first_tried_at", when),
    )


def _choice(table: str, column: str, values: tuple[str, ...], first: str = "") -> str:
    known = ", ".join(f"'{value}'" for value in values)
    given = f" DEFAULT '{first}' NOT NULL" if first else ""
    name = f"ck_{table}_{column.replace('_', '')}"
    return f"VARCHAR(40){given} CONSTRAINT {name} CHECK ({column} IN ({known}))"


def _key(column: str, to: str) -> sa.ForeignKeyConstraint:
    name = f"fk_received_{column}_{to}"
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name)


def upgrade() -> None:
    for table, name, definition in columns():
        op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {definition}")
    op.create_index("ix_message_sent_at", "message", ["sent_at"])
    op.create_table(
        "received",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("octets_digest", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("effect", _enum(EFFECTS, "effect"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("invitation_id", sa.Integer(), nullable=True),
        sa.Column("bounced_id", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("dtstamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("proposed_starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("for_person", sa.Boolean(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.Integer(), nullable=True),
        _key("visit_id", "visit"),
        _key("invitation_id", "invitation"),
        _key("bounced_id", "message"),
        _key("settled_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_received"),
        sa.UniqueConstraint("octets_digest", name="uq_received_octets_digest"),
    )
    for column in ("message_id", "received_at", "visit_id", "invitation_id"):
        op.create_index(f"ix_received_{column}", "received", [column])
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", _enum(FEED_KINDS, "feedkind"), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_feed_person_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name="fk_feed_organisation_id_organisation",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_feed"),
        sa.UniqueConstraint(
            "kind", "person_id", "organisation_id", name="uq_feed_kind"
        ),
    )
    op.create_index("ix_feed_person_id", "feed", ["person_id"])


def downgrade() -> None:
    op.drop_table("feed")
    op.drop_table("received")
    op.drop_index("ix_message_sent_at", "message")
    for table, name, _ in reversed(columns()):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")


def _enum(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(
        *values, name=name, native_enum=False, create_constraint=True, length=40
    )
