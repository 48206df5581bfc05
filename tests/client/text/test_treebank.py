"""Sentences of a treebank and of the demo's calls, joined and found again."""

from __future__ import annotations

import re
import tomllib
from itertools import accumulate
from pathlib import Path

import pytest
from bench.sentences import by_rules, measure, paragraphs, sentences_of, without_marks

from callscope.text.sentences import split_sentences

CALLS = Path(__file__).parents[3] / "demo" / "calls"
ANSWERS = {"はい。", "いいえ。", "네."}
"""Alone they are a sentence, before others the start of one: without a pause nothing tells which."""
MARKS = re.compile(r"[^\w\s]")


@pytest.mark.parametrize(
    ("language", "marked", "least"),
    [("en", True, 0.99), ("ja", True, 0.99), ("ko", True, 0.99), ("ja", False, 0.75), ("ko", False, 0.97)],
)
def test_a_treebanks_sentences_are_found(shared_data: Path, language: str, marked: bool, least: float) -> None:
    sentences = sentences_of(shared_data / "text" / "pud_en_ja_ko_500.tsv", language)
    if not marked:
        sentences = [without_marks(sentence) for sentence in sentences]
    assert measure(sentences, language, by_rules(language)).f1 >= least


def test_paragraphs_know_where_their_sentences_begin() -> None:
    assert list(paragraphs(["a", "bc", "d", "e", "f", "g"], "en")) == [("a bc d e f", {2, 5, 7, 9}), ("g", set())]
    assert list(paragraphs(["a", "bc"], "ja")) == [("abc", {1})]


def turns(language: str) -> list[list[str]]:
    call = tomllib.loads((CALLS / f"{language}.toml").read_text("utf-8"))
    return [[text for text, _ in turn["sentences"]] for turn in call["turn"]]


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
def test_a_calls_sentences_are_found_by_their_marks(language: str) -> None:
    space = "" if language == "ja" else " "
    for sentences in turns(language):
        found = split_sentences(space.join(sentences), language)
        assert [sentence.strip() for sentence in found] == sentences


@pytest.mark.parametrize("language", ["ja", "ko"])
def test_without_marks_every_end_in_a_call_is_found_and_others_only_at_commas(language: str) -> None:
    space = "" if language == "ja" else " "
    for sentences in turns(language):
        text = space.join(MARKS.sub("", sentence) for sentence in sentences)
        offsets = accumulate(len(MARKS.sub("", sentence) + space) for sentence in sentences)
        ends = {end for end, sentence in zip(offsets, sentences[:-1], strict=False) if sentence not in ANSWERS}
        found = by_rules(language)(text)
        assert ends <= found <= ends | _commas(sentences, space), text


def _commas(sentences: list[str], space: str) -> set[int]:
    whole = space.join(sentences)
    return {len(MARKS.sub("", whole[: found.end()])) for found in re.finditer("[,、] ?", whole)}
