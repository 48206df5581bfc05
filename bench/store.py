"""How fast a store takes results in, and answers: SQLite and PostgreSQL.

    python -m bench.store --calls 100000 [--page docs/store.md]

Calls of 50 segments are put in, then each query of a report is asked several times. SQLite is a file in a temporary
folder, PostgreSQL a server of its own with its default settings. The same segments go through SQLAlchemy's ORM into a
table of their own in the same run, for comparison. With --store only that database is measured.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from tests.postgres_server import PostgresServer, find_programs, let_pass

from bench.machine import describe_machine
from bench.made_calls import MINUTES, SEGMENTS, START, make_calls
from callscope.store.engine import parse_url
from callscope.store.query import Query
from callscope.store.rows import segment_rows
from callscope.store.sql import Store, open_store

ASKED = 20
PEER_CALLS = 1000
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
COLUMNS = ("id", "start_s", "end_s", "speaker", "role", "sentiment", "text")
SEARCHES = {
    "common word, ko": "배송",
    "common word, ja": "注文",
    "common word, en": "order",
    "rare word, ko": "해지방어",
    "rare word, ja": "監督官庁",
    "rare word, en": "ombudsman",
    "one character, ja": "料",
    "an order number": "000000042",
    "no hit": "zebra crossing",
}


class Base(DeclarativeBase):
    """Of the peer's table."""


class Said(Base):
    """A segment as an ORM class, without an index."""

    __tablename__ = "peer_segments"
    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str]
    start_s: Mapped[float]
    end_s: Mapped[float]
    speaker: Mapped[str]
    role: Mapped[str]
    sentiment: Mapped[float | None]
    text: Mapped[str]


@dataclass
class Measured:
    """What was seen of one database."""

    segments_a_s: float = 0.0
    peer_segments_a_s: float = 0.0
    waits_ms: dict[str, tuple[float, float]] = field(default_factory=dict)


def queries(count: int) -> Mapping[str, Query]:
    """What a report and a supervisor ask."""
    middle = START + timedelta(minutes=MINUTES * count // 2)
    week = {"since": middle, "until": middle + timedelta(days=7)}
    return {
        "newest 100": Query(),
        "a week": Query(**week),
        "a week in one language": Query(**week, language="ja"),
        "least empathy of a week": Query(**week, order="empathy_ratio"),
        "most non-talk of all": Query(order="-non_talk_share"),
        "non-talk above 30 %": Query(above=(("non_talk_share", 0.3),)),
        "degraded": Query(degraded=True),
    }


def fill(store: Store, count: int) -> float:
    """Put calls in; segments a second, the making of calls not counted."""
    making_s = 0.0

    def timed() -> Iterator[object]:
        nonlocal making_s
        source = make_calls(count)
        while True:
            begun_s = time.perf_counter()
            call = next(source, None)
            making_s += time.perf_counter() - begun_s
            if call is None:
                return
            yield call

    begun_s = time.perf_counter()
    store.put(timed())  # type: ignore[arg-type]  # calls, one after another
    return count * SEGMENTS / (time.perf_counter() - begun_s - making_s)


def fill_peer(url: str) -> float:
    """The segments of some calls by the ORM, 200 calls a transaction; segments a second."""
    engine = create_engine(parse_url(url))
    Base.metadata.create_all(engine)
    rows = [row for call in make_calls(PEER_CALLS) for row in segment_rows(call)]
    begun_s = time.perf_counter()
    for first in range(0, len(rows), 200 * SEGMENTS):
        with Session(engine) as session:
            some = rows[first : first + 200 * SEGMENTS]
            session.add_all([Said(**{name: row[name] for name in COLUMNS}) for row in some])
            session.commit()
    taken_s = time.perf_counter() - begun_s
    Base.metadata.drop_all(engine)
    engine.dispose()
    return len(rows) / taken_s


def ask(store: Store, count: int) -> dict[str, tuple[float, float]]:
    """The median and the longest of some askings of each query, in milliseconds."""
    found = {name: _waits(lambda query=query: store.find(query)) for name, query in queries(count).items()}
    for name, text in SEARCHES.items():
        found[f"search: {name}"] = _waits(lambda text=text: store.search(replace(Query(limit=50), text=text)))
    return found


def _waits(work: Callable[[], object]) -> tuple[float, float]:
    taken_ms = []
    for _ in range(ASKED):
        begun_s = time.perf_counter()
        work()
        taken_ms.append(1000 * (time.perf_counter() - begun_s))
    return statistics.median(taken_ms), max(taken_ms)


def measure(url: str, count: int) -> Measured:
    """Fill an empty database, and ask."""
    store = open_store(url)
    try:
        return Measured(fill(store, count), fill_peer(url), ask(store, count))
    finally:
        store.close()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL with its own settings, such as it is installed."""
    programs = find_programs()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed. Install it (Debian: apt-get install postgresql).")
    let_pass(folder)
    server = PostgresServer(folder, programs, settings=())
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def table(found: Mapping[str, Measured], count: int) -> str:
    """The page's part."""
    rows = [
        f"{describe_machine()}; {count:,} calls of {SEGMENTS} segments.\n",
        f"| | {' | '.join(found)} |",
        f"|---|{'---:|' * len(found)}",
        _row("segments put in a second", [f"{one.segments_a_s:,.0f}" for one in found.values()]),
        _row(
            "as a multiple of SQLAlchemy's ORM",
            [f"{one.segments_a_s / one.peer_segments_a_s:.2f}" for one in found.values()],
        ),
    ]
    for name in next(iter(found.values())).waits_ms:
        waits = [one.waits_ms[name] for one in found.values()]
        rows.append(
            _row(f"{name}, ms: median (longest of {ASKED})", [f"{mid:.1f} ({most:.1f})" for mid, most in waits])
        )
    return "\n".join(rows)


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--store", help="an empty database, instead of both")
    parser.add_argument("--page", type=Path, help="a page whose measured part is replaced")
    given = parser.parse_args()
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        if given.store:
            found[given.store.partition(":")[0]] = measure(given.store, given.calls)
        else:
            found["SQLite"] = measure(str(Path(folder) / "calls.db"), given.calls)
            place = Path(folder) / "postgres"
            place.mkdir()
            with postgres(place) as url:
                found["PostgreSQL"] = measure(url, given.calls)
    made = table(found, given.calls)
    print(made)
    if given.page:
        text = given.page.read_text(encoding="utf-8")
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        given.page.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
