"""Segments put in, found by what they hold, and taken out: each database in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from callscope.store.grams import contains, fold, grams
from callscope.store.tables import GRAMS, segments

ESCAPE = "\\"
COLUMNS = ("call", "id", "start_s", "end_s", "speaker", "role", "sentiment", "text")
INSERT = f"INSERT INTO segments (number, {', '.join(COLUMNS)}) VALUES (?{', ?' * len(COLUMNS)})"  # noqa: S608  constants
COMMON = 10_000
"""A word that as many segments hold is common."""
ESTIMATE = text(
    f"""
    SELECT min(coalesce(known.share, 0)) * (SELECT reltuples FROM pg_class WHERE oid = 'segments'::regclass)
    FROM unnest(CAST(:pairs AS text[])) AS wanted(pair) LEFT JOIN (
        SELECT each.pair, each.share FROM pg_stats,
            unnest(most_common_elems::text::text[], most_common_elem_freqs) AS each(pair, share)
        WHERE schemaname = current_schema() AND tablename = 'segments' AND attname = '{GRAMS}'
    ) AS known ON known.pair = wanted.pair
    """  # noqa: S608  constants
)
"""At most so many texts, by what PostgreSQL's statistics tell of the rarest pair. Its planner takes pairs for
independent of one another, and so a common word for a rare one."""
ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\0": None})
COPY = f"COPY segments ({', '.join(COLUMNS)}, {GRAMS}) FROM STDIN"


def put_texts(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of `segments`, each with its `grams`."""
    if connection.dialect.name == "postgresql":
        _copy(connection, rows)
    elif rows:
        _insert(connection, rows)


def drop_texts(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete the segments of the calls with those numbers."""
    chosen = segments.c.call.in_(numbers)
    if connection.dialect.name == "sqlite":
        gone = connection.execute(select(segments.c.number, segments.c.text).where(chosen)).all()
        if gone:
            connection.execute(
                text(f"INSERT INTO {GRAMS} ({GRAMS}, rowid, grams) VALUES ('delete', :number, :grams)"),  # noqa: S608  a constant
                [{"number": number, "grams": " ".join(grams(fold(said)))} for number, said in gone],
            )
    connection.execute(delete(segments).where(chosen))


def is_common(connection: Connection, wanted: str) -> bool:
    """Whether so many texts may hold `wanted` that going through the newest finds some sooner than the index does."""
    pairs = grams(fold(wanted))
    if not pairs:
        return True
    if connection.dialect.name == "postgresql":
        return float(connection.execute(ESTIMATE, {"pairs": list(pairs)}).scalar() or 0.0) >= COMMON
    some = text(f"SELECT count(*) FROM (SELECT 1 FROM {GRAMS} WHERE {GRAMS} MATCH :pairs LIMIT {COMMON})")  # noqa: S608  constants
    return bool(connection.execute(some, {"pairs": " ".join(pairs)}).scalar_one() == COMMON)


def holds(dialect: str, wanted: str, role: str | None, *, by_index: bool = True) -> list[Any]:
    """Conditions on `segments`: texts that hold `wanted`, whatever its case and width, said by `role`."""
    folded = fold(wanted)
    pairs = grams(folded) if by_index else ()
    conditions: list[Any] = [func.callscope_fold(segments.c.text).like(contains(folded), escape=ESCAPE)]
    if dialect == "postgresql":
        conditions = [
            func.lower(func.normalize(segments.c.text, literal_column("NFKC"))).like(contains(folded), escape=ESCAPE)
        ]
        if pairs:
            found = literal_column(GRAMS).op("@>")(bindparam(None, list(pairs), type_=ARRAY(TEXT)))
            conditions.insert(0, found)
    elif pairs:
        matching = text(f"SELECT rowid FROM {GRAMS} WHERE {GRAMS} MATCH :pairs").bindparams(pairs=" ".join(pairs))  # noqa: S608  a constant
        conditions.insert(0, segments.c.number.in_(matching.columns(segments.c.number)))
    if role:
        conditions.append(segments.c.role == role)
    return conditions


def _copy(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    driver: Any = connection.connection.driver_connection
    lines = ["\t".join([*(_written(row[name]) for name in COLUMNS), f"{{{','.join(row['grams'])}}}\n"]) for row in rows]
    with driver.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.write("".join(lines))


def _written(value: object) -> str:
    """A value in the text form of COPY (PostgreSQL's manual, COPY, "Text Format")."""
    if value is None:
        return r"\N"
    return value.translate(ESCAPED) if isinstance(value, str) else repr(value)


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    first = connection.execute(select(func.coalesce(func.max(segments.c.number), 0))).scalar_one() + 1
    numbered = [(first + at, *(row[name] for name in COLUMNS)) for at, row in enumerate(rows)]
    connection.exec_driver_sql(INSERT, numbered)
    found_by = [(first + at, " ".join(row["grams"])) for at, row in enumerate(rows)]
    connection.exec_driver_sql(f"INSERT INTO {GRAMS} (rowid, grams) VALUES (?, ?)", found_by)  # noqa: S608  a constant
