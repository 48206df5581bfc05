"""The conversation measures, as values. `talk.py` and `mood.py` compute them and state the rules.

`None` means "cannot be computed": a share when nobody spoke, an agent's measure when nobody knows who the agent is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the call."""

    start_s: float
    end_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """A stretch in which two or more speak."""

    start_s: float
    end_s: float
    duration_s: float
    speakers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Interruption:
    """`speaker` began while `interrupted` spoke, and both went on until `end_s`; `segments` are its words."""

    start_s: float
    end_s: float
    duration_s: float
    speaker: str
    interrupted: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NonTalk:
    """Silences longer than `threshold_s`, the call's beginning and end included."""

    threshold_s: float
    total_s: float
    share_of_call: float | None
    count: int
    longest_s: float | None
    instances: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Time in which two or more speak, counted once; `share_of_speech` is of the time in which anyone speaks."""

    total_s: float
    share_of_speech: float | None
    count: int
    instances: tuple[Overlap, ...]


@dataclass(frozen=True, slots=True)
class Interruptions:
    """Who cut whom short; `agent` and `customer` count what that role did."""

    count: int
    agent: int | None
    customer: int | None
    instances: tuple[Interruption, ...]


@dataclass(frozen=True, slots=True)
class Latency:
    """From the customer's last word to the agent's first, in seconds, over `count` changes."""

    mean_s: float | None
    median_s: float | None
    p95_s: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Mood:
    """Sentiment over a party's segments, -1 to 1.

    Attributes:
        mean: of all scored segments.
        early: of those whose middle lies in the call's first half.
        late: of the others.
        trend: late - early.
        quarters: means by quarter of the call, by the segment's middle; None for a quarter without any.
        change: fourth quarter - first.
    """

    mean: float
    early: float | None
    late: float | None
    trend: float | None
    quarters: tuple[float | None, float | None, float | None, float | None]
    change: float | None


@dataclass(frozen=True, slots=True)
class Party:
    """What one speaker, or all speakers of one role, did.

    Attributes:
        talk_time_s: seconds spoken.
        share_of_speech: of all parties' seconds spoken; the speakers' shares sum to 1.
        share_of_call: of the call's duration.
        words: separated by spaces (in Korean these are eojeol); None in a language written without spaces.
        characters: letters and digits, no spaces or punctuation.
        turns: how many.
        longest_monologue: the longest turn.
        questions: sentences that end in a question mark; None without punctuation.
        interruptions: how often the party cut another short.
        sentiment: None under two turns.
    """

    talk_time_s: float
    share_of_speech: float | None
    share_of_call: float | None
    words: int | None
    characters: int
    words_per_minute: float | None
    characters_per_minute: float | None
    turns: int
    longest_monologue: Stretch | None
    questions: int | None
    interruptions: int
    sentiment: Mood | None


@dataclass(frozen=True, slots=True)
class Roles:
    """Measures by role; None for a role that no speaker is known to have."""

    agent: Party | None
    customer: Party | None


@dataclass(frozen=True, slots=True)
class Measures:
    """All conversation measures of a call.

    Attributes:
        speech_s: seconds in which anyone speaks.
        speakers: speaker id -> measures.
        turns: how many in all.
        response_latency: None unless both roles are known.
        task_ratio: the customer's seconds over the agent's.
    """

    speech_s: float
    speakers: Mapping[str, Party]
    roles: Roles
    turns: int
    non_talk: NonTalk
    overlap: Overlaps
    interruptions: Interruptions
    response_latency: Latency | None
    task_ratio: float | None
