"""The bundled calls and their references."""

from pathlib import Path

import pytest

from callscope import checkout, demo
from callscope.analysis.talk import measure
from callscope.call import Call, Processing, Recording, Segment, Speaker
from callscope.errors import SettingsInvalid


def test_the_bundled_calls_are_one_a_language_with_words_for_both_speakers() -> None:
    calls = demo.demo_calls()
    assert [call.language for call in calls] == ["en", "ja", "ko"]
    for call in calls:
        assert call.audio.is_file()
        assert all(len(call.reference[role]) > 50 for role in ("agent", "customer"))


def test_without_a_clone_the_demo_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsInvalid, match=r"come with a clone.*Run `callscope demo` in a clone"):
        demo.demo_calls()


def test_each_speakers_words_are_scored_against_that_speakers_script() -> None:
    bundled = demo.DemoCall(Path("x.wav"), "en", "x", {"agent": "Good morning.", "customer": "Hello there!"})
    agent = Segment("1", 0, 2, "S1", 0, "Good morning.", "good morning")
    customer = Segment("2", 1, 3, "S2", 1, "Hello bear.", "hello bear")
    people = (Speaker("S1", "agent"), Speaker("S2", "customer"))
    call = Call(
        Recording("x", "x.wav", "0" * 64, 3.0, 8000, 2),
        Processing("2026-01-01T00:00:00+00:00", "0", 1.0, 0.3, {}),
        people,
        (agent, customer),
        measure((agent, customer), people, 3.0),
    )
    assert demo.score(call, bundled).rate == 0.25
