"""Places where a sentence may end, and how sure that is."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Certainty(IntEnum):
    """What must speak for an end besides the words before it."""

    WEAK = 1
    """A pause, in a text without marks."""
    PLAIN = 2
    """A pause, or that the text has no marks at all."""
    SURE = 3
    """Nothing."""


class Ending(NamedTuple):
    """A place where a sentence may end by its words, with no mark to show it.

    Attributes:
        last: offset behind the last word.
        end: offset of the next word; the space between stays with the sentence before.
        certainty: how sure that is.
    """

    last: int
    end: int
    certainty: Certainty
