"""A change of sample rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr  # type: ignore[import-untyped]  # ships no types

from callscope_preprocessing.audio import Audio, Samples
from callscope_preprocessing.pcm import FULL_SCALE, to_int16
from callscope_preprocessing.track import Track, TrackWriter


def resample(audio: Audio, rate_hz: int) -> Audio:
    """Change the sample rate with soxr's high-quality filter, which adds no delay.

    Args:
        audio: any number of channels and any length.
        rate_hz: the rate to make.

    Returns:
        The same sound at `rate_hz`, within [-1, 1]; `audio` itself where the rate is right already.

    Raises:
        ValueError: `rate_hz` is not positive.
    """
    if rate_hz <= 0:
        raise ValueError(f"A sample rate of {rate_hz} Hz is impossible. Give a positive one.")
    if audio.rate_hz == rate_hz:
        return audio
    channels = [soxr.resample(channel, audio.rate_hz, rate_hz, quality="HQ") for channel in audio.samples]
    samples = np.stack(channels) if len(channels) > 1 else channels[0][np.newaxis]  # an hour is not copied for nothing
    return Audio(np.clip(samples, -1.0, 1.0, out=samples), rate_hz)


def resample_track(track: Track, rate_hz: int) -> Track:
    """Change the sample rate with the same filter, block by block: the same samples as of the whole at once.

    Returns:
        A track of round(samples * rate_hz / track.rate_hz) samples; `track` itself where the rate is right already.

    Raises:
        ValueError: `rate_hz` is not positive.
        StorageFull: the folder for temporary files has no room.
    """
    if rate_hz <= 0:
        raise ValueError(f"A sample rate of {rate_hz} Hz is impossible. Give a positive one.")
    if track.rate_hz == rate_hz:
        return track
    writer, written = TrackWriter(rate_hz), 0
    wanted = round(track.samples * rate_hz / track.rate_hz)
    floats = (block.astype(np.float32) / np.float32(FULL_SCALE) for block in track.blocks())
    for block in resample_blocks(floats, track.rate_hz, rate_hz):
        made = to_int16(block)[: wanted - written]
        writer.write(made)
        written += len(made)
    writer.write(np.zeros(wanted - written, np.int16))
    return writer.finish()


def resample_blocks(blocks: Iterable[Samples], from_hz: int, to_hz: int) -> Iterator[Samples]:
    """Change the sample rate of sound as it comes, with the same filter; the sizes of the blocks do not matter.

    Args:
        blocks: float32, shape (samples,) each.
        from_hz: samples a second of the blocks.
        to_hz: samples a second to make.

    Yields:
        Blocks of another number and other sizes; the blocks themselves where the rate is right already.
    """
    if from_hz == to_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
