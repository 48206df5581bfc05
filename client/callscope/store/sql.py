"""The store: results put in, found, given back and thrown away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    asc,
    delete,
    desc,
    exists,
    func,
    insert,
    select,
)

from callscope.call import Call
from callscope.errors import SettingsInvalid
from callscope.store import migrate
from callscope.store.engine import Pool, name_of, open_engine, parse_url
from callscope.store.failures import answered, retried
from callscope.store.found_text import drop_texts, holds, is_common, put_texts
from callscope.store.query import Found, Hit, Query, Status
from callscope.store.rows import call_row, packed, segment_rows, unpack
from callscope.store.tables import FIGURES, VERSION_FIELD, calls, results, segments

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Calls as they are written: their rows, their whole results, and the rows of their segments."""

    rows: Sequence[dict[str, Any]]
    whole: Sequence[bytes]
    said: Sequence[Sequence[dict[str, Any]]]

    @classmethod
    def of(cls, batch: Sequence[Call]) -> Prepared:
        """What is to be written of some calls."""
        return cls([call_row(call) for call in batch], [packed(call) for call in batch], list(map(segment_rows, batch)))


NEWEST = 600
"""Calls in which a common word is looked for before the index is asked."""
BATCH = 200
"""Calls a transaction holds when results are put in, and rows that are read or thrown away at a time."""
ORDERS = {name: calls.c[name] for name in ("dated_at", "created_at", "duration_s", *FIGURES)}


class Store(Protocol):
    """Where results are kept. A call is known by the SHA-256 of its recording and has one result, the newest."""

    def put(self, made: Iterable[Call]) -> int:
        """Keep results; how many calls they were of. One that is kept already is replaced."""

    def known(self, sha256s: Iterable[str]) -> set[str]:
        """Those of the recordings that have a result."""

    def versions(self) -> dict[str, str]:
        """The calls that were fetched from a storage: address -> what that told the recording's state by."""

    def get(self, call: str) -> dict[str, Any] | None:
        """The whole result of a call, by its SHA-256 or its id."""

    def find(self, query: Query) -> list[Found]:
        """The calls that a query asks for."""

    def search(self, query: Query) -> list[Hit]:
        """The segments that hold `query.text`, of the calls that the rest of it asks for."""

    def export(self, query: Query) -> Iterator[dict[str, Any]]:
        """Whole results, oldest first; `limit` and `order` do not count."""

    def purge(self, before: datetime) -> int:
        """Throw away calls before that time; how many."""

    def status(self) -> Status:
        """What the store holds."""

    def close(self) -> None:
        """Close the connections."""


def open_store(url: str, pool: Pool | None = None) -> Store:
    """A store at an address, its tables made if there are none.

    Args:
        url: a file, sqlite:///FILE, or postgresql://USER@HOST/DATABASE.
        pool: how connections to PostgreSQL are kept.

    Raises:
        SettingsInvalid: it is the address of something else.
        StoreUnreachable: nothing answers there, or it lets nobody in.
        StoreMismatch: its tables are another version's.
        ExtraMissing: PostgreSQL's driver is not installed.
    """
    store = unprepared_store(url, pool)
    try:
        store.prepare()
    except BaseException:
        store.close()
        raise
    return store


def unprepared_store(url: str, pool: Pool | None = None) -> SqlStore:
    """A store whose tables may be another version's, or missing: to bring them up to date."""
    return SqlStore(open_engine(parse_url(url), pool or Pool()))


