"""A track's packets, decoded by FFmpeg one after the other, and how many of them are damaged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import av
from av.audio import AudioStream
from av.container import InputContainer

from callscope_preprocessing.errors import damaged, unrecognised

BAD_PACKETS = 0.01

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Packets:
    """What became of the packets of a track so far.

    Attributes:
        name: what to call the recording.
        decoded_s: how much sound they held, in seconds.
        packets: how many there were.
        bad: how many of them did not decode.
    """

    name: str
    decoded_s: float = 0.0
    packets: int = 0
    bad: int = 0

    def frames(self, container: InputContainer, track: AudioStream) -> Iterator[av.AudioFrame]:
        """Decoded frames, without the few packets that do not decode: their timestamps leave a gap, filled later.

        Raises:
            AudioUnrecognised: there is no decoder.
            AudioCorrupt: too many packets do not decode.
        """
        try:
            for packet in _demuxed(container, track):
                frames = _decoded(packet)
                self.packets += 1
                self.bad += frames is None
                for frame in frames or ():
                    self.decoded_s += frame.samples / (frame.sample_rate or 1)
                    yield frame
        except av.error.DecoderNotFoundError as error:
            raise unrecognised(self.name) from error
        except (av.error.FFmpegError, ValueError) as error:
            raise damaged(self.name, self.decoded_s) from error
        if self.bad > max(1, BAD_PACKETS * self.packets) or (self.bad and not self.decoded_s):
            raise damaged(self.name, self.decoded_s)
        if self.bad:
            logger.warning("%s: %d of %d packets do not decode and are silent.", self.name, self.bad, self.packets)


def _demuxed(container: InputContainer, track: AudioStream) -> Iterator[av.Packet[AudioStream]]:
    # At the end, PyAV stumbles over tracks that began in the middle, when those known from the start are done.
    with suppress(IndexError):
        yield from container.demux(track)


def _decoded(packet: av.Packet[AudioStream]) -> list[av.AudioFrame] | None:
    try:
        return packet.decode()
    except av.error.DecoderNotFoundError:
        raise
    except av.error.FFmpegError:
        return None
