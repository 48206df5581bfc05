"""Whether all the sound that a header declares is there: decoders quietly give what they have."""

from __future__ import annotations

import math
import shlex

from callscope_preprocessing.errors import AudioTruncated
from callscope_preprocessing.header import Declaration
from callscope_preprocessing.limits import duration
from callscope_preprocessing.source import Source

SHORTFALL_S = 0.25


def require_whole(source: Source, present_s: float, declared_s: float | None, declaration: Declaration | None) -> None:
    """Compare what was decoded with what is declared, in bytes and in seconds.

    Raises:
        AudioTruncated: less is there.
    """
    if declaration is not None and declaration.is_cut:
        if declaration.share == 0:
            raise truncated_bytes(source, declaration)
        raise _truncated(source, present_s, present_s / declaration.share)
    if declared_s is not None and declared_s - present_s > SHORTFALL_S:
        raise _truncated(source, present_s, declared_s)


def truncated_bytes(source: Source, declaration: Declaration) -> AudioTruncated:
    """Say what share of the bytes is there, of a file of which nothing decodes."""
    share = math.floor(100 * declaration.share)
    return AudioTruncated(
        f"{source.name} is cut short: it holds {share} % of the bytes that its header declares. "
        "Fetch it again from its source."
    )


def _truncated(source: Source, present_s: float, declared_s: float) -> AudioTruncated:
    said = (
        f"{source.name} is cut short: its header declares {duration(declared_s)} and {duration(present_s)} is there. "
        "Fetch it again"
    )
    if source.path is None:
        return AudioTruncated(f"{said} from its source.")
    repaired = shlex.quote(f"{source.path.stem}-repaired.wav")
    return AudioTruncated(f"{said}, or keep what is there: ffmpeg -i {shlex.quote(str(source.path))} {repaired}")
