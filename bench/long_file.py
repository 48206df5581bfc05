"""A long recording from end to end: the words at its cuts, and the memory that the client takes.

The demo calls' sentences, whose words are known, are strung together in a new order each time round: `continuous` is
one channel that never pauses for long, so that every window is cut inside speech; `calls` is the stereo call itself
over and over. Each is analysed by the command line in a process of its own, and so is each sentence alone, which no cut
touches. A unit is a word in English and a character elsewhere. Units within a second of a cut are set against the
others, and both against the errors that the same units have alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soundfile
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
CALLS = ROOT / "demo" / "calls"
SOURCES = ("client", "preprocessing", "export", "server")
LANGUAGES = ("en", "ja", "ko")
KINDS = ("continuous", "calls")
RATE_HZ = 8_000
PAUSES_S = {"continuous": (0.0, 0.25), "alone": (1.5, 1.5)}
SILENCE_S = 0.4
NEAR_S = 1.0
SAME_S = 0.01
POLL_S = 0.05

Sound = NDArray[np.float32]
Place = tuple[int, int]  # sentence, unit in it


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a script, its sound, when in the call it starts, and the line's noise where nobody speaks."""

    units: tuple[str, ...]
    channel: int
    start_s: float
    sound: Sound
    silence: Sound


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit on the recording's clock, placed evenly in its sentence."""

    text: str
    at_s: float
    place: Place


@dataclass(frozen=True, slots=True)
class Recording:
    """Sound, shape (frames, channels), and what each channel says."""

    sound: Sound
    said: tuple[tuple[Unit, ...], ...]


@dataclass(frozen=True, slots=True)
class Analysed:
    """The result of one run of the command line; the peak is that of its own process, without the server's."""

    result: dict[str, Any]
    peak_mib: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of some units; `uncut` is the error rate of the same units when their sentences are heard alone."""

    units: int
    lost: int
    wrong: int
    added: int
    uncut: float

    @property
    def rate(self) -> float:
        """Errors over units."""
        return (self.lost + self.wrong + self.added) / max(1, self.units)


@dataclass(frozen=True, slots=True)
class Row:
    """One recording's figures."""

    language: str
    kind: str
    minutes: float
    cuts: int
    near: Tally
    elsewhere: Tally
    peak_mib: float
    times_real_time: float


def units(text: str, language: str) -> tuple[str, ...]:
    """Words in English, characters elsewhere, without marks and capitals."""
    kept = "".join(one for one in unicodedata.normalize("NFC", text).lower() if one.isalnum() or one == " ")
    return tuple(kept.split() if language == "en" else kept.replace(" ", ""))


def sentences(language: str) -> list[Sentence]:
    """The demo call's sentences in order."""
    call, _ = soundfile.read(CALLS / f"{language}.wav", dtype="float32")
    script = tomllib.loads((CALLS / f"{language}.toml").read_text(encoding="utf-8"))
    texts = [text for turn in script["turn"] for text, _ in turn["sentences"]]
    spans = [line.split()[2:5] for line in (CALLS / f"{language}.rttm").read_text(encoding="utf-8").splitlines()]
    return [
        Sentence(
            units(text, language),
            int(channel) - 1,
            float(start),
            call[round(float(start) * RATE_HZ) : round((float(start) + float(length)) * RATE_HZ), int(channel) - 1],
            call[: round(SILENCE_S * RATE_HZ), int(channel) - 1],
        )
        for text, (channel, start, length) in zip(texts, spans, strict=True)
    ]


def strung(said: Sequence[Sentence], kind: str, order: Sequence[int], rng: random.Random) -> Recording:
    """Sentences one after the other in one channel, the line's own noise between them."""
    parts, placed, frames = [], [], 0
    for number in order:
        pause = np.resize(said[number].silence, round(rng.uniform(*PAUSES_S[kind]) * RATE_HZ))
        parts += [pause, said[number].sound]
        placed += _placed(said[number], number, (frames + len(pause)) / RATE_HZ)
        frames += len(pause) + len(said[number].sound)
    return Recording(np.concatenate(parts)[:, np.newaxis], (tuple(placed),))


def _placed(sentence: Sentence, number: int, start_s: float) -> Iterator[Unit]:
    step_s = len(sentence.sound) / RATE_HZ / len(sentence.units)
    for place, text in enumerate(sentence.units):
        yield Unit(text, start_s + (place + 0.5) * step_s, (number, place))


def continuous(said: Sequence[Sentence], minutes: float, seed: int) -> Recording:
    """At least so many minutes without a pause of 0.3 s."""
    rng, order, left_s = random.Random(seed), list[int](), minutes * 60
    while left_s > 0:
        once = rng.sample(range(len(said)), len(said))
        order += once
        left_s -= sum(len(said[number].sound) / RATE_HZ for number in once)
    return strung(said, "continuous", order, rng)


def repeated(language: str, said: Sequence[Sentence], minutes: float) -> Recording:
    """At least so many minutes of the demo call."""
    call, _ = soundfile.read(CALLS / f"{language}.wav", dtype="float32")
    length_s = len(call) / RATE_HZ
    times = range(int(np.ceil(minutes * 60 / length_s)))
    spoken: tuple[list[Unit], list[Unit]] = ([], [])
    for time_ in times:
        for number, sentence in enumerate(said):
            spoken[sentence.channel].extend(_placed(sentence, number, time_ * length_s + sentence.start_s))
    return Recording(np.tile(call, (len(times), 1)), (tuple(spoken[0]), tuple(spoken[1])))


