"""A call as bytes and back."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.analysis.measures import Measures
from callscope.analysis.talk import measure
from callscope.cache.packed import pack, unpack
from callscope.call import Call, Channel, Dropped, Evidence, LexiconShare, Model, Sentence, Sentiment, Step, Word

from ..store.conftest import SPEAKERS, make_call


def full_call() -> Call:
    """A call in which every part has its value."""
    call = make_call(1, source="", metadata={})
    judged = Sentiment("negative", -0.3, {"negative": 0.1 + 0.2}, "model+lexicon", LexiconShare(-1.0, 1 / 3, ("x",)))
    first = replace(
        call.segments[0],
        words=(Word("네", 1 / 3, 2 / 3, None, "S1"), Word("a", 0.7, 0.9, 1 / 7, "S1")),
        sentences=(Sentence("상담원 김민수입니다. ", judged), Sentence("b", None)),
        sentiment=judged,
        doubts=("loop",),
        overlap=True,
        interruption=False,
        confidence=1e-17,
    )
    crossing = replace(call.segments[1], start_s=1.0)
    said = (first, crossing, *call.segments[2:])
    processing = replace(
        call.processing,
        models={"asr": Model("transcribe", "1", "int8", "x", None)},
        steps=(Step("decode", "ok", 0.1), Step("x", "failed", 0.2, 3, "why")),
        channels=(Channel(0, None, 1.5, 30.1), Channel(1, 0)),
        dropped=(Dropped(0, 0.1, 0.2, "keys"),),
        redacted={"card": 2},
    )
    quality = replace(call.quality, evidence=(Evidence("apology_ratio", "seg-0000", 0, "a", "b"),))
    metrics: Measures = measure(said, SPEAKERS, 15.0)
    return replace(call, segments=said, processing=processing, quality=quality, metrics=metrics)


def test_nothing_of_a_call_is_lost_but_its_path_and_metadata() -> None:
    call = full_call()
    assert unpack(pack(call)) == call
    told = replace(call, recording=replace(call.recording, source="/home/kim/calls/1.wav", metadata={"agent": "Kim"}))
    assert unpack(pack(told)) == call
    assert b"kim" not in zlib.decompress(pack(told)).lower()


@given(st.floats(0, 1e6), st.text(st.characters(exclude_categories=["Cs"])))
def test_numbers_and_texts_come_back_as_they_were(number: float, text: str) -> None:
    call = make_call(1, source="", metadata={}, duration_s=number)
    call = replace(call, segments=(replace(call.segments[0], end_s=number, text=text, confidence=number),))
    assert unpack(pack(call)) == call


def test_what_no_json_can_hold_is_refused() -> None:
    call = make_call(1)
    with pytest.raises(ValueError, match="surrogate"):
        pack(replace(call, segments=(replace(call.segments[0], text="a\ud800"),)))


@pytest.mark.parametrize("damage", [b"", b"nothing", zlib.compress(b"{}"), pack(make_call(1))[:-9]])
def test_damaged_bytes_are_refused(damage: bytes) -> None:
    with pytest.raises(ValueError, match=r"no packed call|validation error"):
        unpack(damage)
