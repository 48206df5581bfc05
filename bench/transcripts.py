"""How long many transcripts take without sound and without a server, and where the time goes.

python -m bench.transcripts [--calls 1000] [--segments 200] [--profile]
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import csv
import json
import pstats
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.machine import describe_machine
from callscope.report import WRITERS
from callscope.report.times import timestamp
from callscope.settings import Settings
from callscope.transcripts.flow import analyze_transcripts

GOAL_S = 60.0
PROFILED_CALLS = 60
TOP = 15
SIDES = {"en": ("Agent", "Customer"), "ja": ("オペレーター", "お客様"), "ko": ("상담원", "고객")}
WORDS = {
    "en": (
        "thank you for calling I would like to know when my order is going to be here because it was not sent and the "
        "number that you have on the invoice is wrong so can we change it please or cancel and refund what I paid"
    ).split(),
    "ja": (
        "お電話 ありがとうございます 注文 した 商品 が まだ 届かない のですが 確認 して いただけ ますか 番号 は 何"
    ).split(),
    "ko": (
        "안녕하세요 고객님 주문하신 상품이 아직 도착하지 않아서 확인을 부탁드리고 싶은데요 번호가 어떻게 되시나요"
    ).split(),
}
MARKS = {"en": (".", "?", ", "), "ja": ("。", "？", "、"), "ko": (".", "?", ", ")}


@dataclass(frozen=True)
class Line:
    """A segment that is made up."""

    start_s: float
    end_s: float
    speaker: str
    text: str


def conversation(language: str, segments: int, seed: int) -> list[Line]:
    """Lines of two speakers in turn, with pauses and overlaps; the same for the same seed."""
    chance = random.Random(seed)
    lines, at_s = [], 0.0
    for number in range(segments):
        start_s = max(0.0, at_s + chance.uniform(-0.8, 2.0))
        at_s = start_s + chance.uniform(0.4, 9.0)
        speaker = SIDES[language][number % 2 if chance.random() < 0.8 else 0]
        lines.append(Line(start_s, at_s, speaker, _text(language, chance)))
    return lines


def _text(language: str, chance: random.Random) -> str:
    period, question, comma = MARKS[language]
    space = "" if language == "ja" else " "
    sentences = [
        space.join(chance.choices(WORDS[language], k=chance.randint(1, 12))) + chance.choice((period, question))
        for _ in range(chance.randint(1, 3))
    ]
    return space.join(sentences).replace(f"{WORDS[language][3]}{space}", f"{WORDS[language][3]}{comma}")


def _srt(lines: Sequence[Line], file: Path) -> None:
    file.write_text(
        "\n".join(f"{n}\n{_times(line, ',')}\n{line.speaker}: {line.text}\n" for n, line in enumerate(lines, 1))
    )


def _vtt(lines: Sequence[Line], file: Path) -> None:
    cues = "\n".join(f"{_times(line, '.')}\n<v {line.speaker}>{line.text}\n" for line in lines)
    file.write_text(f"WEBVTT\n\n{cues}")


def _json(lines: Sequence[Line], file: Path) -> None:
    rows = [{"start": one.start_s, "end": one.end_s, "speaker": one.speaker, "text": one.text} for one in lines]
    file.write_text(json.dumps(rows, ensure_ascii=False))


def _csv(lines: Sequence[Line], file: Path) -> None:
    with file.open("w", newline="") as sheet:
        rows = csv.writer(sheet)
        rows.writerow(("start", "end", "speaker", "text"))
        rows.writerows((line.start_s, line.end_s, line.speaker, line.text) for line in lines)


def _times(line: Line, point: str) -> str:
    return f"{timestamp(line.start_s, point)} --> {timestamp(line.end_s, point)}"


FORMS: dict[str, Callable[[Sequence[Line], Path], None]] = {"srt": _srt, "vtt": _vtt, "json": _json, "csv": _csv}


def write_archive(folder: Path, calls: int, segments: int) -> list[Path]:
    """Transcripts in three languages and four forms, in turn."""
    files = []
    for number in range(calls):
        language, form = list(SIDES)[number % len(SIDES)], list(FORMS)[number % len(FORMS)]
        files.append(folder / f"{number:05}-{language}.{form}")
        FORMS[form](conversation(language, segments, seed=number), files[-1])
    return files


def analysed(files: Sequence[Path]) -> Iterator[str]:
    """Each result, written as JSON."""
    for file in files:
        for call in asyncio.run(analyze_transcripts(file, None, Settings())):
            yield WRITERS["json"](call)


def profile(files: Sequence[Path]) -> None:
    """Where the time goes, function by function, in this process."""
    with cProfile.Profile() as profiler:
        for _ in analysed(files):
            pass
    pstats.Stats(profiler).sort_stats("tottime").print_stats(TOP)


def main() -> None:
    """Make an archive, analyse it as a user would, and say how long that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--segments", type=int, default=200)
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callscope-bench-") as name:
        folder, results = Path(name) / "archive", Path(name) / "results"
        folder.mkdir()
        files = write_archive(folder, given.calls, given.segments)
        if given.profile:
            profile(files[:PROFILED_CALLS])
        command = [sys.executable, "-m", "callscope", "analyze", "--transcript", "--offline", folder, "-o", results]
        began = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        took_s = time.perf_counter() - began
        made = len(list(results.iterdir()))
    print(
        f"{made} transcripts of {given.segments} segments: {took_s:.1f} s (goal: {GOAL_S:.0f} s). {describe_machine()}"
    )


if __name__ == "__main__":
    main()