class SqlStore:
    """Results in SQLite or PostgreSQL.

    Args:
        engine: see `open_engine`; the tables must be there.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._dialect = engine.dialect.name
        self._writes = engine.execution_options(begin="IMMEDIATE")

    def put(self, made: Iterable[Call]) -> int:
        """`Store.put`. Each 200 calls are written whole or not at all."""
        count = 0
        with ThreadPoolExecutor(1) as writer:
            writing: Future[int] | None = None
            for batch in _batches(made):
                prepared = Prepared.of(batch)  # while the batch before is written
                if writing:
                    count += writing.result()
                writing = writer.submit(self._put, prepared)
            return count + (writing.result() if writing else 0)

    def known(self, sha256s: Iterable[str]) -> set[str]:
        """`Store.known`."""
        wanted = list(dict.fromkeys(sha256s))
        found: set[str] = set()
        with answered(self._engine):
            for start in range(0, len(wanted), BATCH):
                rows = select(calls.c.sha256).where(calls.c.sha256.in_(wanted[start : start + BATCH]))
                found.update(self._read(rows, lambda row: row.sha256))
        return found

    def versions(self) -> dict[str, str]:
        """`Store.versions`."""
        version = calls.c.attributes[VERSION_FIELD].as_string()
        with answered(self._engine):
            rows = self._read(select(calls.c.source, version).where(version.is_not(None)), tuple)
        return dict(rows)

    def get(self, call: str) -> dict[str, Any] | None:
        """`Store.get`; of several calls with that id the newest."""
        wanted = (
            select(calls.c.id, results.c.packed)
            .join(calls, calls.c.number == results.c.call)
            .where((calls.c.sha256 == call) | (calls.c.id == call))
        )
        with answered(self._engine):
            found = self._read(
                wanted.order_by(desc(calls.c.created_at)).limit(1), lambda row: unpack(row.packed, row.id)
            )
        return found[0] if found else None

    def find(self, query: Query) -> list[Found]:
        """`Store.find`."""
        columns = [column for column in calls.c if column.name not in {"number", "version"}]
        wanted = _ordered(self._where(select(*columns), query), query.order).limit(query.limit)
        with answered(self._engine):
            return self._read(wanted, _found)

    def search(self, query: Query) -> list[Hit]:
        """`Store.search`, newest calls first."""
        if not query.text:
            raise SettingsInvalid("There is nothing to search for. Name a text.")
        with answered(self._engine):
            common = self._asked(lambda connection: is_common(connection, query.text or ""))
            if common and self._dialect == "postgresql":
                hits = self._read(self._searched(query, newest=NEWEST), _hit)
                if len(hits) == query.limit:
                    return hits
            return self._read(self._searched(query, in_order=common and self._dialect == "sqlite"), _hit)

    def export(self, query: Query) -> Iterator[dict[str, Any]]:
        """`Store.export`, read in pieces: memory does not grow with the store."""
        after: tuple[datetime, int] | None = None
        while True:
            rows_of = select(calls.c.dated_at, calls.c.number, calls.c.id, results.c.packed)
            wanted = self._where(rows_of.join(results, results.c.call == calls.c.number), query)
            if after:
                later = (calls.c.dated_at == after[0]) & (calls.c.number > after[1])
                wanted = wanted.where((calls.c.dated_at > after[0]) | later)
            wanted = wanted.order_by(calls.c.dated_at, calls.c.number).limit(BATCH)
            with answered(self._engine):
                rows = self._read(wanted, lambda row: row)
            yield from (unpack(row.packed, row.id) for row in rows)
            if len(rows) < BATCH:
                return
            after = (rows[-1].dated_at, rows[-1].number)

    def purge(self, before: datetime) -> int:
        """`Store.purge`; also the texts that calls are found by. In transactions of 200 calls."""
        gone = 0
        while True:
            with answered(self._engine):
                some = retried(self._engine, lambda: self._drop_some(before))
            gone += some
            if some < BATCH:
                return gone

    def status(self) -> Status:
        """`Store.status`."""
        with answered(self._engine), self._engine.connect() as connection:
            count, oldest, newest = connection.execute(
                select(func.count(), func.min(calls.c.dated_at), func.max(calls.c.dated_at)).select_from(calls)
            ).one()
            said = connection.execute(select(func.count()).select_from(segments)).scalar_one()
            url = name_of(self._engine.url)
            return Status(
                url, str(migrate.revision(connection)), count, said, oldest and _utc(oldest), newest and _utc(newest)
            )

    def prepare(self) -> None:
        """Make the tables if there are none, and refuse another version's."""
        with answered(self._engine):
            retried(self._engine, lambda: migrate.prepare(self._engine))

    def upgrade(self) -> str:
        """Bring the tables to the newest form; the revision they have then."""
        with answered(self._engine):
            return retried(self._engine, lambda: migrate.upgrade(self._engine))

    def close(self) -> None:
        """`Store.close`."""
        self._engine.dispose()

    def _put(self, batch: Prepared) -> int:
        with answered(self._engine):
            retried(self._engine, lambda: self._write(batch))
        return len(batch.rows)

    def _write(self, batch: Prepared) -> None:
        """Replace the calls of a batch, in one transaction."""
        with self._writes.begin() as connection:
            _drop(connection, calls.c.sha256.in_([row["sha256"] for row in batch.rows]))
            made = insert(calls).returning(calls.c.sha256, calls.c.number)
            by_sum = {row.sha256: row.number for row in connection.execute(made, list(batch.rows))}
            numbers = [by_sum[row["sha256"]] for row in batch.rows]
            put_whole = [{"call": number, "packed": data} for number, data in zip(numbers, batch.whole, strict=True)]
            connection.execute(insert(results), put_whole)
            of_calls = zip(numbers, batch.said, strict=True)
            put_texts(connection, [row | {"call": number} for number, said in of_calls for row in said])

    def _drop_some(self, before: datetime) -> int:
        with self._writes.begin() as connection:
            some = select(calls.c.number).where(calls.c.dated_at < _utc(before)).limit(BATCH)
            numbers = connection.execute(some).scalars().all()
            return _drop(connection, calls.c.number.in_(numbers)) if numbers else 0

    def _read(self, wanted: Select[Any], made: Callable[[Row[Any]], Made]) -> list[Made]:
        return self._asked(lambda connection: [made(row) for row in connection.execute(wanted)])

    def _asked(self, question: Callable[[Connection], Made]) -> Made:
        def ask() -> Made:
            with self._engine.connect() as connection:
                return question(connection)

        return retried(self._engine, ask)

    def _searched(self, query: Query, *, in_order: bool = False, newest: int | None = None) -> Select[Any]:
        """Segments that hold the text, found by the index, or call by call: all in order, or in the newest alone."""
        columns = [segments.c[name] for name in ("start_s", "end_s", "speaker", "role", "text")]
        # As a sum, the number is in no index: SQLite takes call by call, the newest first, and stops at the limit.
        of_call = segments.c.call == (calls.c.number + 0 if in_order else calls.c.number)
        order = (desc(calls.c.dated_at), calls.c.number)
        among = _conditions(query)
        if newest:
            among = [calls.c.number.in_(select(calls.c.number).where(*among).order_by(*order).limit(newest))]
        said = holds(self._dialect, query.text or "", query.role, by_index=not (in_order or newest))
        return (
            select(calls.c.sha256, calls.c.source, segments.c.id.label("segment"), *columns)
            .select_from(calls.join(segments, of_call))
            .where(*among, *said)
            .order_by(*order, segments.c.start_s)
            .limit(query.limit)
        )

    def _where(self, wanted: Select[Any], query: Query) -> Select[Any]:
        wanted = wanted.where(*_conditions(query))
        if not query.text:
            return wanted
        said = holds(self._dialect, query.text, query.role)
        return wanted.where(exists().where(segments.c.call == calls.c.number, *said))


