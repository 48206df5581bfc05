"""Sound read by libsndfile: uncompressed and lossless formats, and raw samples."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import soundfile  # type: ignore[import-untyped]  # ships no types

from callscope_preprocessing.errors import damaged, unrecognised
from callscope_preprocessing.raw import RawFormat
from callscope_preprocessing.source import Source
from callscope_preprocessing.stream import Block, Stream

BLOCK_FRAMES = 1 << 16
UNKNOWN_FRAMES = 1 << 60
CONTAINERS = {"WAVEX": "wav"}
CODECS = {
    "PCM_S8": "pcm_s8",
    "PCM_U8": "pcm_u8",
    "PCM_16": "pcm_s16",
    "PCM_24": "pcm_s24",
    "PCM_32": "pcm_s32",
    "FLOAT": "pcm_f32",
    "DOUBLE": "pcm_f64",
    "ULAW": "pcm_mulaw",
    "ALAW": "pcm_alaw",
    "IMA_ADPCM": "adpcm_ima_wav",
    "MS_ADPCM": "adpcm_ms",
    "VOX_ADPCM": "adpcm_ima_oki",
    "GSM610": "gsm",
}
WIDER_THAN_16_BITS = frozenset({"PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAC_20", "ALAC_24", "ALAC_32", "DWVW_24"})

logger = logging.getLogger(__name__)


@contextmanager
def open_sndfile(source: Source) -> Iterator[Stream]:
    """Open a file that has a header with libsndfile.

    Raises:
        AudioUnrecognised: libsndfile does not know the format, or knows it too badly: it stops an MP3 without a
            length header at an estimate, which can lose most of the sound.
    """
    source.file.seek(0)
    try:
        sound = soundfile.SoundFile(source.file.fileno(), closefd=False)
    except soundfile.SoundFileError as error:
        raise unrecognised(source.name) from error
    with sound:
        if sound.subtype.startswith("MPEG"):
            raise unrecognised(source.name)
        yield _stream(source, sound)


@contextmanager
def open_raw_sndfile(source: Source, raw: RawFormat) -> Iterator[Stream]:
    """Open samples without a header with libsndfile.

    Raises:
        AudioUnrecognised: libsndfile does not take the format.
    """
    source.file.seek(0)
    encoding = raw.details
    if rest := source.bytes % (encoding.bytes * raw.channels):
        logger.warning("%s: its last %d bytes are less than a sample of each channel (%s).", source.name, rest, raw)
    try:
        sound = soundfile.SoundFile(
            source.file.fileno(),
            samplerate=raw.rate_hz,
            channels=raw.channels,
            format="RAW",
            subtype=encoding.subtype,
            endian=encoding.endian,
            closefd=False,
        )
    except (soundfile.SoundFileError, ValueError, TypeError) as error:
        raise unrecognised(source.name) from error
    with sound:
        yield _stream(source, sound)


def _stream(source: Source, sound: soundfile.SoundFile) -> Stream:
    return Stream(
        rate_hz=sound.samplerate,
        channels=sound.channels,
        container=CONTAINERS.get(sound.format, sound.format.lower()),
        codec=CODECS.get(sound.subtype, sound.subtype.lower()),
        declared_s=sound.frames / sound.samplerate if 0 < sound.frames < UNKNOWN_FRAMES else None,
        blocks=_blocks(source.name, sound),
    )


def _blocks(name: str, sound: soundfile.SoundFile) -> Iterator[Block]:
    """Whole samples as they are; wider ones as floats, for libsndfile would not round but cut them."""
    dtype = "float32" if sound.subtype in WIDER_THAN_16_BITS else "int16"
    frames = 0
    while True:
        try:
            block = sound.read(BLOCK_FRAMES, dtype=dtype, always_2d=True)
        except soundfile.SoundFileError as error:
            raise damaged(name, frames / sound.samplerate) from error
        if not len(block):
            return
        frames += len(block)
        yield np.ascontiguousarray(block.T)
