"""Text cut into sentences without losing a character."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from callscope.text.analysers import SentenceModel, kiwi_ends
from callscope.text.endings import Certainty, Ending
from callscope.text.english import english_endings
from callscope.text.japanese import japanese_endings
from callscope.text.korean import korean_endings
from callscope.text.marks import marked_ends
from callscope.text.normalize import composed

ENDINGS: Mapping[str, Callable[[str], Iterable[Ending]]] = {
    "en": english_endings,
    "ja": japanese_endings,
    "ko": korean_endings,
}
"""What finds the ends that no mark shows; in other languages marks alone count."""


def split_sentences(
    text: str, language: str, *, pauses: Sequence[int] = (), model: SentenceModel = "rules"
) -> tuple[str, ...]:
    """Cut `text` after each sentence; marks, closing quotes and the space that follows stay with the sentence before.

    Args:
        text: with marks or without. Where it has any, words alone end a sentence only if they leave no doubt.
        language: its code: en, ja and ko by their own rules, all others by the marks of English.
        pauses: offsets in `text` behind which the speaker paused, in any order: hints that a sentence may end there.
        model: "kiwi" to cut Korean by its morphemes, whatever the pauses. Other languages keep the rules.

    Returns:
        The sentences, none of them empty; joined they are `text`.

    Raises:
        ExtraMissing: the model's package is not installed.
    """
    whole, offsets = composed(text)
    paused = [bisect_left(offsets, pause) for pause in sorted(pauses)]
    ends = {offsets[end] for end in _ends(whole, language, paused, model) if end < len(whole)}
    edges = pairwise((0, *sorted(ends), len(text)))
    return tuple(text[start:end] for start, end in edges if start < end)


def _ends(text: str, language: str, pauses: Sequence[int], model: SentenceModel) -> Iterator[int]:
    if (language, model) == ("ko", "kiwi"):
        yield from kiwi_ends(text)
        return
    marked = list(marked_ends(text, language))
    yield from marked
    least = Certainty.SURE if marked else Certainty.PLAIN
    for ending in ENDINGS.get(language, _none)(text):
        enough = least - 1 if _any_within(pauses, ending.last, ending.end) else least
        if ending.certainty >= enough:
            yield ending.end


def _any_within(offsets: Sequence[int], first: int, last: int) -> bool:
    at = bisect_left(offsets, first)
    return at < len(offsets) and offsets[at] <= last


def _none(text: str) -> Iterable[Ending]:
    return ()
