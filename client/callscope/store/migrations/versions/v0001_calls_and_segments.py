"""Calls with their figures, segments with what they are found by."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

FIGURES = (
    "agent_share",
    "non_talk_s",
    "non_talk_share",
    "latency_s",
    "interruptions",
    "agent_sentiment",
    "customer_sentiment",
    "customer_trend",
    "honorific_ratio",
    "positive_word_ratio",
    "negative_word_ratio",
    "euphonious_word_ratio",
    "empathy_ratio",
    "apology_ratio",
)


def upgrade() -> None:
    """Make both tables and their indexes."""
    postgres = op.get_bind().dialect.name == "postgresql"
    number = sa.BigInteger() if postgres else sa.Integer()
    op.create_table(
        "calls",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("dated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("language", sa.String(8)),
        sa.Column("degraded", sa.Text, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        *(sa.Column(name, sa.Float) for name in FIGURES),
    )
    op.create_index("calls_id", "calls", ["id"])
    op.create_index("calls_dated_at", "calls", ["dated_at"])
    op.create_index("calls_created_at", "calls", ["created_at"])
    op.create_index("calls_language_dated_at", "calls", ["language", "dated_at"])
    op.create_table(
        "results",
        sa.Column(
            "call", number, sa.ForeignKey("calls.number", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "segments",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("call", number, sa.ForeignKey("calls.number", ondelete="CASCADE"), nullable=False),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("end_s", sa.Float, nullable=False),
        sa.Column("speaker", sa.String(32), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("sentiment", sa.Float),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("segments_call", "segments", ["call"])
    if postgres:
        op.execute("ALTER TABLE segments ADD COLUMN segment_grams text[] NOT NULL DEFAULT '{}'")
        op.execute("CREATE INDEX segments_grams ON segments USING gin (segment_grams)")
    else:
        op.execute("CREATE VIRTUAL TABLE segment_grams USING fts5(grams, content='', detail='none')")
