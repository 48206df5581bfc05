"""`callscope preprocess`: what is found in a recording, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from callscope_preprocessing.rttm import read_rttm

from .running import run


def test_a_stereo_call_is_described(demo_calls: Path, tmp_path: Path) -> None:
    ended = run("preprocess", demo_calls / "en.wav", cwd=tmp_path)
    assert (ended.code, ended.stderr, ended.left) == (0, "", ())
    found = json.loads(ended.stdout)
    assert (found["sample_rate"], found["container"], found["speakers"]) == (8000, "wav", None)
    assert [channel["number"] for channel in found["channels"]] == [0, 1]
    assert [step["name"] for step in found["steps"]] == ["decode", "channels", "vad", "bleed", "windows"]
    for channel in found["channels"]:
        stretches = [stretch for window in channel["windows"] for stretch in window["stretches"]]
        assert sum(one["end"] - one["start"] for one in stretches) == pytest.approx(
            sum(one["end"] - one["start"] for one in channel["speech"]), rel=0.2
        )
        assert len(channel["windows"]) < len(stretches)


def test_a_call_of_one_channel_has_speakers_and_their_turns_as_rttm(shared_data: Path, tmp_path: Path) -> None:
    ended = run(
        "preprocess", shared_data / "calls" / "commercial_mono.wav", "--speakers", "2", "--rttm", "turns.rttm",
        cwd=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    turns = json.loads(ended.stdout)["speakers"]["turns"]
    (read,) = read_rttm(tmp_path / "turns.rttm").values()
    assert len(read) == len(turns)
    assert {turn["speaker"] for turn in turns} == {"SPEAKER_00", "SPEAKER_01"}


def test_a_picture_of_an_unknown_kind_is_refused_before_any_work(demo_calls: Path, tmp_path: Path) -> None:
    run("preprocess", demo_calls / "en.wav", "--plot", "call.bmp", cwd=tmp_path).failed_with(2, "--plot", ".svg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("flag", "name"), [("--rttm", "turns.rttm"), ("--plot", "call.svg")])
def test_a_place_that_cannot_be_written_names_its_own_flag(
    demo_calls: Path, tmp_path: Path, flag: str, name: str
) -> None:
    if flag == "--plot":
        pytest.importorskip("matplotlib", reason="A picture needs matplotlib (the extra `plot`).")
    ended = run("preprocess", demo_calls / "en.wav", flag, f"nowhere/{name}", cwd=tmp_path)
    ended.failed_with(3, f"nowhere/{name} cannot be written", f"Choose another place with {flag}.")
    assert "--output" not in ended.stderr
