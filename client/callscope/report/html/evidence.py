"""The agent's quality ratios, each with the sentences behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callscope.call import QUALITY_RATIOS, Call, Evidence, Quality
from callscope.report.html.figures import Figure, percent
from callscope.report.html.phrases import phrase
from callscope.report.html.transcript import anchor, sentences


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sentence, and whether it is what matched."""

    text: str
    matches: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """A sentence that matched, and the names of the patterns; `anchor` is where it stands."""

    anchor: str
    at_s: float
    language: str | None
    parts: tuple[Part, ...]
    patterns: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio, how long its bar is, and its proofs."""

    name: str
    figure: Figure
    width: str | None
    proofs: tuple[Proof, ...]


def ratios(call: Call) -> tuple[Ratio, ...]:
    """Every ratio; all without a value where quality was not worked out."""
    if call.quality is None:
        missing = Figure(None, phrase("reason.no_quality"))
        return tuple(Ratio(name, missing, None, ()) for name in QUALITY_RATIOS)
    reason = _why_none(call, call.quality)
    return tuple(_ratio(call, name, getattr(call.quality, name), reason) for name in QUALITY_RATIOS)


def _why_none(call: Call, quality: Quality) -> str:
    if call.metrics.roles.agent is None:
        return "agent_unknown"
    return "agent_silent" if all(getattr(quality, name) is None for name in QUALITY_RATIOS) else "no_words"


def _ratio(call: Call, name: str, value: float | None, reason: str) -> Ratio:
    place = {segment.id: index for index, segment in enumerate(call.segments)}
    found: dict[tuple[int, int], list[Evidence]] = {}
    for one in call.quality.evidence if call.quality else ():
        if one.metric == name and one.segment in place:
            found.setdefault((place[one.segment], one.sentence), []).append(one)
    proofs = tuple(_proof(call, *at, own) for at, own in sorted(found.items(), key=lambda item: item[0]))
    return Ratio(name, percent(value, reason), None if value is None else f"{100 * value:.1f}%", proofs)


def _proof(call: Call, index: int, sentence: int, found: Sequence[Evidence]) -> Proof:
    segment = call.segments[index]
    texts = sentences(segment)
    number = min(max(sentence, 0), len(texts) - 1)
    return Proof(
        anchor=anchor(index, number),
        at_s=segment.start_s,
        language=segment.language,
        parts=tuple(_parts(texts[number].strip(), [one.text for one in found])),
        patterns=", ".join(dict.fromkeys(one.pattern for one in found)),
    )


def _parts(text: str, matches: Sequence[str]) -> Iterator[Part]:
    """The text, cut at the first place of each match; a match inside another is part of it."""
    places = sorted((text.find(match), -len(match)) for match in matches if match and match in text)
    done = 0
    for start, length in places:
        if start >= done:
            yield Part(text[done:start], matches=False)
            yield Part(text[start : start - length], matches=True)
            done = start - length
    yield Part(text[done:], matches=False)
