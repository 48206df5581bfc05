"""Sound without a header, as telephone exchanges write it: what it is has to be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FORM = "ENCODING:RATE:CHANNELS, such as mulaw:8000:1 or s16le:16000:2"


@dataclass(frozen=True, slots=True)
class Encoding:
    """How samples are coded, and who reads them.

    Attributes:
        codec: FFmpeg's name of the codec, without the order of bytes.
        subtype: libsndfile's name; None where FFmpeg reads it.
        endian: libsndfile's word for the order of bytes.
        demuxer: FFmpeg's name of the raw format; None where libsndfile reads it.
        options: what FFmpeg has to be told besides.
        bytes: of one sample; 1 where samples are no whole number of bytes.
        rate_hz: the only rate there is; None for any.
    """

    codec: str
    subtype: str | None = None
    endian: str = "LITTLE"
    demuxer: str | None = None
    options: Mapping[str, str] | None = None
    bytes: int = 1
    rate_hz: int | None = None

    @property
    def is_mono(self) -> bool:
        """Whether it has one channel only: those that FFmpeg reads, and those coded in steps or blocks."""
        return self.demuxer is not None or self.subtype in {"VOX_ADPCM", "GSM610"}


ENCODINGS: Mapping[str, Encoding] = {
    "mulaw": Encoding("pcm_mulaw", "ULAW"),
    "alaw": Encoding("pcm_alaw", "ALAW"),
    "s8": Encoding("pcm_s8", "PCM_S8"),
    "u8": Encoding("pcm_u8", "PCM_U8"),
    "s16le": Encoding("pcm_s16", "PCM_16", bytes=2),
    "s16be": Encoding("pcm_s16", "PCM_16", "BIG", bytes=2),
    "s24le": Encoding("pcm_s24", "PCM_24", bytes=3),
    "s24be": Encoding("pcm_s24", "PCM_24", "BIG", bytes=3),
    "s32le": Encoding("pcm_s32", "PCM_32", bytes=4),
    "s32be": Encoding("pcm_s32", "PCM_32", "BIG", bytes=4),
    "f32le": Encoding("pcm_f32", "FLOAT", bytes=4),
    "f32be": Encoding("pcm_f32", "FLOAT", "BIG", bytes=4),
    "f64le": Encoding("pcm_f64", "DOUBLE", bytes=8),
    "f64be": Encoding("pcm_f64", "DOUBLE", "BIG", bytes=8),
    "vox": Encoding("adpcm_ima_oki", "VOX_ADPCM"),
    "gsm": Encoding("gsm", "GSM610", rate_hz=8_000),
    "g722": Encoding("adpcm_g722", demuxer="g722", rate_hz=16_000),
    "g726": Encoding("adpcm_g726", demuxer="g726", options={"code_size": "4"}, rate_hz=8_000),
    "g726le": Encoding("adpcm_g726", demuxer="g726le", options={"code_size": "4"}, rate_hz=8_000),
    "g729": Encoding("g729", demuxer="g729", rate_hz=8_000),
}
"""G.726 is that of 32 kbit/s, packed from the high bits as ITU-T I.366.2 has it, or from the low ones as RTP does."""

ALIASES = {"ulaw": "mulaw", "pcmu": "mulaw", "pcma": "alaw", "s16": "s16le", "s24": "s24le", "s32": "s32le"} | {
    "f32": "f32le",
    "f64": "f64le",
}


@dataclass(frozen=True, slots=True)
class RawFormat:
    """What a file without a header holds.

    Attributes:
        encoding: a key of `ENCODINGS`.
        rate_hz: samples a second.
        channels: how many, their samples taking turns.

    Raises:
        ValueError: there is no such encoding, or it has another rate or one channel only.
    """

    encoding: str
    rate_hz: int
    channels: int

    def __post_init__(self) -> None:
        known = ENCODINGS.get(self.encoding)
        if known is None:
            raise ValueError(f"{self.encoding!r} is no raw encoding known here. Choose one of {', '.join(ENCODINGS)}.")
        if self.rate_hz < 1 or self.channels < 1:
            raise ValueError("Raw sound has at least one sample a second and one channel. Give both as numbers from 1.")
        if known.rate_hz not in {None, self.rate_hz}:
            raise ValueError(f"Raw {self.encoding} has {known.rate_hz} samples a second. Write that rate.")
        if known.is_mono and self.channels != 1:
            raise ValueError(f"Raw {self.encoding} has one channel. Write 1.")

    @property
    def details(self) -> Encoding:
        """The encoding's row."""
        return ENCODINGS[self.encoding]

    @classmethod
    def parse(cls, text: str) -> RawFormat:
        """Read `ENCODING:RATE:CHANNELS`, as in `mulaw:8000:1`.

        Raises:
            ValueError: it is not of that form, or what it says cannot be.
        """
        encoding, *numbers = text.strip().lower().split(":")
        try:
            rate_hz, channels = map(int, numbers)
        except ValueError as error:
            raise ValueError(f"{text!r} does not describe raw sound. Write {FORM}.") from error
        return cls(ALIASES.get(encoding, encoding), rate_hz, channels)

    def __str__(self) -> str:
        return f"{self.encoding}:{self.rate_hz}:{self.channels}"