def analyse(recording: Recording, language: str, options: Sequence[str]) -> Analysed:
    """Run `callscope analyze` on it.

    Raises:
        SystemExit: it failed; its last words go to stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        sound, result, log = Path(folder, "long.wav"), Path(folder, "long.json"), Path(folder, "log.txt")
        soundfile.write(sound, recording.sound, RATE_HZ, subtype="ULAW")
        command = [sys.executable, "-m", "callscope", "analyze", sound, "--output", result, "--language", language]
        began = time.perf_counter()
        with log.open("w") as said, subprocess.Popen([*command, *options], stderr=said, env=_environment()) as process:
            peak_mib = _watch(process)
        if process.returncode:
            raise SystemExit(log.read_text())
        return Analysed(json.loads(result.read_text(encoding="utf-8")), peak_mib, time.perf_counter() - began)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / source) for source in SOURCES)}


def _watch(process: subprocess.Popen[bytes]) -> float:
    """The most memory that the process itself held, in MiB, by the kernel's own mark."""
    peak_kib = 0
    while process.poll() is None:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak_kib = int(line.split()[1])
        time.sleep(POLL_S)
    return peak_kib / 1024


def errors(said: Sequence[Unit], segments: Sequence[dict[str, Any]], language: str) -> list[tuple[str, int]]:
    """Each edit by its kind ("delete", "substitute", "insert") and the index of the unit it is at."""
    heard = [unit for segment in segments for unit in units(segment["text"], language)]
    if not heard:
        return [("delete", index) for index in range(len(said))]
    aligned = jiwer.process_words(" ".join(unit.text for unit in said), " ".join(heard)).alignments[0]
    found: list[tuple[str, int]] = []
    for chunk in aligned:
        if chunk.type == "insert":
            at = min(chunk.ref_start_idx, len(said) - 1)
            found += [("insert", at)] * (chunk.hyp_end_idx - chunk.hyp_start_idx)
        elif chunk.type != "equal":
            found += [(chunk.type, index) for index in range(chunk.ref_start_idx, chunk.ref_end_idx)]
    return found


def cuts(segments: Sequence[dict[str, Any]], kind: str) -> list[float]:
    """Where windows meet: in continuous speech every edge is one, elsewhere only those that two segments share."""
    edges = sorted([segment["start"] for segment in segments] + [segment["end"] for segment in segments])
    inner = edges[1:-1]
    if kind == "continuous":
        return [edge for before, edge in pairwise([-1.0, *inner]) if edge - before > SAME_S]
    return [edge for before, edge in pairwise(inner) if edge - before <= SAME_S]


def tally(edits: Sequence[tuple[str, Unit]], of: Sequence[Unit], alone: Sequence[Place]) -> Tally:
    """Count the edits of some units."""
    kinds = [kind for kind, _ in edits]
    uncut = sum(alone.count(unit.place) for unit in of) / max(1, len(of))
    return Tally(len(of), kinds.count("delete"), kinds.count("substitute"), kinds.count("insert"), uncut)


def measure(language: str, kind: str, minutes: float, seed: int, options: Sequence[str]) -> Row:
    """One recording and its row."""
    said = sentences(language)
    single = strung(said, "alone", range(len(said)), random.Random(0))
    heard_alone = analyse(single, language, options).result["segments"]
    alone = [single.said[0][index].place for _, index in errors(single.said[0], heard_alone, language)]
    long = continuous(said, minutes, seed) if kind == "continuous" else repeated(language, said, minutes)
    run = analyse(long, language, options)
    near: tuple[list[tuple[str, Unit]], list[Unit]] = ([], [])
    far: tuple[list[tuple[str, Unit]], list[Unit]] = ([], [])
    number = 0
    for channel, spoken in enumerate(long.said):
        segments = [segment for segment in run.result["segments"] if segment["channel"] == channel]
        at = np.array(cuts(segments, kind))
        is_near = [bool(len(at)) and float(np.abs(at - unit.at_s).min()) <= NEAR_S for unit in spoken]
        number += len(at)
        for index, unit in enumerate(spoken):
            (near if is_near[index] else far)[1].append(unit)
        for name, index in errors(spoken, segments, language):
            (near if is_near[index] else far)[0].append((name, spoken[index]))
    length_s = len(long.sound) / RATE_HZ
    tallies = tally(*near, alone), tally(*far, alone)
    return Row(language, kind, length_s / 60, number, *tallies, run.peak_mib, length_s / run.wall_s)


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    head = (
        "| language | recording | minutes | cuts | units near cuts | lost | wrong | added | errors near cuts "
        "| the same units uncut | errors elsewhere | the same units uncut | client's peak MiB | x real time |"
    )
    lines = [head, "|---" * head.count(" | ") + "|---|"]
    for row in rows:
        near, far = row.near, row.elsewhere
        figures = (
            f"{row.minutes:.0f} | {row.cuts} | {near.units} | {near.lost} | {near.wrong} | {near.added} | "
            f"{near.rate:.1%} | {near.uncut:.1%} | {far.rate:.1%} | {far.uncut:.1%} | {row.peak_mib:.0f} | "
            f"{row.times_real_time:.1f}"
        )
        lines.append(f"| {row.language} | {row.kind} | {figures} |")
    return "\n".join(lines)


def main() -> None:
    """Command line; options that it does not know go to `callscope analyze`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--language", choices=LANGUAGES, action="append")
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the sentences and their pauses")
    parser.add_argument("--json", action="store_true", help="a line of JSON a recording, not a table")
    given, options = parser.parse_known_args()
    rows = []
    for language in given.language or LANGUAGES:
        for kind in given.kind or KINDS:
            rows.append(measure(language, kind, given.minutes, given.seed, options))
            print(json.dumps(asdict(rows[-1])) if given.json else table(rows[-1:]).splitlines()[-1], flush=True)
    if not given.json:
        print(f"\n{table(rows)}")


if __name__ == "__main__":
    main()
