"""WebVTT captions (.vtt). Source: https://www.w3.org/TR/webvtt1/."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from itertools import pairwise

from callscope.transcripts.captions import times_of
from callscope.transcripts.document import Document
from callscope.transcripts.prefixes import name_speakers
from callscope.transcripts.rows import language_of
from callscope.transcripts.transcript import Cue, Transcript

HEADER = re.compile(r"WEBVTT(?:[ \t].*)?")
LANGUAGE = re.compile(r"language:\s*(\S+)\s*", re.IGNORECASE)
SKIPPED = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s.*)?")
VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]([^<>]*)>")
TAG = re.compile(r"</?(?:[a-z][^<>]*|[\d:.]+)?>")
Block = tuple[int, Sequence[str]]
"""The number of its first line, and its lines."""


def read(document: Document) -> tuple[Transcript, ...]:
    """The cues of one call, their speakers from voice tags or else from the beginnings of their texts.

    Raises:
        TranscriptInvalid: it does not begin as WebVTT does, or a cue has no times.
    """
    lines = document.text.splitlines()
    if not lines or not HEADER.fullmatch(lines[0]):
        raise document.damaged("this is no WebVTT. Its first line must be WEBVTT", "line 1")
    (_, head), *blocks = _blocks(lines)
    language = next((found[1] for line in head if (found := LANGUAGE.fullmatch(line))), None)
    cues = [cue for block in [*_in_head(head), *blocks] for cue in _cues(block, document)]
    return (Transcript("vtt", name_speakers(cues), language=language_of(language)),)


def _blocks(lines: Sequence[str]) -> list[Block]:
    edges = [-1, *(at for at, line in enumerate(lines) if not line.strip()), len(lines)]
    return [(start + 2, lines[start + 1 : end]) for start, end in pairwise(edges) if end > start + 1]


def _in_head(head: Sequence[str]) -> list[Block]:
    """The cue that follows the head without an empty line, which players read too."""
    at = next((at for at, line in enumerate(head) if "-->" in line), None)
    return [] if at is None else [(at + 1, head[at:])]


def _cues(block: Block, document: Document) -> Iterator[Cue]:
    number, lines = block
    if SKIPPED.fullmatch(lines[0]):
        return
    times = times_of(lines[0], document, number)
    text = lines[1:]
    if not times and len(lines) > 1:  # the first line is the cue's name
        times, text = times_of(lines[1], document, number + 1), lines[2:]
    if not times:
        problem = "this cue has no times. Write them above it as 00:01.000 --> 00:02.500"
        raise document.damaged(problem, f"line {number}")
    stray = next((at for at, line in enumerate(text) if "-->" in line), None)
    if stray is not None:
        at = number + len(lines) - len(text) + stray
        raise document.damaged("an empty line is missing before these times. Add it", f"line {at}")
    for speaker, words in _voices("\n".join(text)):
        yield Cue(*times, words, speaker=speaker)


def _voices(text: str) -> Iterator[tuple[str | None, str]]:
    """Each voice of a cue and its words; what stands before the first has none."""
    before, *rest = VOICE.split(text)
    if not rest or _plain(before):
        yield None, _plain(before)
    for speaker, words in zip(rest[::2], rest[1::2], strict=True):
        yield " ".join(unescape(speaker).split()) or None, _plain(words)


def _plain(text: str) -> str:
    return unescape(TAG.sub("", text)).strip()
