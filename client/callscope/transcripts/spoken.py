"""What a transcript says becomes the call's segments."""

from __future__ import annotations

import math
from dataclasses import replace

from callscope.call import Segment, Word
from callscope.transcripts.clean import clean, plain
from callscope.transcripts.speakers import Voices
from callscope.transcripts.transcript import Cue, Transcript


def segments_of(transcript: Transcript, voices: Voices, language: str | None) -> list[Segment]:
    """A segment for each cue, in order of start.

    Args:
        transcript: its times are taken as they are.
        voices: who speaks.
        language: of cues that do not say theirs.
    """
    ordered = sorted(transcript.cues, key=lambda cue: (cue.start_s, cue.end_s))
    return [
        _segment(f"seg-{number:04}", cue, voices.speaker_of(cue), language)
        for number, cue in enumerate(ordered, start=1)
    ]


def duration_s(transcript: Transcript) -> float:
    """The call's length: as the transcript says, or up to where its last words end."""
    return max([transcript.duration_s or 0.0, *(cue.end_s for cue in transcript.cues)])


def _segment(name: str, cue: Cue, speaker: str, language: str | None) -> Segment:
    figures = cue.figures
    text = plain(cue.text) if cue.raw_text is None else clean(cue.text)
    return Segment(
        id=name,
        start_s=cue.start_s,
        end_s=cue.end_s,
        speaker=speaker,
        channel=cue.channel or 0,
        text=text,
        raw_text=text if cue.raw_text is None else clean(cue.raw_text),
        language=cue.language or language,
        confidence=_confidence(cue),
        avg_logprob=figures.avg_logprob,
        no_speech_probability=figures.no_speech_probability,
        compression_ratio=figures.compression_ratio,
        doubts=figures.doubts,
        words=_words(cue, speaker),
    )


def _confidence(cue: Cue) -> float | None:
    if cue.figures.confidence is not None or cue.figures.avg_logprob is None:
        return cue.figures.confidence
    return min(1.0, math.exp(cue.figures.avg_logprob))


def _words(cue: Cue, speaker: str) -> tuple[Word, ...]:
    """The words, within their segment."""
    return tuple(
        replace(
            word,
            word=clean(word.word),
            start_s=min(max(word.start_s, cue.start_s), cue.end_s),
            end_s=min(max(word.end_s, cue.start_s), cue.end_s),
            speaker=speaker,
        )
        for word in cue.words
    )
