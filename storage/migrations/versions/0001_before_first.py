"""The first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import BODY, ID, INSTANT, QUANTITY

revision: str = "0001_before_first"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", BODY, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "blobs",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_blobs")),
    )
    op.create_table(
        "budgets",
        sa.Column("integration_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slot_at", sa.Float(), nullable=False),
        sa.Column("blocked_until", sa.Float(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_budgets")),
    )
    op.create_table(
        "deliveries",
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("value", BODY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("integration_id", "kind", "target", name=op.f("pk_deliveries")),
    )
    op.create_table(
        "differences",
        sa.Column("id", ID, nullable=False),
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("execution_id", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("hub", QUANTITY, nullable=True),
        sa.Column("remote", QUANTITY, nullable=True),
        sa.Column("explanation", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
    )
    op.create_index("ix_differences_integration_id_state", "differences", ["integration_id", "state"], unique=False)
    op.create_table(
        "effects",
        sa.Column("id", ID, nullable=False),
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=True),
        sa.Column("before", BODY, nullable=True),
        sa.Column("after", BODY, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("execution_id", sa.BigInteger(), nullable=True),
        sa.Column("receipt", BODY, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effects")),
        sa.UniqueConstraint("integration_id", "identity", name=op.f("uq_effects_integration_id_identity")),
    )
    op.create_index("ix_effects_feed_id_state_id", "effects", ["feed_id", "state", "id"], unique=False)
    op.create_index(
        "ix_effects_integration_id_kind_target", "effects", ["integration_id", "kind", "target"], unique=False
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "held",
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("issue_id", sa.BigInteger(), nullable=True),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("next_try_at", INSTANT, nullable=True),
        sa.Column("give_up_at", INSTANT, nullable=True),
        sa.Column("give_up_as", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", "kind", "remote_id", name=op.f("pk_held")),
    )
    op.create_index("ix_held_issue_id", "held", ["issue_id"], unique=False)
    op.create_index("ix_held_next_try_at", "held", ["integration_id", "next_try_at"], unique=False)
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("confirmed_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "integrations",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("connector", sa.String(length=60), nullable=False),
        sa.Column("title", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("paused_at", INSTANT, nullable=True),
        sa.Column("attention", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("settings", BODY, nullable=False),
        sa.Column("rulebook", BODY, nullable=False),
        sa.Column("probe", BODY, nullable=True),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrations")),
        sa.UniqueConstraint("name", name=op.f("uq_integrations_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "issues",
        sa.Column("id", ID, nullable=False),
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("feed_id", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("occurrences", sa.BigInteger(), nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("reopened", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("resolved_at", INSTANT, nullable=True),
        sa.Column("resolved_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("snoozed_until", INSTANT, nullable=True),
        sa.Column("assignee", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issues")),
        sa.UniqueConstraint("integration_id", "cause", name=op.f("uq_issues_integration_id_cause")),
    )
    op.create_index("ix_issues_state_severity", "issues", ["state", "severity"], unique=False)
    op.create_table(
        "outcomes",
        sa.Column("id", ID, nullable=False),
        sa.Column("execution_id", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcomes")),
    )
    op.create_index("ix_outcomes_execution_id_id", "outcomes", ["execution_id", "id"], unique=False)
    op.create_index("ix_outcomes_record_id_id", "outcomes", ["record_id", "id"], unique=False)
    op.create_table(
        "page_digests",
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("feed_id", "page", name=op.f("pk_page_digests")),
    )
    op.create_table(
        "record_references",
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("gone_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("integration_id", "kind", "remote_id", name=op.f("pk_record_references")),
        sa.UniqueConstraint("record_id", "integration_id", name=op.f("uq_record_references_record_id_integration_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "records",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("integration_id", sa.BigInteger(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("first_key", sa.Text(), nullable=True),
        sa.Column("second_key", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
    )
    op.create_index("ix_records_first_key", "records", ["first_key"], unique=False)
    op.create_index("ix_records_kind_id", "records", ["kind", "id"], unique=False)
    op.create_index(
        "ix_records_orphaned",
        "records",
        ["kind"],
        unique=False,
        sqlite_where=sa.text("integration_id IS NULL"),
        postgresql_where=sa.text("integration_id IS NULL"),
    )
    op.create_index(
        "ix_records_parent_id",
        "records",
        ["parent_id"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_index("ix_records_second_key", "records", ["second_key"], unique=False)
    op.create_table(
        "renewals",
        sa.Column("integration_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("is_interrupted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("refused_at", INSTANT, nullable=True),
        sa.Column("secrets_digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_renewals")),
    )
    op.create_table(
        "reservations",
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("order_remote_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("item_remote_id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", "order_remote_id", "line", name=op.f("pk_reservations")),
    )
    op.create_index("ix_reservations_record_id", "reservations", ["record_id"], unique=False)
    op.create_table(
        "stock_levels",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse", sa.String(length=60), nullable=False),
        sa.Column("on_hand", QUANTITY, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("record_id", "warehouse", name=op.f("pk_stock_levels")),
    )
    op.create_table(
        "stock_movements",
        sa.Column("id", ID, nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("warehouse", sa.String(length=60), nullable=False),
        sa.Column("change", QUANTITY, nullable=False),
        sa.Column("on_hand", QUANTITY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("execution_id", sa.BigInteger(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
    )
    op.create_index("ix_stock_movements_record_id_id", "stock_movements", ["record_id", "id"], unique=False)
    op.create_table(
        "waivers",
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("integration_id", "name", name=op.f("pk_waivers")),
    )
    op.create_table(
        "webhook_budgets",
        sa.Column("integration_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("spent_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_webhook_budgets")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("ids", BODY, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("executions", BODY, nullable=False),
        sa.PrimaryKeyConstraint("integration_id", "delivery_id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("integration_id", "proof", name=op.f("uq_webhook_deliveries_integration_id_proof")),
    )
    op.create_index(
        "ix_webhook_deliveries_received_at", "webhook_deliveries", ["integration_id", "received_at"], unique=False
    )
    op.create_table(
        "feeds",
        sa.Column("id", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("flow", sa.String(length=60), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("is_live", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("paused_at", INSTANT, nullable=True),
        sa.Column("pause_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("schedule", BODY, nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("mark", sa.Text(), nullable=True),
        sa.Column("succeeded_at", INSTANT, nullable=True),
        sa.Column("average_seconds", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.id"], name=op.f("fk_feeds_integration_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("integration_id", "flow", name=op.f("uq_feeds_integration_id_flow")),
    )
    op.create_index("ix_feeds_due_at", "feeds", ["due_at"], unique=False)
    op.create_table(
        "secrets",
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("ciphertext", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.id"], name=op.f("fk_secrets_integration_id")),
        sa.PrimaryKeyConstraint("integration_id", "name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "settings_versions",
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settings", BODY, nullable=False),
        sa.Column("rulebook", BODY, nullable=False),
        sa.Column("person", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_settings_versions_integration_id")
        ),
        sa.PrimaryKeyConstraint("integration_id", "version", name=op.f("pk_settings_versions")),
    )
    op.create_table(
        "executions",
        sa.Column("id", ID, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("trigger", sa.String(length=20), nullable=False),
        sa.Column("person", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("occurrences", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("available_at", INSTANT, nullable=False),
        sa.Column("rung_at", INSTANT, nullable=True),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lost_leases", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("is_cancelling", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("accepts_volume", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("settings_version", sa.Integer(), nullable=True),
        sa.Column("scope", BODY, nullable=True),
        sa.Column("position", BODY, nullable=True),
        sa.Column("expected", sa.BigInteger(), nullable=True),
        sa.Column("read", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("withheld", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("phases", BODY, nullable=True),
        sa.Column("error_code", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_executions_feed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executions")),
        sa.UniqueConstraint("feed_id", "due_at", name=op.f("uq_executions_feed_id_due_at")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_executions_feed_id_id", "executions", ["feed_id", "id"], unique=False)
    op.create_index(
        "ix_executions_unfinished",
        "executions",
        ["state", "available_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index(
        "uq_executions_running",
        "executions",
        ["feed_id"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
