"""Calls for the report tests."""

import pytest

from callscope.analysis.talk import measure
from callscope.call import Call, Model, Processing, Recording, Segment, Sentence, Sentiment, Speaker, Step

GLAD = Sentiment("positive", 0.75, {"negative": 0.05, "neutral": 0.15, "positive": 0.8})
CROSS = Sentiment("negative", -0.625, {"negative": 0.7, "neutral": 0.225, "positive": 0.075})


@pytest.fixture
def example_call() -> Call:
    hello = (Sentence("Hello. ", GLAD),)
    segments = (
        Segment("seg-0001", 0.5, 2.25, "S1", 0, "Hello. ", "hello", "en", confidence=0.9, sentences=hello),
        Segment("seg-0002", 3.0, 5.5, "S2", 1, "[b]My phone is broken.", "my phone is broken", "en", sentiment=CROSS),
        Segment("seg-0003", 10.0, 11.0, "S1", 0, "네, 알겠습니다.", "네 알겠습니다", "ko", sentiment=GLAD),
    )
    return _call(segments, language="en", degraded=("sentiment",))


@pytest.fixture
def silent_call() -> Call:
    return _call((), language=None)


def _call(segments: tuple[Segment, ...], *, language: str | None, degraded: tuple[str, ...] = ()) -> Call:
    speakers = (Speaker("S1", "agent", "given", 1.0, 0), Speaker("S2", "customer", "given", 1.0, 1))
    recording = Recording(
        "0123456789abcdef", "calls/a.wav", "0" * 64, 59.9996, 8000, 2, language, 0.9 if language else None
    )
    processing = Processing(
        created_at="2026-01-02T03:04:05+00:00",
        version="0.1.0",
        wall_seconds=1.5,
        rtf=0.025,
        models={"asr": Model("transcribe", "1", "int8", "demo", "r1")},
        steps=(Step("decode", "ok", 0.01), Step("sentiment", "degraded", 0.2, 2, "no answer")),
        degraded=degraded,
    )
    return Call(recording, processing, speakers, segments, measure(segments, speakers, 59.9996))
