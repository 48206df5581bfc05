from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from callscope.transcripts.files import find_transcripts
from callscope.transcripts.transcript import Transcript

Read = Callable[..., Transcript]
Refused = Callable[..., str]
Said = Callable[[Transcript], list[tuple[float, float, str | None, str]]]

TURNS = "".join(
    f"SPEAKER a 1 {start:.3f} {length:.3f} <NA> <NA> {who} <NA> <NA>\n"
    for start, length, who in ((4.0, 1.0, "S2"), (0.5, 3.0, "S1"))
)


def test_each_line_belongs_to_a_stretch_in_order_of_start(read: Read, said: Said, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\ufeffhello there\n\nyes\n")
    transcript = read("a.rttm", TURNS)
    assert said(transcript) == [(0.5, 3.5, "S1", "hello there"), (4.0, 5.0, "S2", "yes")]
    assert not transcript.spread


def test_stretches_that_begin_and_end_together_come_as_the_file_has_them(
    read: Read, said: Said, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("  0:00.5  Customer  one\n  0:00.5  Agent     two\n")
    turns = "".join(f"SPEAKER a 1 0.500 1.000 <NA> <NA> {who} <NA> <NA>\n" for who in ("z", "a"))
    transcript = read("a.rttm", turns)
    assert said(transcript) == [(0.5, 1.5, "z", "one"), (0.5, 1.5, "a", "two")]
    assert [cue.role for cue in transcript.cues] == ["Customer", "Agent"]


@pytest.mark.parametrize(
    ("text", "parts"), [("one two six ten", ["one two six", "ten"]), ("いろはにほへとち", ["いろはにほへ", "とち"])]
)
def test_a_text_of_one_line_is_spread_and_that_is_said(
    read: Read, said: Said, tmp_path: Path, text: str, parts: list[str]
) -> None:
    (tmp_path / "a.txt").write_text(text)
    transcript = read("a.rttm", TURNS)
    assert [one[3] for one in said(transcript)] == parts
    assert transcript.spread


@pytest.mark.parametrize(
    ("rttm", "text", "words"),
    [
        (TURNS, None, "a.txt"),
        (TURNS, "a\nb\nc\n", "3 lines for 2 stretches"),
        (TURNS, "", "0 lines for 2"),
        (TURNS + TURNS.replace(" a ", " b "), "x", "2 recordings"),
        ("", "x", "no speech"),
        (TURNS.replace("4.000", "x"), "x", "Line 1"),
        (TURNS.replace("4.000", "-4.0"), "x", "Line 1"),
        (TURNS.replace(" <NA>", "", 1), "x", "Line 1"),
    ],
)
def test_what_does_not_fit_is_told(refused: Refused, tmp_path: Path, rttm: str, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "a.txt").write_text(text)
    assert words in refused("a.rttm", rttm)


def test_a_folders_transcripts_are_found_and_a_text_is_read_once(tmp_path: Path) -> None:
    for name in ("b.rttm", "b.txt", "a.SRT", "deep/c.vtt", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [file.name for file in find_transcripts([tmp_path])] == ["a.SRT", "b.rttm", "c.vtt"]
    both = [tmp_path / "b.txt", tmp_path / "b.rttm"]
    assert find_transcripts(both) == (tmp_path / "b.rttm",)


def test_a_text_alone_is_told_what_it_lacks(refused: Refused) -> None:
    assert "b.rttm beside it" in refused("b.txt", "hello")
