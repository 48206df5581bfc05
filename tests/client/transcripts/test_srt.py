from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pysubs2
import pytest

from callscope.transcripts.transcript import Transcript

Read = Callable[..., Transcript]
Refused = Callable[..., str]
Said = Callable[[Transcript], list[tuple[float, float, str | None, str]]]

TWO = """1
00:00:01,000 --> 00:00:02,500
Agent: Hello.

2
00:00:02,000 --> 00:00:03,250
Customer: Hello,
I have a question.
"""


def test_captions_are_read_with_their_speakers(read: Read, said: Said) -> None:
    assert said(read("a.srt", TWO)) == [
        (1.0, 2.5, "Agent", "Hello."),
        (2.0, 3.25, "Customer", "Hello,\nI have a question."),
    ]


@pytest.mark.parametrize(
    "text",
    [
        TWO.replace("\n", "\r\n"),
        "\ufeff" + TWO,
        TWO.rstrip(),
        "\n\n" + TWO,
        TWO.replace("1\n00", "00").replace("2\n00", "00"),  # without numbers
        TWO.replace(",", ".", 2),
        TWO.replace("00:00:0", "00:0"),  # without hours
        TWO.replace("\n\n2\n", "\n2\n"),  # without an empty line between
        TWO.replace("02,500", "02,500 X1:10 X2:20 Y1:5 Y2:9"),
    ],
)
def test_ways_of_writing_captions_make_no_difference(read: Read, said: Said, text: str) -> None:
    assert said(read("a.srt", text)) == said(read("b.srt", TWO))


def test_numbers_and_empty_lines_in_a_text_stay_in_it(read: Read, said: Said) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nI owe\n\n300\n\n2\n00:00:03,000 --> 00:00:04,000\nOK\n"
    assert [one[3] for one in said(read("a.srt", text))] == ["I owe\n\n300", "OK"]


def test_markup_is_no_word(read: Read) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>Yes</i>, <font color=red>3 < 4</font>\n"
    assert read("a.srt", text).cues[0].text == "Yes, 3 < 4"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TWO.replace("02,000 -->", "02,000 ->"), "line 6"),
        (TWO.replace("02,000 -->", "02,000 →"), "line 6"),
        (TWO.replace("02,000 -->", "02,000 -->>"), "line 6"),
        (TWO.replace("00:00:02,000", "00:00:x2,000"), "line 6"),
        (TWO.replace("00:00:02,000", "-00:00:02,000"), "line 6"),
        (TWO.replace("00:00:02,000", "00:99:02,000"), "line 6"),
        (TWO.replace("00:00:03,250", "00:00:01,250"), "line 6"),
        (TWO.replace("00:00:03,250", ""), "line 6"),
        (TWO.replace("00:00:02,000 --> 00:00:03,250\n", ""), "line 5"),
        ("Hello there\n" + TWO, "line 1"),
        ("dear all\n\nhello\n", "line 1"),
    ],
)
def test_damage_is_told_with_its_line_and_no_caption_is_lost_in_silence(refused: Refused, text: str, line: str) -> None:
    assert f", {line}: " in refused("a.srt", text)


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_no_call_without_speech(refused: Refused, text: str) -> None:
    assert "no words" in refused("a.srt", text)


def test_well_made_captions_are_what_pysubs2_reads(read: Read, said: Said, tmp_path: Path) -> None:
    text = "".join(
        f"{n}\n00:{n:02}:00,{n:03} --> 00:{n:02}:59,999\nline {n}\n{'second' if n % 2 else '3'}\n\n"
        for n in range(1, 60)
    )
    ours = said(read("a.srt", text))
    theirs = pysubs2.SSAFile.from_string(text, format_="srt")
    assert [(round(start * 1000), round(end * 1000), words) for start, end, _, words in ours] == [
        (event.start, event.end, event.plaintext) for event in theirs
    ]
