"""A store of each kind, and calls to put in: PostgreSQL is a server of the tests' own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from callscope.analysis.talk import measure
from callscope.call import Call, Processing, Quality, Recording, Segment, Sentence, Sentiment, Speaker
from callscope.store.sql import Store, open_store

from ...postgres_server import PostgresServer, find_programs, let_pass

SPEAKERS = (Speaker("S1", "agent", "given", 1.0, 0), Speaker("S2", "customer", "given", 1.0, 1))
LINES = (
    ("S1", "상담원 김민수입니다. 무엇을 도와드릴까요?", "ko", 0.2),
    ("S2", "환불 요청하려고요. 배송이 너무 늦어요.", "ko", -0.6),
    ("S1", "お電話ありがとうございます。", "ja", 0.4),
    ("S2", "契約を解約したいのですが。", "ja", -0.3),
    ("S1", "I will cancel the Contract 100% now.", "en", None),
)


def make_call(number: int, created_at: str = "2026-01-02T03:04:05+00:00", **recording: object) -> Call:
    """A short call in three languages; each number is another recording."""
    segments = tuple(
        Segment(
            f"seg-{place:04}",
            3.0 * place,
            3.0 * place + 2,
            speaker,
            int(speaker == "S2"),
            text,
            text,
            language,
            sentences=(Sentence(text),),
            sentiment=None if score is None else Sentiment("neutral", score, {"neutral": 1.0}),
        )
        for place, (speaker, text, language, score) in enumerate(LINES)
    )
    about = Recording(f"{number:016x}", f"calls/{number}.wav", f"{number:064x}", 15.0, 8000, 2, "ko", 1.0)
    processing = Processing(created_at, "0.1.0", 1.0, 0.1, {})
    metrics = measure(segments, SPEAKERS, 15.0)
    return Call(replace(about, **recording), processing, SPEAKERS, segments, metrics, Quality(honorific_ratio=0.5))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    folder = tmp_path_factory.mktemp("postgres")
    let_pass(folder)
    server = PostgresServer(folder, programs)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "calls.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    import psycopg  # noqa: PLC0415  an extra

    name = f"t{time.time_ns()}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url.replace("/postgres", f"/{name}")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def call() -> Callable[..., Call]:
    return make_call
