"""create everything

Expand: nothing was there before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("known_until", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("base_code", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["base_code"],
            ["calendar.code"],
            name=op.f("fk_calendar_base_code_calendar"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_calendar")),
    )
    op.create_table(
        "commune",
        sa.Column("insee", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("postcodes", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("approximate", sa.Boolean(), nullable=False),
        sa.Column("density_level", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "density_level between 1 and 7", name=op.f("ck_commune_density_level")
        ),
        sa.PrimaryKeyConstraint("insee", name=op.f("pk_commune")),
    )
    with op.batch_alter_table("commune", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_commune_department"), ["department"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_commune_name"), ["name"], unique=False)

    op.create_table(
        "field",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_field")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "level",
        sa.Column("grade_rank", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("exam_block", sa.Boolean(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_level")),
    )
    op.create_table(
        "offer_kind",
        sa.Column("bookable", sa.Boolean(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_offer_kind")),
    )
    op.create_table(
        "organisation_kind",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_organisation_kind")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "ppe",
        sa.Column("phrase_fr", sa.Text(), nullable=False),
        sa.Column("phrase_en", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_ppe")),
    )
    op.create_table(
        "school_kind",
        sa.Column("is_college", sa.Boolean(), nullable=False),
        sa.Column("own_calendar", sa.Boolean(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_school_kind")),
    )
    op.create_table(
        "tried",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_tried")),
    )
    op.create_table(
        "closure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("calendar_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_fr", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.CheckConstraint("first_on <= last_on", name=op.f("ck_closure_order")),
        sa.ForeignKeyConstraint(
            ["calendar_code"],
            ["calendar.code"],
            name=op.f("fk_closure_calendar_code_calendar"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure")),
    )
    with op.batch_alter_table("closure", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_closure_calendar_code"), ["calendar_code"], unique=False
        )

    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("commune_insee", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("website", sa.Text(), nullable=False),
        sa.Column("founding_member", sa.Boolean(), nullable=False),
        sa.Column("sample_key", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["commune_insee"],
            ["commune.insee"],
            name=op.f("fk_organisation_commune_insee_commune"),
        ),
        sa.ForeignKeyConstraint(
            ["kind_code"],
            ["organisation_kind.code"],
            name=op.f("fk_organisation_kind_code_organisation_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("sample_key", name=op.f("uq_organisation_sample_key")),
    )
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_organisation_commune_insee"), ["commune_insee"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_organisation_name"), ["name"], unique=False
        )

    op.create_table(
        "signed_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_signed_in_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_in")),
        sa.UniqueConstraint("digest", name=op.f("uq_signed_in_digest")),
    )
    with op.batch_alter_table("signed_in", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_signed_in_person_id"), ["person_id"], unique=False
        )

    op.create_table(
        "training_path",
        sa.Column("field_code", sa.Text(), nullable=False),
        sa.Column("diploma", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["field_code"],
            ["field.code"],
            name=op.f("fk_training_path_field_code_field"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_training_path")),
    )
    with op.batch_alter_table("training_path", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_training_path_field_code"), ["field_code"], unique=False
        )

    op.create_table(
        "host",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("siret", sa.Text(), nullable=True),
        sa.Column("naf_code", sa.Text(), nullable=False),
        sa.Column("naf_version", sa.Text(), nullable=False),
        sa.Column(
            "size_category",
            sa.Enum(
                "TPE",
                "PME",
                "ETI",
                "GE",
                name="sizecategory",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("site_headcount", sa.Integer(), nullable=True),
        sa.Column("enterprise_headcount", sa.Integer(), nullable=True),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("rural", sa.Boolean(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("cap_per_day", sa.Integer(), nullable=True),
        sa.Column("cap_per_month", sa.Integer(), nullable=True),
        sa.Column("cap_per_year", sa.Integer(), nullable=True),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("leads", sa.JSON(), nullable=False),
        sa.CheckConstraint("cap_per_day > 0", name=op.f("ck_host_cap_per_day")),
        sa.CheckConstraint("cap_per_month > 0", name=op.f("ck_host_cap_per_month")),
        sa.CheckConstraint("cap_per_year > 0", name=op.f("ck_host_cap_per_year")),
        sa.ForeignKeyConstraint(
            ["id"], ["organisation.id"], name=op.f("fk_host_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host")),
        sa.UniqueConstraint("siret", name=op.f("uq_host_siret")),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "teacher",
                "school_office",
                "head",
                "host_contact",
                "coordinator",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_membership_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_membership_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint(
            "person_id", "organisation_id", "role", name=op.f("uq_membership_person_id")
        ),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_membership_organisation_id"),
            ["organisation_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_membership_person_id"), ["person_id"], unique=False
        )

    op.create_table(
        "school",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uai", sa.Text(), nullable=False),
        sa.Column("kind_code", sa.Text(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("calendar_code", sa.Text(), nullable=False),
        sa.Column("rural", sa.Boolean(), nullable=True),
        sa.Column("back_by", sa.Time(), nullable=True),
        sa.Column("min_adults", sa.Integer(), nullable=False),
        sa.Column("wednesday_afternoons", sa.Boolean(), nullable=False),
        sa.Column("office_email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_code"],
            ["calendar.code"],
            name=op.f("fk_school_calendar_code_calendar"),
        ),
        sa.ForeignKeyConstraint(
            ["id"], ["organisation.id"], name=op.f("fk_school_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["kind_code"],
            ["school_kind.code"],
            name=op.f("fk_school_kind_code_school_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school")),
        sa.UniqueConstraint("uai", name=op.f("uq_school_uai")),
    )
    op.create_table(
        "host_closure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("first_on <= last_on", name=op.f("ck_host_closure_order")),
        sa.ForeignKeyConstraint(
            ["host_id"], ["host.id"], name=op.f("fk_host_closure_host_id_host")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host_closure")),
    )
    with op.batch_alter_table("host_closure", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_host_closure_host_id"), ["host_id"], unique=False
        )

    op.create_table(
        "offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("kind_code", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "published",
                "paused",
                "archived",
                "blocked",
                name="offerstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("see", sa.JSON(), nullable=False),
        sa.Column("wear", sa.Text(), nullable=False),
        sa.Column("bring", sa.Text(), nullable=False),
        sa.Column("ppe", sa.JSON(), nullable=False),
        sa.Column("people_met", sa.Text(), nullable=False),
        sa.Column("women_witnesses", sa.Integer(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("arrival", sa.Text(), nullable=False),
        sa.Column("meeting_point", sa.Text(), nullable=False),
        sa.Column(
            "wheelchair",
            sa.Enum(
                "yes",
                "partial",
                "no",
                name="wheelchair",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("wheelchair_note", sa.Text(), nullable=False),
        sa.Column(
            "vehicle_access",
            sa.Enum(
                "coach",
                "street",
                "car_only",
                name="vehicleaccess",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "phone_rule",
            sa.Enum(
                "allowed",
                "silent",
                "off",
                "left_in_coach",
                name="phonerule",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "photo_rule",
            sa.Enum(
                "none",
                "ask",
                "allowed",
                name="photorule",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("max_students", sa.Integer(), nullable=False),
        sa.Column("max_people", sa.Integer(), nullable=True),
        sa.Column("max_groups", sa.Integer(), nullable=False),
        sa.Column("subgroup_size", sa.Integer(), nullable=False),
        sa.Column("min_grade_rank", sa.Integer(), nullable=False),
        sa.Column("min_age", sa.Integer(), nullable=True),
        sa.Column("min_notice_days", sa.Integer(), nullable=False),
        sa.Column("name_list_days", sa.Integer(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column(
            "confirmation",
            sa.Enum(
                "by_host",
                "automatic",
                name="confirmation",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("max_groups > 0", name=op.f("ck_offer_max_groups")),
        sa.CheckConstraint("max_students > 0", name=op.f("ck_offer_max_students")),
        sa.CheckConstraint("subgroup_size > 0", name=op.f("ck_offer_subgroup_size")),
        sa.ForeignKeyConstraint(
            ["host_id"], ["host.id"], name=op.f("fk_offer_host_id_host")
        ),
        sa.ForeignKeyConstraint(
            ["kind_code"],
            ["offer_kind.code"],
            name=op.f("fk_offer_kind_code_offer_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offer_host_id"), ["host_id"], unique=False)

    op.create_table(
        "school_class",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("level_code", sa.Text(), nullable=False),
        sa.Column("specialty", sa.Text(), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("girls", sa.Integer(), nullable=True),
        sa.Column("boys", sa.Integer(), nullable=True),
        sa.Column("youngest_age", sa.Integer(), nullable=True),
        sa.Column("oldest_age", sa.Integer(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("feed_generation", sa.Integer(), nullable=False),
        sa.Column("sample_key", sa.Text(), nullable=True),
        sa.CheckConstraint("students > 0", name=op.f("ck_school_class_students")),
        sa.ForeignKeyConstraint(
            ["level_code"],
            ["level.code"],
            name=op.f("fk_school_class_level_code_level"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_school_class_school_id_school")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_class")),
        sa.UniqueConstraint("sample_key", name=op.f("uq_school_class_sample_key")),
    )
    with op.batch_alter_table("school_class", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_school_class_school_id"), ["school_id"], unique=False
        )

    op.create_table(
        "absence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("first_on <= last_on", name=op.f("ck_absence_order")),
        sa.ForeignKeyConstraint(
            ["class_id"],
            ["school_class.id"],
            name=op.f("fk_absence_class_id_school_class"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_absence_class_id"), ["class_id"], unique=False
        )

    op.create_table(
        "offer_field",
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("field_code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["field_code"], ["field.code"], name=op.f("fk_offer_field_field_code_field")
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offer.id"], name=op.f("fk_offer_field_offer_id_offer")
        ),
        sa.PrimaryKeyConstraint("offer_id", "field_code", name=op.f("pk_offer_field")),
    )
    op.create_table(
        "slot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("max_students", sa.Integer(), nullable=False),
        sa.Column("max_people", sa.Integer(), nullable=True),
        sa.Column("max_groups", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "closed",
                "cancelled",
                name="slotstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("students_taken", sa.Integer(), nullable=False),
        sa.Column("people_taken", sa.Integer(), nullable=False),
        sa.Column("groups_taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_slot_order")),
        sa.CheckConstraint("groups_taken <= max_groups", name=op.f("ck_slot_groups")),
        sa.CheckConstraint(
            "max_people is null or people_taken <= max_people",
            name=op.f("ck_slot_people"),
        ),
        sa.CheckConstraint(
            "students_taken <= max_students", name=op.f("ck_slot_students")
        ),
        sa.CheckConstraint("students_taken >= 0", name=op.f("ck_slot_taken")),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offer.id"], name=op.f("fk_slot_offer_id_offer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
    )
    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.create_index(
            "ix_slot_offer_id_starts_at", ["offer_id", "starts_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_slot_starts_at"), ["starts_at"], unique=False
        )

    op.create_table(
        "witness",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("gender", sa.Text(), nullable=False),
        sa.CheckConstraint("gender in ('W', 'M', 'N')", name=op.f("ck_witness_gender")),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offer.id"], name=op.f("fk_witness_offer_id_offer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_witness")),
    )
    with op.batch_alter_table("witness", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_witness_offer_id"), ["offer_id"], unique=False
        )

    op.create_table(
        "visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "proposed",
                "confirmed",
                "moving",
                "declined",
                "expired",
                "withdrawn",
                "cancelled_by_school",
                "cancelled_by_host",
                "done",
                name="visitstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("organiser_id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=False),
        sa.Column("wanted_slot_id", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("girls", sa.Integer(), nullable=True),
        sa.Column("boys", sa.Integer(), nullable=True),
        sa.Column("adults", sa.Integer(), nullable=False),
        sa.Column("support_assistants", sa.Integer(), nullable=False),
        sa.Column(
            "part",
            sa.Enum(
                "whole",
                "half",
                name="part",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("arrangements", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("class_code", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alert_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("week_reminder_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("eve_reminder_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("adults >= 0", name=op.f("ck_visit_adults")),
        sa.CheckConstraint("students > 0", name=op.f("ck_visit_students")),
        sa.ForeignKeyConstraint(
            ["class_id"],
            ["school_class.id"],
            name=op.f("fk_visit_class_id_school_class"),
        ),
        sa.ForeignKeyConstraint(
            ["organiser_id"], ["person.id"], name=op.f("fk_visit_organiser_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["slot.id"], name=op.f("fk_visit_slot_id_slot")
        ),
        sa.ForeignKeyConstraint(
            ["wanted_slot_id"], ["slot.id"], name=op.f("fk_visit_wanted_slot_id_slot")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("class_code", name=op.f("uq_visit_class_code")),
    )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_visit_answer_due_at"), ["answer_due_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_visit_class_id"), ["class_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_visit_eve_reminder_at"), ["eve_reminder_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_visit_organiser_id"), ["organiser_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_visit_remind_at"), ["remind_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_visit_slot_id"), ["slot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_state"), ["state"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_visit_wanted_slot_id"), ["wanted_slot_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_visit_week_reminder_at"), ["week_reminder_at"], unique=False
        )

    op.create_table(
        "addressee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_digest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_addressee_visit_id_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addressee")),
        sa.UniqueConstraint(
            "visit_id", "address_digest", name=op.f("uq_addressee_visit_id")
        ),
    )
    with op.batch_alter_table("addressee", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_addressee_visit_id"), ["visit_id"], unique=False
        )

    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column(
            "audience",
            sa.Enum(
                "teacher",
                "host",
                "student",
                name="audience",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_digest", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("dtstamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "invited",
                "cancelled",
                name="invitationstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("first_message_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_invitation_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_invitation_visit_id_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("uid", name=op.f("uq_invitation_uid")),
        sa.UniqueConstraint(
            "visit_id",
            "audience",
            "address_digest",
            name=op.f("uq_invitation_visit_id"),
        ),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invitation_person_id"), ["person_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_invitation_visit_id"), ["visit_id"], unique=False
        )

    op.create_table(
        "journal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_journal_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_journal_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_journal_visit_id_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_journal_organisation_id"), ["organisation_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_journal_visit_id"), ["visit_id"], unique=False
        )

    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "sign_in",
                "answer_visit",
                name="linkpurpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_link_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_link_visit_id_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_link_digest")),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_link_person_id"), ["person_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_link_visit_id"), ["visit_id"], unique=False
        )

    op.create_table(
        "proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["slot.id"], name=op.f("fk_proposal_slot_id_slot")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_proposal_visit_id_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("visit_id", "slot_id", name=op.f("uq_proposal_visit_id")),
    )
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_proposal_visit_id"), ["visit_id"], unique=False
        )

    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("invitation_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "audience",
            sa.Enum(
                "teacher",
                "host",
                "student",
                name="audience",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=True),
        sa.Column(
            "method",
            sa.Enum(
                "REQUEST",
                "CANCEL",
                "PUBLISH",
                name="method",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("dtstamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sending",
                "sent",
                "dead",
                "superseded",
                name="messagestate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["invitation.id"],
            name=op.f("fk_message_invitation_id_invitation"),
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_message_visit_id_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("message_id", name=op.f("uq_message_message_id")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            "ix_message_invitation_id_state", ["invitation_id", "state"], unique=False
        )
        batch_op.create_index(
            "ix_message_state_due_at", ["state", "due_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_message_visit_id"), ["visit_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_visit_id"))
        batch_op.drop_index("ix_message_state_due_at")
        batch_op.drop_index("ix_message_invitation_id_state")

    op.drop_table("message")
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proposal_visit_id"))

    op.drop_table("proposal")
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_visit_id"))
        batch_op.drop_index(batch_op.f("ix_link_person_id"))

    op.drop_table("link")
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journal_visit_id"))
        batch_op.drop_index(batch_op.f("ix_journal_organisation_id"))

    op.drop_table("journal")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitation_visit_id"))
        batch_op.drop_index(batch_op.f("ix_invitation_person_id"))

    op.drop_table("invitation")
    with op.batch_alter_table("addressee", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_addressee_visit_id"))

    op.drop_table("addressee")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_week_reminder_at"))
        batch_op.drop_index(batch_op.f("ix_visit_wanted_slot_id"))
        batch_op.drop_index(batch_op.f("ix_visit_state"))
        batch_op.drop_index(batch_op.f("ix_visit_slot_id"))
        batch_op.drop_index(batch_op.f("ix_visit_remind_at"))
        batch_op.drop_index(batch_op.f("ix_visit_organiser_id"))
        batch_op.drop_index(batch_op.f("ix_visit_eve_reminder_at"))
        batch_op.drop_index(batch_op.f("ix_visit_class_id"))
        batch_op.drop_index(batch_op.f("ix_visit_answer_due_at"))

    op.drop_table("visit")
    with op.batch_alter_table("witness", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_witness_offer_id"))

    op.drop_table("witness")
    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slot_starts_at"))
        batch_op.drop_index("ix_slot_offer_id_starts_at")

    op.drop_table("slot")
    op.drop_table("offer_field")
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_absence_class_id"))

    op.drop_table("absence")
    with op.batch_alter_table("school_class", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_school_class_school_id"))

    op.drop_table("school_class")
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_offer_host_id"))

    op.drop_table("offer")
    with op.batch_alter_table("host_closure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_host_closure_host_id"))

    op.drop_table("host_closure")
    op.drop_table("school")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_person_id"))
        batch_op.drop_index(batch_op.f("ix_membership_organisation_id"))

    op.drop_table("membership")
    op.drop_table("host")
    with op.batch_alter_table("training_path", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_training_path_field_code"))

    op.drop_table("training_path")
    with op.batch_alter_table("signed_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signed_in_person_id"))

    op.drop_table("signed_in")
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organisation_name"))
        batch_op.drop_index(batch_op.f("ix_organisation_commune_insee"))

    op.drop_table("organisation")
    with op.batch_alter_table("closure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_closure_calendar_code"))

    op.drop_table("closure")
    op.drop_table("tried")
    op.drop_table("school_kind")
    op.drop_table("ppe")
    op.drop_table("person")
    op.drop_table("organisation_kind")
    op.drop_table("offer_kind")
    op.drop_table("level")
    op.drop_table("lease")
    op.drop_table("field")
    with op.batch_alter_table("commune", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_commune_name"))
        batch_op.drop_index(batch_op.f("ix_commune_department"))

    op.drop_table("commune")
    op.drop_table("calendar")
