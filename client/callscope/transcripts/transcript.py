"""What a transcript says, whatever its form: who spoke from when to when, and which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from callscope.call import Speaker, Word


@dataclass(frozen=True, slots=True)
class Figures:
    """What the recogniser thought of its words, where the transcript keeps it; see `callscope.call.Segment`."""

    confidence: float | None = None
    avg_logprob: float | None = None
    no_speech_probability: float | None = None
    compression_ratio: float | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cue:
    """A stretch of speech.

    Attributes:
        start_s: from the start of the call.
        end_s: not before `start_s`.
        text: what was said; may have several lines.
        speaker: what the transcript calls the speaker; None where it does not say.
        role: what the transcript says of their role, in its own words.
        channel: counted from 0; None where it does not say.
        language: ISO 639; None where it does not say.
        raw_text: as the recogniser wrote it, where that differs.
        words: in order, each with times; empty unless all have them. Their `speaker` is not filled in.
        figures: the recogniser's.
    """

    start_s: float
    end_s: float
    text: str
    speaker: str | None = None
    role: str | None = None
    channel: int | None = None
    language: str | None = None
    raw_text: str | None = None
    words: tuple[Word, ...] = ()
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript of one call.

    Attributes:
        form: what it was read as: "srt", "whisper", …
        cues: as the file has them.
        duration_s: the call's length; None where the file does not say.
        language: ISO 639; None where the file does not say.
        speakers: those whose roles the file knows, by its own names; empty for all but Callscope's own results.
        metadata: what the file says about the call beside.
        spread: whether it was worked out from lengths, not written, who said which words.
        sample_rate_hz: of the recording, where the file says.
    """

    form: str
    cues: tuple[Cue, ...]
    duration_s: float | None = None
    language: str | None = None
    speakers: tuple[Speaker, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    spread: bool = False
    sample_rate_hz: int | None = None
