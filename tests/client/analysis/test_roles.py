"""Agent and customer are told apart by their words; where these tell nothing, nothing is told."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from callscope.analysis.roles import find_roles
from callscope.call import Segment, Speaker

FOLDER = Path(__file__).parent / "dialogues"
LANGUAGES = ("en", "ja", "ko")
ROLES = {"A": "agent", "C": "customer", "X": "unknown", "Y": "unknown"}
LEAST_PRECISION, LEAST_RECALL = 0.98, 0.85


@dataclass(frozen=True)
class Dialogue:
    """Lines of (letter, text); the letter is the role, or X and Y where it cannot be told."""

    lines: tuple[tuple[str, str], ...]
    language: str

    @property
    def letters(self) -> list[str]:
        return list(dict.fromkeys(letter for letter, _ in self.lines))

    def segments(self, language: str | None) -> list[Segment]:
        return [
            Segment(f"seg-{at:04}", at, at + 1.0, f"speaker-{letter}", 0, text, text, language=language)
            for at, (letter, text) in enumerate(self.lines)
        ]

    def roles(self, language: str | None = "", threshold: float = 0.9) -> dict[str, Speaker]:
        """Letter -> the speaker as found. The order of the speakers is that of speaking."""
        speakers = [Speaker(f"speaker-{letter}") for letter in self.letters]
        known = self.language if language == "" else language
        return dict(zip(self.letters, find_roles(self.segments(known), speakers, threshold), strict=True))


def dialogues(language: str) -> list[Dialogue]:
    blocks = (FOLDER / f"{language}.txt").read_text(encoding="utf-8").strip().split("\n\n")
    lines = [[line.split(": ", 1) for line in block.splitlines() if line[0] != "?"] for block in blocks]
    return [Dialogue(tuple((letter, text) for letter, text in block), language) for block in lines]


def judged(language: str, spoken: str | None) -> tuple[list[Dialogue], float, float]:
    """Dialogues with a wrong role, precision, and recall of the roles that can be told."""
    told = right = tellable = 0
    wrong = []
    for dialogue in dialogues(language):
        for letter, speaker in dialogue.roles(spoken).items():
            tellable += ROLES[letter] != "unknown"
            told += speaker.role != "unknown"
            right += speaker.role == ROLES[letter] != "unknown"
            if speaker.role not in {"unknown", ROLES[letter]}:
                wrong.append(dialogue)
    return wrong, right / told, right / tellable


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("known", [True, False], ids=["language known", "language unknown"])
def test_roles_that_are_told_are_right_and_most_are_told(language: str, known: bool) -> None:
    assert len(dialogues(language)) >= 40
    wrong, precision, recall = judged(language, language if known else None)
    assert precision >= LEAST_PRECISION, wrong
    assert recall >= LEAST_RECALL


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_speaks_first_does_not_matter(language: str) -> None:
    for dialogue in dialogues(language):
        found = dialogue.roles()
        turned = replace(dialogue, lines=dialogue.lines[::-1]).roles()
        assert {letter: each.role for letter, each in found.items()} == {
            letter: each.role for letter, each in turned.items()
        }


def test_decomposed_korean_is_read_as_composed() -> None:
    for dialogue in dialogues("ko"):
        lines = tuple((letter, unicodedata.normalize("NFD", text)) for letter, text in dialogue.lines)
        assert replace(dialogue, lines=lines).roles() == dialogue.roles()


def test_spaces_in_japanese_do_not_matter() -> None:
    for dialogue in dialogues("ja"):
        lines = tuple((letter, " ".join(text)) for letter, text in dialogue.lines)
        assert replace(dialogue, lines=lines).roles() == dialogue.roles()


def test_a_role_says_where_it_is_from_and_how_sure_it_is() -> None:
    found = dialogues("en")[0].roles()
    assert {speaker.role_source for speaker in found.values()} == {"text"}
    assert all(0.9 <= (speaker.role_confidence or 0) < 1 for speaker in found.values())


def test_below_the_threshold_nothing_is_told() -> None:
    found = dialogues("en")[0].roles(threshold=1.0)
    assert {(each.role, each.role_source, each.role_confidence) for each in found.values()} == {("unknown", None, None)}


def test_evidence_for_both_tells_nothing() -> None:
    text = "Thank you for calling. How can I help you?"
    dialogue = Dialogue((("X", text), ("Y", text)), "en")
    assert {speaker.role for speaker in dialogue.roles().values()} == {"unknown"}


def test_one_voice_is_left_unknown() -> None:
    dialogue = Dialogue((("X", "Thank you for calling. How can I help you?"),), "en")
    assert dialogue.roles()["X"] == Speaker("speaker-X")


def test_a_role_that_is_known_is_not_touched() -> None:
    dialogue = dialogues("en")[0]
    speakers = (Speaker("speaker-A", "customer", "channel", 1.0), Speaker("speaker-C", "agent", "channel", 1.0))
    assert find_roles(dialogue.segments("en"), speakers) == speakers


def test_of_three_voices_each_is_judged_alone() -> None:
    lines = (("X", "Thank you for calling. How can I help you?"), ("Y", "I want to cancel my order."), ("Z", "Okay."))
    found = Dialogue(lines, "en").roles()
    assert [found[letter].role for letter in "XYZ"] == ["agent", "customer", "unknown"]


def test_cues_count_once_however_often_they_are_said() -> None:
    once = Dialogue((("X", "Bear with me."), ("Y", "Okay.")), "en").roles(threshold=0.5)
    often = Dialogue((("X", "Bear with me. Bear with me."), ("Y", "Okay.")), "en").roles(threshold=0.5)
    assert once["X"].role_confidence == often["X"].role_confidence
