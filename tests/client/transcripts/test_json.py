from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from callscope.transcripts.transcript import Transcript

Read = Callable[..., Transcript]
Refused = Callable[..., str]
Said = Callable[[Transcript], list[tuple[float, float, str | None, str]]]

WHISPER = {
    "text": " Hello there. Yes.",
    "language": "en",
    "segments": [
        {"id": 0, "seek": 0, "start": 0.0, "end": 2.5, "text": " Hello there.", "tokens": [1], "temperature": 0.0,
         "avg_logprob": -0.25, "compression_ratio": 0.8, "no_speech_prob": 0.01,
         "words": [{"word": " Hello", "start": 0.0, "end": 1.0, "probability": 0.9},
                   {"word": " there.", "start": 1.0, "end": 2.5, "probability": 0.8}]},
        {"id": 1, "start": 3.0, "end": 4.0, "text": " Yes."},
    ],
}  # fmt: skip
WHISPERX = {
    "language": "en",
    "segments": [
        {"start": 0.1, "end": 2.0, "text": " I paid 20.", "speaker": "SPEAKER_01",
         "words": [{"word": "I", "start": 0.1, "end": 0.2, "score": 0.9, "speaker": "SPEAKER_01"}, {"word": "20."}]},
    ],
}  # fmt: skip


def item(content: str, start: str = "", end: str = "", **more: Any) -> dict[str, Any]:
    """A word as Amazon Transcribe writes it; without times, a mark."""
    times = {"start_time": start, "end_time": end, "type": "pronunciation"} if start else {"type": "punctuation"}
    return {"alternatives": [{"content": content, "confidence": "0.9"}], **times, **more}


ITEMS = [item("Hello", "0.5", "0.9"), item("."), item("Hi", "1.0", "1.4"), item("you", "1.4", "1.6"), item("?"),
         item("Right", "4.0", "4.4")]  # fmt: skip
SPEAKER_LABELS = {
    "segments": [
        {"speaker_label": "spk_0", "items": [{"start_time": "0.5", "speaker_label": "spk_0"}]},
        {"speaker_label": "spk_1", "items": [{"start_time": each} for each in ("1.0", "1.4", "4.0")]},
    ]
}
BY_SPEAKER = [(0.5, 0.9, "spk_0", "Hello."), (1.0, 1.6, "spk_1", "Hi you?"), (4.0, 4.4, "spk_1", "Right")]


def test_whispers_segments_are_read_with_words_and_figures(read: Read, said: Said) -> None:
    transcript = read("a.json", json.dumps(WHISPER))
    assert said(transcript) == [(0.0, 2.5, None, " Hello there."), (3.0, 4.0, None, " Yes.")]
    first = transcript.cues[0]
    assert [(word.word, word.start_s, word.end_s, word.confidence) for word in first.words] == [
        (" Hello", 0.0, 1.0, 0.9),
        (" there.", 1.0, 2.5, 0.8),
    ]
    assert (first.figures.avg_logprob, first.figures.no_speech_probability) == (-0.25, 0.01)
    assert transcript.language == "en"


def test_a_word_that_whisperx_has_not_aligned_is_given_no_time(read: Read, said: Said) -> None:
    transcript = read("a.json", json.dumps(WHISPERX))
    assert said(transcript) == [(0.1, 2.0, "SPEAKER_01", " I paid 20.")]
    assert transcript.cues[0].words == ()


def test_a_plain_list_is_read(read: Read, said: Said) -> None:
    rows = [{"start": "0:01", "end": 2, "speaker": 7, "text": "a"}, {"from": 2, "duration": 0.5, "text": None}]
    assert said(read("a.json", json.dumps(rows))) == [(1.0, 2.0, "7", "a"), (2.0, 2.5, None, "")]


@pytest.mark.parametrize(
    "results",
    [
        {"items": ITEMS, "speaker_labels": SPEAKER_LABELS},
        {"items": [{**each, "speaker_label": "spk_0" if at < 2 else "spk_1"} for at, each in enumerate(ITEMS)]},
    ],
)
def test_amazons_words_become_segments_of_their_speakers(read: Read, said: Said, results: Any) -> None:
    transcript = read("a.json", json.dumps({"results": {"language_code": "en-US", **results}}))
    assert said(transcript) == BY_SPEAKER
    assert (transcript.language, transcript.cues[1].words[1].confidence) == ("en", 0.9)


