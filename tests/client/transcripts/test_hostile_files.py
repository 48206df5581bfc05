"""Damaged files end in one sentence or in a result that keeps the schema; never in a crash."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import jsonschema
import pytest

from callscope.errors import CallscopeError
from callscope.report.json import schema, to_json
from callscope.settings import Settings
from callscope.transcripts.flow import analyze_transcripts

from .test_csv import TABLE
from .test_json import ITEMS, SPEAKER_LABELS, WHISPER, WHISPERX
from .test_rttm import TURNS
from .test_srt import TWO
from .test_vtt import CALL

FILES = {
    "a.srt": TWO,
    "b.vtt": CALL,
    "c.csv": TABLE,
    "d.json": json.dumps(WHISPER),
    "e.json": json.dumps(WHISPERX),
    "f.json": json.dumps({"results": {"items": ITEMS, "speaker_labels": SPEAKER_LABELS}}),
    "g.jsonl": "".join(json.dumps(row) + "\n" for row in [WHISPERX["segments"][0]] * 3),
    "h.rttm": TURNS,
    "i.json": "",  # a result of our own, made by the test
}
TIMES = 230
BITS = (
    *(b"\x00", b"\xff", b"\n", b"\n\n", b"-->", b"<v ", b"NaN", b"null", b"-1", b"1e999", b'"', b",", b"[", b"}", b":"),
    *("\u2028".encode(), "네".encode("cp949"), b"\xed\xa0\x80", b"9" * 400, b"\xef\xbb\xbf", b"true", b"[]", b"{}"),
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with up to four cuts, insertions, repetitions or changes."""
    for _ in range(chance.randint(1, 4)):
        at, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        end = min(end, at + 40)
        kind = chance.randrange(6)
        if kind == 0:
            data = data[:at] + data[end:]
        elif kind == 1:
            data = data[:at] + chance.choice(BITS) + data[at:]
        elif kind == 2:
            data = data[:at] + data[at:end] * 2 + data[end:]
        elif kind == 3:
            data = data[:at]
        elif kind == 4 and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        else:
            data = data[:at] + chance.choice(BITS) + data[end:]
    return data


@pytest.mark.parametrize("name", FILES)
def test_no_damage_crashes_a_reader(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    checker = jsonschema.Draft202012Validator(schema())
    (tmp_path / "h.txt").write_text("hello\nyes\n")
    file = tmp_path / name
    file.write_text(FILES[name] or own_result(tmp_path))
    whole, outcomes = file.read_bytes(), {"read": 0, "refused": 0}
    for _ in range(TIMES):
        file.write_bytes(mutated(whole, chance))
        try:
            calls = asyncio.run(analyze_transcripts(file, None, Settings()))
        except CallscopeError as error:
            assert error.exit_code == 3, error
            assert "\n" not in str(error)
            assert len(str(error)) < 600
            outcomes["refused"] += 1
            continue
        for call in calls:
            checker.validate(json.loads(json.dumps(to_json(call), allow_nan=False, ensure_ascii=False).encode()))
        outcomes["read"] += 1
    assert min(outcomes.values()) > 0, outcomes  # damage that nothing notices, or that all do, would test nothing


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.srt", TWO.replace("Hello.", "0:0" + "->" * 200_000)),
        ("b.srt", TWO.replace("Agent: Hello.", "[" + " " * 400_000)),
        ("c.srt", TWO.replace("Agent: Hello.", "-" * 400_000)),
        ("d.vtt", CALL.replace("<v.loud Agent>", "<v" + " " * 400_000)),
        ("e.vtt", CALL.replace("<v.loud Agent>", "<v x" * 100_000)),
        ("f.csv", TABLE.replace("Hi", "x" * 400_000)),
        ("g.json", json.dumps([{"start": "9" * 100_000, "end": "1", "text": ""}])),
        ("h.json", json.dumps([{"start": 0, "end": 1, "text": "a. " * 200_000}])),
        ("i.srt", "\n".join(f"00:00:00,000 --> 00:00:01,000\n{n}\n" for n in range(20_001))),
    ],
)
def test_long_lines_and_many_captions_end_too(tmp_path: Path, name: str, text: str) -> None:
    """Whoever tries every way to read them would be at it for hours."""
    (tmp_path / name).write_text(text)
    try:
        assert asyncio.run(analyze_transcripts(tmp_path / name, None, Settings()))
    except CallscopeError as error:
        assert error.exit_code == 3
        assert len(str(error)) < 600


def own_result(folder: Path) -> str:
    file = folder / "own.srt"
    file.write_text(TWO)
    return json.dumps(to_json(asyncio.run(analyze_transcripts(file, None, Settings()))[0]))
