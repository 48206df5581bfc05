"""A store of each kind, and calls to put in: PostgreSQL is a server of the tests' own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from callscope.analysis.talk import measure
from callscope.call import Call, Processing, Quality, Recording, Segment, Sentence, Sentiment, Speaker
from callscope.store.sql import Store, open_store

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


class PostgresServer:
    """A PostgreSQL of its own in a folder, started, killed and started again at will.

    It refuses to run as root; root runs it as the account that Debian's package made.
    """

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if self._as:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        self._run(
            "initdb",
            "--pgdata",
            str(folder / "data"),
            "--username=tests",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"postgresql://tests@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["-D", str(self._folder / "data"), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        options += ["-c", f"unix_socket_directories={self._folder}", "-c", "fsync=off"]
        self._process = subprocess.Popen(
            [*self._as, str(self._programs / "postgres"), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        for _ in range(300):
            ready = subprocess.run(
                [self._programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port)],
                capture_output=True,
                check=False,
            )
            if ready.returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL did not start.")

    def stop(self, *, kill: bool = False) -> None:
        """End it, at once and without a word if `kill`."""
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.send_signal(2)
        self._process.wait(timeout=60)
        self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as, str(self._programs / program), *arguments], check=True, capture_output=True, cwd=self._folder
        )


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    folder = tmp_path_factory.mktemp("postgres")
    for parent in (folder, *folder.parents):
        if parent.owner() == pwd.getpwuid(os.geteuid()).pw_name and str(parent) != "/":
            parent.chmod(parent.stat().st_mode | 0o055)
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
