from __future__ import annotations

from pathlib import Path

from callscope.settings import Settings
from callscope.transcripts.many import Failure, analyze_offline


def write(folder: Path, count: int) -> list[Path]:
    files = [folder / f"{number:03}.srt" for number in range(count)]
    for number, file in enumerate(files):
        text = "nothing" if number % 7 == 3 else f"1\n00:00:01,000 --> 00:00:02,000\nAgent: Call {number}, hello.\n"
        file.write_text(text)
    return files


def test_processes_give_what_one_gives_in_the_same_order(tmp_path: Path) -> None:
    files = write(tmp_path, 40)
    alone = list(analyze_offline(files, Settings(), cores=1))
    together = list(analyze_offline(files, Settings(), cores=2))
    assert [file for file, _ in together] == files
    for (_, one), (_, other) in zip(alone, together, strict=True):
        assert type(one) is type(other)
        if isinstance(one, Failure):
            assert one == other
        else:
            assert not isinstance(other, Failure)
            assert [call.segments for call in one] == [call.segments for call in other]


def test_a_failure_keeps_its_sentence_and_code(tmp_path: Path) -> None:
    outcomes = dict(analyze_offline(write(tmp_path, 20), Settings(), cores=2))
    failures = [outcome for outcome in outcomes.values() if isinstance(outcome, Failure)]
    assert len(failures) == 3
    assert {(one.exit_code, one.names_file) for one in failures} == {(3, True)}
    assert "003.srt" in failures[0].message
