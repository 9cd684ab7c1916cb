"""The tables. Words are those of STYLE: feeds, executions, outcomes, records, references, effects, issues."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.types import Body, Instant, Quantity

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")


def _zero(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def _blank(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''"))


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("confirmed_at", Instant),
    _blank("confirmed_by"),
)

integrations = Table(
    "integrations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(60), nullable=False, unique=True),
    Column("connector", String(60), nullable=False),
    _blank("title"),
    Column("mode", String(10), nullable=False),
    Column("paused_at", Instant),
    _blank("attention"),
    Column("time_zone", String(60), nullable=False),
    Column("settings", Body, nullable=False),
    Column("rulebook", Body, nullable=False),
    Column("probe", Body),
    Column("settings_version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,  # the number of one that was removed is never given again
)

settings_versions = Table(
    "settings_versions",
    metadata,
    Column("integration_id", ForeignKey("integrations.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("settings", Body, nullable=False),
    Column("rulebook", Body, nullable=False),
    _blank("person"),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("integration_id", "version"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("integration_id", ForeignKey("integrations.id"), nullable=False),
    Column("name", String(60), nullable=False),
    Column("ciphertext", Text, nullable=False),
    PrimaryKeyConstraint("integration_id", "name"),
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("integration_id", ForeignKey("integrations.id"), nullable=False),
    Column("flow", String(60), nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("is_live", Boolean, nullable=False, server_default=text("false")),
    Column("paused_at", Instant),
    _blank("pause_reason"),
    Column("schedule", Body),
    Column("due_at", Instant),
    Column("mark", Text),
    Column("succeeded_at", Instant),
    Column("average_seconds", Float),
    UniqueConstraint("integration_id", "flow"),
    Index("ix_feeds_due_at", "due_at"),
)

executions = Table(
    "executions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("feed_id", ForeignKey("feeds.id"), nullable=False),
    Column("trigger", String(20), nullable=False),
    _blank("person"),
    Column("state", String(24), nullable=False),
    _blank("reason"),
    Column("due_at", Instant),
    Column("occurrences", Integer, nullable=False, server_default=text("1")),
    Column("requested_at", Instant, nullable=False),
    Column("available_at", Instant, nullable=False),
    Column("rung_at", Instant),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("lost_leases", Integer, nullable=False, server_default=text("0")),
    _blank("worker"),
    Column("lease_until", Instant),
    Column("is_cancelling", Boolean, nullable=False, server_default=text("false")),
    Column("accepts_volume", Boolean, nullable=False, server_default=text("false")),
    Column("settings_version", Integer),
    Column("scope", Body),
    Column("position", Body),
    Column("expected", BigInteger),
    _zero("read"),
    _zero("created"),
    _zero("updated"),
    _zero("unchanged"),
    _zero("skipped"),
    _zero("waiting"),
    _zero("failed"),
    _zero("withheld"),
    _zero("calls"),
    _zero("bytes"),
    Column("phases", Body),
    _blank("error_code"),
    UniqueConstraint("feed_id", "due_at"),
    Index("ix_executions_feed_id_id", "feed_id", "id"),
    Index(
        "uq_executions_running",
        "feed_id",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index(
        "ix_executions_unfinished",
        "state",
        "available_at",
        sqlite_where=text("state IN ('queued', 'running')"),
        postgresql_where=text("state IN ('queued', 'running')"),
    ),
    sqlite_autoincrement=True,
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("execution_id", BigInteger, nullable=False),
    Column("record_id", BigInteger),
    Column("kind", String(20), nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_outcomes_execution_id_id", "execution_id", "id"),
    Index("ix_outcomes_record_id_id", "record_id", "id"),
)

records = Table(
    "records",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("integration_id", BigInteger),
    Column("parent_id", BigInteger),
    Column("label", Text, nullable=False),
    Column("first_key", Text),
    Column("second_key", Text),
    Column("state", String(12), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("occurred_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_records_first_key", "first_key"),
    Index("ix_records_second_key", "second_key"),
    Index(
        "ix_records_parent_id",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    Index("ix_records_kind_id", "kind", "id"),
    Index(
        "ix_records_orphaned",
        "kind",
        sqlite_where=text("integration_id IS NULL"),
        postgresql_where=text("integration_id IS NULL"),
    ),
)

references = Table(
    "record_references",
    metadata,
    Column("integration_id", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("gone_at", Instant),
    PrimaryKeyConstraint("integration_id", "kind", "remote_id"),
    UniqueConstraint("record_id", "integration_id"),
    sqlite_with_rowid=False,
)

held = Table(
    "held",
    metadata,
    Column("integration_id", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("feed_id", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("severity", String(8), nullable=False),
    Column("cause", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("issue_id", BigInteger),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("next_try_at", Instant),
    Column("give_up_at", Instant),
    _blank("give_up_as"),
    Column("tries", Integer, nullable=False),
    PrimaryKeyConstraint("integration_id", "kind", "remote_id"),
    Index("ix_held_issue_id", "issue_id"),
    Index("ix_held_next_try_at", "integration_id", "next_try_at"),
)

issues = Table(
    "issues",
    metadata,
    Column("id", Id, primary_key=True),
    Column("integration_id", BigInteger, nullable=False),
    Column("feed_id", BigInteger),
    Column("cause", Text, nullable=False),
    Column("severity", String(8), nullable=False),
    Column("state", String(10), nullable=False),
    Column("message", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("occurrences", BigInteger, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    _zero("reopened"),
    Column("resolved_at", Instant),
    _blank("resolved_by"),
    Column("snoozed_until", Instant),
    _blank("assignee"),
    _blank("note"),
    UniqueConstraint("integration_id", "cause"),
    Index("ix_issues_state_severity", "state", "severity"),
)

page_digests = Table(
    "page_digests",
    metadata,
    Column("feed_id", BigInteger, nullable=False),
    Column("page", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("records", Integer, nullable=False),
    PrimaryKeyConstraint("feed_id", "page"),
)

blobs = Table(
    "blobs",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("media_type", String(60), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

stock_levels = Table(
    "stock_levels",
    metadata,
    Column("record_id", BigInteger, nullable=False),
    Column("warehouse", String(60), nullable=False),
    Column("on_hand", Quantity, nullable=False),
    Column("updated_at", Instant, nullable=False),
    PrimaryKeyConstraint("record_id", "warehouse"),
)

stock_movements = Table(
    "stock_movements",
    metadata,
    Column("id", Id, primary_key=True),
    Column("record_id", BigInteger, nullable=False),
    Column("warehouse", String(60), nullable=False),
    Column("change", Quantity, nullable=False),
    Column("on_hand", Quantity, nullable=False),
    Column("reason", Text, nullable=False),
    _blank("person"),
    Column("execution_id", BigInteger),
    Column("at", Instant, nullable=False),
    Index("ix_stock_movements_record_id_id", "record_id", "id"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("integration_id", BigInteger, nullable=False),
    Column("order_remote_id", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("item_remote_id", Text, nullable=False),
    Column("record_id", BigInteger),
    Column("quantity", Quantity, nullable=False),
    Column("is_held", Boolean, nullable=False),
    PrimaryKeyConstraint("integration_id", "order_remote_id", "line"),
    Index("ix_reservations_record_id", "record_id"),
)

effects = Table(
    "effects",
    metadata,
    Column("id", Id, primary_key=True),
    Column("integration_id", BigInteger, nullable=False),
    Column("feed_id", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("identity", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("record_id", BigInteger),
    Column("before", Body),
    Column("after", Body),
    Column("state", String(10), nullable=False),
    _blank("reason"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("execution_id", BigInteger),
    Column("receipt", Body),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("integration_id", "identity"),
    Index("ix_effects_feed_id_state_id", "feed_id", "state", "id"),
    Index("ix_effects_integration_id_kind_target", "integration_id", "kind", "target"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("integration_id", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("target", Text, nullable=False),
    Column("value", Body, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("integration_id", "kind", "target"),
)

differences = Table(
    "differences",
    metadata,
    Column("id", Id, primary_key=True),
    Column("integration_id", BigInteger, nullable=False),
    Column("execution_id", BigInteger, nullable=False),
    Column("target", Text, nullable=False),
    Column("record_id", BigInteger),
    Column("label", Text, nullable=False),
    Column("hub", Quantity),
    Column("remote", Quantity),
    Column("explanation", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_differences_integration_id_state", "integration_id", "state"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("integration_id", BigInteger, primary_key=True, autoincrement=False),
    Column("slot_at", Float, nullable=False),
    Column("blocked_until", Float, nullable=False),
    Column("failures", Integer, nullable=False),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("integration_id", BigInteger, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("proof", LargeBinary),
    Column("topic", Text, nullable=False),
    Column("ids", Body, nullable=False),
    Column("sent_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("executions", Body, nullable=False),
    PrimaryKeyConstraint("integration_id", "delivery_id"),
    UniqueConstraint("integration_id", "proof"),
    Index("ix_webhook_deliveries_received_at", "integration_id", "received_at"),
)

webhook_budgets = Table(
    "webhook_budgets",
    metadata,
    Column("integration_id", BigInteger, primary_key=True, autoincrement=False),
    Column("spent_until", Float, nullable=False),
)

renewals = Table(
    "renewals",
    metadata,
    Column("integration_id", BigInteger, primary_key=True, autoincrement=False),
    _blank("holder"),
    Column("lease_until", Instant),
    Column("is_interrupted", Boolean, nullable=False, server_default=text("false")),
    Column("refused_at", Instant),
    Column("secrets_digest", LargeBinary),
)

waivers = Table(
    "waivers",
    metadata,
    Column("integration_id", BigInteger, nullable=False),
    Column("name", String(60), nullable=False),
    Column("reason", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("integration_id", "name"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("at", Instant, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("person", Text, nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Body),
)
