"""The conversation measures that need only times and texts. `None` means "cannot be computed", never zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from callscope.analysis import words
from callscope.analysis.interruptions import find_interruptions
from callscope.analysis.intervals import Interval, gaps, shared, total_s, union
from callscope.analysis.latency import measure_latency
from callscope.analysis.measures import (
    Interruption,
    Interruptions,
    Measures,
    NonTalk,
    Overlap,
    Overlaps,
    Party,
    Roles,
    Stretch,
)
from callscope.analysis.mood import measure_mood
from callscope.analysis.turns import build_turns
from callscope.call import Segment, Speaker, Turn

NON_TALK_S = 3.0
_MINUTE_S = 60.0


def measure(
    segments: Sequence[Segment],
    speakers: Sequence[Speaker],
    duration_s: float,
    *,
    non_talk_s: float = NON_TALK_S,
    punctuated: bool = True,
) -> Measures:
    """All measures of one call.

    Args:
        segments: within [0, duration_s]; each names one of the speakers.
        speakers: with their roles; a role that nobody is known to have has no measures.
        duration_s: the call's length.
        non_talk_s: silences longer than this are non-talk.
        punctuated: whether the texts carry punctuation; without it questions cannot be counted.
    """
    talk = _Talk(
        segments=segments,
        speakers=speakers,
        duration_s=duration_s,
        punctuated=punctuated,
        turns=build_turns(segments),
        spoken={speaker.id: _spoken(segments, speaker.id) for speaker in speakers},
        interruptions=find_interruptions(segments),
    )
    roles = Roles(agent=_role(talk, "agent"), customer=_role(talk, "customer"))
    both = union(interval for intervals in talk.spoken.values() for interval in intervals)
    return Measures(
        speech_s=total_s(both),
        speakers={speaker.id: _party(talk, {speaker.id}) for speaker in speakers},
        roles=roles,
        turns=len(talk.turns),
        non_talk=_non_talk(both, duration_s, non_talk_s),
        overlap=_overlaps(talk.spoken, total_s(both)),
        interruptions=_interruptions(talk.interruptions, roles),
        response_latency=measure_latency(talk.turns, {speaker.id: speaker.role for speaker in speakers}),
        task_ratio=_task_ratio(roles),
    )


@dataclass(frozen=True, slots=True)
class _Talk:
    """What every party's measures are taken from; `spoken` is each speaker's time, disjoint."""

    segments: Sequence[Segment]
    speakers: Sequence[Speaker]
    duration_s: float
    punctuated: bool
    turns: Sequence[Turn]
    spoken: Mapping[str, Sequence[Interval]]
    interruptions: Sequence[Interruption]


def _spoken(segments: Sequence[Segment], speaker: str) -> list[Interval]:
    return union((segment.start_s, segment.end_s) for segment in segments if segment.speaker == speaker)


def _role(talk: _Talk, role: Literal["agent", "customer"]) -> Party | None:
    members = {speaker.id for speaker in talk.speakers if speaker.role == role}
    return _party(talk, members) if members else None


def _party(talk: _Talk, members: set[str]) -> Party:
    own = [segment for segment in talk.segments if segment.speaker in members]
    turns = [turn for turn in talk.turns if turn.speaker in members]
    talk_time_s = sum(total_s(talk.spoken[speaker]) for speaker in sorted(members))
    word_count = words.words(own)
    character_count = sum(words.characters(segment.text) for segment in own)
    return Party(
        talk_time_s=talk_time_s,
        share_of_speech=_ratio(talk_time_s, sum(total_s(intervals) for intervals in talk.spoken.values())),
        share_of_call=_ratio(talk_time_s, talk.duration_s),
        words=word_count,
        characters=character_count,
        words_per_minute=None if word_count is None else _ratio(word_count * _MINUTE_S, talk_time_s),
        characters_per_minute=_ratio(character_count * _MINUTE_S, talk_time_s),
        turns=len(turns),
        longest_monologue=_longest(turns),
        questions=words.questions(own) if talk.punctuated else None,
        interruptions=sum(interruption.speaker in members for interruption in talk.interruptions),
        sentiment=measure_mood(own, talk.duration_s, len(turns)),
    )


def _longest(turns: Sequence[Turn]) -> Stretch | None:
    stretches = (_stretch((turn.start_s, turn.end_s)) for turn in turns)
    return max(stretches, key=lambda stretch: stretch.duration_s, default=None)


def _stretch(interval: Interval) -> Stretch:
    return Stretch(interval[0], interval[1], interval[1] - interval[0])


def _non_talk(speech: Sequence[Interval], duration_s: float, threshold_s: float) -> NonTalk:
    silences = [_stretch(gap) for gap in gaps(speech, duration_s) if gap[1] - gap[0] > threshold_s]
    total = sum(silence.duration_s for silence in silences)
    return NonTalk(
        threshold_s=threshold_s,
        total_s=total,
        share_of_call=_ratio(total, duration_s),
        count=len(silences),
        longest_s=max((silence.duration_s for silence in silences), default=None),
        instances=tuple(silences),
    )


def _overlaps(spoken: Mapping[str, Sequence[Interval]], speech_s: float) -> Overlaps:
    both = shared(list(spoken.values()))
    instances = tuple(
        Overlap(start_s, end_s, end_s - start_s, _speaking(spoken, start_s, end_s)) for start_s, end_s in both
    )
    return Overlaps(total_s(both), _ratio(total_s(both), speech_s), len(both), instances)


def _speaking(spoken: Mapping[str, Sequence[Interval]], start_s: float, end_s: float) -> tuple[str, ...]:
    return tuple(speaker for speaker, own in spoken.items() if any(a < end_s and start_s < b for a, b in own))


def _interruptions(found: Sequence[Interruption], roles: Roles) -> Interruptions:
    return Interruptions(
        count=len(found),
        agent=roles.agent.interruptions if roles.agent else None,
        customer=roles.customer.interruptions if roles.customer else None,
        instances=tuple(found),
    )


def _task_ratio(roles: Roles) -> float | None:
    return _ratio(roles.customer.talk_time_s, roles.agent.talk_time_s) if roles.agent and roles.customer else None


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
