"""One call as a page for a browser: a single file that asks for nothing beyond itself."""

from __future__ import annotations

from callscope.call import Call


def write(call: Call, audio: str | None = None) -> str:
    """The call as an HTML document, in the call's language where that is English, Japanese or Korean.

    Args:
        call: what is shown.
        audio: the recording, for a player that the transcript follows: a `data:` URI or a path relative to the page,
            as `audio.embed` and `audio.link` give it. Without it there is no player.
    """
    from callscope.report.html.page import render  # noqa: PLC0415  the other writers need no templates

    return render(call, audio)
