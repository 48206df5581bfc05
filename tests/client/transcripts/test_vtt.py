from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
import webvtt

from callscope.transcripts.transcript import Transcript

Read = Callable[..., Transcript]
Refused = Callable[..., str]
Said = Callable[[Transcript], list[tuple[float, float, str | None, str]]]

CALL = """WEBVTT - a call
Kind: captions
Language: en-GB

NOTE
made by hand, and 00:01 is no time

STYLE
::cue { color: red }

greeting
00:01.000 --> 00:02.000 align:start position:10%
<v.loud Agent>Hello &amp; <b>welcome</b>.

00:00:01.500 --> 01:00:03.250
<v Mary Smith>Hi.</v>
"""


def test_cues_are_read_with_their_voices(read: Read, said: Said) -> None:
    transcript = read("a.vtt", CALL)
    assert said(transcript) == [(1.0, 2.0, "Agent", "Hello & welcome."), (1.5, 3603.25, "Mary Smith", "Hi.")]
    assert transcript.language == "en"


def test_several_voices_of_a_cue_share_its_times(read: Read, said: Said) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>yes\n<v B>no\n"
    assert said(read("a.vtt", text)) == [(1.0, 2.0, "A", "yes"), (1.0, 2.0, "B", "no")]


@pytest.mark.parametrize("text", [CALL.replace("\n", "\r\n"), "\ufeff" + CALL, CALL + "\n\n\n", CALL.rstrip()])
def test_ways_of_writing_cues_make_no_difference(read: Read, said: Said, text: str) -> None:
    assert said(read("a.vtt", text)) == said(read("b.vtt", CALL))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (CALL.removeprefix("WEBVTT"), "line 1"),
        ("", "line 1"),
        (CALL.replace("00:00:01.500 -->", "00:00:01.500 ->"), "line 15"),
        (CALL.replace("00:00:01.500", "00:00:x1.500"), "line 15"),
        (CALL.replace("00:00:01.500", "-00:00:01.500"), "line 15"),
        (CALL.replace("01:00:03.250", "00:00:01.250"), "line 15"),
        (CALL.replace("00:01.000 --> 00:02.000 align:start position:10%\n", ""), "line 11"),
        (CALL.replace("welcome</b>.\n\n", "welcome</b>.\n"), "line 14"),
    ],
)
def test_damage_is_told_with_its_line(refused: Refused, text: str, line: str) -> None:
    assert f", {line}: " in refused("a.vtt", text)


def test_a_file_without_cues_is_no_call_without_speech(refused: Refused) -> None:
    assert "no words" in refused("a.vtt", "WEBVTT\n\nNOTE nothing\n")


def test_well_made_cues_are_what_webvtt_reads(read: Read, said: Said) -> None:
    text = "WEBVTT\n\n" + "".join(
        f"00:{n:02}:00.{n:03} --> 00:{n:02}:59.999\n<v {'Agent' if n % 2 else 'Customer'}>line {n}\n\n"
        for n in range(60)
    )
    ours = [(start, end, speaker, words) for start, end, speaker, words in said(read("a.vtt", text))]
    theirs = webvtt.from_buffer(StringIO(text))
    assert ours == [
        (cue.start_in_seconds + int(cue.start[-3:]) / 1000, cue.end_in_seconds + 0.999, cue.voice, cue.text)
        for cue in theirs
    ]
