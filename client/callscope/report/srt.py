"""SubRip subtitles, which every player and editor reads."""

from __future__ import annotations

from callscope.call import Call
from callscope.report.captions import captions
from callscope.report.times import timestamp


def write(call: Call) -> str:
    """Numbered captions, each with its speaker's name before the words; an empty document for a call without speech."""
    return "\n".join(
        f"{number}\n{timestamp(one.start_s, ',')} --> {timestamp(one.end_s, ',')}\n"
        f"{one.speaker}: {one.text.replace('-->', '->')}\n"
        for number, one in enumerate(captions(call), start=1)
    )
