"""Calls by the hundred thousand for the store: sentences of the labelled sets, numbers and dates drawn from a seed."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from callscope.analysis.talk import measure
from callscope.call import Call, Processing, Quality, Recording, Segment, Sentence, Sentiment, Speaker

LABELLED = Path(__file__).parents[1] / "tests" / "client" / "analysis" / "labelled"
LANGUAGES = ("ko", "ja", "en")
SEGMENTS, SEGMENT_S = 50, 5.0
TEMPLATES = 600
START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = 1
SPEAKERS = (Speaker("S1", "agent", "given", 1.0, 0), Speaker("S2", "customer", "given", 1.0, 1))
ORDER = {"ko": "주문 번호는 {} 입니다", "ja": "注文番号は{}です", "en": "the order number is {}"}
RARE = {"ko": "해지방어 부서로 연결해 주세요", "ja": "監督官庁に報告します", "en": "I will write to the ombudsman"}
RARE_EVERY = 100
"""One template in so many has a rare sentence."""


def make_calls(count: int, seed: int = 7) -> Iterator[Call]:
    """Calls of 50 segments in three languages, a minute after one another, each of another recording.

    What is said repeats after 600 calls, but for one order number a call.
    """
    templates = [_template(number, random.Random(f"{seed} {number}")) for number in range(min(count, TEMPLATES))]
    for number in range(count):
        yield _of(templates[number % TEMPLATES], number)


def _of(template: Call, number: int) -> Call:
    recording, language = template.recording, template.recording.language or "en"
    text = ORDER[language].format(f"{number:09d}")
    said = replace(template.segments[7], text=text, raw_text=text, sentences=(Sentence(text),))
    return replace(
        template,
        recording=replace(recording, id=f"{number:016x}", sha256=f"{number:064x}", source=f"calls/{number}.wav"),
        processing=Processing((START + timedelta(minutes=MINUTES * number)).isoformat(), "0.1.0", 1.0, 0.1, {}),
        segments=(*template.segments[:7], said, *template.segments[8:]),
    )


def _template(number: int, chance: random.Random) -> Call:
    language = LANGUAGES[number % len(LANGUAGES)]
    texts = chance.choices(_sentences(language), k=SEGMENTS)
    if number % RARE_EVERY < len(LANGUAGES):
        texts[31] = RARE[language]
    segments = tuple(_segment(place, text, language, chance) for place, text in enumerate(texts))
    length_s = SEGMENTS * SEGMENT_S
    recording = Recording("", "", "", length_s, 8000, 2, language, 1.0, {"team": str(number % 9)})
    quality = Quality(*(round(chance.random(), 3) for _ in range(6)))
    made = Processing(START.isoformat(), "0.1.0", 1.0, 0.1, {})
    return Call(recording, made, SPEAKERS, segments, measure(segments, SPEAKERS, length_s), quality)


def _segment(place: int, text: str, language: str, chance: random.Random) -> Segment:
    score = round(chance.uniform(-1, 1), 3)
    sentiment = Sentiment("neutral", score, {"negative": 0.2, "neutral": 0.5, "positive": 0.3})
    start_s = place * SEGMENT_S
    return Segment(
        f"seg-{place:04}", start_s, start_s + 4, f"S{1 + place % 2}", place % 2, text, text, language,
        sentences=(Sentence(text, sentiment),), sentiment=sentiment,
    )  # fmt: skip


@cache
def _sentences(language: str) -> tuple[str, ...]:
    found: list[str] = []
    for file in sorted(LABELLED.glob(f"*/{language}.tsv")):
        with file.open(encoding="utf-8", newline="") as lines:
            found += [row["text"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return tuple(found)
