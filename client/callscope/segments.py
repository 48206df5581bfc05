"""What was said becomes the call's speakers and segments."""

from __future__ import annotations

import math
from collections.abc import Sequence

from callscope.call import Segment, Speaker, Word
from callscope.preparation import Prepared
from callscope.said import Said
from callscope.voices import by_speaker


def spoken(
    said: Sequence[Said], prepared: Prepared, agent_channel: int | None
) -> tuple[tuple[Speaker, ...], list[Segment]]:
    """Who speaks in the call, and a segment for each stretch in which words were heard.

    Args:
        said: every stretch, in the order of time.
        prepared: the recording; where it has one channel, its diarization tells the speakers.
        agent_channel: the channel the agent is on, which tells both roles where there are several.
    """
    with_words = [one for one in said if one.transcript.text]
    duration_s = prepared.sound.duration_s
    found = prepared.diarization
    if found and found.turns:
        channel = prepared.channels[0].number
        names = {name: f"speaker-{number}" for number, name in enumerate(found.speakers, start=1)}
        speakers = tuple(Speaker(name, channel=channel) for name in names.values())
        owned = [(names[name], one) for name, one in by_speaker(with_words, found)]
    else:
        speakers = _speakers(prepared, agent_channel)
        own = {speaker.channel: speaker.id for speaker in speakers}
        owned = [(own[one.channel], one) for one in with_words]
    segments = [
        _segment(f"seg-{number:04}", one, speaker, duration_s) for number, (speaker, one) in enumerate(owned, start=1)
    ]
    return speakers, segments


def _speakers(prepared: Prepared, agent_channel: int | None) -> tuple[Speaker, ...]:
    """One speaker a channel; the agent's channel tells who is who, unless there is only one."""
    agent = next((repeat.of for repeat in prepared.repeats if repeat.channel == agent_channel), agent_channel)
    known = agent is not None and len(prepared.channels) > 1
    return tuple(
        Speaker(
            id=f"speaker-{number}",
            role=("agent" if channel.number == agent else "customer") if known else "unknown",
            role_source="channel" if known else None,
            role_confidence=1.0 if known else None,
            channel=channel.number,
        )
        for number, channel in enumerate(prepared.channels, start=1)
    )


def _segment(name: str, said: Said, speaker: str, duration_s: float) -> Segment:
    transcript = said.transcript
    return Segment(
        id=name,
        start_s=said.span.start_s,
        end_s=min(said.span.end_s, duration_s),
        speaker=speaker,
        channel=said.channel,
        text=transcript.text,
        raw_text=transcript.text,
        language=transcript.language,
        confidence=min(1.0, math.exp(transcript.avg_logprob)),
        avg_logprob=transcript.avg_logprob,
        no_speech_probability=transcript.no_speech_probability,
        compression_ratio=transcript.compression_ratio,
        doubts=transcript.doubts,
        words=tuple(Word(word.word, word.start_s, word.end_s, word.confidence, speaker) for word in transcript.words),
    )
