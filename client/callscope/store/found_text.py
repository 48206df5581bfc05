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


def holds(dialect: str, wanted: str, role: str | None) -> list[Any]:
    """Conditions on `segments`: texts that hold `wanted`, whatever its case and width, said by `role`."""
    folded = fold(wanted)
    pairs = grams(folded)
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
    with driver.cursor() as cursor, cursor.copy(COPY) as copy:
        for row in rows:
            copy.write_row([*(row[name] for name in COLUMNS), list(row["grams"])])


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    first = connection.execute(select(func.coalesce(func.max(segments.c.number), 0))).scalar_one() + 1
    numbered = [(first + at, *(row[name] for name in COLUMNS)) for at, row in enumerate(rows)]
    connection.exec_driver_sql(INSERT, numbered)
    found_by = [(first + at, " ".join(row["grams"])) for at, row in enumerate(rows)]
    connection.exec_driver_sql(f"INSERT INTO {GRAMS} (rowid, grams) VALUES (?, ?)", found_by)  # noqa: S608  a constant
