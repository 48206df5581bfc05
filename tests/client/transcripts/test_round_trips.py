"""What Callscope writes it reads: the same speakers, times to the millisecond, and texts."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callscope.call import Call
from callscope.report import WRITERS
from callscope.report.captions import captions
from callscope.report.json import to_json
from callscope.report.times import floor_ms
from callscope.report.txt import speaker_labels
from callscope.settings import Settings
from callscope.transcripts.flow import analyze_transcripts

WORDS = ("hello", "네", "はい、", "3 < 4 & 5", '"quoted"', "a,b;c", "=1+1", "it's 10:30", "[sic]", "don’t", "?", "１２")
NAMES = ("Agent", "Customer", "speaker-3")
CLOCK = st.integers(min_value=0, max_value=7_200_000)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Segments of up to three speakers, in order of start, with gaps and overlaps."""
    made = []
    for start_ms in sorted(draw(st.lists(CLOCK, min_size=1, max_size=12))):
        text = " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30)))
        length_ms = draw(st.integers(min_value=1, max_value=60_000))
        name = draw(st.sampled_from(NAMES))
        made.append({"start": start_ms / 1000, "end": (start_ms + length_ms) / 1000, "speaker": name, "text": text})
    return made


def analysed(file: Path, text: str) -> Call:
    file.write_text(text, encoding="utf-8")
    (call,) = asyncio.run(analyze_transcripts(file, None, Settings()))
    return call


def said(call: Call) -> list[tuple[Any, ...]]:
    labels = speaker_labels(call)
    return [(floor_ms(one.start_s), floor_ms(one.end_s), labels[one.speaker], one.text) for one in call.segments]


def roles(call: Call) -> dict[str, str]:
    labels = speaker_labels(call)
    return {labels[speaker.id]: speaker.role for speaker in call.speakers}


again = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
@again
@given(rows=rows())
def test_tables_and_json_keep_segments(tmp_path: Path, form: str, rows: list[dict[str, Any]]) -> None:
    first = analysed(tmp_path / "a.json", json.dumps(rows))
    second = analysed(tmp_path / f"b.{form}", WRITERS[form](first))
    assert said(second) == said(first)
    assert roles(second) == roles(first)
    if form != "csv":
        assert to_json(second)["metrics"] == to_json(first)["metrics"]


@pytest.mark.parametrize("form", ["srt", "vtt"])
@again
@given(rows=rows())
def test_captions_keep_what_they_show(tmp_path: Path, form: str, rows: list[dict[str, Any]]) -> None:
    first = analysed(tmp_path / "a.json", json.dumps(rows))
    shown = [(floor_ms(one.start_s), floor_ms(one.end_s), one.speaker, one.text) for one in captions(first)]
    second = analysed(tmp_path / f"b.{form}", WRITERS[form](first))
    assert sorted(said(second)) == sorted(shown)
    spoken = {speaker for _, _, speaker, _ in shown}
    assert roles(second) == {name: role for name, role in roles(first).items() if name in spoken}


@again
@given(rows=rows())
def test_who_spoke_when_and_the_text_beside_it_keep_segments(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    first = analysed(tmp_path / "a.json", json.dumps(rows))
    (tmp_path / "b.txt").write_text(WRITERS["txt"](first), encoding="utf-8")
    second = analysed(tmp_path / "b.rttm", WRITERS["rttm"](first))
    assert said(second) == [(start_s, pytest.approx(end_s, abs=1e-9), *rest) for start_s, end_s, *rest in said(first)]
    assert roles(second) == roles(first)


def test_a_result_keeps_what_the_recogniser_said_of_its_words(tmp_path: Path) -> None:
    words = [{"word": "hi", "start": 0.5, "end": 1.0, "probability": 0.5}]
    row = {"start": 0.5, "end": 1, "text": "hi", "avg_logprob": -0.5, "no_speech_prob": 0.25, "words": words}
    value = {"segments": [row], "language": "ko", "duration": 3}
    first = analysed(tmp_path / "a.json", json.dumps(value))
    result = to_json(first)
    result["segments"][0] |= {"doubts": ["loop"], "raw_text": "HI"}
    result["speakers"][0] |= {"role": "agent", "role_source": "channel", "role_confidence": 0.75, "channel": 1}
    result["call"]["sample_rate"] = 8000
    second = analysed(tmp_path / "b.json", json.dumps(result))
    again = to_json(second)
    assert again["segments"] == result["segments"]
    assert again["speakers"] == result["speakers"]
    assert (again["call"]["duration"], again["call"]["sample_rate"], again["call"]["language"]) == (3, 8000, "ko")


def test_times_never_decrease(tmp_path: Path) -> None:
    rows = [{"start": at, "end": at + 1, "text": "x"} for at in (5, 1, 3)]
    call = analysed(tmp_path / "a.json", json.dumps(rows))
    assert all(one.start_s <= other.start_s for one, other in pairwise(call.segments))
