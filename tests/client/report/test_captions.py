"""Captions, tables and speaker times: read back by other people's parsers."""

import csv
import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
import webvtt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callscope.call import Call, Segment, Word
from callscope.report import WRITERS, rttm, srt, vtt
from callscope.report import csv as csv_report
from callscope.report.captions import MAX_COLUMNS, captions
from callscope.report.times import timestamp


def said(call: Call, text: str, *, words: tuple[Word, ...] = ()) -> Call:
    segment = Segment("seg-0001", 1.0, 9.9996, "S1", 0, text, text, "en", words=words)
    return replace(call, segments=(segment,))


def cells(document: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(document.removeprefix("\ufeff"), newline="")))


def test_srt_is_read_back_with_its_times_and_words(example_call: Call) -> None:
    lines = pysubs2.SSAFile.from_string(srt.write(example_call), format_="srt")
    assert [(line.start, line.end, line.plaintext) for line in lines] == [
        (500, 2250, "Agent: Hello."),
        (3000, 5500, "Customer: [b]My phone is broken."),
        (10000, 11000, "Agent: 네, 알겠습니다."),
    ]


def test_vtt_is_read_back_with_speakers(example_call: Call) -> None:
    cues = webvtt.from_string(vtt.write(example_call))
    assert [(cue.start, cue.end, cue.voice, cue.text) for cue in cues] == [
        ("00:00:00.500", "00:00:02.250", "Agent", "Hello."),
        ("00:00:03.000", "00:00:05.500", "Customer", "[b]My phone is broken."),
        ("00:00:10.000", "00:00:11.000", "Agent", "네, 알겠습니다."),
    ]


def test_what_looks_like_an_arrow_or_a_tag_stays_text(example_call: Call) -> None:
    call = said(example_call, "a --> b <v Eve> & c\n\n2\nd")
    (cue,) = webvtt.from_string(vtt.write(call))
    assert cue.text == "a --&gt; b &lt;v Eve&gt; &amp; c 2 d"
    (line,) = pysubs2.SSAFile.from_string(srt.write(call), format_="srt")
    assert "a -> b" in line.text


def test_a_long_segment_becomes_captions_at_its_words_times(example_call: Call) -> None:
    names = [f"word{number:02}" for number in range(40)]
    words = tuple(Word(name, 1 + 0.2 * at, 1.1 + 0.2 * at, 0.9, "S1") for at, name in enumerate(names))
    call = said(example_call, " ".join(names), words=words)
    made = list(captions(call))
    assert len(made) == 4
    assert " ".join(one.text for one in made) == " ".join(names)
    assert [one.start_s for one in made] == [
        words[names.index(one.text.split()[0])].start_s if at else 1.0 for at, one in enumerate(made)
    ]
    assert all(earlier.end_s == later.start_s for earlier, later in pairwise(made))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.sampled_from(" あ네"), max_size=400)
)
def test_captions_keep_every_character_and_fit_two_lines(example_call: Call, text: str) -> None:
    made = list(captions(said(example_call, text)))
    assert "".join("".join(one.text.split()) for one in made) == "".join(text.split())
    assert all(len(one.text) <= MAX_COLUMNS for one in made)
    assert all(one.start_s < one.end_s for one in made)


def test_nothing_rounds_up_to_the_next_second() -> None:
    assert timestamp(59.9996, ",") == "00:00:59,999"
    assert timestamp(3725.0, ".") == "01:02:05.000"


def test_the_table_opens_with_its_letters_and_without_formulas(example_call: Call) -> None:
    document = csv_report.write(said(example_call, "=HYPERLINK(1) 네, はい"))
    assert document.encode().startswith(b"\xef\xbb\xbf")
    (row,) = cells(document)
    assert row["text"] == "'=HYPERLINK(1) 네, はい"
    assert (row["start"], row["end"], row["speaker"], row["role"]) == ("1.0", "9.999", "Agent", "agent")


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_begins_a_formula(example_call: Call, start: str) -> None:
    (row,) = cells(csv_report.write(said(example_call, f"{start}1")))
    assert row["text"] == f"'{start}1"


def test_speaker_times_have_ten_fields(example_call: Call) -> None:
    lines = rttm.write(example_call).splitlines()
    assert lines[0] == "SPEAKER a 1 0.500 1.750 <NA> <NA> S1 <NA> <NA>"
    assert [len(line.split(" ")) for line in lines] == [10, 10, 10]


@pytest.mark.parametrize("form", WRITERS)
def test_a_silent_call_has_a_document_too(silent_call: Call, form: str, tmp_path: Path) -> None:
    document = WRITERS[form](silent_call)
    (tmp_path / "x").write_text(document, encoding="utf-8")
    assert document == "" or document.endswith("\n")
