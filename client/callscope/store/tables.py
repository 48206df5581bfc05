"""The tables, as the newest migration leaves them.

A call is one row, found by the SHA-256 of its recording, with the figures that are asked for. The whole result lies
apart, so that asking reads little. A segment is one row, so that what was said can be searched for.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from callscope.call import QUALITY_RATIOS

metadata = MetaData()

Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite gives row numbers of its own to INTEGER keys alone."""

FIGURES: Final = (
    "agent_share",
    "non_talk_s",
    "non_talk_share",
    "latency_s",
    "interruptions",
    "agent_sentiment",
    "customer_sentiment",
    "customer_trend",
    *QUALITY_RATIOS,
)
"""Columns of `calls` that are measures; null where a measure cannot be computed."""

VERSION_FIELD: Final = "object_version"
"""Of the metadata: what a storage told the recording's state by when it was fetched, such as an ETag."""

calls = Table(
    "calls",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("id", String(64), nullable=False),
    Column("source", Text, nullable=False),
    Column("dated_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("version", String(32), nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("language", String(8)),
    Column("degraded", Text, nullable=False),
    Column("attributes", JSON, nullable=False),
    *(Column(name, Float) for name in FIGURES),
    Index("calls_id", "id"),
    Index("calls_dated_at", "dated_at"),
    Index("calls_created_at", "created_at"),
    Index("calls_language_dated_at", "language", "dated_at"),
)

results = Table(
    "results",
    metadata,
    Column("call", Number, ForeignKey("calls.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("packed", LargeBinary, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("call", Number, ForeignKey("calls.number", ondelete="CASCADE"), nullable=False),
    Column("id", String(16), nullable=False),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("speaker", String(32), nullable=False),
    Column("role", String(8), nullable=False),
    Column("sentiment", Float),
    Column("text", Text, nullable=False),
    Index("segments_call", "call"),
)

GRAMS: Final = "segment_grams"
"""In SQLite a table beside `segments`, in PostgreSQL a column of it: the pairs of characters of each text, indexed."""
