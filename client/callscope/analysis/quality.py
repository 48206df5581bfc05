"""How an agent speaks: the shares of polite, softening, understanding, apologising, good and bad sentences.

Each share is of the agent's sentences in a language that there are rules for, and each match is kept with its place.
None stands where no agent is known, and where the agent says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from callscope.analysis.phrases import phrasebook
from callscope.analysis.terms import find_terms
from callscope.analysis.words import characters, sentence_texts
from callscope.call import Evidence, Quality, Segment, Speaker

METRICS = {
    "honorific": "honorific_ratio",
    "positive": "positive_word_ratio",
    "negative": "negative_word_ratio",
    "cushion": "euphonious_word_ratio",
    "empathy": "empathy_ratio",
    "apology": "apology_ratio",
}
"""What is found -> the figure it counts for."""
HANGUL = re.compile("[\u1100-\u11ff\uac00-\ud7a3]")
KANA_OR_KANJI = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class _Sentence:
    segment: str
    index: int
    text: str
    language: str


def measure_quality(segments: Iterable[Segment], speakers: Iterable[Speaker]) -> Quality:
    """Measure what the agents say.

    Args:
        segments: of all speakers; a segment without sentences is one sentence.
        speakers: with their roles.

    Returns:
        Shares from 0 to 1, and the evidence in order of the segments.
    """
    agents = {speaker.id for speaker in speakers if speaker.role == "agent"}
    sentences = [each for segment in segments if segment.speaker in agents for each in _sentences(segment)]
    evidence = tuple(match for sentence in sentences for match in _evidence(sentence))
    if not sentences:
        return Quality()
    ratios = {metric: _ratio(metric, evidence, len(sentences)) for metric in METRICS.values()}
    return Quality(**ratios, evidence=evidence)


def _sentences(segment: Segment) -> Iterator[_Sentence]:
    """Those that hold a letter, in a language with rules."""
    for index, text in enumerate(sentence_texts(segment)):
        language = segment.language or _language(text)
        if characters(text) and phrasebook(language):
            yield _Sentence(segment.id, index, text, language)


def _language(text: str) -> str:
    """Of the languages with rules, the one that the text is written like."""
    if HANGUL.search(text):
        return "ko"
    return "ja" if KANA_OR_KANJI.search(text) else "en"


def _evidence(sentence: _Sentence) -> Iterator[Evidence]:
    book = phrasebook(sentence.language)
    for phrase in book.find(sentence.text) if book else ():
        yield _found(sentence, phrase.courtesy, phrase.text, phrase.pattern)
    for term in find_terms(unicodedata.normalize("NFC", sentence.text), sentence.language):
        kind = "positive" if term.weight > 0 else "negative"
        yield _found(sentence, kind, term.text, f"{sentence.language}.{kind}.{term.entry}")


def _found(sentence: _Sentence, kind: str, text: str, pattern: str) -> Evidence:
    return Evidence(METRICS[kind], sentence.segment, sentence.index, text, pattern)


def _ratio(metric: str, evidence: Iterable[Evidence], sentences: int) -> float:
    """Sentences with at least one match, over all."""
    return len({(each.segment, each.sentence) for each in evidence if each.metric == metric}) / sentences
