"""Calls for the pages: dialogues with times, words, sentiment and evidence, and the measures that the product takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import exp
from pathlib import Path
from random import Random

from callscope.analysis.interruptions import find_interruptions
from callscope.analysis.talk import measure
from callscope.call import (
    Call,
    Channel,
    Dropped,
    Evidence,
    Model,
    Processing,
    Quality,
    Recording,
    Segment,
    Sentence,
    Sentiment,
    Speaker,
    Step,
    Word,
)
from callscope.text.sentences import split_sentences

DIALOGUES = Path(__file__).parent / "client" / "report" / "dialogues"
SPEAKERS = (Speaker("speaker-1", "agent", "text", 0.97, 0), Speaker("speaker-2", "customer", "text", 0.97, 1))
RATIOS = ("honorific", "positive_word", "negative_word", "euphonious_word", "empathy", "apology")
LETTERS_PER_S = {"en": 15.0, "ja": 7.5, "ko": 6.5}
HOSTILE = (
    "</script><script>alert(1)</script><!-- --> <img src=x onerror=alert(2)> &amp; \"' {{ 7*7 }} \u202e\ud800\x00\u2028"
)


def dialogue_call(language: str) -> Call:
    """The dialogue of that language. Its lines are: speaker, seconds after the last, score, text, metric:match."""
    lines = [line.split("\t") for line in (DIALOGUES / f"{language}.tsv").read_text("utf-8").splitlines()]
    said = [(who, float(gap), float(score), text) for who, gap, score, text, *_ in lines]
    proofs = {at: line[4] for at, line in enumerate(lines) if len(line) > 4}
    segments = tuple(_segments(said, language))
    marked = _marked(segments)
    return build(marked, language=language, quality=_quality(marked, proofs), source=f"calls/{language}-0042.wav")


def long_call(hours: float = 2.0, segments: int = 2000, words: int = 10) -> Call:
    """A call of that length: English lines of so many words, in turns."""
    chance = Random(7)
    step_s = hours * 3600 / segments
    vocabulary = sorted({word for text in _texts("en") for word in text.split()})
    spoken = []
    for index in range(segments):
        text = " ".join(chance.choice(vocabulary) for _ in range(words - 1)) + f" number-{index}."
        start_s = index * step_s
        spoken.append(
            segment(index, index % 2, start_s, start_s + step_s * 0.9, text, score=chance.uniform(-1, 1), language="en")
        )
    return build(_marked(spoken), language="en", source="calls/long.wav", duration_s=hours * 3600)


def hostile_call() -> Call:
    """A call in which every text that comes from outside tries to be more."""
    call = dialogue_call("en")
    names = {speaker.id: f"{speaker.id}{HOSTILE}" for speaker in call.speakers}
    segments = tuple(
        replace(
            one,
            speaker=names[one.speaker],
            text=f"{one.text}{HOSTILE}",
            language=f"en{HOSTILE}",
            sentences=(Sentence(f"{one.text}{HOSTILE}", one.sentiment),),
            words=tuple(replace(word, word=f"{word.word}{HOSTILE}") for word in one.words),
            sentiment=one.sentiment and replace(one.sentiment, label=HOSTILE),
            doubts=(HOSTILE,),
        )
        for one in call.segments
    )
    speakers = tuple(Speaker(names[speaker.id]) for speaker in call.speakers)
    changed = build(segments, language="en", source=f"calls/{HOSTILE}", speakers=speakers)
    processing = call.processing
    return replace(
        changed,
        recording=replace(changed.recording, language=HOSTILE, metadata={HOSTILE: HOSTILE}, sha256=HOSTILE),
        processing=replace(
            processing,
            created_at=HOSTILE,
            version=HOSTILE,
            steps=tuple(replace(step, name=HOSTILE, status="failed", error=HOSTILE) for step in processing.steps),
            models={HOSTILE: replace(processing.models["asr"], name=HOSTILE, source=HOSTILE, precision=HOSTILE)},
            redacted={HOSTILE: 1},
            dropped=tuple(replace(one, reason=HOSTILE) for one in processing.dropped),
            degraded=(HOSTILE,),
        ),
        quality=Quality(apology_ratio=0.5, evidence=(Evidence("apology_ratio", "seg-0003", 0, HOSTILE, HOSTILE),)),
    )


def segment(
    index: int, side: int, start_s: float, end_s: float, text: str, *, score: float | None, language: str
) -> Segment:
    """A segment of the agent (side 0) or the customer, whose words lie evenly in it."""
    feeling = None if score is None else sentiment(score)
    sure = 0.93 if index % 7 else 0.61
    return Segment(
        id=f"seg-{index + 1:04d}",
        start_s=start_s,
        end_s=end_s,
        speaker=SPEAKERS[side].id,
        channel=side,
        text=text,
        raw_text=text,
        language=language,
        confidence=sure,
        avg_logprob=-0.1,
        words=tuple(_words(text, start_s, end_s, SPEAKERS[side].id, sure)),
        sentences=tuple(Sentence(sentence, feeling) for sentence in split_sentences(text, language)),
        sentiment=feeling,
    )


def sentiment(score: float) -> Sentiment:
    """A sentiment with that score."""
    label = "positive" if score > 0.2 else "negative" if score < -0.2 else "neutral"
    odds = {"negative": exp(-2 * score), "neutral": 1.0, "positive": exp(2 * score)}
    return Sentiment(label, score, {name: one / sum(odds.values()) for name, one in odds.items()})


def build(
    segments: Sequence[Segment],
    *,
    language: str | None,
    quality: Quality | None = None,
    source: str = "calls/a.wav",
    duration_s: float | None = None,
    speakers: tuple[Speaker, ...] = SPEAKERS,
    punctuated: bool = True,
) -> Call:
    """A call of these segments."""
    length_s = duration_s or max((one.end_s for one in segments), default=0.0) + 1.2
    return Call(
        recording=Recording(
            "5f1c0d2e9ab34c77", source, "5f1c0d2e9ab34c77" * 4, length_s, 8000, 2, language, 0.99,
            {"queue": "support", "agent": "A-117"},
        ),
        processing=_processing(length_s),
        speakers=speakers,
        segments=tuple(segments),
        metrics=measure(segments, speakers, length_s, punctuated=punctuated),
        quality=quality,
    )  # fmt: skip


def _processing(length_s: float) -> Processing:
    return Processing(
        created_at="2026-09-21T05:41:07+00:00",
        version="0.1.0",
        wall_seconds=length_s / 20,
        rtf=0.05,
        models={
            "asr": Model("transcribe_words", "1", "int8", "whisper-small", "sha256:1e20ca39052e"),
            "punctuation": Model("punctuate", "3", "int8", "punctuate", "sha256:6240fbeab588"),
            "sentiment": Model("sentiment", "2", "int8", "sentiment", "sha256:3242c3090fb9"),
        },
        steps=(
            Step("decode", "ok", 0.01),
            Step("vad", "ok", 0.19),
            Step("denoise", "degraded", 0.0, 1, "pyrnnoise is not installed"),
            Step("transcribe", "ok", 2.3),
            Step("punctuate", "ok", 0.6),
            Step("sentiment", "ok", 0.5),
            Step("measures", "ok", 0.001),
        ),
        degraded=("denoise",),
        channels=(Channel(0, None, 61.2, 29.7), Channel(1, None, 44.8, 12.1)),
        dropped=(Dropped(0, 0.0, 0.09, "short"), Dropped(1, 48.2, 49.9, "ring_back")),
        redacted={"phone": 2, "card": 1},
    )


def _texts(language: str) -> list[str]:
    return [line.split("\t")[3] for line in (DIALOGUES / f"{language}.tsv").read_text("utf-8").splitlines()]


def _segments(said: Sequence[tuple[str, float, float, str]], language: str) -> Iterator[Segment]:
    end_s = 0.0
    for index, (who, gap_s, score, text) in enumerate(said):
        start_s = round(max(end_s + gap_s, 0.0), 2)
        end_s = round(start_s + 0.4 + len(text.replace(" ", "")) / LETTERS_PER_S[language], 2)
        yield segment(index, "AC".index(who), start_s, end_s, text, score=score, language=language)


def _words(text: str, start_s: float, end_s: float, speaker: str, sure: float) -> Iterator[Word]:
    pieces = text.split() if " " in text else [text[at : at + 2] for at in range(0, len(text), 2)]
    bare = [piece.strip(".,?!。、？") for piece in pieces]
    step_s = (end_s - start_s) / max(len(pieces), 1)
    for at, word in enumerate(bare):
        if word:
            confidence = 0.38 if at % 5 == 2 and sure < 0.7 else sure
            yield Word(word, start_s + at * step_s, start_s + (at + 1) * step_s, confidence, speaker)


def _marked(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """With overlaps, interruptions, and one text in doubt."""
    cutting = {name for one in find_interruptions(segments) for name in one.segments}
    neighbours = zip((None, *segments), segments, (*segments[1:], None), strict=False)
    return tuple(
        replace(
            one,
            overlap=any(other and other.start_s < one.end_s and one.start_s < other.end_s for other in (last, after)),
            interruption=one.id in cutting,
            doubts=("improbable",) if at == 4 else (),
        )
        for at, (last, one, after) in enumerate(neighbours)
    )


def _quality(segments: Sequence[Segment], proofs: dict[int, str]) -> Quality:
    evidence = tuple(_evidence(segments[at], *proof.split(":", 1)) for at, proof in proofs.items())
    own = sum(len(one.sentences) for one in segments if one.speaker == SPEAKERS[0].id)
    ratios = {f"{name}_ratio": sum(one.metric == f"{name}_ratio" for one in evidence) / own for name in RATIOS}
    return Quality(**ratios, evidence=evidence)


def _evidence(one: Segment, metric: str, match: str) -> Evidence:
    number = next(at for at, sentence in enumerate(one.sentences) if match in sentence.text)
    return Evidence(metric, one.id, number, match, f"{one.language}.{metric.removesuffix('_ratio')}.example")
