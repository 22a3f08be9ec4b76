"""add campaigns: rules, wish lists, runs, placements; indexes for long queues of mail

Expand: nothing that was there changes its meaning.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "state",
            _enum(
                "draft",
                "announced",
                "publishing",
                "published",
                "ended",
                name="campaignstate",
            ),
            nullable=False,
        ),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("allocation_on", sa.Date(), nullable=False),
        sa.Column("first_visit_on", sa.Date(), nullable=False),
        sa.Column("last_visit_on", sa.Date(), nullable=False),
        sa.Column("level_codes", sa.JSON(), nullable=False),
        sa.Column("school_quota", sa.Integer(), nullable=True),
        sa.Column("visits_per_class", sa.Integer(), nullable=False),
        sa.Column("most_wishes", sa.Integer(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("far_km", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("min_group", sa.Integer(), nullable=False),
        sa.Column("near_m", sa.Integer(), nullable=False),
        sa.Column("parallel_min", sa.Integer(), nullable=False),
        sa.Column("gap_min", sa.Integer(), nullable=False),
        sa.Column("walk_min", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sample_key", sa.Text(), nullable=True),
        sa.CheckConstraint("first_visit_on <= last_visit_on", name="ck_campaign_term"),
        sa.CheckConstraint("most_wishes > 0", name="ck_campaign_most_wishes"),
        sa.CheckConstraint("opens_at < closes_at", name="ck_campaign_wishing"),
        sa.CheckConstraint("school_quota > 0", name="ck_campaign_school_quota"),
        sa.CheckConstraint("visits_per_class > 0", name="ck_campaign_visits_per_class"),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
        sa.UniqueConstraint("sample_key", name="uq_campaign_sample_key"),
    )
    op.create_table(
        "match_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("based_on_id", sa.Integer(), nullable=True),
        sa.Column(
            "purpose",
            _enum("plan", "repair", "second_round", "what_if", name="runpurpose"),
            nullable=False,
        ),
        sa.Column(
            "state",
            _enum(
                "queued",
                "running",
                "done",
                "stopped",
                "interrupted",
                "failed",
                name="runstate",
            ),
            nullable=False,
        ),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("added", sa.JSON(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("problem", sa.LargeBinary(), nullable=True),
        sa.Column("plan", sa.LargeBinary(), nullable=True),
        sa.Column("queue_plan", sa.LargeBinary(), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["person.id"], name="fk_match_run_asked_by_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["based_on_id"], ["match_run.id"], name="fk_match_run_based_on_id_match_run"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="fk_match_run_campaign_id_campaign"
        ),
        sa.ForeignKeyConstraint(
            ["published_by_id"],
            ["person.id"],
            name="fk_match_run_published_by_id_person",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_match_run"),
    )
    op.create_index("ix_match_run_campaign_id", "match_run", ["campaign_id"])
    op.create_index("ix_match_run_state", "match_run", ["state"])

    op.create_table(
        "match_outcome",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("metres", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"],
            ["school_class.id"],
            name="fk_match_outcome_class_id_school_class",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["match_run.id"], name="fk_match_outcome_run_id_match_run"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_match_outcome"),
        sa.UniqueConstraint("run_id", "class_id", name="uq_match_outcome_run_id"),
    )
    op.create_index("ix_match_outcome_class_id", "match_outcome", ["class_id"])

    op.create_table(
        "placement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("visit_no", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            _enum("waiting", "placed", "refused", "replaced", name="placementstate"),
            nullable=False,
        ),
        sa.Column("refusals", sa.JSON(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="fk_placement_campaign_id_campaign"
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_class.id"], name="fk_placement_class_id_school_class"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["match_run.id"], name="fk_placement_run_id_match_run"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_placement"),
        sa.UniqueConstraint(
            "run_id", "class_id", "visit_no", name="uq_placement_run_id"
        ),
    )
    op.create_index("ix_placement_campaign_id", "placement", ["campaign_id"])
    op.create_index("ix_placement_class_id", "placement", ["class_id"])

    op.create_table(
        "campaign_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column(
            "audience",
            _enum("teacher", "host", "student", name="audience"),
            nullable=False,
        ),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_campaign_letter_person_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["match_run.id"], name="fk_campaign_letter_run_id_match_run"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_letter"),
        sa.UniqueConstraint(
            "run_id", "person_id", "audience", name="uq_campaign_letter_run_id"
        ),
    )

    op.create_table(
        "wish_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            _enum("submitted", "withdrawn", name="wishliststate"),
            nullable=False,
        ),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("adults", sa.Integer(), nullable=False),
        sa.Column("support_assistants", sa.Integer(), nullable=False),
        sa.Column(
            "split",
            _enum("none", "same_host", "nearby", "rotation", name="splitting"),
            nullable=False,
        ),
        sa.Column("max_parts", sa.Integer(), nullable=False),
        sa.Column("max_km", sa.Integer(), nullable=False),
        sa.Column("wheelchair", sa.Boolean(), nullable=False),
        sa.Column("absent", sa.JSON(), nullable=False),
        sa.Column("leave_from", sa.Time(), nullable=True),
        sa.Column("back_by", sa.Time(), nullable=True),
        sa.Column("arrangements", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("arrival", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("adults >= 0", name="ck_wish_list_adults"),
        sa.CheckConstraint("max_km > 0", name="ck_wish_list_max_km"),
        sa.CheckConstraint("max_parts > 0", name="ck_wish_list_max_parts"),
        sa.CheckConstraint("students > 0", name="ck_wish_list_students"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="fk_wish_list_campaign_id_campaign"
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_class.id"], name="fk_wish_list_class_id_school_class"
        ),
        sa.ForeignKeyConstraint(
            ["teacher_id"], ["person.id"], name="fk_wish_list_teacher_id_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_wish_list"),
        sa.UniqueConstraint("campaign_id", "class_id", name="uq_wish_list_campaign_id"),
    )
    op.create_index("ix_wish_list_campaign_id", "wish_list", ["campaign_id"])
    op.create_index("ix_wish_list_class_id", "wish_list", ["class_id"])
    op.create_index("ix_wish_list_teacher_id", "wish_list", ["teacher_id"])

    op.create_table(
        "match_pin",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=False),
        sa.Column("kind", _enum("pin", "forbid", name="pinkind"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["person.id"], name="fk_match_pin_by_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="fk_match_pin_campaign_id_campaign"
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_class.id"], name="fk_match_pin_class_id_school_class"
        ),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["slot.id"], name="fk_match_pin_slot_id_slot"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_match_pin"),
        sa.UniqueConstraint(
            "campaign_id", "class_id", "slot_id", name="uq_match_pin_campaign_id"
        ),
    )
    op.create_index("ix_match_pin_campaign_id", "match_pin", ["campaign_id"])

    op.create_table(
        "match_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=True),
        sa.Column("added_slot", sa.Text(), nullable=False),
        sa.Column("visit_no", sa.Integer(), nullable=False),
        sa.Column("group_no", sa.Integer(), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"],
            ["school_class.id"],
            name="fk_match_place_class_id_school_class",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["match_run.id"], name="fk_match_place_run_id_match_run"
        ),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["slot.id"], name="fk_match_place_slot_id_slot"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_match_place"),
    )
    op.create_index(
        "ix_match_place_run_id_class_id", "match_place", ["run_id", "class_id"]
    )
    op.create_index("ix_match_place_slot_id", "match_place", ["slot_id"])

    op.create_table(
        "wish",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("wish_list_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=True),
        sa.Column("host_id", sa.Integer(), nullable=True),
        sa.Column("field_codes", sa.JSON(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=True),
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("max_km", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_wish_host_id_host"),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name="fk_wish_slot_id_slot"),
        sa.ForeignKeyConstraint(
            ["wish_list_id"], ["wish_list.id"], name="fk_wish_wish_list_id_wish_list"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_wish"),
        sa.UniqueConstraint("wish_list_id", "position", name="uq_wish_wish_list_id"),
    )
    op.create_index("ix_wish_host_id", "wish", ["host_id"])
    op.create_index("ix_wish_slot_id", "wish", ["slot_id"])

    op.execute(
        "ALTER TABLE visit ADD COLUMN placement_id INTEGER "
        "CONSTRAINT fk_visit_placement_id_placement REFERENCES placement (id)"
    )
    op.execute("ALTER TABLE visit ADD COLUMN group_no INTEGER")
    op.create_index("ix_visit_placement_id", "visit", ["placement_id"])

    # A long queue of mail is read in the order of an index, never sorted.
    op.drop_index("ix_message_state_due_at", "message")
    op.create_index("ix_message_state_due_at_id", "message", ["state", "due_at", "id"])
    to_an_adult = sa.text("person_id IS NOT NULL")
    op.create_index(
        "ix_message_person_id",
        "message",
        ["person_id"],
        sqlite_where=to_an_adult,
        postgresql_where=to_an_adult,
    )
    waited_for = sa.text("kind = 'sign_in' AND state != 'sent'")
    op.create_index(
        "ix_message_waited_for",
        "message",
        ["due_at", "id"],
        sqlite_where=waited_for,
        postgresql_where=waited_for,
    )


def downgrade() -> None:
    op.drop_index("ix_message_waited_for", "message")
    op.drop_index("ix_message_person_id", "message")
    op.drop_index("ix_message_state_due_at_id", "message")
    op.create_index("ix_message_state_due_at", "message", ["state", "due_at"])

    op.drop_index("ix_visit_placement_id", "visit")
    op.execute("ALTER TABLE visit DROP COLUMN group_no")
    op.execute("ALTER TABLE visit DROP COLUMN placement_id")
    for table in (
        "campaign_letter",
        "wish",
        "match_place",
        "match_pin",
        "wish_list",
        "placement",
        "match_outcome",
        "match_run",
        "campaign",
    ):
        op.drop_table(table)


def _enum(*values: str, name: str) -> sa.Enum:
    return sa.Enum(
        *values, name=name, native_enum=False, create_constraint=True, length=40
    )