def _batches(made: Iterable[Call]) -> Iterator[list[Call]]:
    """The newest result of each recording, 200 at a time."""
    batch: dict[str, Call] = {}
    for call in made:
        batch[call.recording.sha256] = call
        if len(batch) == BATCH:
            yield list(batch.values())
            batch.clear()
    if batch:
        yield list(batch.values())


def _drop(connection: Connection, which: ColumnElement[bool]) -> int:
    """Throw calls away with their segments and what those are found by."""
    numbers = connection.execute(select(calls.c.number).where(which)).scalars().all()
    if numbers:
        drop_texts(connection, numbers)
        connection.execute(delete(results).where(results.c.call.in_(numbers)))
        connection.execute(delete(calls).where(calls.c.number.in_(numbers)))
    return len(numbers)


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    given: list[ColumnElement[bool]] = []
    if query.since:
        given.append(calls.c.dated_at >= _utc(query.since))
    if query.until:
        given.append(calls.c.dated_at < _utc(query.until))
    if query.language:
        given.append(calls.c.language == query.language)
    if query.degraded is not None:
        given.append(calls.c.degraded != "" if query.degraded else calls.c.degraded == "")
    given += [_figure(name) >= least for name, least in query.above]
    given += [_figure(name) <= most for name, most in query.below]
    return given


def _figure(name: str) -> Column[Any]:
    if name not in ORDERS:
        raise SettingsInvalid(f"There is no figure {name!r}. Choose one of {', '.join(ORDERS)}.")
    return ORDERS[name]


def _ordered(wanted: Select[Any], order: str) -> Select[Any]:
    column = _figure(order.removeprefix("-"))
    direction = desc(column) if order.startswith("-") else asc(column)
    # A column without nulls is left as it is: PostgreSQL's index has nulls the other way round.
    return wanted.order_by(direction.nulls_last() if column.nullable else direction, calls.c.number)


def _found(row: Row[Any]) -> Found:
    return Found(
        sha256=row.sha256,
        id=row.id,
        source=row.source,
        dated_at=_utc(row.dated_at),
        created_at=_utc(row.created_at),
        duration_s=row.duration_s,
        language=row.language,
        degraded=tuple(filter(None, row.degraded.split(","))),
        attributes=dict(row.attributes),
        figures={name: row._mapping[name] for name in FIGURES},
    )


def _hit(row: Row[Any]) -> Hit:
    return Hit(**row._mapping)


def _utc(time: datetime) -> datetime:
    """SQLite keeps times without their offset: they are UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)
