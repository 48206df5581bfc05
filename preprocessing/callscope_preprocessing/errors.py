"""What can be wrong with a recording.

    AudioError
    ├── AudioNotFound       nothing at that path
    ├── AudioUnreadable     there, but not a file that may be read: directory, pipe, device, no permission
    ├── AudioUnrecognised   a file without sound in a known format
    ├── AudioEmpty          0 bytes, or sound that lasts 0 s
    ├── AudioCorrupt        sound that does not decode, or decodes to values that are no sound
    │   └── AudioTruncated  less sound than the header declares
    ├── AudioUnsupported    a sample rate or a number of channels that no call has
    ├── AudioTooLong        more sound than the limit
    ├── AudioTooLarge       more bytes than the limit, in the file or decoded
    └── StorageFull         no room to keep the sound in

`str(error)` is two sentences for the user: what happened, and what to do.
"""

from __future__ import annotations

import tempfile
from typing import ClassVar


class AudioError(ValueError):
    """The recording cannot be used.

    What to do: fetch the recording again from its source, or convert it to WAV.
    """

    exit_code: ClassVar[int] = 3


class AudioNotFound(AudioError):
    """Nothing is at the path.

    What to do: check the path.
    """


class AudioUnreadable(AudioError):
    """The path is no regular file, or it may not be read.

    What to do: name a regular file that you may read.
    """


class AudioUnrecognised(AudioError):
    """The file holds no sound in a format that is known here."""


class AudioEmpty(AudioError):
    """The file, or the sound in it, has no length.

    What to do: leave the recording out, or fetch it again from its source.
    """


class AudioCorrupt(AudioError):
    """The sound does not decode, or decodes to values that are no sound.

    What to do: fetch the recording again from its source.
    """


class AudioTruncated(AudioCorrupt):
    """The file holds less sound than its header declares."""


class AudioUnsupported(AudioError):
    """The sample rate or the number of channels is outside what a call can have.

    What to do: convert the recording to a rate and a number of channels within what the message says.
    """


class AudioTooLong(AudioError):
    """The sound is longer than the limit.

    What to do: raise --max-duration-s, or cut the recording.
    """


class AudioTooLarge(AudioError):
    """The file, or its sound once it is decoded, takes more bytes than the limit.

    What to do: raise --max-bytes, or cut the recording.
    """


class StorageFull(AudioError):
    """The sound does not fit where temporary files are kept.

    What to do: make room there, or name another folder in TMPDIR.
    """


def storage_full(error: OSError) -> StorageFull:
    """Say that temporary files do not fit, and where they are kept."""
    return StorageFull(
        f"There is no room for the decoded sound in {tempfile.gettempdir()} ({error.strerror}). "
        "Free some, or name another folder in TMPDIR."
    )


def unrecognised(name: str) -> AudioUnrecognised:
    """Say that no reader knows the format."""
    return AudioUnrecognised(
        f"{name} is not sound in any format known here, or its header is damaged. "
        "If it plays elsewhere, convert it to WAV."
    )


def damaged(name: str, decoded_s: float) -> AudioCorrupt:
    """Say how much of the sound decoded."""
    return AudioCorrupt(
        f"{name} is cut short or damaged: {decoded_s:.2f} s of its sound decode and the rest does not. "
        "Fetch it again from its source."
    )
