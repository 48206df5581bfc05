"""What a classifier's labels say of how a text sounds, by the names in `polarity.toml`."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"


def polarities(labels: Sequence[str]) -> tuple[float, ...] | None:
    """The polarity of each label, -1 to 1. "negative" is -1; beside "very negative" it is -0.5.

    None when a label is unknown, or when none is positive or none negative.
    """
    known = _known()
    values = [known.get(_plain(label)) for label in labels]
    found = [value for value in values if value is not None]
    if len(found) < len(values) or min(found, default=0) >= 0 or max(found) <= 0:
        return None
    strongest = max(abs(value) for value in found)
    return tuple(value / strongest for value in found)


def side(polarity: float) -> str:
    """negative, neutral or positive."""
    return NEGATIVE if polarity < 0 else POSITIVE if polarity > 0 else NEUTRAL


@cache
def _known() -> Mapping[str, int]:
    table = tomllib.loads(files("callscope.triton").joinpath("polarity.toml").read_text("utf-8"))
    return {_plain(name): row["value"] for row in table["polarity"] for name in row["names"]}


def _plain(label: str) -> str:
    spaced = unicodedata.normalize("NFKC", label).replace("_", " ").replace("-", " ")
    return " ".join(spaced.casefold().split())
