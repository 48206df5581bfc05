"""Who speaks in a transcript, and in which role: as it says itself, or as the user does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from callscope.call import Role, RoleSource, Speaker
from callscope.errors import SettingsInvalid
from callscope.transcripts.clean import plain
from callscope.transcripts.labels import OTHER, kind_of, role_of
from callscope.transcripts.transcript import Cue, Transcript

PAIR, MOST_NAMED = 2, 10
UNSAFE = re.compile(r"[\s:：\[\]<>]+")
"""What captions and RTTM write beside a name, and a name therefore cannot have."""


@dataclass(frozen=True, slots=True)
class Voices:
    """Who speaks.

    Attributes:
        speakers: as the transcript lists them, or in order of their first words.
        names: what the transcript calls a speaker -> `Speaker.id`.
    """

    speakers: tuple[Speaker, ...]
    names: Mapping[str, str]

    def speaker_of(self, cue: Cue) -> str:
        """Whose words these are."""
        return self.names[label_of(cue)]


def find_voices(transcript: Transcript, *, agent: str | None, agent_channel: int | None) -> Voices:
    """The speakers of a transcript.

    What tells the roles is, the first of these that does: `agent`, `agent_channel`, the transcript. Of two speakers the
    other has the other role, unless the transcript calls it something else ("IVR").

    Args:
        transcript: its cues name the speakers; where they name none, channels are speakers.
        agent: what the transcript calls the agent; upper or lower case does not matter.
        agent_channel: the channel that the agent is on.

    Raises:
        SettingsInvalid: nobody is called `agent`, or is on `agent_channel`.
    """
    ordered = sorted(transcript.cues, key=lambda cue: (cue.start_s, cue.end_s))
    listed = [speaker.id for speaker in transcript.speakers]
    labels = list(dict.fromkeys([*listed, *(label_of(cue) for cue in ordered)]))
    names = dict(zip(labels, _ids(labels), strict=True))
    channels = {**dict(_channels(transcript.cues)), **{speaker.id: speaker.channel for speaker in transcript.speakers}}
    speakers = [Speaker(names[label], channel=channels.get(label)) for label in labels]
    if agent is not None:
        speakers = _told(speakers, _called(agent, names), "given")
    elif agent_channel is not None and len(set(channels.values()) - {None}) > 1:
        speakers = _told(speakers, _on_channel(agent_channel, speakers), "channel")
    else:
        speakers = _by_labels(transcript, labels, speakers)
    return Voices(tuple(speakers), names)


def label_of(cue: Cue) -> str:
    """What the transcript calls who speaks: a name, else a role, else a channel; "speaker-1" where it says nothing."""
    return plain(cue.speaker or cue.role or "") or f"speaker-{(cue.channel or 0) + 1}"


def _ids(labels: Iterable[str]) -> Iterator[str]:
    taken: set[str] = set()
    for label in labels:
        stem = UNSAFE.sub("_", label).strip("_") or "speaker"
        name = next(name for number in count(1) if (name := stem if number == 1 else f"{stem}-{number}") not in taken)
        taken.add(name)
        yield name


def _channels(cues: Iterable[Cue]) -> Iterator[tuple[str, int | None]]:
    """Each speaker's channel, where it is one."""
    heard: dict[str, set[int | None]] = {}
    for cue in cues:
        heard.setdefault(label_of(cue), set()).add(cue.channel)
    for label, found in heard.items():
        yield label, found.pop() if len(found) == 1 else None


def _called(agent: str, names: Mapping[str, str]) -> set[str]:
    wanted = {own for label, own in names.items() if agent.casefold() in {label.casefold(), own.casefold()}}
    if not wanted:
        known = ", ".join(list(names)[:MOST_NAMED])
        raise SettingsInvalid(f"No speaker is called {agent!r}: there are {known}. Correct --agent.")
    return wanted


def _on_channel(channel: int, speakers: Sequence[Speaker]) -> set[str]:
    agents = {speaker.id for speaker in speakers if speaker.channel == channel}
    if not agents:
        known = ", ".join(
            str(number) for number in sorted({one.channel for one in speakers if one.channel is not None})
        )
        raise SettingsInvalid(f"Nobody speaks on channel {channel}: there are {known}. Correct --agent-channel.")
    return agents


def _told(speakers: Sequence[Speaker], agents: set[str], source: RoleSource) -> list[Speaker]:
    """The agents, and all others as customers but those whom their names tell to be neither."""
    return [
        _with_role(speaker, "agent", source)
        if speaker.id in agents
        else speaker
        if kind_of(speaker.id) == OTHER
        else _with_role(speaker, "customer", source)
        for speaker in speakers
    ]


def _by_labels(transcript: Transcript, labels: Sequence[str], speakers: Sequence[Speaker]) -> list[Speaker]:
    own = {speaker.id: speaker for speaker in transcript.speakers}
    if any(speaker.role != "unknown" for speaker in own.values()):
        return [
            replace(own[label], id=speaker.id) if label in own else speaker
            for label, speaker in zip(labels, speakers, strict=True)
        ]
    said = {label_of(cue): cue.role for cue in transcript.cues if cue.role}
    found = [
        _with_role(speaker, role, "metadata") if (role := role_of(said.get(label)) or role_of(label)) else speaker
        for label, speaker in zip(labels, speakers, strict=True)
    ]
    return _with_other(found)


def _with_other(speakers: list[Speaker]) -> list[Speaker]:
    """Of two, one of whom has a role, the other has the other."""
    known = [speaker.role for speaker in speakers if speaker.role != "unknown"]
    if len(speakers) != PAIR or len(known) != 1:
        return speakers
    other: Role = "customer" if known[0] == "agent" else "agent"
    return [
        _with_role(speaker, other, "metadata")
        if speaker.role == "unknown" and kind_of(speaker.id) != OTHER
        else speaker
        for speaker in speakers
    ]


def _with_role(speaker: Speaker, role: Role, source: RoleSource) -> Speaker:
    return replace(speaker, role=role, role_source=source, role_confidence=1.0)
