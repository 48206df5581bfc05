"""What everything is about: one call, who spoke, what they said and how it was worked out.

Seconds are floats from the start of the call. `None` means "cannot be computed", never zero. The JSON names are these
names without their unit (`start_s` is written `start`); `report/call.schema.json` is the contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from callscope.analysis.measures import Measures

SCHEMA_VERSION = "1.0"

Role = Literal["agent", "customer", "unknown"]
RoleSource = Literal["channel", "metadata", "text", "given"]
StepStatus = Literal["ok", "degraded", "failed", "skipped"]
SentimentLabel = Literal["negative", "neutral", "positive"]


@dataclass(frozen=True, slots=True)
class LexiconShare:
    """What a lexicon adds to the model's judgement of a text.

    Attributes:
        score: the lexicon's own, -1 to 1.
        share: its weight in the text's score, 0 to 1; the model has the rest.
        terms: what was found, as it is written in the text.
    """

    score: float
    share: float
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How a text sounds.

    Attributes:
        label: the most probable class.
        score: -1 to 1, the mean of the classes' polarity: P(positive) - P(negative) where there are no finer ones.
        probabilities: negative, neutral, positive, as far as the model tells them apart -> probability; empty where
            the lexicon alone decided.
        source: what decided, "model", "model+lexicon" or "lexicon".
        lexicon: the lexicon's part; None where it found nothing.
    """

    label: str
    score: float
    probabilities: Mapping[str, float]
    source: str = "model"
    lexicon: LexiconShare | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """One word and its place; words lie inside their segment."""

    word: str
    start_s: float
    end_s: float
    confidence: float | None
    speaker: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a segment; a segment's sentences joined give back its text."""

    text: str
    sentiment: Sentiment | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One contiguous stretch of one speaker's speech.

    Attributes:
        id: unique in the call, "seg-0001" and up in order of start.
        speaker: `Speaker.id`.
        channel: index in the recording, from 0.
        text: for display: punctuated.
        raw_text: as the recogniser wrote it.
        confidence: mean token probability, exp(avg_logprob), 0 to 1.
        doubts: what speaks against the text, after it was asked for again: "repetition", "loop", "improbable",
            "too_fast", "cut_off" or "no_speech".
        overlap: whether somebody else speaks meanwhile.
        interruption: whether it cuts somebody short.
    """

    id: str
    start_s: float
    end_s: float
    speaker: str
    channel: int
    text: str
    raw_text: str
    language: str | None = None
    confidence: float | None = None
    avg_logprob: float | None = None
    no_speech_probability: float | None = None
    compression_ratio: float | None = None
    words: tuple[Word, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    sentiment: Sentiment | None = None
    doubts: tuple[str, ...] = ()
    overlap: bool | None = None
    interruption: bool | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Segments of one speaker that follow each other closely; `segments` are their ids."""

    speaker: str
    start_s: float
    end_s: float
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Speaker:
    """One voice. `role_source` and `role_confidence` are None while the role is unknown."""

    id: str
    role: Role = "unknown"
    role_source: RoleSource | None = None
    role_confidence: float | None = None
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A served model that took part, as the server describes it."""

    name: str
    version: str | None = None
    precision: str | None = None
    source: str | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the work: how it ended, how long it took, how often it was tried."""

    name: str
    status: StepStatus
    seconds: float
    attempts: int = 1
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """What was found in a channel of the recording.

    Attributes:
        number: its place in the recording, from 0.
        same_as: the channel that it repeats, whose words are therefore not its own; None where it repeats none.
        speech_s: seconds of speech; None for a channel that repeats another.
        snr_db: speech above the noise, in dB; None where there is no speech, or nothing else.
        denoised: whether speech was looked for in a copy without noise.
    """

    number: int
    same_as: int | None = None
    speech_s: float | None = None
    snr_db: float | None = None
    denoised: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """A stretch that was taken for speech at first, and why it is left out.

    Attributes:
        reason: "steady", "keys", "ring_back", "music", "noise", "short", or "bleed" (another channel's voice).
    """

    channel: int
    start_s: float
    end_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Processing:
    """How the result came to be.

    Attributes:
        created_at: ISO 8601 with offset, UTC.
        version: of Callscope.
        wall_seconds: from the first byte read to the last measure.
        rtf: wall_seconds / the call's duration.
        models: use ("asr", "punctuation", "sentiment") -> model.
        degraded: names of the steps that fell back to something simpler.
        channels: what was found in each channel.
        dropped: what sounded like speech and was left out, in order of start.
        redacted: kind of personal data -> how often it was masked; empty where nothing was, or none was looked for.
        cached: whether the result is that of an earlier analysis, of which all the above tells.
    """

    created_at: str
    version: str
    wall_seconds: float
    rtf: float | None
    models: Mapping[str, Model]
    steps: tuple[Step, ...] = ()
    degraded: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    redacted: Mapping[str, int] = field(default_factory=dict)
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """The file the call was read from; `call` in the JSON.

    Attributes:
        id: the first 16 hexadecimal digits of `sha256`, unless given.
        source: the file's path as it was given.
        sha256: of the file's bytes.
        sample_rate_hz: None for a transcript that does not tell it.
        language: ISO 639-1, the language of most of the speech; None without speech.
        metadata: whatever the caller attached.
    """

    id: str
    source: str
    sha256: str
    duration_s: float
    sample_rate_hz: int | None
    channels: int
    language: str | None = None
    language_probability: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words behind a figure of `Quality`: `sentence` is the index within the segment."""

    metric: str
    segment: str
    sentence: int
    text: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Ratios over the agent's sentences, 0 to 1, with the sentences that matched."""

    honorific_ratio: float | None = None
    positive_word_ratio: float | None = None
    negative_word_ratio: float | None = None
    euphonious_word_ratio: float | None = None
    empathy_ratio: float | None = None
    apology_ratio: float | None = None
    evidence: tuple[Evidence, ...] = ()


QUALITY_RATIOS = tuple(ratio.name for ratio in fields(Quality) if ratio.name != "evidence")


@dataclass(frozen=True, slots=True)
class Call:
    """The whole result. Segments are in order of start; each names a speaker in `speakers`."""

    recording: Recording
    processing: Processing
    speakers: tuple[Speaker, ...]
    segments: tuple[Segment, ...]
    metrics: Measures
    quality: Quality | None = None
    schema_version: str = SCHEMA_VERSION
