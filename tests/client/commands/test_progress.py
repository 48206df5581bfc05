"""What is told on stderr beside the result."""

from __future__ import annotations

import pytest

from callscope.analysis.talk import measure
from callscope.call import Call, Processing, Recording, Step
from callscope.commands.progress import tell_fallbacks


def call_with(*steps: Step) -> Call:
    recording = Recording("0" * 16, "calls/a.wav", "0" * 64, 1.0, 8000, 1)
    processing = Processing("2026-01-02T03:04:05+00:00", "0.1.0", 1.0, 1.0, {}, steps)
    return Call(recording, processing, (), (), measure((), (), 1.0))


def test_what_failed_or_was_left_out_is_told_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    failed = Step("sentiment", "failed", 0.1, error="The model sentiment [b] failed.")
    skipped = Step("punctuate", "skipped", 0.0, error="There is none.")
    tell_fallbacks(call_with(Step("decode", "ok", 0.1), skipped, failed))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "calls/a.wav: punctuate skipped: There is none.",
        "calls/a.wav: sentiment failed: The model sentiment [b] failed.",
    ]


def test_of_a_whole_call_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell_fallbacks(call_with(Step("decode", "ok", 0.1)))
    assert capsys.readouterr().err == ""
