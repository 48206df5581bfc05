from __future__ import annotations

from typing import Any

import pytest

from callscope.errors import SettingsInvalid
from callscope.transcripts.labels import role_of
from callscope.transcripts.prefixes import name_speakers
from callscope.transcripts.speakers import find_voices
from callscope.transcripts.transcript import Cue, Transcript


def transcript(*speakers: str | None, **fields: Any) -> Transcript:
    cues = (Cue(float(at), at + 1.0, "words", speaker=speaker, **fields) for at, speaker in enumerate(speakers))
    return Transcript("segments", tuple(cues))


def roles(found: Transcript, agent: str | None = None, agent_channel: int | None = None) -> list[tuple[Any, ...]]:
    voices = find_voices(found, agent=agent, agent_channel=agent_channel)
    return [(speaker.id, speaker.role, speaker.role_source) for speaker in voices.speakers]


def named(*texts: str) -> list[tuple[str | None, str]]:
    return [(cue.speaker, cue.text) for cue in name_speakers([Cue(0.0, 1.0, text) for text in texts])]


@pytest.mark.parametrize(
    ("label", "role"),
    [("Agent", "agent"), ("AGENT_1", "agent"), ("상담원", "agent"), ("オペレーター", "agent"), ("担当者 2", "agent"),
     ("Customer", "customer"), ("고객님", "customer"), ("お客様", "customer"), ("caller", "customer"),
     ("IVR", None), ("SPEAKER_00", None), ("Mary", None), ("agents of change", None), ("", None), (None, None)],
)  # fmt: skip
def test_labels_tell_roles_in_three_languages(label: str | None, role: str | None) -> None:
    assert role_of(label) == role


def test_the_transcripts_own_labels_tell_the_roles() -> None:
    assert roles(transcript("고객", "상담원")) == [
        ("고객", "customer", "metadata"),
        ("상담원", "agent", "metadata"),
    ]


def test_of_two_the_other_has_the_other_role_unless_it_is_no_party() -> None:
    assert roles(transcript("Mary", "Agent"))[0] == ("Mary", "customer", "metadata")
    assert roles(transcript("IVR", "Agent"))[0] == ("IVR", "unknown", None)
    assert [role for _, role, _ in roles(transcript("a", "b"))] == ["unknown", "unknown"]
    assert [role for _, role, _ in roles(transcript("a", "b", "Agent"))] == ["unknown", "unknown", "agent"]


def test_a_role_beside_the_name_wins() -> None:
    assert roles(transcript("Agent Smith", "x", role="customer"))[0][1] == "customer"


def test_who_the_user_calls_the_agent_is_the_agent() -> None:
    assert roles(transcript("Agent", "bob", "IVR"), agent="Bob") == [
        ("Agent", "customer", "given"),
        ("bob", "agent", "given"),
        ("IVR", "unknown", None),
    ]


def test_a_wrong_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(SettingsInvalid, match="there are Ann, Bob"):
        find_voices(transcript("Ann", "Bob"), agent="Carl", agent_channel=None)


def test_channels_are_speakers_where_nobody_is_named_and_tell_the_agent() -> None:
    cues = tuple(Cue(float(at), at + 1.0, "x", channel=at) for at in range(2))
    found = Transcript("segments", cues)
    assert roles(found) == [("speaker-1", "unknown", None), ("speaker-2", "unknown", None)]
    assert [role for _, role, _ in roles(found, agent_channel=1)] == ["customer", "agent"]
    with pytest.raises(SettingsInvalid, match="channel 7: there are 0, 1"):
        roles(found, agent_channel=7)


def test_names_become_ids_that_every_writer_can_write() -> None:
    assert [name for name, _, _ in roles(transcript("Mary Smith", "Mary: Smith", "[Mary]Smith", "   "))] == [
        "Mary_Smith",
        "Mary_Smith-2",
        "Mary_Smith-3",
        "speaker-1",
    ]


@pytest.mark.parametrize("text", ["Agent: hello", "[Agent] hello", "【Agent】hello", "- Agent: hello", "Agent : hello",
                                  ">> Agent:hello", "Agent： hello"])  # fmt: skip
def test_names_before_the_words_are_taken_out(text: str) -> None:
    assert named(text) == [("Agent", "hello")]


def test_what_only_looks_like_a_name_stays_in_the_text() -> None:
    texts = (
        "Note: this is all",
        "it is 10:30 now",
        "https://a.b/c",
        "[music]",
        "so it is",
        "that is it",
        "Support: no",
    )
    assert named(*texts) == [(None, text) for text in texts]


def test_names_that_come_back_are_names() -> None:
    assert named("Mary: a", "John: b", "Mary: c", "John: d", "no name") == [
        ("Mary", "a"),
        ("John", "b"),
        ("Mary", "c"),
        ("John", "d"),
        (None, "no name"),
    ]


def test_what_comes_once_is_no_name_among_names() -> None:
    assert named("Mary: a", "Mary: b", "One thing: c") == [("Mary", "a"), ("Mary", "b"), (None, "One thing: c")]


def test_lines_of_two_speakers_in_a_caption_become_two() -> None:
    assert named("- Agent: yes\nof course\n- Customer: no") == [("Agent", "yes\nof course"), ("Customer", "no")]
