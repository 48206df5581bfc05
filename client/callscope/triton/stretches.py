"""Which words of a window were said in which of the stretches that it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from callscope.triton.alignment import SPACELESS, TimedWord
from callscope_preprocessing.chunk import Chunk

Words = tuple[TimedWord, ...]


def by_piece(words: Iterable[TimedWord], chunk: Chunk) -> tuple[Words, ...]:
    """The words of each piece of a chunk: those that end in its speech, and of those in a pause the nearer ones.

    Nobody says a word across a silence: one that is heard on both sides is that after it, to which the path through the
    picture has given the silence too.

    Args:
        words: of the chunk, their times from the window's start.
        chunk: what was heard.

    Returns:
        One for each piece; all words, each in one of them.
    """
    pieces: list[list[TimedWord]] = [[] for _ in chunk.pieces]
    for word in words:
        pieces[_piece_of(word, chunk)].append(word)
    return tuple(map(tuple, pieces))


def _piece_of(word: TimedWord, chunk: Chunk) -> int:
    index = chunk.piece_at(word.end_s)
    piece = chunk.pieces[index]
    ends_in_speech = word.end_s * chunk.rate_hz > piece.place + piece.lead
    return index if ends_in_speech else chunk.piece_at((word.start_s + word.end_s) / 2)


def texts_of(text: str, pieces: Sequence[Words], language: str) -> tuple[str, ...]:
    """The part of a text that each piece's words make, with the spaces and marks that it has there.

    Where a character of the text is in two words at once, they are joined as the language joins words.
    """
    place, parts = 0, []
    for words in pieces:
        end = _end_of(words, text, place)
        if end < 0:
            return tuple(join(words, language) for words in pieces)
        parts.append(text[place:end].strip())
        place = end
    return tuple(parts)


def join(words: Iterable[TimedWord], language: str) -> str:
    """Words as a text: with spaces between them, unless the language has none."""
    return _between(language).join(word.word for word in words)


def without_repeats(texts: Iterable[str], language: str) -> str:
    """Stretches as one text, those that are alike once: people say yes in many stretches, and it is no loop."""
    different = {"".join(filter(str.isalnum, text.casefold())): text for text in texts if text}
    return _between(language).join(different.values())


def _between(language: str) -> str:
    return "" if language in SPACELESS else " "


def _end_of(words: Words, text: str, place: int) -> int:
    """Where the last of the words ends in the text, from `place` on; -1 if they are not all there."""
    for word in words:
        found = text.find(word.word, place)
        if found < 0:
            return -1
        place = found + len(word.word)
    return place