def test_amazons_channels_are_kept_and_japanese_has_no_spaces(read: Read) -> None:
    channels = [{"channel_label": f"ch_{n}", "items": ITEMS[2 * n : 2 * n + 2]} for n in range(2)]
    results = {"language_code": "ja-JP", "items": ITEMS, "channel_labels": {"channels": channels}}
    cues = read("a.json", json.dumps({"results": results})).cues
    assert [(cue.channel, cue.text) for cue in cues] == [(0, "Hello."), (1, "Hiyou")]


def test_contact_lens_tells_roles_and_the_calls_length(read: Read) -> None:
    value = {
        "LanguageCode": "ko-KR",
        "Participants": [{"ParticipantId": "p1", "ParticipantRole": "AGENT"}],
        "ConversationCharacteristics": {"TotalConversationDurationMillis": 9500},
        "Transcript": [
            {"ParticipantId": "p1", "Content": "네", "BeginOffsetMillis": 1500, "EndOffsetMillis": 2000},
            {"ParticipantId": "CUSTOMER", "Content": "예", "BeginOffsetMillis": 2500, "EndOffsetMillis": 3000},
        ],
    }
    transcript = read("a.json", json.dumps(value))
    assert [(cue.start_s, cue.speaker, cue.role) for cue in transcript.cues] == [
        (1.5, "p1", "AGENT"),
        (2.5, "CUSTOMER", None),
    ]
    assert (transcript.duration_s, transcript.language) == (9.5, "ko")


@pytest.mark.parametrize("missing", ["start", "end", "text"])
@pytest.mark.parametrize("value", [WHISPER, WHISPER["segments"]])
def test_a_segment_without_times_is_refused_and_given_none(refused: Refused, value: Any, missing: str) -> None:
    damaged = json.loads(json.dumps(value))
    del (damaged["segments"] if isinstance(damaged, dict) else damaged)[1][missing]
    message = refused("a.json", json.dumps(damaged))
    assert ", segment 2: " in message
    assert ("not made up" in message) == (missing != "text")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: this is no JSON"),
        ("{", "no JSON"),
        ('{"a": 1}', "no transcript that is known"),
        ("3", "no transcript that is known"),
        ('"text"', "no transcript that is known"),
        ("[1]", "segment 1"),
        ("[" * 100_000, "no JSON"),
        ('[{"start": ' + "9" * 5000 + "}]", "no JSON"),
        ('[{"start": NaN, "end": 2, "text": ""}]', "segment 1: its start is no time"),
        ('[{"start": 1, "end": Infinity, "text": ""}]', "segment 1: its end is no time"),
        ('[{"start": 1, "end": 2, "text": 3}]', "no text"),
        ("[]", "no words"),
        ('{"segments": []}', "no words"),
        ('{"results": {"items": [{}]}}', "item 1"),
        ('{"results": {"items": [{"type": "pronunciation", "alternatives": [{"content": "a"}]}]}}', "item 1"),
        ('{"schema_version": "2.0", "call": {}, "segments": []}', "schema 2.0"),
    ],
)
def test_what_is_no_transcript_is_told(refused: Refused, text: str, words: str) -> None:
    assert words in refused("a.json", text)


def test_a_segment_a_line_is_one_call(read: Read, said: Said) -> None:
    text = '{"start": 1, "end": 2, "text": "a"}\n\n{"start": 2, "end": 3, "text": "b"}\n'
    assert said(read("a.jsonl", text)) == [(1.0, 2.0, None, "a"), (2.0, 3.0, None, "b")]


@pytest.mark.parametrize("line", ["{", '{"start": 1, "text": "b"}'])
def test_a_damaged_line_is_told(refused: Refused, line: str) -> None:
    assert ", line 2: " in refused("a.jsonl", f'{{"start": 1, "end": 2, "text": "a"}}\n{line}\n')
