"""How much of a recording is read: a small file can hold a great deal of sound, and a pipe need never end."""

from __future__ import annotations

from dataclasses import dataclass

from callscope_preprocessing.errors import AudioTooLarge, AudioTooLong, AudioUnsupported

MIN_RATE_HZ = 4_000
SAMPLE_BYTES = 2
SECONDS_SHOWN_BELOW = 120
MINUTES_AN_HOUR = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is read of one recording.

    Attributes:
        duration_s: decoded sound, in seconds.
        bytes: the file, and its sound once it is decoded (two bytes a sample), each in bytes.
        channels: how many channels.
        rate_hz: samples a second.
    """

    duration_s: float = 12 * 3600.0
    bytes: int = 8 << 30
    channels: int = 32
    rate_hz: int = 384_000

    def require_plausible(self, name: str, rate_hz: int, channels: int) -> None:
        """Reject sound that no call has.

        Raises:
            AudioUnsupported: there are too many channels, or none; or too few or too many samples a second.
        """
        if not MIN_RATE_HZ <= rate_hz <= self.rate_hz:
            raise AudioUnsupported(
                f"{name} has {rate_hz:,} samples a second, and a call has {MIN_RATE_HZ:,} to {self.rate_hz:,}. "
                "Check that its header is right, or convert it."
            )
        if not 1 <= channels <= self.channels:
            raise AudioUnsupported(
                f"{name} has {channels:,} channels, and at most {self.channels} are read (max_channels). "
                "Check that its header is right, or take out the channels of the call."
            )

    def require_small(self, name: str, file_bytes: int) -> None:
        """Reject a file of too many bytes.

        Raises:
            AudioTooLarge: it has more than the limit.
        """
        if file_bytes > self.bytes:
            raise AudioTooLarge(
                f"{name} is larger than {self.bytes:,} bytes, the most that is read. "
                "Split it, or raise the limit (max_bytes)."
            )

    def require_room(self, name: str, frames: int, rate_hz: int, channels: int) -> None:
        """Reject sound of which too much has been decoded.

        Raises:
            AudioTooLong: it lasts longer than the limit.
            AudioTooLarge: it takes more bytes than the limit.
        """
        if frames > self.duration_s * rate_hz:
            raise AudioTooLong(
                f"{name} lasts longer than {duration(self.duration_s)}, the most that is read. "
                "Split it, or raise the limit (max_duration_s)."
            )
        if frames * channels * SAMPLE_BYTES > self.bytes:
            raise AudioTooLarge(
                f"{name} takes more than {self.bytes:,} bytes when its {channels} channels of {rate_hz:,} samples a "
                "second are decoded. Split it, or raise the limit (max_bytes)."
            )


DEFAULT = Limits()


def duration(seconds: float) -> str:
    """A length as it is told to people."""
    if seconds < SECONDS_SHOWN_BELOW:
        return f"{seconds:.2f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= MINUTES_AN_HOUR else f"{minutes} min"
