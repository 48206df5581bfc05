"""WebVTT captions, as browsers read them: the speaker is a voice span. Source: https://www.w3.org/TR/webvtt1/."""

from __future__ import annotations

from html import escape

from callscope.call import Call
from callscope.report.captions import captions
from callscope.report.times import timestamp


def write(call: Call) -> str:
    """A cue for each caption, `<v Agent>` before its words."""
    cues = (
        f"{timestamp(one.start_s, '.')} --> {timestamp(one.end_s, '.')}\n"
        f"<v {escape(one.speaker, quote=False)}>{escape(one.text, quote=False)}\n"
        for one in captions(call)
    )
    return "\n".join(("WEBVTT\n", *cues))
