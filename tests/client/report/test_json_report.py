"""The JSON result: its schema, its names, its times."""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.call import Call, Evidence, Quality, Word
from callscope.report.json import schema, to_json, write, write_line
from callscope.report.times import clock, floor_ms


def validate(value: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker()).validate(value)


def test_the_schema_is_a_valid_schema_of_its_draft() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_full_result_satisfies_the_schema(example_call: Call) -> None:
    call = example_call
    word = Word("hello", 0.6, 0.9, 0.8, "S1")
    evidence = Evidence("apology_ratio", "seg-0001", 0, "Sorry.", "sorry")
    full = replace(
        call,
        segments=(replace(call.segments[0], words=(word,), overlap=False, interruption=False), *call.segments[1:]),
        quality=Quality(apology_ratio=0.5, evidence=(evidence,)),
    )
    validate(to_json(full))


def test_a_call_without_speech_satisfies_the_schema_with_no_segments(silent_call: Call) -> None:
    result = to_json(silent_call)
    validate(result)
    assert result["segments"] == []
    assert result["call"]["language"] is None


def test_the_result_has_the_published_names_in_the_published_order(example_call: Call) -> None:
    result = to_json(example_call)
    assert list(result) == ["schema_version", "call", "processing", "speakers", "segments", "metrics", "quality"]
    assert list(result["call"]) == [
        "id", "source", "sha256", "duration", "sample_rate", "channels", "language", "language_probability", "metadata",
    ]  # fmt: skip
    assert list(result["segments"][0]) == [
        "id", "start", "end", "speaker", "channel", "text", "raw_text", "language", "confidence", "avg_logprob",
        "no_speech_probability", "compression_ratio", "words", "sentences", "sentiment", "doubts",
        "overlap", "interruption",
    ]  # fmt: skip
    assert list(result["speakers"][0]) == ["id", "role", "role_source", "role_confidence", "channel"]


def test_what_nobody_computed_yet_is_null_or_empty(example_call: Call) -> None:
    result = to_json(example_call)
    assert result["quality"] is None
    assert (result["segments"][0]["words"], result["segments"][0]["overlap"]) == ([], None)


def test_every_object_of_the_schema_is_closed_and_requires_all_that_has_no_default() -> None:
    def objects(node: object) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for item in node for found in objects(item)]
        if not isinstance(node, dict):
            return []
        own = [node] if "properties" in node and "type" in node else []
        return own + [found for item in node.values() for found in objects(item)]

    found = objects(schema())
    assert len(found) > 15
    for each in found:
        assert each["additionalProperties"] is False
        assert each["required"] == [name for name, value in each["properties"].items() if "default" not in value]


def test_a_result_of_before_there_was_a_cache_still_satisfies_the_schema(example_call: Call) -> None:
    result = to_json(example_call)
    del result["processing"]["cached"]
    validate(result)


@pytest.mark.parametrize("change", [{"extra": 1}, {"schema_version": "2.0"}, {"segments": None}])
def test_the_schema_rejects_a_result_that_breaks_the_contract(example_call: Call, change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate(to_json(example_call) | change)


def test_text_stays_readable_and_the_document_ends_with_a_newline(example_call: Call) -> None:
    document = write(example_call)
    assert "네, 알겠습니다." in document
    assert document.endswith("}\n")
    assert json.loads(document) == to_json(example_call)


def test_a_time_just_before_a_full_second_does_not_reach_it() -> None:
    assert floor_ms(59.9996) == 59.999
    assert clock(59.96) == "0:59.9"


def test_times_that_floats_cannot_hold_exactly_keep_their_milliseconds() -> None:
    assert [floor_ms(ms / 1000) for ms in range(100_000)] == [ms / 1000 for ms in range(100_000)]


def test_no_printed_time_is_after_the_printed_end_of_the_call(example_call: Call) -> None:
    call = example_call
    late = replace(call.segments[-1], end_s=59.9996)
    result = to_json(replace(call, recording=replace(call.recording, duration_s=59.9996), segments=(late,)))
    assert result["segments"][0]["end"] == result["call"]["duration"] == 59.999


@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_rounding_keeps_the_order_of_times_and_never_passes_them(first_s: float, second_s: float) -> None:
    assert (floor_ms(first_s) <= floor_ms(second_s)) or first_s > second_s
    assert floor_ms(first_s) <= first_s + 1e-6


@pytest.mark.parametrize(("time_s", "shown"), [(0, "0:00.0"), (0.3, "0:00.3"), (61.25, "1:01.2"), (3725, "62:05.0")])
def test_the_clock_shows_minutes_seconds_and_tenths(time_s: float, shown: str) -> None:
    assert clock(time_s) == shown


def test_a_lone_surrogate_is_written_as_a_replacement(example_call: Call) -> None:
    broken = replace(example_call.segments[0], text="a\ud800b\U0001f600", raw_text="\udfff")
    call = replace(example_call, segments=(broken, *example_call.segments[1:]))
    for document in (write(call), write_line(call)):
        assert json.loads(document.encode("utf-8"))["segments"][0]["text"] == "a\ufffdb\U0001f600"
