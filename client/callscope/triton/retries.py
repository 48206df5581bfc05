"""A call's windows whose words are not to be believed are asked for again, and no more than the call is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from callscope.triton.concurrency import map_concurrently
from callscope.triton.evidence import CURABLE
from callscope.triton.transcriber import Transcriber, Transcript
from callscope_preprocessing.chunk import Chunk

TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Whisper's own, after 0 (openai/whisper, transcribe.py)."""

FEWEST = len(TEMPERATURES)
"""Retries that every call has: one bad window of a short call may have all of its own."""


@dataclass(frozen=True, slots=True)
class HeardAgain:
    """The best of what was heard.

    Attributes:
        transcripts: one for each chunk, in their order.
        left_out: how many of them stay in doubt and would have been asked for again, had there been retries left.
    """

    transcripts: tuple[Transcript, ...]
    left_out: int


def retries(windows: int, share: float) -> int:
    """How many retries a call of so many windows has; none with a share of 0."""
    return max(FEWEST, math.ceil(share * windows)) if share else 0


async def hear_again(
    transcriber: Transcriber, chunks: Sequence[Chunk], transcripts: Sequence[Transcript], *, limit: int, most: int
) -> HeardAgain:
    """Ask again for what is in doubt, at rising temperature as Whisper does, and keep the best of each.

    A round a temperature, so that a call full of doubts has each window heard again before any is heard a third time;
    where not all can be, the worst are.

    Args:
        transcriber: asked, each time in the transcript's own language.
        chunks: the windows.
        transcripts: one for each.
        limit: how many requests at a time.
        most: how many requests in all.
    """
    best = list(transcripts)
    for temperature in TEMPERATURES:
        asked = _in_doubt(best)[:most]
        most -= len(asked)

        async def hear(index: int, at: float = temperature) -> None:
            again = await transcriber.transcribe(chunks[index], best[index].language or None, at)
            best[index] = min(best[index], again, key=_doubtfulness)

        await map_concurrently(hear, asked, limit=limit)
    return HeardAgain(tuple(best), len(_in_doubt(best)) if not most else 0)


def _in_doubt(transcripts: Sequence[Transcript]) -> list[int]:
    """Those that asking again may help, the worst first."""
    doubtful = [index for index, one in enumerate(transcripts) if CURABLE.intersection(one.doubts)]
    return sorted(doubtful, key=lambda index: _doubtfulness(transcripts[index]), reverse=True)


def _doubtfulness(transcript: Transcript) -> tuple[int, float]:
    return len(transcript.doubts), -transcript.avg_logprob
