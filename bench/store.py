"""How fast a store takes results in, and answers: SQLite and PostgreSQL.

    python -m bench.store --calls 100000 [--store postgresql://…]

Calls of 50 segments are made from a seed and put in, then each query of a report is asked several times and the median
is shown. Without --store a SQLite file in a temporary folder.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from callscope.analysis.talk import measure
from callscope.call import Call, Processing, Quality, Recording, Segment, Sentence, Sentiment, Speaker
from callscope.store.query import Query
from callscope.store.sql import Store, open_store

SEGMENTS, SEGMENT_S, ASKED = 50, 5.0, 7
START = datetime(2026, 1, 1, tzinfo=UTC)
SPEAKERS = (Speaker("S1", "agent", "given", 1.0, 0), Speaker("S2", "customer", "given", 1.0, 1))
PHRASES = {
    "ko": [
        "환불",
        "요청",
        "배송",
        "확인해",
        "드리겠습니다",
        "고객님",
        "주문",
        "취소",
        "언제",
        "도착하나요",
        "감사합니다",
        "죄송합니다",
    ],
    "ja": [
        "解約",
        "手続き",
        "ご確認",
        "いたします",
        "お客様",
        "注文",
        "届かない",
        "ですが",
        "ありがとう",
        "ございます",
        "申し訳",
        "料金",
    ],
    "en": [
        "refund",
        "request",
        "delivery",
        "let me check",
        "customer",
        "order",
        "cancel",
        "when will it",
        "arrive",
        "thank you",
        "sorry",
        "bill",
    ],
}
RARE = {"ko": "해지방어", "ja": "監督官庁", "en": "ombudsman"}


def make_calls(count: int, seed: int = 7) -> Iterator[Call]:
    """Calls in three languages, each of another recording; one segment in 2,000 holds a rare word."""
    chance = random.Random(seed)
    for number in range(count):
        language = chance.choice(("ko", "ja", "en"))
        yield _call(number, language, chance)


def _call(number: int, language: str, chance: random.Random) -> Call:
    segments = tuple(_segment(place, language, chance) for place in range(SEGMENTS))
    created_at = START + timedelta(minutes=number)
    recording = Recording(
        f"{number:016x}",
        f"calls/{number}.wav",
        f"{number:064x}",
        SEGMENTS * SEGMENT_S,
        8000,
        2,
        language,
        1.0,
        {"team": str(number % 9)},
    )
    processing = Processing(created_at.isoformat(), "0.1.0", 1.0, 0.1, {})
    quality = Quality(*(round(chance.random(), 3) for _ in range(6)))
    return Call(recording, processing, SPEAKERS, segments, _MEASURES(segments), quality)


def _segment(place: int, language: str, chance: random.Random) -> Segment:
    words = chance.choices(PHRASES[language], k=6)
    if chance.random() < 0.0005:
        words[3] = RARE[language]
    text = ("" if language == "ja" else " ").join(words)
    score = round(chance.uniform(-1, 1), 3)
    sentiment = Sentiment("neutral", score, {"negative": 0.2, "neutral": 0.5, "positive": 0.3})
    start_s = place * SEGMENT_S
    return Segment(
        f"seg-{place:04}", start_s, start_s + 4, f"S{1 + place % 2}", place % 2, text, text, language,
        sentences=(Sentence(text, sentiment),), sentiment=sentiment,
    )  # fmt: skip


def _measured(segments: tuple[Segment, ...]) -> object:
    return measure(segments, SPEAKERS, SEGMENTS * SEGMENT_S)


_MEASURES = _measured


QUERIES: dict[str, Query] = {
    "newest 100": Query(),
    "a week in one language": Query(since=START + timedelta(days=2), until=START + timedelta(days=9), language="ja"),
    "least empathy of a week": Query(
        since=START + timedelta(days=2), until=START + timedelta(days=9), order="empathy_ratio"
    ),
    "most non-talk of all": Query(order="-non_talk_share"),
}
SEARCHES = {
    "common, ko": "환불",
    "common, ja": "解約",
    "common, en": "refund",
    "rare, ko": "해지방어",
    "rare, ja": "監督",
    "rare, en": "ombudsman",
}


def _median_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ASKED):
        start_s = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start_s))
    return statistics.median(taken)


def report(store: Store, count: int) -> None:
    """Fill the store and ask."""
    making_s = 0.0

    def timed() -> Iterator[Call]:
        nonlocal making_s
        source = make_calls(count)
        while True:
            start_s = time.perf_counter()
            call = next(source, None)
            making_s += time.perf_counter() - start_s
            if call is None:
                return
            yield call

    start_s = time.perf_counter()
    store.put(timed())
    taken_s = time.perf_counter() - start_s - making_s
    print(f"{count} calls of {SEGMENTS} segments: {count * SEGMENTS / taken_s:,.0f} segments/s, {taken_s:.1f} s")
    for name, query in QUERIES.items():
        print(f"{name}: {_median_ms(lambda query=query: store.find(query)):.1f} ms")
    for name, text in SEARCHES.items():
        query = replace(Query(limit=50), text=text)
        print(f"search, {name}: {_median_ms(lambda query=query: store.search(query)):.1f} ms")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--store", help="an empty database; a SQLite file without it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(options.store or str(Path(folder) / "calls.db"))
        report(store, options.calls)
        store.close()


if __name__ == "__main__":
    main()
