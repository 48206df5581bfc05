"""A call's words in one language: detected in the stretches with the most speech, then kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callscope.triton.concurrency import map_concurrently
from callscope.triton.retries import hear_again, retries
from callscope.triton.transcriber import Transcriber, Transcript
from callscope_preprocessing.chunk import Chunk

VOTERS = 5
"""How many chunks vote on the language: one may be a name or a cough, five seldom are."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A call's words.

    Attributes:
        transcripts: one for each chunk, in the order of the chunks.
        language: the call's language; None when there was nothing to hear.
        language_probability: of that language by the vote, 0 to 1; None when the language was given.
        left_out: how many transcripts stay in doubt because the call's retries were spent.
    """

    transcripts: tuple[Transcript, ...]
    language: str | None
    language_probability: float | None
    left_out: int = 0


async def transcribe_call(
    transcriber: Transcriber,
    chunks: Sequence[Chunk],
    language: str | None,
    *,
    limit: int,
    max_retry_share: float = 1.0,
    heard_one: Callable[[], None] = lambda: None,
) -> Heard:
    """Transcribe every chunk, at most `limit` at a time; `heard_one` is called after each.

    Without a `language`, the chunks with the most speech are transcribed first, each in the language the model detects
    there, and vote; those that voted otherwise are transcribed again with the rest. Then what is not to be believed is
    asked for again, for at most `max_retry_share` of the chunks (and five of a short call).

    Raises:
        LanguageUnknown: the model does not know the language.
    """
    transcriber.language_token(language)  # one that the model does not know is an error even of a silent call
    known: dict[int, Transcript] = {}

    async def transcribe(index: int, code: str | None) -> None:
        known[index] = await transcriber.transcribe(chunks[index], code)
        heard_one()

    probability = None
    if language is None:
        voters = sorted(range(len(chunks)), key=lambda index: -chunks[index].speech_s)[:VOTERS]
        await map_concurrently(lambda index: transcribe(index, None), voters, limit=limit)
        language, probability = vote([known[index] for index in voters])
    missing = [index for index in range(len(chunks)) if index not in known or known[index].language != language]
    await map_concurrently(lambda index: transcribe(index, language), missing, limit=limit)
    first = [known[index] for index in range(len(chunks))]
    most = retries(len(chunks), max_retry_share)
    again = await hear_again(transcriber, chunks, first, limit=limit, most=most)
    return Heard(again.transcripts, language, probability, again.left_out)


def vote(transcripts: Sequence[Transcript]) -> tuple[str | None, float | None]:
    """The language with the most probability over the transcripts with words, and its mean probability over them."""
    voters = [transcript for transcript in transcripts if transcript.text and transcript.language] or transcripts
    weights: defaultdict[str, float] = defaultdict(float)
    for transcript in voters:
        weights[transcript.language] += transcript.language_probability
    if not weights:
        return None, None
    winner = max(weights, key=weights.__getitem__)
    return winner, weights[winner] / len(voters)
