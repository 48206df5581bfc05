"""Damaged recordings by the hundred: none may crash, hang or swell the process, and each is sound or an `AudioError`.

    python -m tests.preprocessing.damaged_files --seed 7 --files 2000

A file is made from its seed alone, so that one that is found can be made again.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import av
import numpy as np
import soundfile

from callscope_preprocessing.errors import AudioError
from callscope_preprocessing.limits import Limits
from callscope_preprocessing.sound import read_sound

TIMEOUT_S = 60.0
MOST_MEMORY_MIB = 1024
LIMITS = Limits(duration_s=3600, bytes=1 << 28)
RATES_HZ = {"libopus": 48_000, "ac3": 48_000, "libmp3lame": 16_000, "aac": 16_000, "g722": 16_000, "wmav2": 16_000}
MONO = ("libopencore_amrnb", "g722")
ENCODED = (
    "wav:pcm_mulaw wav:pcm_s16le wav:adpcm_ms wav:adpcm_ima_wav wav:g722 wav:libmp3lame w64:pcm_s16le "
    "aiff:pcm_s16be  au:pcm_mulaw caf:pcm_s16be flac:flac mp3:libmp3lame ogg:libopus webm:libopus m4a:aac "
    "m4a:alac aac:aac  amr:libopencore_amrnb 3gp:libopencore_amrnb mka:pcm_s16le mkv:aac avi:libmp3lame "
    "mov:pcm_s16le wma:wmav2 ac3:ac3  ts:aac flv:aac wv:wavpack tta:tta"
)
WRITTEN = ("ogg:VORBIS", "rf64:PCM_16", "wav:GSM610", "wav:FLOAT", "aiff:ALAW", "nist:PCM_16", "voc:PCM_16")


@dataclass(frozen=True)
class Verdict:
    """What became of a file: "sound", the error's class, or what must not be ("crash", "hang", "bug", "memory")."""

    name: str
    kind: str
    said: str

    @property
    def is_bad(self) -> bool:
        return self.kind in {"crash", "hang", "bug", "memory", "words"}


def originals(folder: Path) -> Mapping[str, bytes]:
    """Two seconds of noise and tone in every format, by name."""
    made = {}
    for form in ENCODED.split():
        ending, encoder = form.split(":")
        made[f"{encoder}.{ending}"] = _encoded(folder / f"{encoder}.{ending}", encoder)
    for form in WRITTEN:
        ending, subtype = form.split(":")
        path = folder / f"{subtype}.{ending}"
        soundfile.write(path, _sound(8_000, 1).T, 8_000, format=ending.upper(), subtype=subtype)
        made[path.name] = path.read_bytes()
    return made


def _sound(rate_hz: int, channels: int) -> np.ndarray:
    time = np.arange(2 * rate_hz) / rate_hz
    noise = np.random.default_rng(0).normal(0, 0.02, (channels, len(time)))
    return (0.3 * np.sin(2 * np.pi * 440 * time) + noise).astype(np.float32)


