"""What a text amounts to: how many words and characters, whether it only says "I am listening"."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from callscope.call import Segment

UNSPACED_LANGUAGES = frozenset({"ja", "zh", "yue", "th", "lo", "my", "km", "bo"})
QUESTION_MARKS = ("?", "？")


def characters(text: str) -> int:
    """Letters, marks and digits; spaces and punctuation do not count. NFC, so that a Korean syllable is one."""
    return len(_letters(text))


def words(segments: Iterable[Segment]) -> int | None:
    """Words separated by spaces; None if any of the segments is in a language written without spaces."""
    counted = 0
    for segment in segments:
        if segment.language in UNSPACED_LANGUAGES:
            return None
        counted += sum(1 for word in segment.text.split() if _letters(word))
    return counted


def questions(segments: Iterable[Segment]) -> int:
    """Sentences that end in a question mark."""
    texts = (text for segment in segments for text in sentence_texts(segment))
    return sum(text.rstrip().endswith(QUESTION_MARKS) for text in texts)


def is_backchannel(text: str, language: str | None) -> bool:
    """Whether the text is one of the listed listener's words; in any language if the language is not a listed one."""
    lists = _backchannels()
    known = lists[language] if language in lists else frozenset().union(*lists.values())
    return _letters(text).lower() in known


def _letters(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char)[0] in "LMN")


def sentence_texts(segment: Segment) -> tuple[str, ...]:
    """The sentences of a segment; all its text where it is not split."""
    return tuple(sentence.text for sentence in segment.sentences) or (segment.text,)


@cache
def _backchannels() -> dict[str, frozenset[str]]:
    text = files("callscope.analysis").joinpath("backchannels.toml").read_text("utf-8")
    return {language: frozenset(listed) for language, listed in tomllib.loads(text).items()}
