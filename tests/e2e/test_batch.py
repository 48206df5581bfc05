"""`callscope batch`: each recording once, whatever breaks on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
import soundfile

from callscope.report.json import schema
from callscope.store.query import Query
from callscope.store.sql import open_store
from callscope_server.launcher import TritonServer

from .running import SOURCES, TIMEOUT_S, Cli, started

ROOT = Path(__file__).parents[2]
COUNT = 8


@pytest.fixture
def recordings(demo_calls: Path, tmp_path: Path) -> Path:
    """Short recordings, each of other content: pieces of the demo's calls."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(COUNT):
        sound, rate_hz = soundfile.read(demo_calls / f"{('en', 'ja', 'ko')[number % 3]}.wav", dtype="int16")
        start = number * 2 * rate_hz
        soundfile.write(folder / f"{number}.wav", sound[start : start + 6 * rate_hz], rate_hz)
    return folder


def stored(database: Path) -> list[str]:
    store = open_store(str(database))
    try:
        results = list(store.export(Query()))
    finally:
        store.close()
    for result in results:
        jsonschema.Draft202012Validator(schema()).validate(result)
    return sorted(result["call"]["sha256"] for result in results)


def test_each_recording_has_one_result_and_is_not_done_again(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    (recordings / "twin.wav").write_bytes((recordings / "0.wav").read_bytes())
    (recordings / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    database = tmp_path / "calls.db"
    first = callscope("batch", recordings, "--store", database, *server)
    assert first.code == 3, first.stderr
    assert f"{COUNT} analysed, 1 had a result, 1 set aside." in first.stderr
    assert len(stored(database)) == COUNT
    aside = [json.loads(line) for line in (tmp_path / "here" / "callscope-aside.jsonl").read_text("utf-8").splitlines()]
    assert [Path(one["path"]).name for one in aside] == ["broken.wav"]
    (recordings / "broken.wav").unlink()
    second = callscope("batch", recordings, "--store", database, *server)
    assert second.code == 0, second.stderr
    assert f"0 analysed, {COUNT + 1} had a result, 0 set aside." in second.stderr
    assert not (tmp_path / "here" / "callscope-aside.jsonl").exists()


def test_a_list_names_recordings_and_what_is_known_of_them(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    listed = recordings / "calls.csv"
    listed.write_text("path,team,date\n0.wav,B,2026-03-04\n1.wav,A,\n", encoding="utf-8-sig")
    database = tmp_path / "calls.db"
    assert callscope("batch", listed, "--store", database, *server).code == 0
    store = open_store(str(database))
    found = {one.source: one for one in store.find(Query())}
    store.close()
    assert {Path(source).name: one.attributes for source, one in found.items()} == {
        "0.wav": {"team": "B", "date": "2026-03-04"},
        "1.wav": {"team": "A"},
    }


def _start(recordings: Path, database: Path, address: str, folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in SOURCES)}
    command = [sys.executable, "-m", "callscope", "batch", recordings, "--store", database, "--server", address]
    return subprocess.Popen(
        [*map(str, command), "--at-once", "1"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_for(database: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and (not database.exists() or len(stored(database)) < count):
        time.sleep(0.2)


def test_a_batch_that_is_killed_goes_on_where_it_was(triton: TritonServer, recordings: Path, tmp_path: Path) -> None:
    database, address = tmp_path / "calls.db", f"grpc://{triton.endpoints.grpc}"
    for done in (1, 3, 5):
        process = _start(recordings, database, address, tmp_path)
        _wait_for(database, done, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert _start(recordings, database, address, tmp_path).wait() == 0
    assert len(stored(database)) == len(set(stored(database))) == COUNT


@pytest.mark.parametrize(
    ("source", "sentence"),
    [("nowhere", "There is no nowhere"), ("*.wav", "no recording"), ("list.csv", "cannot be read")],
)
def test_a_source_that_is_not_there_is_one_sentence(callscope: Cli, source: str, sentence: str) -> None:
    callscope("batch", source).failed_with(2, sentence)


def test_a_recording_that_is_gone_is_set_aside_and_the_others_are_done(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    listed = recordings / "calls.csv"
    listed.write_text("path\ngone.wav\n0.wav\n", encoding="utf-8")
    ended = callscope("batch", listed, "--store", tmp_path / "calls.db", *server)
    assert ended.code == 3
    assert "1 analysed, 0 had a result, 1 set aside." in ended.stderr
    assert len(stored(tmp_path / "calls.db")) == 1


def test_a_list_of_what_is_set_aside_that_cannot_be_written_is_said(
    callscope: Cli, server: tuple[str, str], recordings: Path, tmp_path: Path
) -> None:
    listed = recordings / "calls.csv"
    listed.write_text("path\ngone.wav\n0.wav\n", encoding="utf-8")
    database = tmp_path / "calls.db"
    ended = callscope("batch", listed, "--store", database, "--aside", tmp_path / "no" / "aside.jsonl", *server)
    assert ended.code == 3
    assert "aside.jsonl cannot be written" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(stored(database)) == 1


def test_two_batches_on_one_store_share_the_work(triton: TritonServer, recordings: Path, tmp_path: Path) -> None:
    address, database = f"grpc://{triton.endpoints.grpc}", tmp_path / "calls.db"
    arguments = ("batch", recordings, "--store", database, "--server", address)
    with (
        started(*arguments, cwd=tmp_path) as (first, _),
        started(*arguments, cwd=tmp_path) as (second, _),
    ):
        said = [process.communicate(timeout=TIMEOUT_S)[1] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    analysed = [int(line.split(maxsplit=1)[0]) for line in said]
    known = [int(line.split()[2]) for line in said]
    assert sum(analysed) == COUNT
    assert [done + had for done, had in zip(analysed, known, strict=True)] == [COUNT, COUNT]
    assert len(stored(database)) == COUNT
