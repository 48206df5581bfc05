"""What is wrong with a transcript, in a sentence that names the file, the place in it and the remedy."""

from __future__ import annotations

from typing import ClassVar

from callscope.errors import CallscopeError


class TranscriptInvalid(CallscopeError):
    """A transcript cannot be read, or does not say what a conversation is measured by.

    What to do: correct the transcript where the message says.

    Args:
        source: the file as it was named.
        problem: what is wrong and what to do, sentences without the final point.
        place: where in it, as "line 3".
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, source: str, problem: str, place: str = "") -> None:
        super().__init__(f"{source}{', ' if place else ''}{place}: {problem}.")
