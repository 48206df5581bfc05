"""The served recogniser on held-out sentences spoken by held-out voices: error rates by language and voice."""

from __future__ import annotations

import argparse
import asyncio
from collections import defaultdict
from pathlib import Path

import jiwer
import numpy as np
import soxr
from demo.recipe import shards, texts

from callscope.embedded import server_url
from callscope.settings import Settings
from callscope.triton.language import transcribe_call
from callscope.triton.transcriber import Transcriber
from callscope.triton.transport import connect
from callscope_preprocessing.chunk import Chunk, whole
from callscope_preprocessing.track import track_of

RATE_HZ, LINE_RATE_HZ = 16_000, 8_000
LEAD = 3_200
CONCURRENCY = 16

Pair = tuple[str, str]


def window(utterance: shards.Utterance, samples: int) -> Chunk:
    """The utterance over a telephone line's rate, in one window of the model."""
    narrow = soxr.resample(utterance.samples.astype(np.float32), RATE_HZ, LINE_RATE_HZ)
    sound = soxr.resample(narrow, LINE_RATE_HZ, RATE_HZ)[: samples - LEAD]
    audio = np.zeros(samples, np.int16)
    audio[LEAD : LEAD + len(sound)] = np.clip(sound, -32768, 32767)
    return whole(track_of(audio, RATE_HZ), speech_s=len(sound) / RATE_HZ)


def error_rate(language: str, pairs: list[Pair]) -> float:
    """WER for English, CER without spaces for Japanese and Korean."""
    references, hypotheses = zip(*pairs, strict=True)
    if language == "en":
        return float(jiwer.wer(list(references), list(hypotheses)))
    return float(
        jiwer.cer([text.replace(" ", "") for text in references], [text.replace(" ", "") for text in hypotheses])
    )


async def recognise(url: str, language: str, utterances: list[shards.Utterance]) -> dict[str, list[Pair]]:
    """Voice -> (reference, hypothesis) of each utterance."""
    transport = connect(url)
    transcriber = await Transcriber.from_server(transport)

    chunks = [window(utterance, transcriber.model.window_samples) for utterance in utterances]
    heard = await transcribe_call(transcriber, chunks, language, limit=CONCURRENCY)
    pairs = [(utterance.text, one.text) for utterance, one in zip(utterances, heard.transcripts, strict=True)]
    await transport.close()
    by_voice: dict[str, list[Pair]] = defaultdict(list)
    for utterance, pair in zip(utterances, pairs, strict=True):
        by_voice[utterance.voice].append(pair)
    return by_voice


def rows(language: str, by_voice: dict[str, list[Pair]]) -> list[str]:
    """Lines of the table: each voice, then all of them."""
    measure = "WER" if language == "en" else "CER"
    every = {**dict(sorted(by_voice.items())), "**all**": [pair for pairs in by_voice.values() for pair in pairs]}
    return [
        f"| {language} | {voice} | {len(pairs)} | {measure} {100 * error_rate(language, pairs):.1f} % |"
        for voice, pairs in every.items()
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    lines = ["| language | voice | utterances | error |", "|---|---|---|---|"]
    with server_url(Settings()) as url:
        for language in texts.LANGUAGES:
            paths = sorted(options.speech.glob(f"held-out-{language}-*.npz"))
            utterances = [utterance for path in paths for utterance in shards.read(path)]
            lines += rows(language, asyncio.run(recognise(url, language, utterances)))
    options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(options.output.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
