"""Sound read by FFmpeg (PyAV): compressed formats, and the sound of videos."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import av
from av.container import InputContainer

from callscope_preprocessing.errors import AudioEmpty, AudioError, AudioUnrecognised, damaged, unrecognised
from callscope_preprocessing.ffmpeg_frames import blocks_of
from callscope_preprocessing.header import states_mp3_length
from callscope_preprocessing.packets import Packets
from callscope_preprocessing.raw import RawFormat
from callscope_preprocessing.source import Source
from callscope_preprocessing.stream import Block, Stream

# Playlists and the like can name other files and addresses: only formats that hold their own sound are opened.
FORMATS = (
    "aac ac3 aiff amr amrnb amrwb ape asf au avi avr caf dts eac3 epaf flac flv gsm iff ircam latm loas matroska mov "
    "mp3 mpeg mpegts nistsphere nut ogg pvf rm sox spdif tta voc w64 wav wv"
)
# Decoders of speech and music that calls come in. Pictures are not decoded, not even to look at the first one.
DECODERS = (
    "aac aac_latm ac3 adpcm_ima_oki adpcm_ima_qt adpcm_ima_wav adpcm_ms adpcm_swf adpcm_yamaha alac amrnb amrwb ape "
    "dca eac3 evrc flac g722 g723_1 g726 g726le g729 gsm gsm_ms ilbc mp1 mp1float mp2 mp2float mp3 mp3float "
    "nellymoser opus pcm_alaw pcm_f32be pcm_f32le pcm_f64be pcm_f64le pcm_mulaw pcm_s16be pcm_s16be_planar "
    "pcm_s16le pcm_s16le_planar pcm_s24be pcm_s24le pcm_s24le_planar pcm_s32be pcm_s32le pcm_s32le_planar pcm_s8 "
    "pcm_s8_planar pcm_u16be pcm_u16le pcm_u24be pcm_u24le pcm_u32be pcm_u32le pcm_u8 qcelp real_144 real_288 "
    "shorten sipr speex truespeech tta vorbis wavpack wmalossless wmapro wmav1 wmav2 wmavoice"
)
# Formats whose header states the length; elsewhere FFmpeg's figure is an estimate from the bit rate.
STATES_LENGTH = frozenset({"matroska,webm", "flac"})
CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska"}

logger = logging.getLogger(__name__)


@contextmanager
def open_ffmpeg(source: Source) -> Iterator[Stream]:
    """Open a file with FFmpeg and start decoding its first track that has sound.

    Raises:
        AudioUnrecognised: FFmpeg does not know the format, or none of its tracks' codecs.
        AudioCorrupt: the track does not decode at all.
        AudioEmpty: there is no sound track, or no sound in it.
    """
    with _open_container(source) as container:
        tracks = len(container.streams.audio)
    if not tracks:
        raise AudioEmpty(f"{source.name} has no sound track. Name a file with sound.")
    for track in range(tracks):
        with _open_container(source) as container:
            try:
                begun = _begin(source, container, track)
            except (AudioEmpty, AudioUnrecognised):
                if track == tracks - 1:
                    raise
                continue
            if tracks > 1:
                logger.warning("%s has %d sound tracks, and number %d is read.", source.name, tracks, track + 1)
            yield begun
            return


@contextmanager
def open_raw_ffmpeg(source: Source, raw: RawFormat) -> Iterator[Stream]:
    """Open sound without a header with FFmpeg.

    Raises:
        AudioUnrecognised: FFmpeg does not take the format.
        AudioCorrupt: it does not decode at all.
        AudioEmpty: there is no sound in it.
    """
    with _open_container(source, raw.details.demuxer, raw.details.options or {}) as container:
        yield _begin(source, container, 0)


def _open_container(source: Source, form: str | None = None, more: Mapping[str, str] | None = None) -> InputContainer:
    source.file.seek(0)
    options = {
        "fd": str(source.file.fileno()),
        "format_whitelist": form or FORMATS.replace(" ", ","),
        "codec_whitelist": DECODERS.replace(" ", ","),
        "protocol_whitelist": "fd",
        **(more or {}),
    }
    try:
        # Tags are often in legacy Japanese and Korean encodings, which must not stop the sound.
        return av.open("fd:", "r", form, metadata_errors="replace", container_options=options)
    except (av.error.FFmpegError, ValueError) as error:
        raise unrecognised(source.name) from error


def _begin(source: Source, container: InputContainer, track: int) -> Stream:
    context = container.streams.audio[track].codec_context
    if context is None or context.name not in DECODERS.split():
        raise unrecognised(source.name)
    packets = Packets(source.name)
    frames = packets.frames(container, container.streams.audio[track])
    first = next(frames, None)
    if first is None:
        raise AudioEmpty(f"{source.name} holds no sound: its length is 0 s. Check how it was recorded.")
    return Stream(
        rate_hz=first.sample_rate,
        channels=len(first.layout.channels),
        container=CONTAINERS.get(container.format.name, container.format.name),
        codec=re.sub(r"^(pcm_[a-z]\d+)(le|be)", r"\1", context.codec.canonical_name),
        declared_s=_declared_s(container, source),
        blocks=_blocks(packets, first, frames),
    )


def _declared_s(container: InputContainer, source: Source) -> float | None:
    """Length by the header, where it states one and it is the sound's: a video may be longer than its sound."""
    stated = container.format.name in STATES_LENGTH
    stated = stated or (container.format.name == "mp3" and states_mp3_length(source.file))
    if not stated or len(container.streams) != 1 or container.duration is None:
        return None
    return container.duration / av.time_base


def _blocks(packets: Packets, first: av.AudioFrame, rest: Iterator[av.AudioFrame]) -> Iterator[Block]:
    try:
        yield from blocks_of(first, rest)
    except (av.error.FFmpegError, ValueError, MemoryError) as error:
        if isinstance(error, AudioError):
            raise
        raise damaged(packets.name, packets.decoded_s) from error