def _encoded(path: Path, encoder: str) -> bytes:
    rate_hz, channels = RATES_HZ.get(encoder, 8_000), 1 if encoder in MONO else 2
    layout = "stereo" if channels == 2 else "mono"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=rate_hz, layout=layout)
        if encoder == "wmav2":
            stream.bit_rate = 64_000
        packed = np.ascontiguousarray(_sound(rate_hz, channels).T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(packed, "flt", layout)
        frame.rate, frame.pts = rate_hz, 0
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    return path.read_bytes()


def damaged(seed: int, whole: Mapping[str, bytes]) -> tuple[str, bytes]:
    """One file: a name, which may lie, and bytes with one to three kinds of damage."""
    random = Random(seed)
    name = random.choice(sorted(whole))
    content = bytearray(whole[name])
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        random.choice(DAMAGES)(random, content, whole)
    ending = Path(random.choice(sorted(whole)) if random.random() < 0.2 else name).suffix
    return f"{seed}-{Path(name).stem}{ending}", bytes(content)


Damage = Callable[[Random, bytearray, Mapping[str, bytes]], None]


def _cut_end(random: Random, content: bytearray, _: Mapping[str, bytes]) -> None:
    del content[random.randrange(len(content) + 1) :]


def _cut_start(random: Random, content: bytearray, _: Mapping[str, bytes]) -> None:
    del content[: random.randrange(min(len(content), 600) + 1)]


def _flip_bits(random: Random, content: bytearray, _: Mapping[str, bytes]) -> None:
    for _ in range(random.choice((1, 10, 100, 1000))):
        if content:
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def _flip_header(random: Random, content: bytearray, _: Mapping[str, bytes]) -> None:
    for _ in range(random.choice((1, 2, 5))):
        if content:
            content[random.randrange(min(len(content), 200))] = random.randrange(256)


def _lie_about_a_number(random: Random, content: bytearray, _: Mapping[str, bytes]) -> None:
    start = random.randrange(min(len(content), 400) + 1)
    content[start : start + 4] = random.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x01\0\0\0"))


def _insert(random: Random, content: bytearray, _: Mapping[str, bytes]) -> None:
    start = random.randrange(len(content) + 1)
    content[start:start] = random.randbytes(random.choice((1, 7, 512, 20_000)))


def _blank(random: Random, content: bytearray, _: Mapping[str, bytes]) -> None:
    start = random.randrange(len(content) + 1)
    end = min(len(content), start + random.randrange(1, 20_000))
    content[start:end] = bytes([random.choice((0, 255))]) * (end - start)


def _swap_parts(random: Random, content: bytearray, _: Mapping[str, bytes]) -> None:
    middle = random.randrange(len(content) + 1)
    content[:] = content[middle:] + content[:middle]


def _another_head(random: Random, content: bytearray, whole: Mapping[str, bytes]) -> None:
    size = random.choice((4, 16, 64, 400))
    content[:size] = whole[random.choice(sorted(whole))][:size]


def _another_tail(random: Random, content: bytearray, whole: Mapping[str, bytes]) -> None:
    other = whole[random.choice(sorted(whole))]
    content[random.randrange(len(content) + 1) :] = other[random.randrange(len(other)) :]


def _repeat(random: Random, content: bytearray, _: Mapping[str, bytes]) -> None:
    start = random.randrange(len(content) + 1)
    content[start:start] = content[start : start + random.randrange(1, 5_000)] * random.choice((1, 2, 50))


DAMAGES: tuple[Damage, ...] = (
    *(_cut_end, _cut_start, _flip_bits, _flip_header, _lie_about_a_number, _insert, _blank, _swap_parts),
    *(_another_head, _another_tail, _repeat),
)


def judge(path: Path) -> Verdict:
    """Read one file in this process."""
    try:
        sound = read_sound(path, limits=LIMITS)
    except AudioError as error:
        said = str(error)
        sentences = said.replace(str(path), "FILE").replace(path.stem, "FILE").split(". ")
        plain = len(sentences) == 2 and str(path) in said and "\n" not in said and said.endswith((".", "wav", "wav'"))
        return Verdict(path.name, type(error).__name__ if plain else "words", said)
    except BaseException as error:  # anything else is what is looked for
        return Verdict(path.name, "bug", f"{type(error).__name__}: {error}")
    lengths = {len(track.read()) for track in sound.tracks}
    whole = (
        len(lengths) == 1 and 0 < sound.duration_s <= LIMITS.duration_s and 1 <= len(sound.tracks) <= LIMITS.channels
    )
    peak_mib = _peak_mib()
    if peak_mib > MOST_MEMORY_MIB:
        return Verdict(path.name, "memory", f"{peak_mib:.0f} MiB")
    return Verdict(path.name, "sound" if whole else "bug", f"{sound.duration_s:.2f} s")


def _peak_mib() -> float:
    """The most memory since this program began; getrusage counts what forked it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _work(connection: Connection) -> None:
    logging.disable()
    while path := connection.recv():
        connection.send(judge(path))


class Worker:
    """A process that reads one file after the other, and is replaced when one has ended it or holds it up."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def judge(self, path: Path) -> Verdict:
        self._connection.send(path)
        try:
            if self._connection.poll(TIMEOUT_S):
                verdict: Verdict = self._connection.recv()
                return verdict
            self.close()
            verdict = Verdict(path.name, "hang", f"more than {TIMEOUT_S:.0f} s")
        except EOFError:
            self._process.join()
            verdict = Verdict(path.name, "crash", f"exit code {self._process.exitcode}")
        self._start()
        return verdict

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()


def verdicts(seed: int, files: int, folder: Path) -> Iterator[Verdict]:
    """Make and read that many files, one after the other."""
    whole = originals(folder)
    worker = Worker()
    try:
        for number in range(seed * 1_000_000, seed * 1_000_000 + files):
            name, content = damaged(number, whole)
            path = folder / name
            path.write_bytes(content)
            verdict = worker.judge(path)
            if not verdict.is_bad:
                path.unlink()
            yield verdict
    finally:
        worker.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", type=int, default=200)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="damaged-"))
    counts: Counter[str] = Counter()
    for verdict in verdicts(chosen.seed, chosen.files, folder):
        counts[verdict.kind] += 1
        if verdict.is_bad:
            sys.stdout.write(f"{folder / verdict.name}: {verdict.kind}: {verdict.said}\n")
    sys.stdout.write(f"{dict(counts.most_common())}\n")


if __name__ == "__main__":
    main()
