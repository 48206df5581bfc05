"""Files that are damaged or were never what they are called: a result, or one of our errors with an exit code."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.store.conftest import make_call
from tests.client.transcripts.test_hostile_files import FILES, mutated
from tests.export.random_checkpoint import TinyWhisper, write_whisper
from tests.preprocessing.damaged_files import verdicts

from callscope.batch.sources import find_items
from callscope.errors import CallscopeError, StoreDamaged
from callscope.report.json import to_json, write_line
from callscope.report.overview.brief import NoResult, brief_of
from callscope.settings import Settings, load_settings
from callscope.store.rows import packed, unpack
from callscope.transcripts.flow import analyze_transcripts
from callscope_export import export_whisper
from callscope_export.errors import ExportError
from callscope_preprocessing.errors import AudioError
from callscope_preprocessing.rttm import RttmInvalid, read_rttm

from .amount import examples, times

LISTS = {
    "a.csv": 'path,agent,date\ncalls/1.wav,Kim,2026-01-02\n"calls/2, b.wav",Sato,\n',
    "b.jsonl": '{"path": "calls/1.wav", "agent": "Kim"}\n{"path": "s3://bucket/2.wav", "n": 3}\n',
}
TOML = 'server = "grpc://127.0.0.1:8001"\nstore = "calls.db"\nlanguage = "ko"\nconcurrency = 8\nredact = true\n'
TURNS = "SPEAKER call 1 0.50 1.25 <NA> <NA> S1 <NA> <NA>\nSPEAKER call 1 2.00 0.75 <NA> <NA> S2 <NA> <NA>\n"
seeds = st.integers(0, 2**32)


def damaged(text: str | bytes, seed: int) -> bytes:
    """The file with some cuts, insertions and changes, made from the seed alone."""
    return mutated(text.encode() if isinstance(text, str) else text, random.Random(seed))


@examples(1500)
@given(seed=seeds, name=st.sampled_from([*LISTS]))
def test_lists_of_recordings(tmp_path: Path, seed: int, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(damaged(LISTS[name], seed))
    try:
        assert all(item.source for item in find_items([str(file)]))
    except CallscopeError as error:
        assert error.exit_code in {2, 3}


@examples(1000)
@given(seed=seeds)
def test_settings(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "callscope.toml"
    file.write_bytes(damaged(TOML, seed))
    try:
        load_settings(config=file)
    except CallscopeError as error:
        assert error.exit_code == 2


@examples(1000)
@given(seed=seeds)
def test_turns_of_speakers(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "turns.rttm"
    file.write_bytes(damaged(TURNS, seed))
    try:
        read_rttm(file)
    except (RttmInvalid, AudioError) as error:
        assert str(error)


@examples(1000)
@given(seed=seeds)
def test_results_of_the_database_and_of_files(seed: int) -> None:
    call, chance = make_call(1), random.Random(seed)
    try:
        assert unpack(mutated(packed(call), chance), "a call")["call"]
    except StoreDamaged as error:
        assert error.exit_code == 5
    try:
        assert brief_of(mutated(write_line(call).encode(), chance), None).source is not None
    except NoResult as error:
        assert str(error)


@examples(1500)
@given(seed=seeds, name=st.sampled_from([name for name, content in FILES.items() if content]))
def test_transcripts(tmp_path: Path, seed: int, name: str) -> None:
    (tmp_path / "h.txt").write_text("hello\nyes\n")
    file = tmp_path / name
    file.write_bytes(damaged(FILES[name], seed))
    try:
        for call in asyncio.run(analyze_transcripts(file, None, Settings())):
            json.dumps(to_json(call), allow_nan=False)
    except CallscopeError as error:
        assert error.exit_code == 3


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Whisper, as it is published."""
    folder = tmp_path_factory.mktemp("checkpoint")
    write_whisper(folder, TinyWhisper(seed=3))
    return folder


@examples(400)
@given(seed=seeds)
def test_checkpoints(checkpoint: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    files = sorted(file for file in checkpoint.iterdir() if file.is_file())
    victim, folder = chance.choice(files), Path(tempfile.mkdtemp(dir=tmp_path))
    for file in files:
        (folder / file.name).write_bytes(mutated(file.read_bytes(), chance) if file is victim else file.read_bytes())
    try:
        export_whisper(folder, folder / "repository", precision="fp32", parity="off")
    except ExportError as error:
        assert error.exit_code == 5
        assert str(error).count(". ") >= 1
    finally:
        shutil.rmtree(folder)


def test_recordings(tmp_path: Path) -> None:
    assert [one for one in verdicts(11, times(400), tmp_path) if one.is_bad] == []
